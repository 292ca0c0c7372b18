"""Does every client still call? A feed that ended leaves no call behind in which anything could be seen."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cds_service.watching.charts import State

_HOUR = 3600
_HOURS_OF_WEEK = 168
_WEEK = _HOURS_OF_WEEK * _HOUR
# A client with fewer calls has no habits yet.
_LEAST_CALLS = 100
# That many calls are usual in the hours that passed, and none came: e^-12 is 6 in a million for calls that come independently.
MISSED = 12.0
# so many times the longest pause so far
_TIMES_LONGEST = 3
_LEAST_PAUSE = 600.0
# what passed before that adds nothing to the decision
_MOST_HOURS = 8 * _HOURS_OF_WEEK


@dataclass(frozen=True, slots=True)
class Feed:
    """The calls of one client.

    Attributes:
        client: its name.
        state: steady, out of control (dead), or too few calls to tell.
        calls: how many were seen.
        last: when the last one came.
        missed: how many are usual in the full hours since; 0 while a week of calls has not been seen.
        longest: the longest pause before, in seconds.
    """

    client: str
    state: State
    calls: int
    last: dt.datetime
    missed: float
    longest: float


def feeds_of(clients: Mapping[str, Sequence[float]], now: dt.datetime) -> tuple[Feed, ...]:
    """How each client's feed is.

    Args:
        clients: times of its calls in order, seconds since 1970; none without calls.
        now: the present moment, with a time zone.
    """
    return tuple(_feed(name, clients[name], now.timestamp()) for name in sorted(clients) if len(clients[name]))


def _feed(client: str, times: Sequence[float], now: float) -> Feed:
    first, last = times[0], times[-1]
    longest = max((later - earlier for earlier, later in pairwise(times)), default=0.0)
    missed = _missed(times, now) if last - first >= _WEEK else 0.0
    dead = missed >= MISSED or now - last > max(_LEAST_PAUSE, _TIMES_LONGEST * longest)
    state = State.TOO_FEW if len(times) < _LEAST_CALLS else State.OUT if dead else State.STEADY
    return Feed(client, state, len(times), dt.datetime.fromtimestamp(last, dt.UTC), missed, longest)


def _missed(times: Sequence[float], now: float) -> float:
    """Calls that are usual in the clock hours that have passed whole since the last call, by hour of the week.

    Whole hours only: a batch that comes at five past two every night is not late at two.
    """
    usual = Counter(int(time // _HOUR) % _HOURS_OF_WEEK for time in times)
    weeks = (times[-1] - times[0]) / _WEEK
    begin, end = int(times[-1] // _HOUR) + 1, int(now // _HOUR)
    return sum(usual[hour % _HOURS_OF_WEEK] for hour in range(begin, min(end, begin + _MOST_HOURS))) / weeks
