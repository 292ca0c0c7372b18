"""Relapse pulses: high-dose glucocorticoid courses of a few days (DEF-06)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from cds_service.clinical.exposure import Course, Exposure, Run, timeline
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.dates import plus_months
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_YES = frozenset({Truth.YES})
_MAYBE = frozenset({Truth.YES, Truth.UNKNOWN})


def pulses(exposure: Exposure, t: Thresholds, months: int) -> Criterion:
    """High-dose courses of a few days in the trailing months (DEF-06)."""
    since = plus_months(exposure.as_of, -months)

    def found(accept: frozenset[Truth]) -> list[Run]:
        return [run for run in _pulse_runs(exposure, t, accept) if since <= run.first <= exposure.as_of]

    certain = found(_YES)
    if certain:
        shown = tuple(e for run in certain for e in exposure.shown_by(run.first, run.last))
        return Criterion("gc-pulses", Truth.YES, shown, t["policy.pulse-dose"], certain[-1].first.isoformat())
    if exposure.gaps or found(_MAYBE):
        gaps = exposure.doubts(since, exposure.as_of)
        return Criterion("gc-pulses", Truth.UNKNOWN, threshold=t["policy.pulse-dose"], gaps=gaps)
    return Criterion("gc-pulses", Truth.NO, threshold=t["policy.pulse-dose"])


def _pulse_limit(t: Thresholds) -> Decimal:
    """Prednisolone-equivalent mg a day from which a short course is a pulse."""
    equal_mg = t.number("equivalence.methylprednisolone")
    return t.number("policy.pulse-dose") * t.number("equivalence.reference") / equal_mg


def _pulse_runs(exposure: Exposure, t: Thresholds, accept: frozenset[Truth]) -> list[Run]:
    limit, longest = _pulse_limit(t), t.days("policy.pulse-days")
    return [run for run in exposure.runs(lambda daily: daily.at_least(limit), accept) if run.days <= longest]


def pulse_days(exposure: Exposure, t: Thresholds) -> tuple[Run, ...]:
    """The days of everything that certainly was a pulse, in order."""
    return tuple(_pulse_runs(exposure, t, _YES))


def total_without_pulses(exposure: Exposure, t: Thresholds, first: dt.date, last: dt.date) -> Interval:
    """Prednisolone-equivalent mg in those days, pulses left out; what may be a pulse counts as nought to all of it."""
    high = _without_pulses(exposure, t, _YES).total(first, last)
    low = _without_pulses(exposure, t, _MAYBE).total(first, last)
    return Interval(low.low, high.high, low.above_low, high.below_high)


def _without_pulses(exposure: Exposure, t: Thresholds, accept: frozenset[Truth]) -> Exposure:
    """The timeline of what else was taken on the days of pulses and on all others."""
    limit, runs = _pulse_limit(t), _pulse_runs(exposure, t, accept)

    def is_pulse(course: Course) -> bool:
        inside = any(run.first <= course.days.first and course.days.last <= run.last for run in runs)
        return inside and course.daily.at_least(limit) in accept

    return timeline((c for c in exposure.courses if not is_pulse(c)), exposure.gaps, exposure.as_of)
