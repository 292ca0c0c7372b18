"""From an address to an engine in which no wait is without end."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from cds_service.kernel.errors import ContentError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds.

    Attributes:
        lock: for another process to let go of a lock.
        statement: for a statement, kept by a PostgreSQL server.
        answer: for the answer to a statement, kept by us.
        connection: for another thread to hand its connection back.
    """

    lock: float
    statement: float
    answer: float
    connection: float


# connections that read at the same time, in each process: calls compute one at a time, so few are wanted
_READERS = 4

DURING_A_CALL = Patience(lock=0.5, statement=1, answer=1.5, connection=0.5)
# Another process may be at work on a large table.
AT_THE_START = Patience(lock=30, statement=60, answer=90, connection=30)


def parse(address: str) -> URL:
    """The address of a database.

    Raises:
        ContentError: neither SQLite nor PostgreSQL. The message does not repeat the address, which may hold a password.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or (url.drivername, bool(url.query)) not in {
        ("sqlite", False),
        ("postgresql+psycopg", False),
        ("postgresql+psycopg", True),
    }:
        raise ContentError(
            "settings",
            "database_url",
            "is not the address of a database this program can use.",
            "Write sqlite:///path/to/file.db or postgresql+psycopg://user@host/name.",
        )
    return url


def file_of(url: URL) -> Path | None:
    """The file of a SQLite database; none for one in memory, and for PostgreSQL."""
    named = url.database if url.drivername == "sqlite" else None
    return Path(named) if named and named != ":memory:" else None


def make(url: URL, patience: Patience, *, pooled: bool, reading: bool = False) -> Engine:
    """An engine. It opens no connection before it is asked to.

    Args:
        url: from `parse`.
        patience: how long to wait.
        pooled: keep connections for the next use; else close each after use.
        reading: one statement at a time that reads. In SQLite it takes no lock and waits for none (write-ahead log).

    Raises:
        ContentError: psycopg is not installed.
    """
    # Parameters would stand in the text of errors.
    options = {"hide_parameters": True, "json_serializer": _json} | ({} if pooled else {"poolclass": NullPool})
    return (
        _sqlite(url, patience, options, reading=reading)
        if url.drivername == "sqlite"
        else _postgres(url, patience, options)
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _sqlite(url: URL, patience: Patience, options: dict[str, Any], *, reading: bool) -> Engine:
    path = file_of(url)
    # mode=rw: a file that was moved away must be an error, not a new empty database
    name = f"file:{quote(str(path.absolute()))}?mode=rw" if path else ":memory:"

    def connect() -> sqlite3.Connection:
        # isolation_level None: SQLAlchemy says BEGIN, see below. Threads hand the connection on and never share it.
        made = sqlite3.connect(
            name, uri=bool(path), timeout=patience.lock, isolation_level=None, check_same_thread=False
        )
        if path:
            made.execute("PRAGMA journal_mode=WAL")
        made.execute("PRAGMA synchronous=FULL")
        made.execute("PRAGMA foreign_keys=ON")
        # From here on only BEGIN can meet a lock, and `_begin` waits for that.
        made.execute("PRAGMA busy_timeout=0")
        return made

    if "poolclass" not in options:
        # SQLite lets one writer in at a time; with a connection each, threads would only compete for its lock.
        options |= {
            "poolclass": QueuePool,
            "pool_size": _READERS if reading else 1,
            "max_overflow": 0,
            "pool_timeout": patience.connection,
        }
    engine = create_engine("sqlite://", creator=connect, **options)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # each statement that reads sees one state of the database without being told to
        if not reading:
            _begin(connection, patience.lock)

    if path:
        _notice_a_replaced_file(engine, path)
    return engine


def _begin(connection: Connection, wait_s: float) -> None:
    """Take the write lock.

    At once, since a plain BEGIN takes it at the first write, where SQLite may refuse without waiting. And asking every
    millisecond or two, since SQLite's own way of waiting (`busy_timeout`) asks ten times in 200 ms: of two processes
    that write without pause one failed in 1.7 % of its writes.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                break
            time.sleep(random.uniform(0.0005, 0.0015))  # noqa: S311
        else:
            return
    # once more, so that the error takes SQLAlchemy's way
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _notice_a_replaced_file(engine: Engine, path: Path) -> None:
    """SQLite with a write-ahead log goes on writing to a file that was deleted, and nobody would see it again."""

    @event.listens_for(engine, "connect")
    def connected(_connection: Any, record: Any) -> None:
        record.info["file"] = _identity(path)

    @event.listens_for(engine, "checkout")
    def taken(_connection: Any, record: Any, _proxy: Any) -> None:
        if record.info["file"] != _identity(path):
            raise DisconnectionError("the file is not the one that was opened")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 once per write; Path.stat costs twice as much
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _postgres(url: URL, patience: Patience, options: dict[str, Any]) -> Engine:
    try:
        from cds_service.store import postgres
    except ImportError:
        raise ContentError(
            "settings",
            "database_url",
            "names PostgreSQL, and its driver is not installed.",
            "Install bonecds[postgresql].",
        ) from None
    if "poolclass" not in options:
        options |= {
            "pool_size": 4,
            "max_overflow": 4,
            "pool_timeout": patience.connection,
            # a server that was started anew must not cost a call its record
            "pool_pre_ping": True,
        }
    engine = create_engine(url, isolation_level="READ COMMITTED", **options)

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, _args: Any, named: dict[str, Any]) -> Any:
        return postgres.connect(named, lock_s=patience.lock, statement_s=patience.statement, answer_s=patience.answer)

    return engine
