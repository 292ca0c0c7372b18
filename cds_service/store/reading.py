"""Reads back what was kept, for reports: in pages, the newest first, each page in a transaction of its own."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Row, Select, or_, select

from cds_service.reports.rows import Asked, Call, Card, Person, Telling, Told
from cds_service.store.database import Database
from cds_service.store.tables import calls, comments, feedback, issued

# a transaction of some ten milliseconds, beside calls that want to write
PAGE = 200
_More = TypeVar("_More")
_Rows = Sequence[Row[Any]]

# what is not needed is not read: to decode it is most of the work
_CALL = tuple(calls.c[name] for name in (
    "id", "time", "hook", "client", "key_id", "patient_hash", "status", "cards", "unsure", "rule_set", "sex", "age_band", "missing",
))  # fmt: skip
_CARD = tuple(issued.c[name] for name in (
    "card", "correlation_id", "time", "client", "key_id", "patient_hash", "topic", "display", "rules",
))  # fmt: skip
_GIVEN = tuple(issued.c[name] for name in ("card", "correlation_id", "hook", "client", "topic", "rules", "suggestions"))
_TELLING = tuple(feedback.c[name] for name in ("card", "client", "outcome", "at", "reasons"))
_OF_CALL = tuple(calls.c[name] for name in ("correlation_id", "client", "role", "sex", "age_band", "user_hash"))


class Reading:
    """Rows of a database.

    Args:
        database: where they are.
        page: rows that are read at a time.
    """

    def __init__(self, database: Database, page: int = PAGE) -> None:
        self._database, self._page = database, page

    def calls(self, asked: Asked) -> Iterator[Sequence[Call]]:
        """The calls of the period, of all clients.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        for rows, _ in self._pages(_CALL, "time", asked, _nothing):
            yield [_call(row) for row in rows]

    def cards(self, asked: Asked) -> Iterator[Sequence[Card]]:
        """The cards of the period, of all clients, each with everything that its own client told of it, whenever that was.

        Raises:
            StoreUnavailable: they cannot be read.
        """
        for rows, (of_calls, told) in self._pages(_CARD, "time", asked, _about_cards):
            yield _cards(rows, of_calls, told)

    def told(self, asked: Asked, *, comments: bool = False) -> Iterator[Sequence[Told | None]]:
        """Feedback, by when it came here; `None` for each about a card that its sender never got, as far as is known.

        Args:
            asked: which.
            comments: whether to read what clinicians wrote, too.

        Raises:
            StoreUnavailable: it cannot be read.
        """

        def about(connection: Connection, rows: _Rows) -> tuple[_Rows, _Rows, _Rows]:
            return _about_told(connection, rows, comments=comments)

        for rows, (cards, of_calls, words) in self._pages(tuple(feedback.c), "received", asked, about):
            wanted = [row for row in rows if asked.client in (None, row.client)]
            yield _told(wanted, cards, of_calls, words)

    def _pages(
        self,
        columns: Sequence[Column[Any]],
        time: str,
        asked: Asked,
        about: Callable[[Connection, _Rows], _More],
    ) -> Iterator[tuple[_Rows, _More]]:
        """Page by page, from the last row of the one before: an offset would read everything again for each.

        Args:
            columns: what is read; the first names the row.
            time: the column that says when.
            asked: the period.
            about: reads in the same transaction what belongs to the rows.
        """
        key, when = columns[0], columns[0].table.c[time]
        wanted = _wanted(when, asked)
        query = select(*columns).where(*wanted).order_by(when.desc(), key.desc()).limit(self._page)
        rest = query
        while True:
            rows, more = self._read(rest, about)
            if rows:
                yield rows, more
            if len(rows) < self._page:
                return
            last = rows[-1]._mapping
            # `when <=` by itself lets the index find the place
            rest = query.where(when <= last[time], or_(when < last[time], key < last[key.name]))

    def _read(self, query: Select[Any], about: Callable[[Connection, _Rows], _More]) -> tuple[_Rows, _More]:
        def work(connection: Connection) -> tuple[_Rows, _More]:
            rows = connection.execute(query).all()
            return rows, about(connection, rows)

        return self._database.read("report", work)


def _nothing(_connection: Connection, _rows: _Rows) -> None:
    return None


def _wanted(when: ColumnElement[dt.datetime], asked: Asked) -> list[ColumnElement[bool]]:
    found = []
    if asked.since is not None:
        found.append(when >= asked.since)
    if asked.until is not None:
        found.append(when < asked.until)
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
        row.client,
    )


def _about_cards(connection: Connection, rows: _Rows) -> tuple[_Rows, _Rows]:
    """The calls the cards were given at, and what was told of the cards, by anybody."""
    told = select(*_TELLING).where(feedback.c.card.in_([row.card for row in rows]))
    return _calls_of(connection, rows), connection.execute(told).all()


def _calls_of(connection: Connection, cards: _Rows) -> _Rows:
    query = select(*_OF_CALL).where(calls.c.correlation_id.in_({card.correlation_id for card in cards}))
    return connection.execute(query).all()


def _cards(rows: _Rows, of_calls: _Rows, tellings: _Rows) -> list[Card]:
    known = _by_call(of_calls)
    told: dict[tuple[str, str], list[Telling]] = defaultdict(list)
    for each in tellings:
        told[each.card, each.client].append(Telling(each.at, each.outcome, _reasons(each)))
    found = []
    for row in rows:
        call = known.get((row.correlation_id, row.client))
        sex, age_band, role = (call.sex, call.age_band, call.role) if call else ("", "", "")
        found.append(
            Card(
                row.time,
                row.topic,
                row.display,
                tuple(str(each["id"]) for each in row.rules),
                role,
                Person(sex, age_band, row.key_id, row.patient_hash),
                # what others tell of a card that they never got is not counted
                tuple(told.get((row.card, row.client), ())),
                row.client,
            )
        )
    return found


def _by_call(rows: _Rows) -> Mapping[tuple[str, str], Any]:
    return {(row.correlation_id, row.client): row for row in rows}


def _about_told(connection: Connection, rows: _Rows, *, comments: bool) -> tuple[_Rows, _Rows, _Rows]:
    """The cards that were told of, the calls they were given at, and what was written with it."""
    cards = connection.execute(select(*_GIVEN).where(issued.c.card.in_([row.card for row in rows]))).all()
    words = _comments(connection, rows) if comments else ()
    return cards, _calls_of(connection, cards), words


def _comments(connection: Connection, rows: _Rows) -> _Rows:
    query = select(comments).where(comments.c.feedback.in_([row.id for row in rows])).order_by(comments.c.id)
    return connection.execute(query).all()


def _told(rows: _Rows, cards: _Rows, of_calls: _Rows, words: _Rows) -> list[Told | None]:
    given, known = {(card.card, card.client): card for card in cards}, _by_call(of_calls)
    said = defaultdict(list)
    for each in words:
        said[each.feedback].append(each.words)
    return [_one_told(row, given.get((row.card, row.client)), known, said.get(row.id, [])) for row in rows]


def _one_told(row: Any, card: Any, of_calls: Mapping[tuple[str, str], Any], words: Sequence[str]) -> Told | None:
    if card is None:
        return None
    call = of_calls.get((card.correlation_id, card.client))
    types = {each["uuid"]: str(each["type"]) for each in card.suggestions}
    return Told(
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
        comments=tuple(words),
    )


def _reasons(row: Row[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(each["code"]), str(each["system"])) for each in row.reasons)
