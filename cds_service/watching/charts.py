"""Which charts a site has, and what each says."""

from __future__ import annotations

import datetime as dt
import math
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from cds_service.watching import cusum
from cds_service.watching.series import (
    CARDS,
    FIRES,
    MISSING,
    OVERRIDDEN,
    REFUSED,
    SLOW,
    UNSURE,
    Collected,
    Series,
)


class Kind(Enum):
    """What a chart that is out of control is reported as."""

    RULE_SILENT = "rule-silent"
    RULE_FLOOD = "rule-flood"
    RULE_UNSURE = "rule-unsure"
    LOOKUPS_INCOMPLETE = "lookups-incomplete"
    CALLS_REFUSED = "calls-refused"
    CALLS_SLOW = "calls-slow"
    CARDS_CHANGED = "cards-changed"
    OVERRIDES_CHANGED = "overrides-changed"
    FEED_DEAD = "feed-dead"


class Side(Enum):
    """What a chart looks for."""

    RISE = "rise"
    FALL = "fall"
    SILENCE = "silence"


class State(Enum):
    """What it says."""

    STEADY = "steady"
    OUT = "out of control"
    TOO_RARE = "too rare to watch"
    TOO_FEW = "too few calls yet"


# Both ways where either can be a break. A fall of what is bad in itself would only be good news.
_SIDES: Mapping[str, Mapping[Side, Kind]] = {
    FIRES: {Side.RISE: Kind.RULE_FLOOD, Side.FALL: Kind.RULE_SILENT, Side.SILENCE: Kind.RULE_SILENT},
    UNSURE: {Side.RISE: Kind.RULE_UNSURE, Side.FALL: Kind.RULE_UNSURE},
    CARDS: {Side.RISE: Kind.CARDS_CHANGED, Side.FALL: Kind.CARDS_CHANGED, Side.SILENCE: Kind.CARDS_CHANGED},
    OVERRIDDEN: {Side.RISE: Kind.OVERRIDES_CHANGED, Side.FALL: Kind.OVERRIDES_CHANGED},
    MISSING: {Side.RISE: Kind.LOOKUPS_INCOMPLETE},
    REFUSED: {Side.RISE: Kind.CALLS_REFUSED},
    SLOW: {Side.RISE: Kind.CALLS_SLOW},
}
# rounding makes less than 1 of what happens in every call
_ALWAYS = 1 - 1e-6
_ODDS = {Side.RISE: 2.0, Side.FALL: 0.5}


@dataclass(frozen=True, slots=True)
class Plan:
    """How to watch.

    Attributes:
        calls_per_false_alarm: over all charts together, and so over all clients and services together.
        window: the newest calls, at most half of all; the calls before them are the baseline.
        least_baseline: with fewer calls than this there is no chart.
        least_for_fall: a fall is looked for only where it happened so often in the baseline.
        least_for_silence: likewise a silence.
    """

    calls_per_false_alarm: int = 100_000
    window: int = 10_000
    least_baseline: int = 1_000
    least_for_fall: int = 20
    least_for_silence: int = 5


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        service: id of the service.
        client: name of the caller; empty where callers are not registered.
        share: what is charted: "fires/GC-11", "unsure/GC-11", "missing/dxa", "cards", "refused", "slow", "overridden".
        side: what is looked for.
        kind: what it is reported as.
        state: what it says.
        baseline: events and calls of the baseline.
        window: events and calls since.
        value: where the chart stands; calls since the last event for a silence.
        limit: where it is out of control.
        since: about when the change began, where it is out of control.
    """

    service: str
    client: str
    share: str
    side: Side
    kind: Kind
    state: State
    baseline: tuple[int, int]
    window: tuple[int, int]
    value: float = 0.0
    limit: float = math.inf
    since: dt.datetime | None = None

    @property
    def name(self) -> str:
        """Share and side: names it among the charts of a service, for a log."""
        return f"{self.share}/{self.side.value}"


def charts_of(collected: Collected, plan: Plan | None = None) -> tuple[Chart, ...]:
    """Every chart, by service, client and share."""
    plan = plan or Plan()
    owners = sorted({(service, client) for service, client, _ in collected.series})
    return tuple(chart for owner in owners for chart in _of(collected, owner, plan))


def _of(collected: Collected, owner: tuple[str, str], plan: Plan) -> Iterator[Chart]:
    planned = [
        _Planned(owner, share, side, kind, series, plan)
        for key, series in sorted(collected.series.items(), key=lambda each: each[0])
        if key[:2] == owner
        for share in sorted(_shares(series, plan))
        for side, kind in _SIDES[share.partition("/")[0]].items()
    ]
    watched = [each for each in planned if each.state is State.STEADY]
    # the false alarms are shared out evenly among the charts
    run_length = float(plan.calls_per_false_alarm * len(watched))
    for each in planned:
        # that a rare thing cannot be seen to fall is no news; that a rule could fall silent unseen is
        if each.state is State.STEADY:
            yield each.judged(run_length)
        elif each.side is Side.SILENCE or each.state is State.TOO_FEW:
            yield each.unwatched()


def _shares(series: Series, plan: Plan) -> set[str]:
    """What happened in the series. A series that is too short to watch is told of once."""
    if _baseline(series, plan) < plan.least_baseline:
        return set(sorted(series.events)[:1])
    return set(series.events)


def _baseline(series: Series, plan: Plan) -> int:
    calls = len(series.times)
    return calls - min(plan.window, calls // 2)


class _Planned:
    """A chart before its limit is known."""

    def __init__(self, owner: tuple[str, str], share: str, side: Side, kind: Kind, series: Series, plan: Plan) -> None:
        self.owner, self.share, self.side, self.kind = owner, share, side, kind
        self._times, self._events = series.times, series.events[share]
        self._calls, self._first = len(series.times), _baseline(series, plan)
        self._before = bisect_left(self._events, self._first)
        low, high = cusum.bounds(self._before, self._first) if self._first else (0.0, 1.0)
        self._p0 = high if side is Side.RISE else low
        self.state = self._possible(plan)

    def _possible(self, plan: Plan) -> State:
        if self._first < plan.least_baseline:
            return State.TOO_FEW
        least = {Side.RISE: 0, Side.FALL: plan.least_for_fall, Side.SILENCE: plan.least_for_silence}[self.side]
        # what happens in every call cannot happen more often
        return State.STEADY if self._before >= least and 0 < self._p0 < _ALWAYS else State.TOO_RARE

    def unwatched(self) -> Chart:
        return self._chart(self.state)

    def judged(self, run_length: float) -> Chart:
        if self.side is Side.SILENCE:
            limit = cusum.longest_silence(self._p0, run_length)
            last = self._events[-1]
            silent = self._calls - 1 - last
            return self._chart(State.OUT if silent > limit else State.STEADY, silent, limit, last)
        chart = cusum.chart(self._p0, _ODDS[self.side], run_length)
        run = chart.run(self._events[self._before :], self._first, self._calls)
        return self._chart(State.OUT if run.out else State.STEADY, run.value, chart.limit, run.since)

    def _chart(self, state: State, value: float = 0.0, limit: float = math.inf, since: int = 0) -> Chart:
        return Chart(
            *self.owner,
            self.share,
            self.side,
            self.kind,
            state,
            (self._before, self._first),
            (len(self._events) - self._before, self._calls - self._first),
            value,
            limit,
            _moment(self._times, since) if state is State.OUT else None,
        )


def _moment(times: array[float], place: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(times[min(place, len(times) - 1)], dt.UTC)
