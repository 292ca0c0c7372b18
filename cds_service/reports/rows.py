"""What a report is made from: calls, cards and what users did with them, one at a time, as the store keeps them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

ACCEPTED, OVERRIDDEN = "accepted", "overridden"
SHOWN, QUIET, SILENT = "shown", "quiet", "silent"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows are wanted.

    Attributes:
        since: from this moment on, with a time zone; `None`: from the first.
        until: before this moment; `None`: to the last.
        client: of this client alone, by the name the site gave it; `None`: of all.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a row is about, as far as a report may know.

    Attributes:
        sex: as it was kept; empty where the site does not keep it.
        age_band: ten years of age, likewise.
        key: which site key made the hash: the same person has another hash under another key.
        hash: pseudonym; only ever compared, never given out. Empty: not known.
    """

    sex: str = ""
    age_band: str = ""
    key: str = field(default="", repr=False)
    hash: str = field(default="", repr=False)


NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        time: when it came.
        hook: the hook it came by; empty if there is no such service.
        status: HTTP status of the answer.
        cards: how many cards were sent.
        asked: whether rules were asked at all: a call that was refused before has none.
        unsure: ids of the rules that could not tell.
        missing: state of each look-up that was not complete, by its key.
        person: whom it was about.
        client: name of the client that called.
    """

    time: dt.datetime
    hook: str
    status: int
    cards: int = 0
    asked: bool = True
    unsure: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    person: Person = NOBODY
    client: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing that was told of a card, by the client that got it.

    Attributes:
        at: when the user did it, by the sender's clock.
        outcome: accepted or overridden.
        reasons: code and system of each reason.
    """

    at: dt.datetime
    outcome: str
    reasons: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Card:
    """One card that was given, or would have been.

    Attributes:
        time: when.
        topic: code of what it is about.
        display: shown, quiet or silent.
        rules: ids of the rules behind it.
        role: type of the user it was for.
        person: whom it was about.
        told: everything that its client told of it.
        client: name of the client that got it.
    """

    time: dt.datetime
    topic: str
    display: str = SHOWN
    rules: tuple[str, ...] = ()
    role: str = ""
    person: Person = NOBODY
    told: tuple[Telling, ...] = ()
    client: str = ""

    @property
    def answer(self) -> Telling | None:
        """What counts of several tellings: a suggestion that was taken, whatever else was told; otherwise the latest."""
        return max(self.told, key=lambda each: (each.outcome == ACCEPTED, each.at), default=None)


@dataclass(frozen=True, slots=True)
class Told:
    """One telling with all that an export needs, and nothing about the patient.

    Attributes:
        at: when the user did it, by the sender's clock.
        received: when it came here.
        client: name of the client that told it, and that got the card.
        user: keyed hash of the user of the call; empty: not known.
        topic: code of what the card was about.
        hook: the hook it was given at.
        rules: id and version of the rules behind it.
        outcome: accepted or overridden.
        suggestions: type of resource of each suggestion that was taken.
        reasons: code and system of each reason.
        comments: what the clinician wrote; read only where it was asked for.
    """

    at: dt.datetime
    received: dt.datetime
    client: str
    user: str = field(repr=False)
    topic: str
    hook: str
    rules: tuple[tuple[str, str], ...]
    outcome: str
    suggestions: tuple[str, ...] = ()
    reasons: tuple[tuple[str, str], ...] = ()
    comments: tuple[str, ...] = field(default=(), repr=False)


class Source(Protocol):
    """Where rows come from: in pages, the newest first, so that memory stays bounded and a limit keeps the newest.

    A page costs the same whatever was asked for: rows of other clients are in it, and whoever counts leaves them out. A search
    for the next rows of a client that called last year could go through everything since, in one transaction.
    """

    def calls(self, asked: Asked) -> Iterator[Sequence[Call]]:
        """The calls of the period."""

    def cards(self, asked: Asked) -> Iterator[Sequence[Card]]:
        """The cards of the period."""


def named(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Code and system in one text: "123 (http://example.org/reasons)"."""
    return tuple(f"{code} ({system})" if system else code for code, system in pairs)
