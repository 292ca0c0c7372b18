"""Doses with relapse pulses left out: what is a pulse goes, what is not stays, what may be one is open (S7, D15)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.clinical import content
from cds_service.clinical.dosage.course import Days
from cds_service.clinical.exposure import ADMINISTERED, Course, Exposure, timeline
from cds_service.clinical.pulses import pulses, total_without_pulses
from cds_service.kernel.dates import plus_days
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.quantities import Interval, exactly
from cds_service.kernel.truth import Truth

AS_OF = dt.date(2026, 6, 15)
T = content.thresholds(AS_OF)
UNREADABLE = Interval(Decimal(0), None, above_low=True)


def course(
    ago: int, days: int, mg: int | Interval, told_by: str = "MedicationRequest", ingredient: str = "prednisone"
) -> Course:
    """So many days from so many days ago on, in prednisolone-equivalent mg a day."""
    first = plus_days(AS_OF, -ago)
    last = plus_days(first, days - 1)
    daily = mg if isinstance(mg, Interval) else exactly(mg)
    shown = Evidence("glucocorticoid", str(daily), None, f"{told_by}/{ago}")
    return Course(ingredient, told_by, frozenset(), Days(first, first, last, last, True), daily, True, shown)


def total(*courses: Course, gaps: tuple[Gap, ...] = ()) -> str:
    found: Exposure = timeline(courses, gaps, AS_OF)
    return str(total_without_pulses(found, T, plus_days(AS_OF, -364), AS_OF))


PREDNISONE = course(199, 200, 5)


def pulse(days: int, mg: int | Interval = 1250) -> Course:
    return course(60, days, mg, ingredient="methylprednisolone")


@pytest.mark.parametrize(
    ("courses", "left"),
    [
        ((PREDNISONE,), "1000"),
        ((PREDNISONE, pulse(4)), "1000"),  # the tablets of those four days still count
        ((PREDNISONE, pulse(7)), "1000"),
        ((PREDNISONE, pulse(8)), "11000"),  # eight days are no pulse
        ((PREDNISONE, pulse(4, 625)), "1000"),  # 500 mg of methylprednisolone
        ((PREDNISONE, pulse(4, 600)), "3400"),
        ((pulse(5),), "0"),
    ],
)
def test_pulses_are_left_out_and_nothing_else(courses: tuple[Course, ...], left: str) -> None:
    assert total(*courses) == left


def test_infusions_told_day_by_day_are_one_pulse_and_too_many_of_them_are_none() -> None:
    infusions = [course(60 - day, 1, 1250, ADMINISTERED, "methylprednisolone") for day in range(8)]
    assert total(PREDNISONE, *infusions[:5]) == "1000"
    assert total(PREDNISONE, *infusions) == "11000"


def test_what_may_be_a_pulse_counts_as_nought_to_all_of_it() -> None:
    assert total(PREDNISONE, pulse(4, UNREADABLE)) == ">=1000"
    assert total(PREDNISONE, pulse(4, Interval(Decimal(500), Decimal(700)))) == "1000 to 3800"


def test_s2_without_all_look_ups_the_total_has_no_upper_end() -> None:
    assert total(PREDNISONE, pulse(4), gaps=(Gap(GapKind.FAILED, "medicationRequests"),)) == ">=1000"


def test_a_pulse_today_is_seen_and_a_long_course_is_none() -> None:
    assert pulses(timeline([pulse(4)], (), AS_OF), T, 12).truth is Truth.YES
    assert pulses(timeline([pulse(8)], (), AS_OF), T, 12).truth is Truth.NO
