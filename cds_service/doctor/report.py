"""The findings as text for people and as JSON for machines."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from cds_service.doctor.finding import Finding, Level

_WIDTH = 110
# Addresses and names come from the settings, some words from servers: a terminal takes an escape character for a command
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def lines(finding: Finding) -> Iterator[str]:
    """One finding: a line if all is well, and why, fix and page if not."""
    about = f" [{finding.about}]" if finding.about else ""
    yield from _wrapped(f"{finding.level.value:<8}{finding.check.id}{about}: {finding.seen}", " " * 12)
    yield from (_clean(f"{'':12}{each}") for each in finding.details)
    if finding.level is Level.PASS:
        return
    if finding.level is not Level.SKIPPED:
        yield from _wrapped(f"{'':8}why: {finding.check.why}", " " * 13)
    if finding.fix:
        yield from _wrapped(f"{'':8}fix: {finding.fix}", " " * 13)
    if finding.level is not Level.SKIPPED:
        yield f"{'':8}see: {finding.check.doc}"


def _wrapped(text: str, indent: str) -> list[str]:
    # addresses are copied: they stay whole
    return textwrap.wrap(_clean(text), _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _clean(text: str) -> str:
    return _CONTROL.sub("\ufffd", text)


def summary(found: Iterable[Finding]) -> str:
    """How many of each."""
    counted = Counter(each.level for each in found)
    return ", ".join(f"{counted[level]} {level.value}" for level in Level)


def as_json(found: Iterable[Finding]) -> list[dict[str, object]]:
    """Every finding with everything it says."""
    return [
        {
            "check": each.check.id,
            "level": each.level.value,
            "about": each.about,
            "seen": each.seen,
            "details": list(each.details),
            "why": each.check.why,
            "fix": each.fix,
            "doc": each.check.doc,
        }
        for each in found
    ]
