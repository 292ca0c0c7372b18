"""Menopausal status: never assumed, never "no" because it is missing (DEF-12)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.demographics import age, sex
from cds_service.clinical.facts.menopause import postmenopausal
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.thresholds import Source, Threshold
from tests.support.charts import chart_of

FROM_65 = Threshold(
    "policy.x", "x", Decimal(65), "a", dt.date(2020, 1, 1), Source("p", "p", "p", "https://example.org", 2020), "", "P"
)
WOMAN_52 = '{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1974-01-01"}'
SCT, CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"


def condition(system: str, code: str, more: str = "", ident: str = "c1") -> str:
    coding = f'{{"coding": [{{"system": "{system}", "code": "{code}"}}]}}'
    return f'{{"resourceType": "Condition", "id": "{ident}", "code": {coding}{more}}}'


def observation(value: str, on: str = "2026-05-01", ident: str = "o1") -> str:
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", "effectiveDateTime": "{on}",'
        f' "code": {{"coding": [{{"system": "{SCT}", "code": "76498008"}}]}}, {value}}}'
    )


REFUTED = ', "verificationStatus": {"coding": [{"code": "refuted"}]}'


def asked(*resources: str, patient: str = WOMAN_52, incomplete: tuple[needs.Need, ...] = ()) -> Fact[bool]:
    chart = chart_of(patient, *resources, incomplete=incomplete)
    return postmenopausal(chart, age(chart), sex(chart), FROM_65)


def value(fact: Fact[bool]) -> bool | str:
    return fact.value if isinstance(fact, Known) else fact.gaps[0].kind.value


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (condition(CM, "Z78.0"), True),
        (condition(SCT, "76498008"), True),
        (condition(SCT, "76498008", ', "clinicalStatus": {"coding": [{"code": "resolved"}]}'), True),
        (condition(CM, "E28.310"), True),  # premature
        (condition(CM, "E89.40"), True),  # after surgery
        (condition(SCT, "76498008", REFUTED), False),
        (observation('"valueBoolean": true'), True),
        (observation('"valueBoolean": false'), False),
        (
            observation(
                '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "373066001"}]}'
            ),
            True,
        ),
        (observation('"valueCodeableConcept": {"text": "No"}'), False),
        (observation('"valueString": "yes"'), True),
        (
            observation(
                '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "76498008"}]}'
            ),
            True,
        ),
        (observation('"valueString": "perimenopausal"'), "unreadable"),
        (observation('"dataAbsentReason": {"text": "asked but unknown"}, "valueBoolean": true'), "unreadable"),
        (observation('"valueBoolean": true', on="2027-01-01"), "not-recorded"),  # D15
        (condition(SCT, "76498008", ', "onsetDateTime": "2027"'), "not-recorded"),
        (condition(SCT, "76498008", REFUTED + ', "recordedDate": "2027"'), "not-recorded"),
        (condition(CM, "N95.1"), "not-recorded"),  # climacteric proves neither
        (
            condition(SCT, "76498008", ', "verificationStatus": {"coding": [{"code": "entered-in-error"}]}'),
            "not-recorded",
        ),
    ],
)
def test_def_12_what_is_on_record_decides(resource: str, expected: bool | str) -> None:
    assert value(asked(resource)) == expected


def test_def_12_nothing_on_record_is_unknown_not_no() -> None:
    assert asked() == Unknown((Gap(GapKind.NOT_RECORDED, "menopause"),))


def test_s2_a_failed_look_up_is_named() -> None:
    found = asked(incomplete=(needs.CONDITIONS,))
    assert found == Unknown((Gap(GapKind.FAILED, "conditions"),))


@pytest.mark.parametrize(("born", "expected"), [("1961-06-15", True), ("1961-06-16", "not-recorded")])
def test_presumed_from_the_policy_age_on(born: str, expected: bool | str) -> None:
    patient = f'{{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "{born}"}}'
    assert value(asked(patient=patient)) == expected


def test_the_policy_age_shows_the_age_as_evidence() -> None:
    patient = '{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950"}'
    found = asked(patient=patient)
    assert isinstance(found, Known)
    assert [each.kind for each in found.evidence] == ["age"]


def test_men_are_not_postmenopausal_and_unknown_sex_is_unknown() -> None:
    man = '{"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1950"}'
    nobody = '{"resourceType": "Patient", "id": "p1", "birthDate": "1950"}'
    assert value(asked(patient=man)) is False
    assert asked(patient=nobody) == Unknown((Gap(GapKind.NOT_RECORDED, "sex", "", "Patient/p1"),))
    assert value(asked(condition(CM, "Z78.0"), patient=nobody)) is True


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ('"recordedDate": "2020-01-01"', observation('"valueBoolean": false', "2024-01-01"), False),
        ('"recordedDate": "2025-01-01"', observation('"valueBoolean": false', "2024-01-01"), True),
        ('"recordedDate": "2024"', observation('"valueBoolean": false', "2024-05-01"), "conflicting"),
        ('"note": []', observation('"valueBoolean": false', "2024-05-01"), "conflicting"),
    ],
)
def test_d10_yes_and_no_on_record_the_newer_wins_where_dates_tell(
    first: str, second: str, expected: bool | str
) -> None:
    assert value(asked(condition(SCT, "76498008", f", {first}"), second)) == expected


def test_d12_an_old_no_says_nothing_about_today() -> None:
    chart = chart_of(WOMAN_52, observation('"valueBoolean": false', "2012-03-01"))
    found = postmenopausal(chart, age(chart), sex(chart), FROM_65, no_trusted_days=365)
    assert found == Unknown((Gap(GapKind.TOO_OLD, "menopause", "2012-03-01", "Observation/o1"),))
