"""What is deleted when the site says so: what is older than a day, or about one patient. In steps, while calls go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import cast

from sqlalchemy import Column, ColumnElement, Connection, CursorResult, Table, delete, select

from cds_service.store.database import Database
from cds_service.store.tables import calls, comments, feedback, issued

# by name, with the time by which it is kept; comments first, since what is half done should have lost most
TABLES: Mapping[str, tuple[Table, str]] = MappingProxyType(
    {
        "comments": (comments, "received"),
        "feedback": (feedback, "received"),
        "issued": (issued, "time"),
        "calls": (calls, "time"),
    }
)
_AT_ONCE = 1000


class Retention:
    """Deletes from a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def purge(self, before: dt.datetime, tables: Collection[str] = tuple(TABLES)) -> Mapping[str, int]:
        """Delete what was written before a moment (with a time zone).

        Args:
            before: the moment.
            tables: names of `TABLES`; all of them unless some are named.

        Returns:
            How many rows went, per table.

        Raises:
            StoreUnavailable: some may be left.
        """
        wanted = ((name, *TABLES[name]) for name in TABLES if name in tables)
        return {name: self._delete(table, table.c[time] < before) for name, table, time in wanted}

    def erase(self, patient_hash: str) -> Mapping[str, int]:
        """Delete everything about one patient: calls, cards, what became of them, and what was written with it.

        Args:
            patient_hash: as `SiteKey.pseudonym` makes it. Rows under another key have another hash.

        Returns:
            How many rows went, per table.

        Raises:
            StoreUnavailable: some may be left.
        """
        cards = select(issued.c.card).where(issued.c.patient_hash == patient_hash)
        told = select(feedback.c.id).where(feedback.c.card.in_(cards))
        # in this order, since the cards lead to the rest
        return {
            "comments": self._delete(comments, comments.c.feedback.in_(told)),
            "feedback": self._delete(feedback, feedback.c.card.in_(cards)),
            "issued": self._delete(issued, issued.c.patient_hash == patient_hash),
            "calls": self._delete(calls, calls.c.patient_hash == patient_hash),
        }

    def _delete(self, table: Table, which: ColumnElement[bool]) -> int:
        # `comments` has two columns in its key; rows of one feedback go together
        key = cast(Column[object], next(iter(table.primary_key)))
        some = select(key).where(which).limit(_AT_ONCE)

        def step(connection: Connection) -> int:
            return cast(CursorResult[None], connection.execute(delete(table).where(which, key.in_(some)))).rowcount

        total = 0
        while deleted := self._database.write("purge", step):
            total += deleted
        return total
