"""Smoking and alcohol."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.lifestyle import alcohol, smoking
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from tests.support.charts import chart_of

LOINC, SCT, CM = "http://loinc.org", "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"


def observation(code: str, value: str, on: str = "2026-05-01", ident: str = "o1") -> str:
    effective = f'"effectiveDateTime": "{on}", ' if on else ""
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", {effective}'
        f'"code": {{"coding": [{{"system": "{LOINC}", "code": "{code}"}}]}}, {value}}}'
    )


def condition(code: str, on: str = "2026-01-01", more: str = "", ident: str = "c1") -> str:
    return (
        f'{{"resourceType": "Condition", "id": "{ident}", "code": {{"coding": [{{"system": "{CM}", "code": "{code}"}}]}},'
        f' "recordedDate": "{on}"{more}}}'
    )


def answer(code: str) -> str:
    return f'"valueCodeableConcept": {{"coding": [{{"system": "{SCT}", "code": "{code}"}}]}}'


def status(*resources: str) -> str:
    found = smoking(chart_of(*resources))
    return found.value.value if isinstance(found, Known) else found.gaps[0].kind.value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (answer("449868002"), "current"),
        (answer("8517006"), "former"),
        (answer("266919005"), "never"),
        (answer("266927001"), "not-recorded"),  # consumption unknown
        ('"valueCodeableConcept": {"text": "Never smoker"}', "never"),
        ('"valueCodeableConcept": {"text": "Former smoker"}', "former"),
        ('"valueString": "Current every day smoker"', "current"),
        ('"valueString": "Unknown if ever smoked"', "not-recorded"),
        ('"valueString": "10 pack years"', "not-recorded"),
        ('"dataAbsentReason": {"text": "asked"}, "valueString": "never"', "not-recorded"),
        (
            '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "449868002"},'
            ' {"system": "http://snomed.info/sct", "code": "8517006"}]}',
            "not-recorded",
        ),
    ],
)
def test_lif_02_smoking_answers(value: str, expected: str) -> None:
    assert status(observation("72166-2", value)) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (condition("F17.210"), "current"),
        (condition("F17.290"), "current"),
        (condition("F17.211"), "former"),  # in remission
        (condition("F17.210", more=', "clinicalStatus": {"coding": [{"code": "resolved"}]}'), "former"),
        (condition("Z72.0"), "current"),
        (condition("Z87.891"), "former"),
        (condition("Z72.0", "2027-01-01"), "not-recorded"),
    ],
)
def test_lif_02_smoking_by_diagnosis(resource: str, expected: str) -> None:
    assert status(resource) == expected


def test_d10_smoking_the_newest_counts_and_two_of_one_day_are_a_conflict() -> None:
    never, former = observation("72166-2", answer("266919005"), "2020-01-01"), answer("8517006")
    assert status(never, observation("72166-2", former, "2024-01-01", "o2")) == "former"
    assert status(never, observation("72166-2", former, "2020-01-01", "o2")) == "conflicting"
    assert status(never, observation("72166-2", former, "", "o2")) == "never"
    assert status(never, observation("72166-2", former, "2027-01-01", "o2")) == "never"


def test_smoking_without_a_record() -> None:
    assert smoking(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, "smoking"),))
    assert smoking(chart_of(incomplete=[needs.LIFESTYLE])) == Unknown((Gap(GapKind.FAILED, "lifestyle"),))


def drinks(*resources: str) -> str:
    found = alcohol(chart_of(*resources))
    return str(found.value) if isinstance(found, Known) else found.gaps[0].kind.value


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("74013-4", '{"value": 2.5, "unit": "drinks/day", "code": "{drinks}/d"}', "2.5"),
        ("74013-4", '{"value": 0, "unit": "# per day"}', "0"),  # the US Core example
        ("74013-4", '{"value": 14, "code": "{drinks}/wk"}', "2"),
        ("11287-0", '{"value": 4, "code": "{drinks}/d"}', "0 to 4"),  # per drinking day: an upper bound
        ("74013-4", '{"value": 3}', "unreadable"),
        ("74013-4", '{"value": 3, "code": "g/d"}', "unreadable"),
        ("74013-4", '{"value": -1, "code": "{drinks}/d"}', "unreadable"),
        ("74013-4", '{"value": 1000, "code": "{drinks}/d"}', "unreadable"),
    ],
)
def test_lif_02_alcohol_in_drinks_per_day(code: str, value: str, expected: str) -> None:
    assert drinks(observation(code, f'"valueQuantity": {value}')) == expected


def test_alcohol_the_newest_readable_result_counts_and_the_average_before_the_bound() -> None:
    quantity = '"valueQuantity": {"value": %s, "code": "{drinks}/d"}'
    older, newer = observation("74013-4", quantity % 1, "2024-01-01"), observation("74013-4", quantity % 3, ident="o2")
    bound = observation("11287-0", quantity % 6, ident="o3")
    assert drinks(older, newer, bound, observation("74013-4", quantity % 9, "2027-01-01", "o4")) == "3"
    found = alcohol(chart_of(bound))
    assert isinstance(found, Known)
    assert found.doubts == (Gap(GapKind.NOT_RECORDED, "alcohol", "drinks per drinking day only", "Observation/o3"),)


def test_alcohol_without_a_record() -> None:
    assert alcohol(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, "alcohol"),))
