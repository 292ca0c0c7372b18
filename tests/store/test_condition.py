"""A database looked at from outside, on SQLite and on PostgreSQL: what a power cut would take, and whose tables it has."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from cds_service.kernel.errors import ContentError
from cds_service.store import condition
from tests.store.conftest import Place, SqlitePlace
from tests.store.parts import Store


def test_a_database_in_use_is_writable_and_its_tables_are_current(store: Store, place: Place) -> None:
    seen = condition.examine(place.address)
    assert (seen.problem, seen.made, seen.writable, seen.schema) == ("", True, True, "current")
    told = dict(seen.guards)
    if seen.kind == "sqlite":
        assert (told, seen.mode) == ({"journal_mode": "wal", "synchronous": "2"}, 0o600)
    else:
        # the server of these tests is told not to wait for the disk
        assert told == {"fsync": "off", "full_page_writes": "on", "synchronous_commit": "on"}


def test_looking_changes_no_table(place: Place) -> None:
    if place.address.startswith("sqlite"):
        sqlite3.connect(place.address.removeprefix("sqlite:///")).close()
        Path(place.address.removeprefix("sqlite:///")).touch()
    assert condition.examine(place.address).schema == "none"
    assert condition.examine(place.address).schema == "none"


def test_tables_of_another_version_are_recognised(store: Store, place: Place) -> None:
    place.run("UPDATE alembic_version SET version_num = 'r9999'")
    assert condition.examine(place.address).schema == "unknown"


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    seen = condition.examine(f"sqlite:///{tmp_path / 'absent.db'}")
    assert (seen.made, seen.writable, list(tmp_path.iterdir())) == (False, True, [])


def test_a_folder_that_is_not_there_cannot_be_written(tmp_path: Path) -> None:
    assert condition.examine(f"sqlite:///{tmp_path / 'absent' / 'a.db'}").writable is False


def test_what_is_no_database_is_told_by_its_code(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database at all" * 100)
    assert condition.examine(f"sqlite:///{tmp_path / 'a.db'}").problem == "SQLITE_NOTADB"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write every file, whatever its mode")
def test_a_file_that_may_only_be_read_is_told_by_its_code(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    sqlite3.connect(file).execute("CREATE TABLE t (x)").connection.close()
    file.chmod(0o400)
    assert condition.examine(f"sqlite:///{file}").problem.startswith("SQLITE_READONLY")


def test_while_another_program_holds_the_file_the_code_says_so(tmp_path: Path) -> None:
    place = SqlitePlace(tmp_path / "a.db")
    Store(place.address).database.migrate()
    with place.locked():
        assert condition.examine(place.address).problem == "SQLITE_BUSY"


def test_a_database_in_memory_is_told() -> None:
    assert condition.examine("sqlite://").kind == "memory"


def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    with pytest.raises(ContentError) as refused:
        condition.examine("mysql://bonecds:hunter2@db/x")
    assert "hunter2" not in str(refused.value)
