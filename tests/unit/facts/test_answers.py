"""Dates, activity, yes-or-no answers and plain numbers as Conditions and Observations give them (S2, S7, D14, D15)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from cds_service.clinical.facts.answers import (
    activity,
    ahead,
    begun,
    born,
    follow_up,
    icd_10_cm,
    newest_first,
    observed,
    only_recorded,
    plain_value,
    recorded,
    yes_or_no,
)
from cds_service.formats import strict_json
from cds_service.kernel.dates import DateSpan, parse_date
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of
from tests.support.results import patient

AS_OF = dt.date(2026, 6, 15)
SCT, CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN
Json = dict[str, Any]


def read(value: Json) -> Json:
    """The same after a round trip through the JSON reader of the service."""
    found: Json = strict_json.load(json.dumps(value).encode())
    return found


def days(found: DateSpan | None) -> str | None:
    """ "2026-05-01 2026-05-31 (2026-05)": first and last possible day, and the words for people."""
    return None if found is None else f"{found.earliest} {found.latest} ({found})"


# --- when a condition began ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"onsetDateTime": "2026-05"}, "2026-05-01 2026-05-31 (2026-05)"),
        ({"onsetDateTime": "2026"}, "2026-01-01 2026-06-15 (2026)"),
        ({"onsetDateTime": "2026-06"}, "2026-06-01 2026-06-15 (2026-06)"),
        ({"onsetDateTime": "2026-06-15"}, "2026-06-15 2026-06-15 (2026-06-15)"),
        ({"onsetDateTime": "2026-07"}, "2026-07-01 2026-07-31 (2026-07)"),
        ({"onsetPeriod": {"start": "2020-01-01", "end": "2020-12-31"}}, "2020-01-01 2020-12-31 (2020-01-01..2020-12-31)"),
        ({"onsetPeriod": {"start": "2020"}}, "2020-01-01 2020-12-31 (2020)"),
        ({"onsetPeriod": {"end": "2020"}}, "2020-01-01 2020-12-31 (2020)"),
        ({"onsetAge": {"value": 50, "unit": "years"}}, "2014-01-01 2015-01-01 (age 50)"),
        ({"onsetDateTime": "2020", "onsetAge": {"value": 50, "code": "a"}}, "2020-01-01 2020-12-31 (2020)"),
        ({"onsetDateTime": "2020", "recordedDate": "2026-05-01"}, "2020-01-01 2020-12-31 (2020)"),
        ({"onsetString": "childhood", "recordedDate": "2026-05-01"}, "1964-01-01 2026-05-01 (by 2026-05-01)"),
        ({"recordedDate": "2026"}, "1964-01-01 2026-06-15 (by 2026)"),
        ({"assertedDate": "2026-05"}, "1964-01-01 2026-05-31 (by 2026-05)"),
        ({"recordedDate": "2026-05", "assertedDate": "2026-04"}, "1964-01-01 2026-05-31 (by 2026-05)"),
        ({"recordedDate": "2026-06-15"}, "1964-01-01 2026-06-15 (by 2026-06-15)"),
        ({"recordedDate": "2026-06-16"}, "2026-06-16 2026-06-16 (2026-06-16)"),
        ({"recordedDate": "1964-01-01"}, "1964-01-01 1964-01-01 (by 1964-01-01)"),
        ({"recordedDate": "1963-05-01"}, "0001-01-01 1963-05-01 (by 1963-05-01)"),
        ({}, None),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)  # fmt: skip
def test_d14_when_a_condition_began_else_by_when_it_was_known(condition: Json, expected: str | None) -> None:
    assert days(begun(chart_of(patient(born="1964-01-01")), read(condition))) == expected


def test_d7_without_a_birth_date_a_life_has_no_beginning() -> None:
    chart = chart_of(patient(born=""))
    assert days(begun(chart, read({"recordedDate": "2026-05-01"}))) == "0001-01-01 2026-05-01 (by 2026-05-01)"
    assert begun(chart, read({"onsetAge": {"value": 50, "code": "a"}})) is None


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        ({"value": 50, "code": "a"}, "2014-01-01 2015-12-31 (age 50)"),
        ({"value": 50.0, "unit": "Years"}, "2014-01-01 2015-12-31 (age 50.0)"),
        ({"value": 50, "code": "a", "unit": "of age"}, "2014-01-01 2015-12-31 (age 50)"),
        ({"value": 0, "code": "a"}, "1964-01-01 1965-12-31 (age 0)"),
        ({"value": 120, "code": "a"}, "2084-01-01 2085-12-31 (age 120)"),
        ({"value": 121, "code": "a"}, None),
        ({"value": -1, "code": "a"}, None),
        ({"value": 50.5, "code": "a"}, None),
        ({"value": 50, "code": "mo"}, None),
        ({"value": 50}, None),
        ({"value": 50, "code": "a", "comparator": ">"}, None),
        ({"code": "a"}, None),
    ],
    ids=json.dumps,
)
def test_s7_an_age_at_onset_is_the_year_in_which_somebody_had_that_age(age: Json, expected: str | None) -> None:
    """Born some day of 1964: a year of birth and a year of that age give two years."""
    assert days(begun(chart_of(patient(born="1964")), read({"onsetAge": age}))) == expected


def test_only_a_day_of_recording_says_no_more_than_by_that_day() -> None:
    chart = chart_of(patient())
    spans = [begun(chart, {"recordedDate": "2026-05-01"}), begun(chart, {"onsetDateTime": "2026-05-01"}), None]
    assert [only_recorded(span) for span in spans] == [True, False, False]


def test_the_birth_date_as_far_as_it_is_known() -> None:
    assert born(chart_of(patient(born="1964-05"))) == parse_date("1964-05")
    assert born(chart_of(patient(born=""))) is None


def test_the_day_a_condition_was_written_down_is_nobodys_onset() -> None:
    assert recorded({"onsetDateTime": "2026-05-01"}) is None


# --- when an observation was made ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        ("2026-05-01", "2026-05-01 2026-05-01 (2026-05-01)"),
        ("2026", "2026-01-01 2026-06-15 (2026)"),
        ("2026-07", "2026-07-01 2026-07-31 (2026-07)"),
        ("soon", None),
    ],
)
def test_d15_a_partial_date_ends_today_unless_all_of_it_lies_ahead(effective: str, expected: str | None) -> None:
    observation = {"resourceType": "Observation", "effectiveDateTime": effective}
    assert days(observed(chart_of(), observation)) == expected


def test_d15_of_a_month_that_began_today_only_today_has_been() -> None:
    observation = {"resourceType": "Observation", "effectiveDateTime": "2026-06"}
    assert days(observed(chart_of(as_of="2026-06-01"), observation)) == "2026-06-01 2026-06-01 (2026-06)"


@pytest.mark.parametrize(
    ("on", "expected"), [("2026-06-15", False), ("2026-06-16", True), ("2026", False), ("2027", True), (None, False)]
)
def test_d15_what_is_dated_ahead_is_not_used_and_reported(on: str | None, expected: bool) -> None:
    chart = chart_of()
    assert ahead(chart, {"resourceType": "Observation", "id": "o1"}, parse_date(on)) is expected
    assert [(each.resource, each.reason) for each in chart.unread] == (
        [("Observation/o1", "future-date")] if expected else []
    )


def test_newest_first_undated_last() -> None:
    dates = ["2024", None, "2026-05", "2026-05-31", "2025"]
    ordered = sorted(dates, key=lambda text: newest_first(parse_date(text)))
    assert ordered == ["2026-05-31", "2026-05", "2025", "2024", None]


# --- activity --------------------------------------------------------------------------------------------------------
def coded(*codes: str) -> Json:
    return {"coding": [{"code": code} for code in codes]}


@pytest.mark.parametrize(
    ("status", "ended", "expected"),
    [
        ("active", {}, YES),
        ("recurrence", {}, YES),
        ("relapse", {}, YES),
        ("inactive", {}, NO),
        ("remission", {}, NO),
        ("resolved", {}, NO),
        ("", {}, UNKNOWN),
        ("", {"abatementDateTime": "2026-06-15"}, NO),
        ("", {"abatementDateTime": "2026-06-16"}, UNKNOWN),
        ("", {"abatementDateTime": "2026-06"}, UNKNOWN),
        ("", {"abatementPeriod": {"end": "2026-05-01"}}, NO),
        ("", {"abatementPeriod": {"start": "2026-05-01"}}, UNKNOWN),
        ("", {"abatementBoolean": True}, NO),
        ("", {"abatementBoolean": False}, UNKNOWN),
        ("", {"abatementString": "last year"}, NO),
        ("", {"abatementAge": {"value": 60}}, NO),
        ("active", {"abatementDateTime": "2026-05-01"}, UNKNOWN),
        ("active", {"abatementDateTime": "2027-05-01"}, YES),
        ("resolved", {"abatementDateTime": "2027-05-01"}, NO),
    ],
)
def test_s2_whether_a_condition_is_still_there(status: str, ended: Json, expected: Truth) -> None:
    """Status and end that disagree decide nothing; an end that lies ahead is none yet."""
    condition = {"resourceType": "Condition", **({"clinicalStatus": coded(status)} if status else {}), **ended}
    assert activity(read(condition), AS_OF) is expected


# --- answers ---------------------------------------------------------------------------------------------------------
def answered(part: Json, *meaning_yes: str) -> Truth:
    return yes_or_no(chart_of(), read(part), *meaning_yes)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"valueBoolean": True}, YES),
        ({"valueBoolean": False}, NO),
        ({"valueCodeableConcept": coded("373066001")}, YES),
        ({"valueCodeableConcept": coded("373067005")}, NO),
        ({"valueCodeableConcept": coded("LA33-6")}, YES),
        ({"valueCodeableConcept": coded("LA32-8")}, NO),
        ({"valueCodeableConcept": coded("Y")}, YES),
        ({"valueCodeableConcept": coded("N")}, NO),
        ({"valueCodeableConcept": {"text": "Yes"}}, YES),
        ({"valueCodeableConcept": {"text": "No"}}, NO),
        ({"valueString": "Yes"}, YES),
        ({"valueString": "NO"}, NO),
        ({"valueString": "perhaps"}, UNKNOWN),
        ({"valueCodeableConcept": coded("373066001", "373067005")}, UNKNOWN),
        ({"valueCodeableConcept": {"text": "yes"}, "valueString": "no"}, UNKNOWN),
        ({"dataAbsentReason": {"text": "asked"}, "valueBoolean": True}, UNKNOWN),
        ({"valueBoolean": "yes"}, UNKNOWN),
        ({}, UNKNOWN),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_s2_a_yes_a_no_or_neither(part: Json, expected: Truth) -> None:
    assert answered(part) is expected


def test_an_answer_may_name_what_was_asked_for() -> None:
    """The codes of a value set as answers: "postmenopausal" under "menopausal status" is a yes."""
    chart = chart_of()
    coding = {"system": SCT, "code": "76498008"}
    concepts = chart.terminology.concepts({"coding": [coding]})
    part = {"valueCodeableConcept": {"coding": [coding]}}

    assert len(concepts) == 1
    assert (answered(part, *concepts), answered(part, "cond.other"), answered(part)) == (YES, UNKNOWN, UNKNOWN)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"valueQuantity": {"value": 3, "unit": "{falls}"}}, "3"),
        ({"valueQuantity": {"value": 3, "code": "{Falls}"}}, "3"),
        ({"valueQuantity": {"value": 3, "unit": "{falls}", "code": "1"}}, "3"),
        ({"valueQuantity": {"value": 3, "unit": "{falls}", "code": "mg"}}, "None"),
        ({"valueQuantity": {"value": 3, "unit": "mg"}}, "None"),
        ({"valueQuantity": {"value": 3}}, "3"),
        ({"valueQuantity": {"value": 3, "comparator": ">"}}, "None"),
        ({"valueQuantity": {"unit": "1"}}, "None"),
        ({"valueInteger": 3}, "3"),
        ({"valueQuantity": 3}, "None"),
        ({"dataAbsentReason": {"text": "asked"}, "valueInteger": 3}, "None"),
        ({}, "None"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_s7_a_number_counts_only_in_a_unit_that_was_asked_for(part: Json, expected: str) -> None:
    assert str(plain_value(read(part), frozenset({"", "1", "{falls}"}))) == expected


@pytest.mark.parametrize("part", [{"valueQuantity": {"value": 3}}, {"valueInteger": 3}], ids=json.dumps)
def test_s7_where_a_unit_is_wanted_a_bare_number_is_none(part: Json) -> None:
    assert plain_value(read(part), frozenset({"cm"})) is None
    assert str(plain_value(read({"valueQuantity": {"value": 3, "unit": "cm"}}), frozenset({"cm"}))) == "3"


# --- ICD-10-CM -------------------------------------------------------------------------------------------------------
def icd(*codes: str, system: str = CM) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def test_icd_10_cm_codes_are_compared_without_dots_in_upper_case() -> None:
    both = [icd("S72.001a", "M80.08XD"), icd("S72.001A", system=SCT)]
    assert icd_10_cm(both) == ["S72001A", "M8008XD"]
    assert icd_10_cm({"text": "S72.001A"}) == []


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["S72.001D"], True),
        (["S72.001S"], True),
        (["M80.08XG"], True),
        (["W19.XXXD"], True),
        (["S72.001A"], False),
        (["S72.001B"], False),
        (["S72.001C"], False),
        (["S72.001D", "S72.001A"], False),
        (["S72.001"], False),
        (["Z87.310"], False),
        (["E11.3512"], False),
        ([], False),
    ],
)
def test_the_seventh_character_tells_follow_up_care_from_the_event(codes: list[str], expected: bool) -> None:
    assert follow_up(icd(*codes)) is expected
