"""Feedback one by one, with what 45 CFR 170.315(b)(11) asks for: intervention, action, feedback, user, date and location."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from cds_service.reports.rows import Told, named

NOT_KNOWN = "not known"
FIELDS = (
    "intervention", "topic", "hook", "action", "suggestions_taken", "feedback", "user", "date", "received", "location",
)  # fmt: skip
COMMENTS = "comments"
# what a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(told: Iterable[Told], *, comments: bool) -> Iterator[str]:
    """CSV as RFC 4180 has it, a header first; several things in one cell are parted by "; ".

    Args:
        told: the feedback.
        comments: whether there is a column for what clinicians wrote.
    """
    names = (*FIELDS, COMMENTS) if comments else FIELDS
    yield _csv(names)
    for each in told:
        found = _fields(each, comments=comments)
        yield _csv([_safe(_joined(found[name])) for name in names])


def ndjson_lines(told: Iterable[Told], *, comments: bool) -> Iterator[str]:
    """One JSON object per line, with the same names; what may be several is a list."""
    for each in told:
        yield json.dumps(_fields(each, comments=comments), ensure_ascii=False) + "\n"


def _fields(told: Told, *, comments: bool) -> Mapping[str, str | Sequence[str]]:
    taken = Counter(each or NOT_KNOWN for each in told.suggestions)
    found: dict[str, str | Sequence[str]] = {
        "intervention": [f"{rule}@{version}" for rule, version in told.rules],
        "topic": told.topic,
        "hook": told.hook,
        "action": told.outcome,
        "suggestions_taken": [f"{kind} x{count}" if count > 1 else kind for kind, count in sorted(taken.items())],
        "feedback": list(named(told.reasons)),
        "user": told.user,
        "date": told.at.isoformat(),
        "received": told.received.isoformat(),
        "location": told.client,
    }
    return found | ({COMMENTS: list(told.comments)} if comments else {})


def _joined(told: str | Sequence[str]) -> str:
    return told if isinstance(told, str) else "; ".join(told)


def _safe(cell: str) -> str:
    """The cell, with an apostrophe before what a spreadsheet would compute."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv(cells: Iterable[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
