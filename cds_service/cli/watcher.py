"""Reading the record of calls for watching, and telling the operator of each finding once."""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Iterable, Sequence

from cds_service.kernel.errors import StoreUnavailable
from cds_service.security.clients import Client
from cds_service.simulator import canary
from cds_service.store.database import Database
from cds_service.store.history import History
from cds_service.store.site_key import SiteKey
from cds_service.watching import Collected, Report, report
from cds_service.web import observe
from cds_service.web.logs import Alarm

# In the service: so many calls, and no longer than that for reading them.
_NEWEST, _SECONDS = 20_000, 5.0
_TOO_SLOW = "The record of calls takes too long to read here, so it is not watched. Run: bonecds watch --every 300."


def canaries(key: SiteKey, clients: Iterable[Client]) -> frozenset[str]:
    """The hashes under which calls of the canary stand in the record, whichever client sends it, or none."""
    issuers = {"", *(each.issuer for each in clients)}
    return frozenset(key.pseudonym("patient", issuer, canary.PATIENT) for issuer in issuers)


class TooSlow(Exception):
    """Reading took longer than it may."""


def look(database: Database, left_out: frozenset[str], newest: int, seconds: float = math.inf) -> Report:
    """Read the newest calls and judge them.

    Args:
        database: where they are kept.
        left_out: hashes of patients that do not count.
        newest: how many calls at most, and as much feedback.
        seconds: how long reading may take.

    Raises:
        StoreUnavailable: the record cannot be read.
        TooSlow: not in time.
    """
    history, collected, until = History(database), Collected(left_out), time.monotonic() + seconds
    for call in history.calls(newest):
        collected.add(call)
        if time.monotonic() > until:
            raise TooSlow
    for told in history.feedback(newest):
        collected.tell(told)
        if time.monotonic() > until:
            raise TooSlow
    return report(collected, _now())


class Teller:
    """Tells of each finding once, and again when it comes back."""

    def __init__(self) -> None:
        self._told: frozenset[tuple[str, str, str, str]] = frozenset()

    def tell(self, found: Report) -> None:
        """An alarm for each finding that was not there before."""
        findings = found.findings()
        for each in findings:
            if each.key not in self._told:
                observe.alarm(Alarm(each.kind.value), each.name, service=each.service, client=each.client)
        self._told = frozenset(each.key for each in findings)


class InService:
    """Watching inside the service, where nothing may take long.

    Args:
        database: where calls are kept.
        left_out: hashes of patients that do not count.
    """

    def __init__(self, database: Database, left_out: frozenset[str]) -> None:
        self._database, self._left_out = database, left_out
        self._teller = Teller()
        self._words: Sequence[str] = ()

    def __call__(self) -> Sequence[str]:
        """What is out of control, in words for everybody: `/readyz` may be asked by anybody."""
        try:
            found = look(self._database, self._left_out, _NEWEST, _SECONDS)
        except StoreUnavailable:
            # the database tells of itself, and what was found before has not been refuted
            return self._words
        except TooSlow:
            return (_TOO_SLOW,)
        self._teller.tell(found)
        self._words = tuple(dict.fromkeys(each.public for each in found.findings()))
        return self._words


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 how long nobody has called
