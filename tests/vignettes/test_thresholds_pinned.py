"""Every clinical number is pinned from both sides: nudged up or down, at least one vignette gets another answer.

A number that no rule and no fact reads is a defect too: it would look reviewed and do nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

import pytest

from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.content import thresholds
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth
from tests.support.cases import Case, all_cases
from tests.support.story import AS_OF

_TODAY = dt.date.fromisoformat(AS_OF)
_IN_FORCE = thresholds(_TODAY)
# What is counted moves by one, what is measured by the last digit a record would give.
_COUNTED = frozenset({"d", "mo", "a", "{falls}", "nmol/L", "mL/min/{1.73_m2}"})
_STEPS = {"1": Decimal("0.01"), "{score}": Decimal("0.5")}
_STEP, _LARGE = Decimal("0.1"), Decimal(100)
# Read by the engine to tell whom the service is for; no rule reads it, so it has a test of its own.
_OF_THE_SCOPE = "policy.scope-days"


class _Recording(Thresholds):
    """The numbers in force, noting which were asked for."""

    def __init__(self, inner: Thresholds) -> None:
        super().__init__((inner[key] for key in inner), _TODAY)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Threshold:
        self.read.add(key)
        return super().__getitem__(key)

    def optional(self, key: str) -> Threshold | None:
        self.read.add(key)
        return super().optional(key)


def _step(number: Threshold) -> Decimal:
    if number.unit in _COUNTED or abs(number.value) >= _LARGE:
        return Decimal(1)
    return _STEPS.get(number.unit, _STEP)


@lru_cache(maxsize=1)
def _readers() -> dict[str, list[Case]]:
    """Which cases read which number; one that fails anyhow proves nothing."""
    found: dict[str, list[Case]] = {}
    for case in all_cases():
        seen = _Recording(_IN_FORCE)
        holds = case.answer(case.outcome(seen)) == case.expected
        for key in seen.read if holds else ():
            found.setdefault(key, []).append(case)
    return found


def _notices(case: Case, numbers: Thresholds) -> bool:
    """Would the vignette fail with those numbers?"""
    return case.answer(case.outcome(numbers)) != case.expected


def _changes() -> Iterator[tuple[str, Decimal]]:
    for key in sorted(_IN_FORCE):
        if key != _OF_THE_SCOPE:
            yield from ((key, _step(_IN_FORCE[key])), (key, -_step(_IN_FORCE[key])))


@pytest.mark.parametrize(("key", "by"), list(_changes()), ids=lambda value: f"{value}")
def test_a_vignette_notices(key: str, by: Decimal) -> None:
    nudged = _IN_FORCE.nudged(key, by)
    assert any(_notices(case, nudged) for case in _readers().get(key, ()))


def test_every_number_is_read_by_some_rule_or_by_the_scope() -> None:
    assert sorted(set(_IN_FORCE) - set(_readers()) - {_OF_THE_SCOPE}) == []


@pytest.mark.parametrize(("ended", "in_scope"), [("364 days", Truth.YES), ("365 days", Truth.NO)])
def test_scope_days_are_pinned(ended: str, in_scope: Truth) -> None:
    """A glucocorticoid in the last 365 days, today included, makes a patient one of ours (DESIGN S5)."""
    steroid = {"drug": "prednisone", "mg": 5, "days": 10, "ended": ended}
    case = Case("GC-01", "scope", ("acr2022",), {"sex": "male", "age": 50, "steroids": [steroid]}, {})
    assert CLINIC.in_scope(case.facts(_IN_FORCE), _IN_FORCE).truth is in_scope
