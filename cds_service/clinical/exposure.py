"""Glucocorticoid exposure over time: a daily dose in prednisolone-equivalent mg for every day, as an interval (S7).

Nothing is counted twice (D21). For each ingredient and day:

* what was administered counts alone, summed, where it is known;
* otherwise orders, dispenses and statements describe the same intake and are never added to each other: equal
  doses are one dose, different ones give the interval between them;
* two overlapping orders of the same ingredient are either a renewal or two strengths taken together:
  at least the larger, at most the sum.

Different ingredients are added. An intake whose dose cannot be read is more than nothing, without upper bound.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.dosage.course import FOREVER, Days
from cds_service.kernel.dates import plus_days
from cds_service.kernel.facts import Evidence, Gap
from cds_service.kernel.quantities import ZERO, Interval
from cds_service.kernel.truth import Truth

ADMINISTERED = "MedicationAdministration"


@dataclass(frozen=True, slots=True)
class Course:
    """One stretch of treatment as one resource tells it.

    Attributes:
        ingredient: the drug.
        told_by: resource type that tells it.
        product: codes of the product, to tell a renewal from a second strength.
        days: certain and possible days.
        daily: prednisolone-equivalent mg per day on each of them.
        sure: false when it may not count at all (route unknown, perhaps replacement therapy).
        evidence: what shows it.
        doubts: why dose, days or the course itself are not certain.
    """

    ingredient: str
    told_by: str
    product: frozenset[str]
    days: Days
    daily: Interval
    sure: bool
    evidence: Evidence
    doubts: tuple[Gap, ...] = ()

    def on(self, day: dt.date) -> Interval | None:
        """The dose on that day, `None` when it is not one of the course's possible days."""
        if not self.days.first <= day <= self.days.last:
            return None
        if self.sure and self.days.certain_first <= day <= self.days.certain_last:
            return self.daily
        return Interval(Decimal(0), self.daily.high)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row with the same daily dose."""

    first: dt.date
    last: dt.date
    daily: Interval

    @property
    def days(self) -> int:
        """Number of days, first and last included."""
        return self.last.toordinal() - self.first.toordinal() + 1


@dataclass(frozen=True, slots=True)
class Run:
    """Days in a row on which the dose met a limit."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        """Number of days, first and last included; "without end" counts up to the last day of the calendar."""
        return self.last.toordinal() - self.first.toordinal() + 1


@dataclass(frozen=True, slots=True)
class Exposure:
    """The whole timeline.

    Attributes:
        as_of: the day of the evaluation.
        stretches: in order, without overlaps; days in between have no recorded dose.
        courses: what it was built from.
        gaps: look-ups that did not complete, courses without a date: any day may hold more than is seen.
    """

    as_of: dt.date
    stretches: tuple[Stretch, ...]
    courses: tuple[Course, ...]
    gaps: tuple[Gap, ...]

    def on(self, day: dt.date) -> Interval:
        """Dose on one day; without upper bound while look-ups are open."""
        found = next((s.daily for s in self.stretches if s.first <= day <= s.last), ZERO)
        return self._open(found)

    def total(self, first: dt.date, last: dt.date) -> Interval:
        """Sum in mg over those days, first and last included."""
        found = ZERO
        for stretch in self.stretches:
            start, end = max(stretch.first, first), min(stretch.last, last)
            if start <= end:
                found = found + stretch.daily.times(end.toordinal() - start.toordinal() + 1)
        return self._open(found)

    def runs(self, meets: Callable[[Interval], Truth], accept: frozenset[Truth]) -> tuple[Run, ...]:
        """Maximal runs of days whose dose meets the test with one of the accepted truths, in order."""
        runs: list[Run] = []
        for stretch in self.stretches:
            if meets(stretch.daily) not in accept:
                continue
            if runs and plus_days(runs[-1].last, 1) == stretch.first:
                runs[-1] = Run(runs[-1].first, stretch.last)
            else:
                runs.append(Run(stretch.first, stretch.last))
        return tuple(runs)

    def doubts(self, first: dt.date, last: dt.date) -> tuple[Gap, ...]:
        """Why the dose in those days is not exactly known."""
        near = (c for c in self.courses if c.days.first <= last and c.days.last >= first)
        return tuple(dict.fromkeys((*self.gaps, *(doubt for course in near for doubt in course.doubts))))

    def shown_by(self, first: dt.date, last: dt.date) -> tuple[Evidence, ...]:
        """What on the record shows treatment in those days, newest first; repeated administrations once."""
        near = [c for c in self.courses if c.days.first <= last and c.days.last >= first]
        near.sort(key=lambda c: (c.days.first, c.evidence.value, c.evidence.resource), reverse=True)
        shown: dict[tuple[str, str, str], Evidence] = {}
        for course in near:
            shown.setdefault((course.told_by, course.ingredient, course.evidence.value), course.evidence)
        return tuple(shown.values())

    def _open(self, found: Interval) -> Interval:
        return Interval(found.low, None, found.above_low) if self.gaps else found


def timeline(courses: Iterable[Course], gaps: Iterable[Gap], as_of: dt.date) -> Exposure:
    """Lay the courses out as one dose per day."""
    kept = _without_twins(courses)
    edges = sorted({edge for course in kept for edge in course.days.edges()})
    waiting = sorted(kept, key=lambda c: c.days.first, reverse=True)
    active: list[Course] = []
    stretches: list[Stretch] = []
    for position, first in enumerate(edges):
        last = plus_days(edges[position + 1], -1) if position + 1 < len(edges) else FOREVER
        while waiting and waiting[-1].days.first <= first:
            active.append(waiting.pop())
        active = [course for course in active if course.days.last >= first]
        daily = _daily(active, first)
        if daily is None:
            continue
        if stretches and stretches[-1].daily == daily and plus_days(stretches[-1].last, 1) == first:
            stretches[-1] = Stretch(stretches[-1].first, last, daily)
        else:
            stretches.append(Stretch(first, last, daily))
    return Exposure(as_of, tuple(stretches), tuple(kept), tuple(dict.fromkeys(gaps)))


def _without_twins(courses: Iterable[Course]) -> list[Course]:
    """Each course once: the same intake told twice by the same kind of resource adds nothing (D11)."""
    seen: dict[tuple[object, ...], Course] = {}
    for course in courses:
        key = (course.ingredient, course.told_by, course.days, course.daily, course.sure, course.product)
        twin_may_be_second_dose = course.told_by == ADMINISTERED
        seen.setdefault((*key, course.evidence.resource) if twin_may_be_second_dose else key, course)
    return list(seen.values())


def _daily(courses: list[Course], day: dt.date) -> Interval | None:
    """The dose of all ingredients together on a day; `None` when no course touches it."""
    if not courses:
        return None
    found = ZERO
    for ingredient in {course.ingredient for course in courses}:
        found = found + _of_ingredient([c for c in courses if c.ingredient == ingredient], day)
    return found


def _of_ingredient(courses: list[Course], day: dt.date) -> Interval:
    told: dict[str, list[Interval]] = {}
    for course in courses:
        dose = course.on(day)
        if dose is not None:
            told.setdefault(course.told_by, []).append(dose)
    given = told.pop(ADMINISTERED, [])
    if given and any(dose.more_than(Decimal(0)) is Truth.YES for dose in given):
        return _sum(given)
    doses = [_overlap(each) for each in told.values()] + ([_sum(given)] if given else [])
    return _between_tellers(doses)


def _sum(doses: Iterable[Interval]) -> Interval:
    found = ZERO
    for dose in doses:
        found = found + dose
    return found


def _overlap(doses: list[Interval]) -> Interval:
    """Overlapping courses of one ingredient, told by one kind of resource: the larger, up to the sum."""
    if len(doses) == 1:
        return doses[0]
    largest = max(doses, key=lambda d: (d.low or Decimal(0), d.above_low))
    return Interval(largest.low, _sum(doses).high, largest.above_low)


def _between_tellers(doses: list[Interval]) -> Interval:
    """Orders, dispenses and statements tell of the same intake: the span of what they say."""
    if len(doses) == 1:
        return doses[0]
    certain = [dose for dose in doses if dose.more_than(Decimal(0)) is Truth.YES]
    highs = [dose.high for dose in doses]
    high = None if None in highs else max(h for h in highs if h is not None)
    if not certain:
        return Interval(Decimal(0), high)
    lowest = min(certain, key=lambda d: (d.low or Decimal(0), not d.above_low))
    # A teller that can only say "some" must not blur one that knows the dose.
    readable = [dose for dose in certain if dose.high is not None]
    if readable and high is None:
        lows, tops = (
            [d.low for d in readable if d.low is not None],
            [d.high for d in readable if d.high is not None],
        )
        return Interval(min(lows), max(tops))
    return Interval(lowest.low, high, lowest.above_low)
