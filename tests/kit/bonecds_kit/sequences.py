"""Calls that mean something only one after the other."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

from bonecds_kit.forger import Forger
from bonecds_kit.steps import COOL_DOWN, OK, Step, bearer


def bogus_kids(forger: Forger) -> Iterator[Step]:
    """Twenty ids that no key has, after a good call."""
    yield bearer(forger.good(), OK)
    for number in range(20):
        yield bearer(forger.signed(forger.header(kid=f"bogus-{number}"), forger.claims()))


def rotation(forger: Forger) -> Iterator[Step]:
    """A new key is published after a good call."""
    yield bearer(forger.good(), OK)
    kid = forger.rotate()
    yield bearer(forger.signed(forger.header(kid=kid), forger.claims()), OK, wait=COOL_DOWN)
    yield bearer(forger.good(), OK)


def faulty(fault: str) -> Callable[[Forger], Iterator[Step]]:
    """The service has good keys, and meets the fault when it looks for one more."""

    def steps(forger: Forger) -> Iterator[Step]:
        forger.jwks.fault = ""
        yield bearer(forger.good(), OK)
        forger.jwks.fault = fault
        yield bearer(forger.signed(forger.header(kid="bogus"), forger.claims()), wait=COOL_DOWN)
        yield bearer(forger.good(), OK)
        forger.jwks.fault = ""

    return steps


def replay(forger: Forger) -> Iterator[Step]:
    """One token, three times."""
    token = forger.good()
    yield bearer(token, OK)
    yield bearer(token)
    yield bearer(token)


def same_id(forger: Forger) -> Iterator[Step]:
    """Two tokens with one id."""
    token_id = uuid.uuid4().hex
    yield bearer(forger.good(jti=token_id), OK)
    yield bearer(forger.good(jti=token_id))


def not_spent(forger: Forger) -> Iterator[Step]:
    """A forged token with the id of a good one does not use that id up."""
    token_id = uuid.uuid4().hex
    yield bearer(forger.signed(forger.header(), forger.claims(jti=token_id), forger.others["ec"]))
    yield bearer(forger.good(jti=token_id), OK)
