"""Every test that asks for `place` runs twice: on a SQLite file and on a real PostgreSQL server."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.store import server
from tests.store.parts import Store
from tests.store.server import Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for each process that runs tests."""
    if reason := server.why_not():
        pytest.skip(reason)
    # it is never cut off from power, so it need not wait for the disk
    with server.running("-c", "fsync=off") as found:
        yield found


@dataclass(frozen=True, slots=True)
class SqlitePlace:
    """A SQLite file, and what may happen to it."""

    file: Path
    locked_code: str = "SQLITE_BUSY"

    @property
    def address(self) -> str:
        return f"sqlite:///{self.file}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Another program is writing."""
        other = sqlite3.connect(self.file, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()
        other.close()

    def gone(self) -> None:
        """Somebody tidied up."""
        for path in self.file.parent.glob(f"{self.file.name}*"):
            path.unlink()

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """A statement of an administrator."""
        connection = sqlite3.connect(self.file)
        with connection:
            found = connection.execute(sql).fetchall()
        connection.close()
        return found

    def raw(self) -> bytes:
        """Every byte on the disk."""
        return b"".join(path.read_bytes() for path in self.file.parent.iterdir())


@dataclass(frozen=True, slots=True)
class PostgresPlace:
    """A database of a PostgreSQL server, and what may happen to it."""

    server: Server
    name: str
    locked_code: str = "LockNotAvailable"

    @property
    def address(self) -> str:
        return self.server.address(self.name)

    def administer(self, sql: str) -> None:
        """A statement about the database, from outside it."""
        with self.server.connect() as administrator:
            administrator.execute(sql)  # type: ignore[arg-type]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """An administrator changes the tables."""
        with self.server.connect(self.name) as other:
            other.execute("BEGIN")
            other.execute("LOCK TABLE used_tokens, calls, issued, feedback, comments IN ACCESS EXCLUSIVE MODE")
            yield
            other.execute("ROLLBACK")

    def gone(self) -> None:
        """Somebody tidied up."""
        self.administer(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """A statement of an administrator."""
        with self.server.connect(self.name) as other:
            found = other.execute(sql)  # type: ignore[arg-type]
            return found.fetchall() if found.description else []

    def raw(self) -> bytes:
        """Every byte on the disk, the server's log included."""
        self.administer("CHECKPOINT")
        return b"".join(
            Path(folder, name).read_bytes()
            for folder, _, names in os.walk(self.server.folder)
            for name in names
            if Path(folder, name).is_file()
        )


Place = SqlitePlace | PostgresPlace


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        yield SqlitePlace(tmp_path / "bonecds.db")
        return
    found: Server = request.getfixturevalue("postgres")
    name = f"t{uuid.uuid4().hex}"
    made = PostgresPlace(found, name)
    made.administer(f"CREATE DATABASE {name}")
    yield made
    made.gone()


@pytest.fixture
def another_store(place: Place) -> Iterator[Callable[[], Store]]:
    """Makes stores that were not started, as another process would."""
    made: list[Store] = []

    def make() -> Store:
        made.append(Store(place.address))
        return made[-1]

    yield make
    for one in made:
        one.database.close()


@pytest.fixture
def store(another_store: Callable[[], Store]) -> Store:
    """A store that was started."""
    made = another_store()
    made.database.migrate()
    return made
