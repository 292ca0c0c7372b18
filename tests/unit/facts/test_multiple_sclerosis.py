"""Multiple sclerosis, EDSS, mobility and falls."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.multiple_sclerosis import edss, falls, falls_in_year, mobility, ms, ms_type
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of

SCT, CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
WHO, LOINC = "http://hl7.org/fhir/sid/icd-10", "http://loinc.org"
RESOLVED = ', "clinicalStatus": {"coding": [{"code": "resolved"}]}'
ACTIVE = ', "clinicalStatus": {"coding": [{"code": "active"}]}'


def condition(code: str, more: str = "", ident: str = "c1", system: str = SCT) -> str:
    coding = f'{{"coding": [{{"system": "{system}", "code": "{code}"}}]}}'
    return f'{{"resourceType": "Condition", "id": "{ident}", "code": {coding}{more}}}'


def observation(code: str, value: str, on: str = "2026-05-01", ident: str = "o1", system: str = SCT) -> str:
    effective = f'"effectiveDateTime": "{on}", ' if on else ""
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", {effective}'
        f'"code": {{"coding": [{{"system": "{system}", "code": "{code}"}}]}}, {value}}}'
    )


# --- the disease -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("system", "code"),
    [(CM, "G35"), (CM, "G35.A"), (CM, "G35B1"), (CM, "G35.D"), (WHO, "G35"), (SCT, "24700007"), (SCT, "724778008")],
)
def test_ms_is_read_from_old_and_new_codes(system: str, code: str) -> None:
    assert len(ms(chart_of(condition(code, system=system))).items) == 1


@pytest.mark.parametrize(
    ("system", "code"), [(CM, "G12.21"), (CM, "I70.0"), ("http://hl7.org/fhir/sid/icd-9-cm", "340")]
)
def test_real_servers_als_and_atherosclerosis_are_not_ms(system: str, code: str) -> None:
    assert ms(chart_of(condition(code, system=system))).items == ()


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["426373005"], "relapsing"),
        (["425500002"], "secondary progressive"),
        (["428700003"], "primary progressive"),
        (["426373005", "425500002"], "secondary progressive"),
        (["426373005", "428700003"], "conflicting"),
        (["24700007"], "not-recorded"),
        (["439567002"], "not-recorded"),  # trap 22: malignant, not progressive-relapsing
    ],
)
def test_trap_22_type_on_record(codes: list[str], expected: str) -> None:
    found = ms_type(chart_of(*(condition(code, ident=f"c{n}") for n, code in enumerate(codes))))
    assert (found.value.value if isinstance(found, Known) else found.gaps[0].kind.value) == expected


# --- EDSS ------------------------------------------------------------------------------------------------------------
def score(value: str, on: str = "2026-05-01", ident: str = "o1") -> str:
    return observation("273554001", value, on, ident)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"valueQuantity": {"value": 6.5, "code": "{score}"}', exactly("6.5")),
        ('"valueQuantity": {"value": 4, "unit": "1"}', exactly(4)),
        ('"valueQuantity": {"value": 0, "unit": "score", "code": "{score}"}', exactly(0)),
        ('"valueQuantity": {"value": 10}', exactly(10)),
        ('"valueInteger": 3', exactly(3)),
    ],
)
def test_edss_in_the_units_it_is_written(value: str, expected: Interval) -> None:
    found = edss(chart_of(score(value)))
    assert isinstance(found, Known)
    assert found.value == expected


@pytest.mark.parametrize(
    "value",
    [
        '"valueQuantity": {"value": 10.5}',
        '"valueQuantity": {"value": -1}',
        '"valueQuantity": {"value": 6.3}',
        '"valueQuantity": {"value": 6, "unit": "m/s"}',
        '"valueQuantity": {"value": 6, "comparator": ">"}',
        '"valueQuantity": {"value": "6"}',
        '"valueQuantity": "6"',
        '"valueInteger": true',
        '"dataAbsentReason": {"text": "unknown"}, "valueQuantity": {"value": 6}',
    ],
)
def test_s7_an_impossible_edss_is_unreadable(value: str) -> None:
    chart = chart_of(score(value))
    assert edss(chart) == Unknown((Gap(GapKind.UNREADABLE, "edss", "", "Observation/o1"),))
    assert [each.reason for each in chart.unread] == ["edss-not-readable"]


def test_edss_the_latest_counts() -> None:
    quantity = '"valueQuantity": {"value": %s}'
    older, newer = score(quantity % "3", "2024-01-01"), score(quantity % "5.5", "2025-01-01", "o2")
    future, undated = score(quantity % "9", "2027-01-01", "o3"), score(quantity % "8", "", "o4")
    found = edss(chart_of(older, newer, future, undated))
    assert isinstance(found, Known)
    assert (found.value, found.evidence[0].resource) == (exactly("5.5"), "Observation/o2")


def test_d10_two_scores_of_one_day_are_the_interval_between_them() -> None:
    found = edss(chart_of(score('"valueInteger": 5'), score('"valueInteger": 6', ident="o2")))
    assert isinstance(found, Known)
    assert found.value == between(5, 6)
    assert {gap.kind for gap in found.doubts} == {GapKind.CONFLICTING}


def test_s1_a_newer_score_that_cannot_be_read_may_be_higher() -> None:
    found = edss(chart_of(score('"valueInteger": 3', "2024-01-01"), score('"valueInteger": 77', "2026-01-01", "o2")))
    assert isinstance(found, Known)
    assert found.value == between(3, 10)
    assert found.doubts == (Gap(GapKind.UNREADABLE, "edss", "", "Observation/o2"),)


def test_def_12_no_edss_is_unknown_with_the_reason() -> None:
    assert edss(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, "edss"),))
    assert edss(chart_of(incomplete=[needs.FUNCTION])) == Unknown((Gap(GapKind.FAILED, "function"),))


# --- mobility --------------------------------------------------------------------------------------------------------
def kinds(*resources: str) -> list[str]:
    return [aid.kind.value for aid in mobility(chart_of(*resources)).items]


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (CM, "Z99.3", "wheelchair"),
        (SCT, "225612007", "wheelchair"),
        (CM, "Z74.01", "bed"),
        (SCT, "160685001", "bed"),
        (SCT, "160683008", "walking aid"),
        (SCT, "8510008", "reduced mobility"),
        (WHO, "Z74.0", "reduced mobility"),
    ],
)
def test_mobility_kinds(system: str, code: str, kind: str) -> None:
    assert kinds(condition(code, system=system)) == [kind]


def test_mobility_only_what_still_holds() -> None:
    assert kinds(condition("225612007", RESOLVED), condition("8510008", ', "onsetDateTime": "2027"', "c2")) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"valueBoolean": true', ["walking aid"]),
        ('"valueCodeableConcept": {"text": "Yes"}', ["walking aid"]),
        ('"valueBoolean": false', []),
        ('"valueString": "sometimes"', []),
        (
            '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "225612007"}]}',
            ["wheelchair"],
        ),
    ],
)
def test_mobility_from_an_answer(value: str, expected: list[str]) -> None:
    assert kinds(observation("360006004", value)) == expected


def test_mobility_from_an_assessment_whose_answer_names_the_aid() -> None:
    named = '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "160685001"}]}'
    assert kinds(observation("430481008", named)) == ["bed"]
    chart = chart_of(observation("430481008", '"valueString": "good"'))
    assert mobility(chart).items == ()
    assert [each.reason for each in chart.unread] == ["no-answer"]


def test_mobility_a_later_no_takes_an_earlier_yes_back() -> None:
    yes = observation("360006004", '"valueBoolean": true', "2020-01-01")
    assert kinds(yes, observation("360006004", '"valueBoolean": false', "2024-01-01", "o2")) == []
    assert kinds(yes, observation("360006004", '"valueBoolean": false', "2019-01-01", "o2")) == ["walking aid"]


def test_mobility_each_kind_once_with_its_newest_evidence() -> None:
    found = mobility(
        chart_of(
            condition("225612007", ', "onsetDateTime": "2020"'),
            observation("183240000", '"valueBoolean": true', "2025-01-01"),
            observation("183240000", '"valueBoolean": true', "2027-01-01", "o9"),
        )
    )
    assert [(aid.kind.value, aid.evidence.resource) for aid in found.items] == [("wheelchair", "Observation/o1")]


# --- falls -----------------------------------------------------------------------------------------------------------
def in_year(*resources: str) -> str:
    found = falls_in_year(chart_of(*resources))
    return str(found.value) if isinstance(found, Known) else found.gaps[0].kind.value


def fall(on: str, ident: str, code: str = "217082002", more: str = "", system: str = SCT) -> str:
    return condition(code, f', "onsetDateTime": "{on}"{more}', ident, system)


def test_falls_in_the_past_year_by_their_dates() -> None:
    assert in_year() == "0"
    assert in_year(fall("2025-06-15", "f1")) == "1"
    assert in_year(fall("2025-06-14", "f1")) == "0"
    assert in_year(fall("2026-01-02", "f1"), fall("2026-03-04", "f2", more=RESOLVED)) == "2"
    assert in_year(fall("2025", "f1")) == "0 to 1"
    assert in_year(fall("2027-01-01", "f1")) == "0"


def test_d11_two_records_of_one_fall_count_once() -> None:
    assert in_year(fall("2026-01-02", "f1"), fall("2026-01-02", "f2", "W19.XXXA", system=CM)) == "1"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (fall("2026-01-02", "f1", "279992002"), ">=2"),  # recurrent falls, begun this year
        (fall("2020-01-02", "f1", "279992002", ACTIVE), ">=0"),  # still active: some may be of this year
        (fall("2020-01-02", "f1", "279992002", RESOLVED), "0"),
        (fall("2026-01-02", "f1", "Z91.81", system=CM), "0 to 1"),  # a history has no date
        (fall("2026-01-02", "f1", "W19.XXXD", system=CM), "0 to 1"),  # a follow-up visit
        (condition("217082002"), "0 to 1"),
        (condition("129839007"), "0"),  # at risk of falling is not a fall
        (condition("R29.6", system=WHO), "0"),  # trap 17: "tendency to fall" in the WHO edition
        (fall("2026-01-02", "f1", "R29.6", system=CM), ">=2"),
        (observation("52552-7", '"valueBoolean": true', "2026-06-15", system=LOINC), ">=1"),
        (observation("52552-7", '"valueBoolean": true', "2026-05-01", system=LOINC), ">=0"),
        (observation("52552-7", '"valueInteger": 3', "2026-06-15", system=LOINC), ">=2"),
        (observation("52552-7", '"valueQuantity": {"value": 0}', "2026-06-15", system=LOINC), "0"),
        (observation("52552-7", '"valueString": "often"', "2026-06-15", system=LOINC), "0"),
        (observation("52552-7", '"valueBoolean": true', "2027-06-15", system=LOINC), "0"),
        (observation("428942009", '"valueBoolean": true', "2026-06-01"), "0 to 1"),
    ],
)
def test_falls_told_in_other_ways_are_bounds(resource: str, expected: str) -> None:
    assert in_year(resource) == expected


def test_falls_an_answer_may_be_about_the_dated_falls() -> None:
    answer = observation("52552-7", '"valueBoolean": true', "2026-06-15", system=LOINC)
    assert in_year(fall("2026-01-02", "f1"), fall("2026-02-02", "f2"), answer) == ">=2"


def test_s2_falls_without_all_look_ups() -> None:
    assert falls_in_year(chart_of(incomplete=[needs.FUNCTION])) == Unknown((Gap(GapKind.FAILED, "function"),))
    known = falls_in_year(chart_of(fall("2026-01-02", "f1"), incomplete=[needs.FUNCTION]))
    assert isinstance(known, Known)
    assert str(known.value) == ">=1"
    assert Gap(GapKind.FAILED, "function") in known.doubts


def test_falls_are_listed_newest_first_and_flagged_when_repeated() -> None:
    found = falls(chart_of(fall("2024-01-02", "f1"), fall("2026-01-02", "f2", "279992002")))
    assert [(str(each.on), each.recurrent) for each in found.items] == [("2026-01-02", True), ("2024-01-02", False)]
