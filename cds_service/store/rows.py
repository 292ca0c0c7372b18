"""What every table shares: rows that are written once, and text that may be kept because it can only be a code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

# Ids, codes and class names of our own look like this. What does not cannot be one, so it is not kept (F4).
_CODE = re.compile(r"[A-Za-z0-9._:/+-]{0,100}")
WITHHELD = "(withheld)"


def code_or_withheld(text: str) -> str:
    """The text if it may be an id or code of ours, or of a site's list of reasons; else a word that says it is not kept."""
    return text if _CODE.fullmatch(text) else WITHHELD


def new_in(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that leaves rows alone which are there. Not one that fails: PostgreSQL would log the key, and wait for nothing."""
    return _new_in(connection.dialect.name, table)


@lru_cache(maxsize=32)
def _new_in(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Put together once: that costs as much as the insert itself."""
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return insert(table).on_conflict_do_nothing()


def put(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert the rows that are not there."""
    kept = [dict(each) for each in rows]
    if kept:
        connection.execute(new_in(connection, table), kept)
