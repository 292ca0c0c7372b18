"""Every clinical number is pinned from both sides: nudged up or down, at least one vignette gets another answer.

A number that no rule and no fact reads is a defect too: it would look reviewed and do nothing (`bonecds check` says so).
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical.clinic import CLINIC
from cds_service.kernel.truth import Truth
from cds_service.review.checks import numbers
from tests.support.cases import Case, all_cases


@pytest.mark.parametrize(("key", "by"), numbers.to_pin(), ids=lambda value: f"{value}")
def test_a_vignette_notices(key: str, by: Decimal) -> None:
    assert numbers.noticed(all_cases(), key, by)


@pytest.mark.parametrize(("ended", "in_scope"), [("364 days", Truth.YES), ("365 days", Truth.NO)])
def test_scope_days_are_pinned(ended: str, in_scope: Truth) -> None:
    """A glucocorticoid in the last 365 days, today included, makes a patient one of ours (DESIGN S5)."""
    steroid = {"drug": "prednisone", "mg": 5, "days": 10, "ended": ended}
    case = Case("GC-01", "scope", ("acr2022",), {"sex": "male", "age": 50, "steroids": [steroid]}, {})
    in_force = numbers.in_force()
    assert CLINIC.in_scope(case.facts(in_force), in_force).truth is in_scope
