"""What a rule says in rarer situations, in full: beside the vignettes, for answers that rest on two doubts at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cases import Case
from tests.vignettes.whole_outcomes import leaves_of

_TWO_CALCIUMS = [{"value": 2.0, "low": 2.2, "high": 2.6}, {"value": 2.3, "low": 2.2, "high": 2.6}]
_DENOSUMAB = {"drug": "denosumab", "doses": ["9 months"]}
_RECENT = {"drug": "denosumab", "doses": ["3 months"]}
_ORDERED = {"drug": "zoledronic acid", "mg": 5, "every": "month", "since": "1 month", "open": True}
WOMAN = {"sex": "female", "age": 70}


@pytest.mark.parametrize(
    ("rule", "sets", "story", "expected"),
    [
        (
            "SAF-06", "label_us", {"therapies": [_DENOSUMAB, _ORDERED]},
            [
                "answer = cannot-tell (critical)",
                "unknown followed-by-another-drug",
                "  ? not-recorded: therapy-current «zoledronic acid» (MedicationRequest/medicationrequest-2)",
            ],
        ),
        (
            "SAF-04", "label_eu",
            {"therapies": [_RECENT], "calcium": _TWO_CALCIUMS, "incomplete": {"laboratory": "partial"}},
            [
                "unknown calcium-below-laboratory-limit 2 to 2.3 mmol/L, limit 2.2",
                "  ? partial: laboratory «there are more pages than were sent»",
                "  ? conflicting: calcium «several results of one day: 2 to 2.3» (Observation/observation-1)",
            ],
        ),
        (
            "VD-02", "vd_iom2011", {"vitamin_d": {"value": 40}, "incomplete": {"vitaminD": "partial"}},
            ["unknown vitamin-d-in-range", "  ? partial: vitaminD «there are more pages than were sent»"],
        ),
    ],
    ids=["an infusion ordered, perhaps not given", "two results of one day, perhaps more", "a level in range, perhaps more"],
)  # fmt: skip
def test_why_nobody_can_tell(rule: str, sets: str, story: dict[str, Any], expected: list[str]) -> None:
    told = leaves_of(Case(rule, "", (sets,), WOMAN | story, {}).outcome())
    assert [line for line in told if line in expected] == expected, told
