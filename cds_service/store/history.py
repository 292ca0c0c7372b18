"""The newest calls and what became of their cards, read back for watching (`cds_service.watching`).

In pages of short transactions: SQLite lets one in at a time, and calls must be recorded meanwhile. Memory is that of a page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, Select, select

from cds_service.protocol.feedback import CardOutcome
from cds_service.store.database import Database
from cds_service.store.tables import calls, feedback, issued
from cds_service.watching.seen import SeenCall, SeenFeedback

NEWEST = 50_000
_PAGE = 500
_T = TypeVar("_T")


class History:
    """Reads what was kept.

    Args:
        database: where it is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def calls(self, newest: int = NEWEST) -> Iterator[SeenCall]:
        """The newest calls, the oldest of them first.

        Args:
            newest: how many at most.

        Raises:
            StoreUnavailable: while reading; the alarm was told.
        """
        columns = (
            "id", "time", "service", "client", "patient_hash", "status", "ms", "cards", "rules", "unsure", "missing", "rule_set",
        )  # fmt: skip
        last = self._read(_id_of(newest))
        while rows := self._page(select(*(calls.c[name] for name in columns)), calls.c.id, last):
            yield from map(_call, rows)
            last = rows[-1].id

    def feedback(self, newest: int = NEWEST) -> Iterator[SeenFeedback]:
        """The newest feedback, the oldest first, each card once: with what was told of it last.

        Args:
            newest: how many at most; all are read before the first is given, some 200 bytes each.

        Raises:
            StoreUnavailable: while reading; the alarm was told.
        """
        names = ("id", "received", "service", "client", "card", "outcome")
        wanted = select(*(feedback.c[name] for name in names), issued.c.patient_hash)
        known = wanted.outerjoin(issued, issued.c.card == feedback.c.card)
        told: dict[str, SeenFeedback] = {}
        # two rows may have one time: the key tells them apart
        newest_first = known.order_by(feedback.c.received.desc(), feedback.c.id.desc()).limit(_PAGE)
        page = self._read(_all(newest_first))
        while page and len(told) < newest:
            for row in page:
                told.setdefault(row.card, _told(row))
            time, ident = page[-1].received, page[-1].id
            older = (feedback.c.received < time) | ((feedback.c.received == time) & (feedback.c.id < ident))
            page = self._read(_all(newest_first.where(older)))
        yield from reversed(list(told.values())[:newest])

    def _page(self, wanted: Select[Any], key: Column[Any], after: int) -> list[Any]:
        return self._read(_all(wanted.where(key > after).order_by(key).limit(_PAGE)))

    def _read(self, work: Callable[[Connection], _T]) -> _T:
        return self._database.read("history", work)


def _id_of(newest: int) -> Callable[[Connection], int]:
    """The id before that of the oldest of the newest rows."""

    def find(connection: Connection) -> int:
        before = select(calls.c.id).order_by(calls.c.id.desc()).offset(newest).limit(1)
        return int(connection.execute(before).scalar() or 0)

    return find


def _all(wanted: Select[Any]) -> Callable[[Connection], list[Any]]:
    return lambda connection: list(connection.execute(wanted).all())


def _call(row: Any) -> SeenCall:
    return SeenCall(
        row.time,
        row.service,
        row.client,
        row.patient_hash,
        row.status,
        row.ms,
        row.cards,
        tuple(each["id"] for each in row.rules),
        tuple(row.unsure),
        tuple(row.missing),
        row.rule_set,
    )


def _told(row: Any) -> SeenFeedback:
    overridden = row.outcome == CardOutcome.OVERRIDDEN.value
    return SeenFeedback(row.received, row.service, row.client, row.patient_hash or "", overridden)
