"""What is remembered of cards: that one was made, and how it was answered. No value of the record, no id of a person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

SHOWN: Final = "shown"
QUIET: Final = "quiet"
"""Held back, since its topic was answered before and nothing is new."""
SILENT: Final = "silent"
"""Held back in silent mode: of the site, of the client, or of its rules for this patient."""


@dataclass(frozen=True, slots=True)
class IssuedCard:
    """What is kept about a card that was made.

    Attributes:
        card: its uuid.
        topic: code of what it is about.
        indicator: how urgent it was.
        rules: id, version and verdict of the rules behind it.
        suggestions: uuid and type of resource of each order that was offered.
        display: SHOWN, or why it was not: QUIET or SILENT.
        evidence: what it rested on, in words of ours; kept as keyed hashes.
    """

    card: str
    topic: str
    indicator: str
    rules: tuple[tuple[str, str, str], ...] = ()
    suggestions: tuple[tuple[str, str], ...] = ()
    display: str = SHOWN
    evidence: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """How somebody answered a card about this patient.

    Attributes:
        topic: code of what the card was about.
        accepted: a suggestion was taken; else it was dismissed.
        on: the day (UTC).
        reasons: codes of the reasons that were given.
        by_same_user: by the user who asks now.
        rested_on: whether the card rested on this, in the words of `IssuedCard.evidence`.
    """

    topic: str
    accepted: bool
    on: dt.date
    reasons: tuple[str, ...]
    by_same_user: bool
    rested_on: Callable[[str], bool] = field(repr=False)
