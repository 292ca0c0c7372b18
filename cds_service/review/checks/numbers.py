"""Lints of numbers: each has a place in a source, is read by some rule, and is pinned from both sides by a vignette."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache

from cds_service.clinical import content
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.review.checks.problem import Content, Problem
from cds_service.review.story import AS_OF
from cds_service.review.vignettes import Case

# What is counted moves by one, what is measured by the last digit a record would give.
_COUNTED = frozenset(
    ["d", "mo", "a", "{falls}", "nmol/L", "mL/min/{1.73_m2}", "mL/min", "{doses}", "[iU]", "{fractures}", "{factors}",
     "{points}"]
)  # fmt: skip
_STEPS = {"1": Decimal("0.01"), "{score}": Decimal("0.5"), "mmol/L": Decimal("0.01")}
_STEP, _LARGE = Decimal("0.1"), Decimal(100)


class _Recording(Thresholds):
    """The numbers in force, noting which were asked for."""

    def __init__(self, inner: Thresholds, as_of: dt.date) -> None:
        super().__init__((inner[key] for key in inner), as_of)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Threshold:
        self.read.add(key)
        return super().__getitem__(key)

    def optional(self, key: str) -> Threshold | None:
        self.read.add(key)
        return super().optional(key)


def in_force() -> Thresholds:
    """The numbers on the day of the vignettes."""
    return content.thresholds(dt.date.fromisoformat(AS_OF))


def step(number: Threshold) -> Decimal:
    """By how much a number is moved to see whether a vignette notices."""
    if number.unit in _COUNTED or abs(number.value) >= _LARGE:
        return Decimal(1)
    return _STEPS.get(number.unit, _STEP)


@lru_cache(maxsize=2)
def readers(cases: tuple[Case, ...]) -> dict[str, list[Case]]:
    """Which vignettes read which number; one that fails anyhow proves nothing."""
    found: dict[str, list[Case]] = {}
    for case in cases:
        seen = _Recording(in_force(), dt.date.fromisoformat(AS_OF))
        holds = case.answer(case.outcome(seen)) == case.expected
        for key in seen.read if holds else ():
            found.setdefault(key, []).append(case)
    return found


def noticed(cases: tuple[Case, ...], key: str, by: Decimal) -> bool:
    """Would some vignette fail if the number were that much larger or smaller?"""
    nudged = in_force().nudged(key, by)
    return any(case.answer(case.outcome(nudged)) != case.expected for case in readers(cases).get(key, ()))


def to_pin() -> tuple[tuple[str, Decimal], ...]:
    """Every number with the two changes that vignettes have to notice."""
    numbers = in_force()
    return tuple((key, sign * step(numbers[key])) for key in sorted(numbers) for sign in (1, -1))


def unpinned(told: Content, progress: Callable[[str], None] = lambda _: None) -> Iterator[Problem]:
    """Numbers that no vignette pins from both sides."""
    for key, by in to_pin():
        progress(key)
        if not noticed(told.cases, key, by):
            side = "larger" if by > 0 else "smaller"
            yield Problem(_file(key), key, f"no vignette notices if it were {side}", "Add a case on that side of it.")


def unread(told: Content) -> Iterator[Problem]:
    """A number that no rule and no fact reads would look reviewed and do nothing."""
    for key in sorted(set(in_force()) - set(readers(told.cases))):
        yield Problem(_file(key), key, "no vignette's rule reads it", "Use it in a rule, or take it out.")


def unsourced(_: Content) -> Iterator[Problem]:
    """Every number names its place, and no number has two values from one day."""
    seen: set[tuple[str, dt.date]] = set()
    for value in content.all_thresholds():
        if not value.where.strip():
            yield Problem(_file(value.key), value.key, "names no place in its source", "Say where it stands.")
        if (value.key, value.since) in seen:
            yield Problem(_file(value.key), value.key, f"has two values from {value.since}", "Keep one of them.")
        seen.add((value.key, value.since))


def _file(key: str) -> str:
    return f"guidelines/ ({key.split('.', 1)[0]})"
