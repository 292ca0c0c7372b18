"""From nothing, or from what an earlier version left, to the tables of this version; never back."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from cds_service.kernel.errors import ContentError, StoreUnavailable
from cds_service.store import migrations
from cds_service.store.database import Database
from cds_service.store.tables import METADATA
from tests.store.conftest import Place
from tests.store.parts import Store, record

STEPS = ScriptDirectory(str(Path(migrations.__file__).parent))


def _ignore(*_alarm: str) -> None:
    """Nobody listens."""


def test_the_steps_lead_to_the_tables_of_this_version(store: Store) -> None:
    def differences(connection: Connection) -> object:
        # not the defaults, which serve a version before this one: PostgreSQL cannot compare those of JSON
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, METADATA)

    assert store.database.write("compare", differences) == []


def test_a_second_start_changes_nothing(place: Place, store: Store) -> None:
    store.audit.record(record())
    Store(place.address).database.migrate()

    assert place.run("SELECT count(*) FROM calls") == [(1,)]


def test_there_is_one_line_of_steps() -> None:
    assert len(STEPS.get_heads()) == 1


def test_no_step_goes_back() -> None:
    """A step back would drop records that have to be kept; the way back is the backup (docs/store.md)."""
    assert [step.revision for step in STEPS.walk_revisions() if hasattr(step.module, "downgrade")] == []


def test_g6_a_database_of_a_newer_version_is_refused_at_the_start(
    place: Place, store: Store, another_store: Callable[[], Store]
) -> None:
    place.run("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(ContentError, match="made by a newer version of this program"):
        Store(place.address).database.migrate()
    assert place.run("SELECT version_num FROM alembic_version") == [("9999",)]


def test_g6_a_database_of_a_newer_version_is_not_written_to_later_either(
    place: Place, store: Store, another_store: Callable[[], Store]
) -> None:
    """It was away at the start, and is found to be newer by the first call."""
    place.run("UPDATE alembic_version SET version_num = '9999'")
    late = another_store()

    with pytest.raises(StoreUnavailable, match="NewerSchema"):
        late.audit.record(record())
    assert late.alarms == [("audit", "NewerSchema")]


def test_a_step_that_fails_leaves_nothing_behind(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second table is in the way, so the first must not stay."""
    place.run("CREATE TABLE calls (id INTEGER)")

    with pytest.raises(StoreUnavailable):
        Store(place.address).database.migrate()
    place.run("DROP TABLE calls")
    Store(place.address).database.migrate()


def test_the_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bonecds.db")
    store.database.migrate()
    store.audit.record(record())

    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "bonecds.db": 0o600,
        "bonecds.db-wal": 0o600,
        "bonecds.db-shm": 0o600,
    }
    store.database.close()


@pytest.mark.parametrize("name", ["100%.db", "a b.db", "#1.db", "é.db"])
def test_a_file_name_may_hold_what_addresses_may_not(tmp_path: Path, name: str) -> None:
    store = Store(f"sqlite:///{tmp_path}/{name}")
    store.database.migrate()

    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_not_there_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(
        ContentError, match=r"names a file that cannot be made \(FileNotFoundError\). Make its directory"
    ):
        Database(f"sqlite:///{tmp_path}/nowhere/bonecds.db", _ignore).migrate()


def test_in_memory_for_tests() -> None:
    store = Store("sqlite://")
    store.database.migrate()
    store.audit.record(record())

    assert store.tokens.first_use("iss", "t-1", 4_000_000_000)
    assert not store.tokens.first_use("iss", "t-1", 4_000_000_000)
    store.database.close()
