"""The readings of one Dosage on the calendar, one after another, before status and day of evaluation are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cds_service.clinical.dosage.course import Days, after
from cds_service.clinical.dosage.reading import Reading
from cds_service.kernel.dates import DateSpan, plus_days


@dataclass(frozen=True, slots=True)
class Laid:
    """One reading on the calendar.

    Attributes:
        reading: what is taken.
        start: first day.
        end: last day; `None` when nobody tells.
        bound: last day of all readings of the Dosage by its bounds, when told.
    """

    reading: Reading
    start: DateSpan
    end: DateSpan | None
    bound: DateSpan | None


def lay_out(
    readings: Sequence[Reading], start: DateSpan, bound: DateSpan | None, supplied: DateSpan | None
) -> list[Laid]:
    """Each reading from the day after the one before, for as long as its text tells; the last one up to the bounds.

    Args:
        readings: what one Dosage says; at least one.
        start: first day.
        bound: last day by the bounds of the Dosage.
        supplied: last day by the supply, for a last reading that neither text nor bounds end.
    """
    laid: list[Laid] = []
    at = start
    for place, reading in enumerate(readings):
        end = after(at, reading.length)
        if place == len(readings) - 1:
            end = _last_day(end, bound, supplied, at)
        laid.append(Laid(reading, at, end, bound))
        if end is None:
            break
        at = DateSpan(plus_days(end.earliest, 1), plus_days(end.latest, 1), "")
    return laid


def _last_day(end: DateSpan | None, bound: DateSpan | None, supplied: DateSpan | None, at: DateSpan) -> DateSpan | None:
    """The last day by text and bounds, a span where they differ; by the supply where neither says."""
    if end is not None and bound is not None:
        return DateSpan(min(end.earliest, bound.earliest), max(end.latest, bound.latest), "")
    told = end or bound
    if told is not None:
        return told
    return supplied if supplied is not None and supplied.latest >= at.earliest else None


def clipped(days: Days, laid: Laid) -> Days:
    """The days of one of several steps, none of them certain after the bounds of the whole."""
    certain_last = days.certain_last if laid.bound is None else min(days.certain_last, laid.bound.earliest)
    if certain_last < days.certain_first:
        certain_last = plus_days(days.certain_first, -1)
    return replace(days, certain_last=certain_last)
