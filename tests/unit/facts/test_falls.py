"""Falls on record, and how many there were in the past year."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.falls import falls, falls_asked, falls_in_year
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from tests.support.charts import chart_of
from tests.support.resources import ACTIVE, CM, LOINC, RESOLVED, SCT, WHO, condition, observation


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


# --- was anybody asked? ----------------------------------------------------------------------------------------------
def asked(*resources: str) -> list[str]:
    return [str(each.on) for each in falls_asked(chart_of(*resources)).items]


@pytest.mark.parametrize(
    ("code", "value", "counts"),
    [
        ("52552-7", '"valueBoolean": false', True),  # no fall in the past year: somebody asked
        ("52552-7", '"valueQuantity": {"value": 2}', True),
        ("52552-7", '"valueString": "see note"', False),  # no answer that can be read
        ("52552-7", '"dataAbsentReason": {"text": "not asked"}', False),
        ("57254-5", '"valueCodeableConcept": {"coding": [{"code": "LA33-6"}]}', True),  # an assessment was conducted
        ("57254-5", '"valueCodeableConcept": {"coding": [{"code": "LA32-8"}]}', False),  # none was
        ("59453-1", '"hasMember": [{"reference": "Observation/o2"}]', True),  # a panel
        ("59460-6", '"valueQuantity": {"value": 45, "code": "{score}"}', True),
    ],
)
def test_a_question_about_falls_counts_when_it_was_answered(code: str, value: str, *, counts: bool) -> None:
    assert asked(observation(code, value, "2026-05-01", system=LOINC)) == (["2026-05-01"] if counts else [])


def test_questions_come_newest_first_and_those_ahead_are_left_out() -> None:
    told = [
        observation("52552-7", '"valueBoolean": false', day, f"o{day}", LOINC)
        for day in ("2025-01-02", "2026-01-02", "2027-01-02")
    ]
    assert asked(*told) == ["2026-01-02", "2025-01-02"]


def test_s2_none_asked_says_nothing_without_all_look_ups() -> None:
    assert falls_asked(chart_of(incomplete=[needs.FUNCTION])).gaps == (Gap(GapKind.FAILED, "function"),)
    assert falls_asked(chart_of()).complete
