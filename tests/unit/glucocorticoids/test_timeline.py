"""From courses to one dose a day, and what can be asked of the timeline (D21, S7): courses made by hand, no FHIR."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.clinical.dosage.course import FOREVER, Days
from cds_service.clinical.dosage.structured import UNREADABLE
from cds_service.clinical.exposure import Course, Exposure, Run, Stretch, timeline
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.kernel.truth import Truth

AS_OF = dt.date(2026, 6, 15)
ORDER, DISPENSE, GIVEN, TOLD = (
    f"Medication{kind}" for kind in ("Request", "Dispense", "Administration", "Statement")
)  # fmt: skip
NOT_SUPPLIED = Gap(GapKind.NOT_SUPPLIED, "medication")
VAGUE = Gap(GapKind.DOSE_UNREADABLE, "glucocorticoids")


def may(day: int) -> dt.date:
    return dt.date(2026, 5, day)


def course(
    first: int,
    last: int | None,
    mg: str | Interval,
    told_by: str = ORDER,
    *,
    drug: str = "prednisone",
    sure: bool = True,
    ident: str = "1",
    shown: str = "",
    doubts: tuple[Gap, ...] = (),
) -> Course:
    """A course of May 2026; without a last day it goes on for ever."""
    end = FOREVER if last is None else may(last)
    days = Days(may(first), may(first), end, end, planned=True)
    daily = exactly(mg) if isinstance(mg, str) else mg
    evidence = Evidence("glucocorticoid", shown or f"{drug} {daily}", resource=f"{told_by}/{ident}")
    return Course(drug, told_by, frozenset({drug}), days, daily, sure, evidence, doubts)


def laid_out(*courses: Course, gaps: tuple[Gap, ...] = ()) -> Exposure:
    return timeline(courses, gaps, AS_OF)


def written(*courses: Course) -> list[str]:
    """ "1-10: 5" for each stretch; what goes on for ever has no second day."""
    return [f"{s.first.day}-{'' if s.last == FOREVER else s.last.day}: {s.daily}" for s in laid_out(*courses).stretches]


# --- the dose of a day -----------------------------------------------------------------------------------------------
def test_days_in_a_row_with_one_dose_are_one_stretch() -> None:
    assert written(course(1, 10, "5"), course(11, 20, "5", ident="2")) == ["1-20: 5"]


def test_a_day_without_treatment_parts_two_stretches() -> None:
    assert written(course(1, 10, "5"), course(12, 20, "5", ident="2")) == ["1-10: 5", "12-20: 5"]


def test_treatment_that_goes_on() -> None:
    assert written(course(1, None, "5"), course(10, 20, "7", TOLD)) == ["1-9: 5", "10-20: 5 to 7", "21-: 5"]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("5", "10", "10 to 15"),
        ("10", "5", "10 to 15"),
        ("0.5", between(0, 10), "0.5 to 10.5"),
        (UNREADABLE, UNREADABLE, ">0"),
        ("5", UNREADABLE, ">=5"),
    ],
    ids=str,
)
def test_d21_two_orders_of_one_drug_are_at_least_the_larger_and_at_most_the_sum(
    one: str | Interval, other: str | Interval, together: str
) -> None:
    assert str(laid_out(course(1, 10, one), course(2, 9, other, ident="2")).on(may(5))) == together


@pytest.mark.parametrize(
    ("one", "other", "between_them"),
    [
        ("5", "10", "5 to 10"),
        ("10", "5", "5 to 10"),
        ("0.5", "5", "0.5 to 5"),
        ("10", between(0, 20), "10 to 20"),
        ("10", between(0, 5), "10"),
        (between(0, 5), between(0, 10), "0 to 10"),
        (between(0, 5), between(0, None), ">=0"),
        ("10", UNREADABLE, "10"),
        (UNREADABLE, between(0, 10), ">0"),
        (UNREADABLE, UNREADABLE, ">0"),
    ],
    ids=str,
)
def test_d21_an_order_and_a_dispense_tell_of_one_intake(
    one: str | Interval, other: str | Interval, between_them: str
) -> None:
    assert written(course(1, 10, one), course(1, 10, other, DISPENSE)) == [f"1-10: {between_them}"]


def test_d19_two_strengths_one_of_them_unreadable_beside_an_unreadable_dispense() -> None:
    """The dispense says no more than "some", so no more than that is certain."""
    orders = course(1, 10, "0.5"), course(1, 10, UNREADABLE, ident="2")
    assert written(*orders, course(1, 10, UNREADABLE, DISPENSE)) == ["1-10: >0"]


@pytest.mark.parametrize(
    ("given", "sure", "dose"),
    [("10", True, "10"), ("0.5", True, "0.5"), ("10", False, "5 to 10")],
    ids=["certain", "certain and small", "perhaps not systemic"],
)
def test_d21_what_was_administered_counts_alone_where_it_is_certain(given: str, sure: bool, dose: str) -> None:
    assert written(course(1, 1, "5"), course(1, 1, given, GIVEN, sure=sure)) == [f"1-1: {dose}"]


def test_several_administrations_of_a_day_are_summed_though_they_look_alike() -> None:
    assert written(course(1, 1, "500", GIVEN), course(1, 1, "500", GIVEN, ident="2")) == ["1-1: 1000"]


def test_d11_the_same_administration_twice_counts_once() -> None:
    assert written(course(1, 1, "500", GIVEN), course(1, 1, "500", GIVEN)) == ["1-1: 500"]


@pytest.mark.parametrize(
    ("twin", "dose"),
    [
        (course(1, 10, "5", ident="2"), "5"),
        (course(1, 10, "5", DISPENSE), "5"),
        (course(1, 10, "5", drug="dexamethasone"), "10"),
        (course(1, 10, "5", ident="2", sure=False), "5 to 10"),
    ],
    ids=["again", "told by a dispense", "another drug", "perhaps a second one"],
)
def test_d11_the_same_course_told_twice(twin: Course, dose: str) -> None:
    assert written(course(1, 10, "5"), twin) == [f"1-10: {dose}"]


def test_a_course_that_may_not_count_may_be_nothing() -> None:
    assert written(course(1, 10, "5", sure=False)) == ["1-10: 0 to 5"]


# --- questions -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("day", "dose"), [(1, "0"), (2, "5"), (9, "5"), (10, "0"), (11, "7"), (12, "0")])
def test_the_dose_on_one_day(day: int, dose: str) -> None:
    exposure = laid_out(course(2, 9, "5"), course(11, 11, "7", ident="2"))
    assert str(exposure.on(may(day))) == dose


@pytest.mark.parametrize(
    ("first", "last", "total"),
    [(1, 20, "50"), (2, 9, "40"), (3, 9, "35"), (2, 8, "35"), (9, 11, "10"), (10, 10, "0"), (5, 5, "5")],
)
def test_the_total_of_some_days(first: int, last: int, total: str) -> None:
    exposure = laid_out(course(2, 9, "5"), course(11, 12, "5", ident="2"))
    assert str(exposure.total(may(first), may(last))) == total


def test_s2_while_a_look_up_is_open_no_dose_has_an_upper_bound() -> None:
    exposure = laid_out(course(1, 10, "5"), course(11, 11, UNREADABLE, ident="2"), gaps=(NOT_SUPPLIED,))
    assert [str(exposure.on(may(day))) for day in (10, 11, 12)] == [">=5", ">0", ">=0"]
    assert str(exposure.total(may(1), may(2))) == ">=10"


@pytest.mark.parametrize(
    ("limit", "accept", "runs"),
    [
        ("5", {Truth.YES}, [Run(may(1), may(20))]),
        ("6", {Truth.YES}, [Run(may(6), may(10))]),
        ("6", {Truth.YES, Truth.UNKNOWN}, [Run(may(6), may(20))]),
        ("3", {Truth.YES}, [Run(may(1), may(20)), Run(may(22), may(25))]),
        ("11", {Truth.YES, Truth.UNKNOWN}, []),
    ],
)
def test_runs_of_days_that_meet_a_limit(limit: str, accept: set[Truth], runs: list[Run]) -> None:
    exposure = laid_out(
        course(1, 5, "5"),
        course(6, 10, "10", ident="2"),
        course(11, 20, between(5, 10), ident="3"),
        course(22, 25, "4", ident="4"),
    )
    assert exposure.runs(lambda dose: dose.at_least(Decimal(limit)), frozenset(accept)) == tuple(runs)


def test_first_and_last_day_are_counted() -> None:
    assert (Run(may(1), may(1)).days, Run(may(1), may(10)).days) == (1, 10)
    assert (Stretch(may(1), may(1), exactly(5)).days, Stretch(may(1), may(10), exactly(5)).days) == (1, 10)


@pytest.mark.parametrize(("first", "last", "near"), [(1, 4, False), (4, 5, True), (10, 11, True), (11, 12, False)])
def test_only_courses_of_those_days_are_shown_and_doubted(first: int, last: int, near: bool) -> None:
    exposure = laid_out(course(5, 10, "5", doubts=(VAGUE,)))
    assert exposure.doubts(may(first), may(last)) == ((VAGUE,) if near else ())
    assert [each.resource for each in exposure.shown_by(may(first), may(last))] == (
        ["MedicationRequest/1"] if near else []
    )


def test_s3_each_doubt_is_named_once_beside_what_could_not_be_looked_at() -> None:
    exposure = laid_out(
        course(1, 10, "5", doubts=(VAGUE,)), course(2, 9, "7", doubts=(VAGUE,)), gaps=(NOT_SUPPLIED, NOT_SUPPLIED)
    )
    assert exposure.doubts(may(1), may(10)) == (NOT_SUPPLIED, VAGUE)


def test_what_shows_treatment_newest_first_and_repeated_administrations_once() -> None:
    exposure = laid_out(
        course(1, 1, "1000", GIVEN, ident="a"),
        course(2, 2, "1000", GIVEN, ident="b"),
        course(2, 2, "500", GIVEN, ident="c"),
        course(3, 9, "5", ident="d"),
        course(3, 9, "5", DISPENSE, ident="e"),
    )
    assert [each.resource for each in exposure.shown_by(may(1), may(31))] == [
        "MedicationRequest/d",
        "MedicationDispense/e",
        "MedicationAdministration/c",
        "MedicationAdministration/b",
    ]
