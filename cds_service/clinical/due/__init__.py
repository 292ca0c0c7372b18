"""What is due next for one person, and from which day on. Pure: facts and thresholds in, `Fact[Due]` out.

A due day is counted from what was last done. Where that is known as a month, a year or a range, so is the due day; while
today lies inside, nobody can tell. Whatever may be newer, and could not be looked at or dated, can only move a due day
back: then "due" is not known, and "not yet due" still is.
"""

from __future__ import annotations

from cds_service.clinical.due.courses import (
    ZOLEDRONATE,
    anabolic_end,
    break_recheck,
    in_break,
    last_bisphosphonate,
    reviewed_bisphosphonates,
    treatment_review,
)
from cds_service.clinical.due.days import Due, State, after, is_due, is_late, later, most_urgent, newest, values
from cds_service.clinical.due.doses import denosumab, doses_given, oral_bisphosphonates, oral_supply, zoledronate
from cds_service.clinical.due.examinations import calcium, creatinine, dxa, vitamin_d_retest

__all__ = [
    "ZOLEDRONATE",
    "Due",
    "State",
    "after",
    "anabolic_end",
    "break_recheck",
    "calcium",
    "creatinine",
    "denosumab",
    "doses_given",
    "dxa",
    "in_break",
    "is_due",
    "is_late",
    "last_bisphosphonate",
    "later",
    "most_urgent",
    "newest",
    "oral_bisphosphonates",
    "oral_supply",
    "reviewed_bisphosphonates",
    "treatment_review",
    "values",
    "vitamin_d_retest",
    "zoledronate",
]
