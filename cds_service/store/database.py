"""One database, used by several threads and processes, that may be slow, full, locked or gone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

from alembic.util import CommandError
from sqlalchemy import Connection, Engine, insert
from sqlalchemy.exc import DBAPIError, SQLAlchemyError, StatementError

from cds_service.kernel.errors import ContentError, StoreUnavailable
from cds_service.store import engines, migrate
from cds_service.store.breaker import Breaker
from cds_service.store.tables import used_tokens
from cds_service.store.turns import Turns

# Called at every failure with what was being done ("audit") and a code ("SQLITE_FULL"), both from small sets: fit for
# labels of a counter. Neither holds anything of the call.
Alarm = Callable[[str, str], None]

PAUSE_S = 2.0
SKIPPED = "skipped"
_T = TypeVar("_T")
_FAILURES = (SQLAlchemyError, CommandError, ContentError, OSError)


class Database:
    """A database that is used for short writes.

    Opens nothing until it is used, and then anew in each process: safe to make before gunicorn's workers part.

    Args:
        address: `sqlite:///file`, `sqlite://` (in memory, for tests) or `postgresql+psycopg://...`.
        alarm: told of every failure.
        pause_s: how long to leave the database alone after a failure, in seconds.
        clock: seconds that never jump.

    Raises:
        ContentError: the address cannot be used.
    """

    def __init__(
        self, address: str, alarm: Alarm, *, pause_s: float = PAUSE_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = engines.parse(address)
        self._alarm = alarm
        self._breaker = Breaker(pause_s, clock)
        self._migrated = False
        # By process: a connection must not be used, nor closed, by a child of the process that opened it
        # (sqlite.org/howtocorrupt.html 2.6), so what a parent opened stays here untouched.
        self._engines: dict[tuple[int, bool], Engine] = {}
        self._turns: dict[int, Turns] = {}
        self._engine()

    @property
    def file(self) -> str:
        """Path of a SQLite file; empty for other databases."""
        return str(engines.file_of(self._url) or "")

    def migrate(self) -> None:
        """Make the file if there is none, and bring the tables to the form this version knows. For the start.

        Waits for other processes that do the same. Where the database is away, the service may start nevertheless:
        the first write that reaches it does this work then.

        Raises:
            ContentError: the database was made by a newer version, or the file cannot be made.
            StoreUnavailable: the database cannot be used; the alarm was told.
        """
        self._make_file()
        try:
            # an engine of its own, that is more patient and leaves no connection open
            self._upgrade(
                self._engine() if self._in_memory else engines.make(self._url, engines.AT_THE_START, pooled=False)
            )
        except ContentError:
            raise
        except _FAILURES as problem:
            raise self._failure("migrate", problem) from None
        self._breaker.went_well()

    def write(self, what: str, work: Callable[[Connection], _T]) -> _T:
        """Do `work` in one transaction. When this returns, the result is on the disk.

        Args:
            what: short fixed name of the work, for the alarm.
            work: runs its statements on the connection; must be short.

        Raises:
            StoreUnavailable: the database cannot be used, or was left alone since it could not be used a moment ago.
                The alarm was told.
        """
        if not self._breaker.may_try():
            self._alarm(what, SKIPPED)
            raise StoreUnavailable(_words(self._breaker.problem))
        return self._attempt(what, work)

    def read(self, what: str, work: Callable[[Connection], _T]) -> _T:
        """Do `work`, one statement that only reads and waits for no writer.

        While the database is not well nothing is read: that it is well again only a write can show, since a full disk still reads.

        Args:
            what: short fixed name of the work, for the alarm.
            work: runs its statement on the connection; must be short, and take all rows before it returns.

        Raises:
            StoreUnavailable: as `write` does.
        """
        if self._breaker.problem:
            self._alarm(what, SKIPPED)
            raise StoreUnavailable(_words(self._breaker.problem))
        return self._attempt(what, work, reading=True)

    def problems(self) -> tuple[str, ...]:
        """What keeps the database from being used, as this process knows it; nothing if all is well.

        After a failure this tries a write of its own, once per pause: a service that is sent no calls since it is not
        well would otherwise never find out that it is well again.
        """
        if self._breaker.problem and self._breaker.may_try():
            # said by the alarm, and below
            with contextlib.suppress(StoreUnavailable):
                self._attempt("probe", _probe)
        return (_words(self._breaker.problem),) if self._breaker.problem else ()

    def close(self) -> None:
        """Close the connections of this process."""
        for reading in (False, True):
            if engine := self._engines.pop((os.getpid(), reading), None):
                engine.dispose()

    def _attempt(self, what: str, work: Callable[[Connection], _T], *, reading: bool = False) -> _T:
        try:
            if not self._migrated:
                self._upgrade(self._engine())
            turn = contextlib.nullcontext() if reading and not self._in_memory else self._turn()
            with turn, self._engine(reading=reading).begin() as connection:
                found = work(connection)
        except _FAILURES as problem:
            if isinstance(problem, StatementError) and not isinstance(problem, DBAPIError):
                # The statement did not even reach the database: a mistake of ours, and the database is well.
                raise
            raise self._failure(what, problem) from None
        if not reading:
            self._breaker.went_well()
        return found

    @property
    def _in_memory(self) -> bool:
        return self._url.drivername == "sqlite" and not self.file

    def _engine(self, *, reading: bool = False) -> Engine:
        # one in memory has one connection; PostgreSQL needs no other to read beside writers
        kind = (os.getpid(), reading and bool(self.file))
        # Two threads may both make one; an engine that loses has no connection yet.
        return self._engines.get(kind) or self._engines.setdefault(
            kind, engines.make(self._url, engines.DURING_A_CALL, pooled=True, reading=kind[1])
        )

    def _turn(self) -> AbstractContextManager[None]:
        """SQLite lets one writer in at a time, so threads queue here, where they are served in turn."""
        if self._url.drivername != "sqlite":
            return contextlib.nullcontext()
        process = os.getpid()
        turns = self._turns.get(process) or self._turns.setdefault(process, Turns())
        return turns.turn(engines.DURING_A_CALL.connection)

    def _upgrade(self, engine: Engine) -> None:
        with engine.begin() as connection:
            migrate.upgrade(connection)
        self._migrated = True

    def _make_file(self) -> None:
        """Readable by its owner only; SQLite gives the files beside it the same mode."""
        if not self.file or os.path.exists(self.file):  # noqa: PTH110
            return
        try:
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as problem:
            raise ContentError(
                "settings",
                "database_url",
                f"names a file that cannot be made ({type(problem).__name__}).",
                "Make its directory first, and let the user this service runs as write there.",
            ) from None

    def _failure(self, what: str, problem: Exception) -> StoreUnavailable:
        code = code_of(problem)
        self._breaker.failed(code)
        self._alarm(what, code)
        return StoreUnavailable(_words(code))


def code_of(problem: Exception) -> str:
    """A short code for a failure; never the driver's own text, which may repeat values.

    SQLite's name (`SQLITE_FULL`), psycopg's class (`DiskFull`), or else the name of the error class.
    """
    cause = problem.orig if isinstance(problem, DBAPIError) else problem
    if isinstance(cause, ContentError):
        return "NewerSchema"
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorname", type(cause).__name__)
    return type(cause).__name__


def _probe(connection: Connection) -> None:
    """A write that has to reach the disk; the row is expired, so it is purged with others."""
    connection.execute(insert(used_tokens).values(issuer="", token=uuid.uuid4().hex, expires=0))


def _words(code: str) -> str:
    return f"The database cannot be used at the moment ({code}). docs/store.md says what the code means."
