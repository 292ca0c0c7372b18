"""What users did with cards: kept before it is acknowledged, each telling once, in whatever order they come."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, func, select

from cds_service.protocol.feedback import Feedback
from cds_service.store.database import Database
from cds_service.store.rows import code_or_withheld, put
from cds_service.store.tables import comments, feedback, issued

_Row = dict[str, object]


class FeedbackBox:
    """Where feedback is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, told: Sequence[Feedback], *, client: str, service: str, received: dt.datetime) -> int:
        """Keep all of them, or none. When this returns, they are on the disk.

        Args:
            told: what was told in one request.
            client: name the site gave the sender; empty where callers are not registered.
            service: id of the service.
            received: now, with a time zone.

        Returns:
            How many of them are about a card that this service gave, as far as it remembers.

        Raises:
            StoreUnavailable: they are not kept, as far as we know; the sender should send them again. The alarm was told.
        """
        if not told:
            return 0
        rows = {row["id"]: row for row in (_row(each, client, service, received) for each in told)}
        said = {(row["feedback"], row["id"]): row for row in _comments(told, client, received)}
        cards = {str(row["card"]) for row in rows.values()}

        def write(connection: Connection) -> int:
            put(connection, feedback, rows.values())
            put(connection, comments, said.values())
            known = select(func.count()).select_from(issued).where(issued.c.card.in_(cards))
            return int(connection.execute(known).scalar_one())

        return self._database.write("feedback", write)


def _row(told: Feedback, client: str, service: str, received: dt.datetime) -> _Row:
    return {
        "id": _id(told, client),
        "received": received,
        "client": client,
        "service": service,
        "card": _named(told.card),
        "outcome": told.outcome.value,
        "at": told.at,
        "suggestions": [_named(each) for each in told.suggestions],
        "reasons": [
            {"code": code_or_withheld(each.code), "system": code_or_withheld(each.system)} for each in told.reasons
        ],
    }


def _comments(told: Iterable[Feedback], client: str, received: dt.datetime) -> Iterable[_Row]:
    for each in told:
        if each.comment:
            yield {
                "feedback": _id(each, client),
                "id": _digest(each.comment),
                "received": received,
                "words": each.comment.encode("utf-8", "replace").decode("utf-8").replace("\0", ""),
            }


def _id(told: Feedback, client: str) -> str:
    reasons = [[each.code, each.system] for each in told.reasons]
    parts = [client, told.card, told.outcome.value, told.at.isoformat(), list(told.suggestions), reasons]
    return _digest(json.dumps(parts))


def _named(told: str) -> str:
    """The id of a card or suggestion: a UUID as it is. Anything else may be anything, so its hash."""
    try:
        return str(uuid.UUID(told))
    except ValueError:
        return _digest(told)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
