"""Reads back what was kept, for reports: in pages, the newest first, each page in a transaction of its own."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, or_, select

from cds_service.reports.rows import Asked, Call, Card, Person, Telling, Told
from cds_service.store.database import Database
from cds_service.store.tables import calls, comments, feedback, issued

# few enough for one short transaction beside calls that want to write, and for the variables SQLite takes
PAGE = 500
_T = TypeVar("_T")


class Reading:
    """Rows of a database.

    Args:
        database: where they are.
        page: rows that are read at a time.
    """

    def __init__(self, database: Database, page: int = PAGE) -> None:
        self._database, self._page = database, page

    def calls(self, asked: Asked) -> Iterator[Sequence[Call]]:
        """The calls.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        return self._pages(calls, "time", asked, lambda _, rows: [_call(row) for row in rows])

    def cards(self, asked: Asked) -> Iterator[Sequence[Card]]:
        """The cards, by when they were given, each with everything that its own client told of it, whenever that was.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        return self._pages(issued, "time", asked, _cards)

    def told(self, asked: Asked, *, comments: bool = False) -> Iterator[Sequence[Told | None]]:
        """Feedback, by when it came here; `None` for each about a card that its sender never got, as far as is known.

        Args:
            asked: which.
            comments: whether to read what clinicians wrote, too.

        Raises:
            StoreUnavailable: it cannot be read.
        """
        return self._pages(feedback, "received", asked, lambda found, rows: _told(found, rows, comments=comments))

    def _pages(
        self, table: Table, time: str, asked: Asked, make: Callable[[Connection, Sequence[Row[Any]]], list[_T]]
    ) -> Iterator[list[_T]]:
        """Page by page, from the last row of the one before: an offset would read everything again for each."""
        when, key = table.c[time], next(iter(table.primary_key))
        wanted = _wanted(table, when, asked)
        before: ColumnElement[bool] | None = None
        while True:
            query = select(table).where(*wanted).order_by(when.desc(), key.desc()).limit(self._page)
            rows, made = self._read(query if before is None else query.where(before), make)
            if made:
                yield made
            if len(rows) < self._page:
                return
            last = rows[-1]._mapping
            # `when <=` by itself lets the index find the place
            before = and_(when <= last[time], or_(when < last[time], key < last[key.name]))

    def _read(
        self, query: Select[Any], make: Callable[[Connection, Sequence[Row[Any]]], list[_T]]
    ) -> tuple[Sequence[Row[Any]], list[_T]]:
        def work(connection: Connection) -> tuple[Sequence[Row[Any]], list[_T]]:
            rows = connection.execute(query).all()
            return rows, make(connection, rows)

        return self._database.write("report", work)


def _wanted(table: Table, when: ColumnElement[dt.datetime], asked: Asked) -> list[ColumnElement[bool]]:
    found = []
    if asked.since is not None:
        found.append(when >= asked.since)
    if asked.until is not None:
        found.append(when < asked.until)
    if asked.client is not None:
        found.append(table.c.client == asked.client)
    return found


def _call(row: Row[Any]) -> Call:
    return Call(
        row.time,
        row.hook,
        row.status,
        row.cards,
        # a call that was refused before rules were asked has none
        bool(row.rule_set),
        tuple(map(str, row.unsure)),
        {str(key): str(state) for key, state in row.missing.items()},
        Person(row.sex, row.age_band, row.key_id, row.patient_hash),
    )


def _cards(connection: Connection, rows: Sequence[Row[Any]]) -> list[Card]:
    of_calls = _of_calls(connection, rows)
    told: dict[tuple[str, str], list[Telling]] = defaultdict(list)
    query = select(feedback).where(feedback.c.card.in_([row.card for row in rows]))
    for each in connection.execute(query):
        told[each.card, each.client].append(Telling(each.at, each.outcome, _reasons(each)))
    return [
        Card(
            row.time,
            row.topic,
            row.display,
            tuple(str(each["id"]) for each in row.rules),
            call.role if call else "",
            Person(call.sex if call else "", call.age_band if call else "", row.key_id, row.patient_hash),
            # what others tell of a card that they never got is not counted
            tuple(told[row.card, row.client]),
        )
        for row in rows
        for call in [of_calls.get((row.correlation_id, row.client))]
    ]


def _of_calls(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[tuple[str, str], Any]:
    names = (
        calls.c.correlation_id,
        calls.c.client,
        calls.c.role,
        calls.c.sex,
        calls.c.age_band,
        calls.c.user_hash,
    )
    query = select(*names).where(calls.c.correlation_id.in_({row.correlation_id for row in rows}))
    return {(row.correlation_id, row.client): row for row in connection.execute(query)}


def _told(connection: Connection, rows: Sequence[Row[Any]], *, comments: bool) -> list[Told | None]:
    cards = connection.execute(select(issued).where(issued.c.card.in_([row.card for row in rows]))).all()
    by_card = {(card.card, card.client): card for card in cards}
    of_calls = _of_calls(connection, cards)
    words = _comments(connection, rows) if comments else {}
    found: list[Told | None] = []
    for row in rows:
        card = by_card.get((row.card, row.client))
        if card is None:
            found.append(None)
            continue
        call = of_calls.get((card.correlation_id, card.client))
        types = {each["uuid"]: str(each["type"]) for each in card.suggestions}
        found.append(
            Told(
                at=row.at,
                received=row.received,
                client=row.client,
                user=call.user_hash if call else "",
                topic=card.topic,
                hook=card.hook,
                rules=tuple((str(each["id"]), str(each["version"])) for each in card.rules),
                outcome=row.outcome,
                suggestions=tuple(types.get(each, "") for each in row.suggestions),
                reasons=_reasons(row),
                comments=tuple(words.get(row.id, ())),
            )
        )
    return found


def _comments(connection: Connection, rows: Sequence[Row[Any]]) -> Mapping[str, list[str]]:
    found = defaultdict(list)
    query = select(comments).where(comments.c.feedback.in_([row.id for row in rows])).order_by(comments.c.id)
    for row in connection.execute(query):
        found[row.feedback].append(row.words)
    return found


def _reasons(row: Row[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(each["code"]), str(each["system"])) for each in row.reasons)
