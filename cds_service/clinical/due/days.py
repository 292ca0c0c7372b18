"""A thing that is due, and the arithmetic of due days: spans in, spans out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from cds_service.kernel.criteria import Criterion
from cds_service.kernel.dates import DateSpan, plus_days, plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.rules import Json
from cds_service.kernel.thresholds import Threshold
from cds_service.kernel.truth import Truth


class State(Enum):
    """Where today lies. UNCLEAR: inside the days on which it may have become due."""

    DONE = "done"
    NOT_YET = "not yet due"
    UNCLEAR = "not clear"
    DUE = "due"
    LATE = "late"


_MOST_URGENT_FIRST = (State.LATE, State.DUE, State.UNCLEAR, State.NOT_YET, State.DONE)


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that is, was or will be due.

    Attributes:
        what: key of its name in `texts/` [names], without "due:" ("dxa").
        on: the day from which it is due, as a span; `None` when it was never done, so that it is due at once.
        state: see `State`.
        evidence: what it is counted from.
        threshold: the interval.
    """

    what: str
    on: DateSpan | None
    state: State
    evidence: tuple[Evidence, ...]
    threshold: Threshold


# --- how rules ask ---------------------------------------------------------------------------------------------------
def is_due(key: str, fact: Fact[Due]) -> Criterion:
    """Is it due today? Being late is being due."""
    match fact:
        case Known(due):
            truth = {State.UNCLEAR: Truth.UNKNOWN, State.DUE: Truth.YES, State.LATE: Truth.YES}.get(due.state, Truth.NO)
            where = due.evidence[0].resource if due.evidence else ""
            open_ = (Gap(GapKind.NOT_RECORDED, "exact-day", f"due {due.on}", where),) if truth is Truth.UNKNOWN else ()
            return Criterion(key, truth, due.evidence, due.threshold, str(due.on or ""), open_)
        case Unknown(gaps):
            return Criterion(key, Truth.UNKNOWN, gaps=gaps)


def values(fact: Fact[Due]) -> dict[str, Json]:
    """What cards and explanations say: `due_what`, `due_on` (empty: at once); nothing while it is not known."""
    match fact:
        case Known(due):
            return {"due_what": due.what, "due_on": str(due.on or "")}
        case _:
            return {}


def is_late(fact: Fact[Due]) -> bool:
    """Whether it is certainly late, not only due."""
    return isinstance(fact, Known) and fact.value.state is State.LATE


def most_urgent(found: Iterable[Fact[Due]]) -> Fact[Due]:
    """What is due comes before what is not clear, and that before what lies ahead; of several the earliest."""

    def place(fact: Fact[Due]) -> tuple[int, dt.date]:
        if not isinstance(fact, Known):
            return _MOST_URGENT_FIRST.index(State.UNCLEAR), dt.date.max
        return _MOST_URGENT_FIRST.index(fact.value.state), fact.value.on.latest if fact.value.on else dt.date.min

    return min(found, key=place)


def undated(what: str, shown: Evidence) -> Gap:
    """Something on record whose day is not told."""
    return Gap(GapKind.NOT_RECORDED, what, "", shown.resource)


# --- days ------------------------------------------------------------------------------------------------------------
def later(on: DateSpan, *, months: int = 0, days: int = 0) -> DateSpan:
    """The days that lie so much later; never narrower than what they are counted from."""

    def moved(day: dt.date) -> dt.date:
        return plus_days(plus_months(day, months), days)

    return _between(moved(on.earliest), moved(on.latest))


def _between(earliest: dt.date, latest: dt.date) -> DateSpan:
    """The span from one day to another, in words as exact as it is."""
    first, last = earliest.isoformat(), latest.isoformat()
    month, year = first[:7], first[:4]
    if first == last:
        text = first
    elif month == last[:7]:
        text = month
    else:
        whole_year = (month, last[:7]) == (f"{year}-01", f"{year}-12")
        text = year if whole_year else f"{month} to {last[:7]}"
    return DateSpan(earliest, latest, text)


def newest(spans: Iterable[DateSpan]) -> DateSpan:
    """When the last of several things happened: not before any of their first days, not after all of their last."""
    told = list(spans)
    latest = max(told, key=lambda each: (each.latest, each.earliest))
    earliest = max(each.earliest for each in told)
    return latest if latest.earliest == earliest else _between(earliest, latest.latest)


def after(one: DateSpan | None, other: DateSpan | None) -> Truth:
    """Did one thing happen after the day of the other?"""
    if one is None or other is None:
        return Truth.UNKNOWN
    if one.earliest > other.latest:
        return Truth.YES
    return Truth.NO if one.latest <= other.earliest else Truth.UNKNOWN


def _state(as_of: dt.date, on: DateSpan, late: DateSpan | None) -> State:
    if as_of < on.earliest:
        return State.NOT_YET
    if as_of < on.latest:
        return State.UNCLEAR
    return State.LATE if late and as_of >= late.latest else State.DUE


def counted(
    as_of: dt.date,
    what: str,
    on: DateSpan,
    interval: Threshold,
    evidence: tuple[Evidence, ...],
    *,
    late: DateSpan | None = None,
    newer: tuple[Gap, ...] = (),
) -> Fact[Due]:
    """Something due, as of a day.

    Args:
        as_of: the day asked about.
        what: key of its name.
        on: the days from which it is due.
        interval: the number it was counted with.
        evidence: what it was counted from.
        late: the days from which it is late, where a guideline says so.
        newer: why something newer may exist; it would only move the due day back.
    """
    due = Due(what, on, _state(as_of, on, late), evidence, interval)
    if newer and due.state is not State.NOT_YET:
        return Unknown(newer)
    return Known(due, evidence, newer)
