"""Invented calls of one service and client, one patient each, a minute apart."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from cds_service.watching import Collected, SeenCall

BEGIN = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
SERVICE, CLIENT = "bone-health-patient-view", "north"
# how many times each invented rule fires in a hundred calls
RATES: Mapping[str, float] = {f"R-{number:02d}": 0.3 * 0.8**number for number in range(24)}


def call(place: int, **changed: Any) -> SeenCall:
    """A call without anything remarkable."""
    told: dict[str, Any] = {
        "time": BEGIN + dt.timedelta(minutes=place),
        "service": SERVICE,
        "client": CLIENT,
        "patient": f"p{place}",
        "status": 200,
        "ms": 40,
        "cards": 0,
        "rule_set": "1+a",
    }
    return SeenCall(**(told | changed))


def calls(
    number: int, seed: int, rates: Callable[[int], Mapping[str, float]] = lambda _: RATES, first: int = 0
) -> Iterator[SeenCall]:
    """Calls in which rules fire as often as told, which may depend on the place of the call."""
    drawn = random.Random(seed)  # noqa: S311
    for place in range(first, first + number):
        fired = tuple(rule for rule, rate in rates(place).items() if drawn.random() < rate)
        yield call(place, rules=fired, cards=len(fired))


def collected(seen: Iterable[SeenCall]) -> Collected:
    """All of them."""
    found = Collected()
    for each in seen:
        found.add(each)
    return found
