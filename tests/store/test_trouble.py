"""The database is locked, full, read-only, damaged or gone: said in bounded time, and forgotten once it is over (A16, F5, G6)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from cds_service.kernel.errors import StoreUnavailable
from cds_service.store.database import Database
from tests.store.conftest import Place, PostgresPlace
from tests.store.parts import LATER, SOON_S, Store, record
from tests.store.processes import output, started


def test_a16_a_locked_database_is_unavailable_soon(place: Place, store: Store) -> None:
    began = time.monotonic()
    with place.locked(), pytest.raises(StoreUnavailable, match=place.locked_code):
        store.tokens.first_use("iss", "t-1", LATER)

    assert time.monotonic() - began < SOON_S
    assert store.alarms == [("used_tokens", place.locked_code)]


def test_a16_it_is_used_again_once_it_is_free(place: Place, store: Store) -> None:
    with place.locked(), pytest.raises(StoreUnavailable):
        store.tokens.first_use("iss", "t-1", LATER)
    store.clock.seconds += 2

    assert store.tokens.first_use("iss", "t-1", LATER)
    assert store.database.problems() == ()


def test_a16_after_a_failure_it_is_left_alone_for_two_seconds(place: Place, store: Store) -> None:
    with place.locked():
        with pytest.raises(StoreUnavailable):
            store.audit.record(record())
        store.clock.seconds += 1.9
        with pytest.raises(StoreUnavailable):
            store.audit.record(record())
        store.clock.seconds += 0.1
        with pytest.raises(StoreUnavailable):
            store.audit.record(record())

    assert [code for _, code in store.alarms] == [place.locked_code, "skipped", place.locked_code]


def test_a16_when_the_pause_is_over_one_caller_tries_and_the_others_go_on(place: Place, store: Store) -> None:
    with place.locked(), pytest.raises(StoreUnavailable):
        store.audit.record(record())
    store.clock.seconds += 2

    def second_caller(_connection: object) -> None:
        with pytest.raises(StoreUnavailable):
            store.audit.record(record())

    store.database.write("first", second_caller)

    assert store.alarms[1:] == [("audit", "skipped")]


def test_a16_a_database_that_is_gone_is_unavailable_and_not_made_anew(place: Place, store: Store) -> None:
    """SQLite would go on writing to a file that was deleted, and accept every token again after a restart."""
    assert store.tokens.first_use("iss", "t-1", LATER)
    place.gone()

    for _ in range(2):
        store.clock.seconds += 10
        with pytest.raises(StoreUnavailable):
            store.tokens.first_use("iss", "t-1", LATER)
    assert len(store.alarms) == 2
    assert isinstance(place, PostgresPlace) or not place.file.exists()


def test_a16_what_the_error_says_helps_and_tells_nothing(place: Place, store: Store) -> None:
    with place.locked(), pytest.raises(StoreUnavailable) as caught:
        store.audit.record(record())

    assert str(caught.value) == (
        f"The database cannot be used at the moment ({place.locked_code}). docs/store.md says what the code means."
    )
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    # nor does the driver's error behind it, which some tools log
    assert "Elsewhere" not in str(caught.value.__context__)


def test_g6_degraded_is_said_until_a_write_goes_well_again(place: Place, store: Store) -> None:
    """A service that gets no calls since it is not well must find out by itself."""
    with place.locked():
        with pytest.raises(StoreUnavailable):
            store.audit.record(record())
        assert place.locked_code in store.database.problems()[0]
        assert len(store.alarms) == 1
    store.clock.seconds += 2

    assert store.database.problems() == ()


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_f5_a_full_disk_is_said_and_over_once_there_is_room(place: Place) -> None:
    """PostgreSQL's full disk is its server's; filling it here would take a file system of its own, and so root."""
    assert output(started("disk_full", place.address)) == ["refused audit True", "again ()"]
    assert place.run("SELECT count(*) FROM calls WHERE correlation_id IN ('before', 'after')") == [(2,)]
    assert place.run("PRAGMA integrity_check") == [("ok",)]


def test_f5_a_full_database_loses_no_token(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bonecds.db")
    store.database.migrate()
    # the one connection of this process, so it stays limited
    store.database.write("limit", lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1").close())
    used: list[str] = []

    def use_many() -> None:
        for number in range(1000):
            assert store.tokens.first_use("iss", f"t-{number}", LATER)
            used.append(f"t-{number}")

    with pytest.raises(StoreUnavailable, match="SQLITE_FULL"):
        use_many()
    store.database.close()
    store.clock.seconds += 10

    assert used
    assert not any(store.tokens.first_use("iss", token, LATER) for token in used)
    store.database.close()


def test_a16_g6_a_read_only_database_is_unavailable(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/bonecds.db")
    store.database.migrate()
    store.database.close()
    (tmp_path / "bonecds.db").chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        said = output(started("read_only", store.address, before=_bound_by_permissions()))
    finally:
        tmp_path.chmod(0o700)

    assert said[-1] == "refused True"
    assert store.alarms == []


def _bound_by_permissions() -> Sequence[str]:
    """What to put before a command so that file modes hold; root passes them by otherwise."""
    if os.geteuid() != 0:
        return ()
    if not shutil.which("setpriv"):
        pytest.skip("root may write everywhere, and there is no setpriv (util-linux) to give that up")
    return ("setpriv", "--bounding-set", "-dac_override,-dac_read_search,-fowner")


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)
def test_a16_g6_a_read_only_postgresql_is_unavailable(place: PostgresPlace, store: Store) -> None:
    """After a failover the old address may lead to a copy that can only be read."""
    store.audit.record(record())
    place.administer(f"ALTER DATABASE {place.name} SET default_transaction_read_only = on")
    place.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bonecds'")

    with pytest.raises(StoreUnavailable, match="ReadOnlySqlTransaction"):
        store.audit.record(record())


@pytest.mark.parametrize(
    ("damage", "code"),
    [(lambda good: good[:100] + b"\xa5" * len(good), "CORRUPT"), (lambda _: b"\xa5" * 4096, "NOTADB")],
)
def test_g6_a_damaged_file_is_unavailable_from_the_start(
    tmp_path: Path, damage: Callable[[bytes], bytes], code: str
) -> None:
    file = tmp_path / "bonecds.db"
    store = Store(f"sqlite:///{file}")
    store.database.migrate()
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(StoreUnavailable, match=f"SQLITE_{code}"):
        Store(f"sqlite:///{file}").database.migrate()


def test_g6_tables_that_were_dropped_are_not_made_anew(place: Place, store: Store) -> None:
    """Whoever dropped them must hear of it: a fresh table would accept every token again."""
    place.run("DROP TABLE used_tokens")

    with pytest.raises(StoreUnavailable, match=r"SQLITE_ERROR|UndefinedTable"):
        store.tokens.first_use("iss", "t-1", LATER)


def test_g11_a_service_that_started_without_its_database_uses_it_once_it_is_there(
    place: Place, store: Store, another_store: Callable[[], Store]
) -> None:
    store.database.close()
    late = another_store()
    with _away(place), pytest.raises(StoreUnavailable):
        late.database.migrate()
    late.clock.seconds += 2

    late.audit.record(record())

    assert place.run("SELECT count(*) FROM calls") == [(1,)]
    assert [what for what, _ in late.alarms] == ["migrate"]


@contextmanager
def _away(place: Place) -> Iterator[None]:
    if isinstance(place, PostgresPlace):
        place.administer(f"ALTER DATABASE {place.name} ALLOW_CONNECTIONS false")
        yield
        place.administer(f"ALTER DATABASE {place.name} ALLOW_CONNECTIONS true")
    else:
        hidden = place.file.rename(place.file.with_suffix(".away"))
        place.file.mkdir()
        yield
        place.file.rmdir()
        hidden.rename(place.file)


def test_g8_a_pause_does_not_follow_the_wall_clock(place: Place, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.locked(), pytest.raises(StoreUnavailable):
        store.audit.record(record())
    real = time.time()
    for jump in (-86_400, 86_400):
        monkeypatch.setattr(time, "time", lambda jump=jump: real + jump)
        with pytest.raises(StoreUnavailable):
            store.audit.record(record())
    monkeypatch.undo()
    store.clock.seconds += 2

    store.audit.record(record())

    assert [code for _, code in store.alarms] == [place.locked_code, "skipped", "skipped"]


def test_g8_without_being_told_the_clock_is_the_monotonic_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{tmp_path}/bonecds.db"
    alarms: list[tuple[str, str]] = []
    database = Database(address, lambda *alarm: alarms.append(alarm), pause_s=3600)
    database.migrate()
    other = sqlite3.connect(tmp_path / "bonecds.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        database.write("test", lambda _: None)
    other.close()
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 86_400)

    with pytest.raises(StoreUnavailable):
        database.write("test", lambda _: None)

    assert [code for _, code in alarms] == ["SQLITE_BUSY", "skipped"]
    database.close()
