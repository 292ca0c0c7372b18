"""In what condition a database is: looked at from outside, before the service uses it. Nothing is written."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from cds_service.store import engines, migrate
from cds_service.store.database import code_of


@dataclass(frozen=True, slots=True)
class Condition:
    """What was seen.

    Attributes:
        kind: which database.
        problem: a code of `docs/store.md` where it cannot be used; "" otherwise.
        schema: "none" before the first start; "older" is brought up to date at the next one.
        guards: settings that decide whether a commit outlives a power cut, with their values.
        mode: permissions of a SQLite file; 0 for other databases.
        made: whether there is a database yet.
        writable: whether this user may write.
    """

    kind: Literal["sqlite", "postgresql", "memory"]
    problem: str = ""
    schema: migrate.Schema = "none"
    guards: tuple[tuple[str, str], ...] = ()
    mode: int = 0
    made: bool = True
    writable: bool = True


def file_of(address: str) -> str:
    """Path of a SQLite file; empty for other databases.

    Raises:
        ContentError: the address cannot be used.
    """
    return str(engines.file_of(engines.parse(address)) or "")


def examine(address: str) -> Condition:
    """Look at a database.

    Args:
        address: as in the settings.

    Raises:
        ContentError: the address cannot be used.
    """
    url = engines.parse(address)
    file = engines.file_of(url)
    if url.drivername == "sqlite" and file is None:
        return Condition("memory")
    if file is not None and not file.exists():
        return Condition("sqlite", made=False, writable=os.access(file.parent, os.W_OK))
    kind: Literal["sqlite", "postgresql"] = "sqlite" if file is not None else "postgresql"
    mode = _mode(file)
    engine = engines.make(url, engines.DURING_A_CALL, pooled=False)
    try:
        # in SQLite the transaction begins with the write lock, so that this file can be written is known here
        with engine.connect() as connection:
            writable, guards = _sqlite(connection) if file is not None else _postgres(connection)
            schema = migrate.schema_of(connection)
            connection.rollback()
    except (SQLAlchemyError, CommandError, OSError) as problem:
        return Condition(kind, code_of(problem), mode=mode)
    finally:
        engine.dispose()
    return Condition(kind, "", schema, guards, mode, True, writable)


def _mode(file: Path | None) -> int:
    return file.stat().st_mode & 0o777 if file is not None else 0


def _sqlite(connection: Connection) -> tuple[bool, tuple[tuple[str, str], ...]]:
    names = ("journal_mode", "synchronous")
    return True, tuple((name, str(connection.exec_driver_sql(f"PRAGMA {name}").scalar())) for name in names)


def _postgres(connection: Connection) -> tuple[bool, tuple[tuple[str, str], ...]]:
    names = ("fsync", "full_page_writes", "synchronous_commit")
    # of the server and role: our own sessions set synchronous_commit themselves where it is off
    asked = text("SELECT coalesce(reset_val, setting) FROM pg_settings WHERE name = :name")
    guards = tuple((name, str(connection.execute(asked, {"name": name}).scalar())) for name in names)
    read_only = connection.execute(text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::bool"))
    return not read_only.scalar(), guards
