"""From calls to the shares that are charted: a row of calls per service, client and kind, and where in it something happened."""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from cds_service.watching.seen import SeenCall, SeenFeedback

OK = 200
SLOW_MS = 500

FIRES, UNSURE, MISSING = "fires", "unsure", "missing"
CARDS, REFUSED, SLOW, OVERRIDDEN = "cards", "refused", "slow", "overridden"


@dataclass(slots=True)
class Series:
    """A row of calls of which the same is asked.

    Attributes:
        times: when each came, seconds since 1970.
        events: places of the calls in which it happened, by the name of the share.
    """

    times: array[float] = field(default_factory=lambda: array("d"))
    events: dict[str, array[int]] = field(default_factory=dict)

    def add(self, time: dt.datetime, happened: Iterable[str]) -> None:
        """Add a call."""
        place = len(self.times)
        self.times.append(time.timestamp())
        for name in happened:
            self.events.setdefault(name, array("L")).append(place)


@dataclass(slots=True)
class Collected:
    """What was seen, in the order of time.

    By client: a code that changed at one EHR must not be hidden by the calls of another, nor a client that calls at night look
    like a change. A patient counts once a day and service, with the first call: a chart that is opened ten times on a ward round is
    one piece of news and not ten, and charts that took it for ten would raise false alarms.

    Attributes:
        left_out: hashes of patients that are not counted: the canary's.
        series: by service, client and kind: "asked" (rules were asked), "answered" (all calls), "told" (feedback).
        clients: times of all calls by client, repeated ones too: for feeds.
        versions: each version of rules and content that follows another one, with the time of its first call.
        calls: how many calls were seen.
    """

    left_out: frozenset[str] = field(default=frozenset(), repr=False)
    series: dict[tuple[str, str, str], Series] = field(default_factory=dict)
    clients: dict[str, array[float]] = field(default_factory=dict)
    versions: list[tuple[dt.datetime, str]] = field(default_factory=list)
    calls: int = 0
    _day: dt.date = dt.date.min
    _today: set[tuple[str, str, str, str]] = field(default_factory=set, repr=False)

    def add(self, call: SeenCall) -> None:
        """Add a call."""
        self.calls += 1
        if call.patient in self.left_out:
            return
        self.clients.setdefault(call.client, array("d")).append(call.time.timestamp())
        if call.rule_set and (not self.versions or self.versions[-1][1] != call.rule_set):
            self.versions.append((call.time, call.rule_set))
        if (answered := self._of("answered", call)) is not None:
            answered.add(call.time, [REFUSED] * (call.status != OK) + [SLOW] * (call.ms > SLOW_MS))
        if call.rule_set and (asked := self._of("asked", call)) is not None:
            happened = [CARDS] * (call.cards > 0)
            happened += [f"{FIRES}/{each}" for each in call.rules]
            happened += [f"{UNSURE}/{each}" for each in call.unsure]
            happened += [f"{MISSING}/{each}" for each in call.missing]
            asked.add(call.time, happened)

    def tell(self, told: SeenFeedback) -> None:
        """Add feedback. Comes after all calls."""
        if told.patient not in self.left_out and (series := self._of("told", told)) is not None:
            series.add(told.time, [OVERRIDDEN] * told.overridden)

    def _of(self, kind: str, seen: SeenCall | SeenFeedback) -> Series | None:
        """The row it belongs to, unless that has this patient today; who is not known counts each time."""
        day = seen.time.astimezone(dt.UTC).date()
        if day != self._day:
            self._day, self._today = day, set()
        key = (seen.service, seen.client, kind)
        if seen.patient and (*key, seen.patient) in self._today:
            return None
        self._today.add((*key, seen.patient))
        if key not in self.series:
            self.series[key] = Series()
        return self.series[key]
