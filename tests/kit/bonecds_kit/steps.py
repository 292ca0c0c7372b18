"""What a row of the table is made of, and how its tokens are written down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bonecds_kit.forger import Forger

OK = frozenset({200})
NOT_AUTHENTICATED = frozenset({401})
NOT_ALLOWED = frozenset({403})
# longer than any cool-down a service should have between two looks at a client's keys
COOL_DOWN = 11.0


@dataclass(frozen=True, slots=True)
class Step:
    """One call.

    Attributes:
        authorization: the values of its `Authorization` headers, each in a header of its own.
        expected: the statuses that are right.
        query: put at the end of the address.
        wait: seconds to let pass first.
    """

    authorization: tuple[str, ...]
    expected: frozenset[int] = NOT_AUTHENTICATED
    query: str = ""
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Forgery:
    """One attack or fault: calls to be made in this order, each before the next is asked for."""

    name: str
    steps: Callable[[Forger], Iterator[Step]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the threat table.

    Attributes:
        id: of the row.
        title: of the row.
        forgeries: what can be sent from outside.
        by_hand: what cannot, in a sentence.
        key_reads: whether it matters how often the key set is read meanwhile.
    """

    id: str
    title: str
    forgeries: tuple[Forgery, ...] = ()
    by_hand: str = ""
    key_reads: bool = False


def bearer(token: str, expected: frozenset[int] = NOT_AUTHENTICATED, wait: float = 0.0) -> Step:
    """One call with this token."""
    return Step((f"Bearer {token}",), expected, wait=wait)


def each(
    *builders: tuple[str, Callable[[Forger], str]], expected: frozenset[int] = NOT_AUTHENTICATED
) -> tuple[Forgery, ...]:
    """One token each."""

    def one(build: Callable[[Forger], str]) -> Callable[[Forger], Iterator[Step]]:
        return lambda forger: iter([bearer(build(forger), expected)])

    return tuple(Forgery(name, one(build)) for name, build in builders)


def raw(**texts: str) -> Callable[[Forger], str]:
    """A token with claims written as JSON text, which may be no JSON at all."""

    def build(forger: Forger) -> str:
        members = {name: json.dumps(value) for name, value in forger.claims().items()} | texts
        text = ", ".join(f'"{name}": {value}' for name, value in members.items())
        return forger.signed(forger.header(), f"{{{text}}}".encode())

    return build


def claims(**changes: object) -> Callable[[Forger], str]:
    """A good token but for these claims; `...` leaves one out."""
    return lambda forger: forger.good(**changes)


def times(issued: float | None, expires: float | None) -> Callable[[Forger], str]:
    """Seconds from now; `None`: the claim is missing."""

    def build(forger: Forger) -> str:
        moments = {"iat": issued, "exp": expires}
        return forger.good(**{name: ... if at is None else forger.now() + at for name, at in moments.items()})

    return build


def header(**changes: object) -> Callable[[Forger], str]:
    """A token with these changes in its header, signed with the client's key that the header names."""
    return lambda forger: forger.signed(forger.header(**changes), forger.claims())
