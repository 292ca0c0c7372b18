"""What only a server can do to us."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection

from cds_service.kernel.errors import StoreUnavailable
from cds_service.store.migrate import ADVISORY_LOCK
from tests.store.conftest import PostgresPlace
from tests.store.parts import SOON_S, Store, record

pytestmark = pytest.mark.parametrize("place", ["postgresql"], indirect=True)


def _backends(place: PostgresPlace) -> list[int]:
    found = place.run(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'bonecds' AND datname = current_database()"
    )
    return [int(str(pid)) for (pid,) in found]


@contextmanager
def _stopped(*processes: int) -> Iterator[None]:
    """They answer nothing, as behind a broken network or with a dead disk; nobody closes a connection."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_a16_a_server_that_says_nothing_more_is_unavailable_soon(place: PostgresPlace, store: Store) -> None:
    """Its own time limits do not help then."""
    store.audit.record(record())
    server = int(Path(place.server.folder, "data", "postmaster.pid").read_text().split()[0])
    began = time.monotonic()
    with _stopped(server, *_backends(place)), pytest.raises(StoreUnavailable, match="ConnectionTimeout"):
        store.audit.record(record())

    assert time.monotonic() - began < SOON_S
    assert len(store.alarms) == 1


def test_a16_a_server_that_stops_in_mid_statement_is_unavailable_soon(place: PostgresPlace, store: Store) -> None:
    began = time.monotonic()

    def stopped_half_way(connection: Connection) -> None:
        process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with _stopped(process):
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(StoreUnavailable, match="ConnectionTimeout"):
        store.database.write("test", stopped_half_way)
    assert time.monotonic() - began < SOON_S
    store.clock.seconds += 2
    store.audit.record(record())


def test_a_connection_that_hangs_is_replaced(place: PostgresPlace, store: Store) -> None:
    """Cut off by a firewall that forgot it: the server is well, and the call gets another connection."""
    store.audit.record(record())
    with _stopped(*_backends(place)):
        store.audit.record(record())

    assert store.alarms == []


def test_a_server_that_was_started_anew_costs_no_record(place: PostgresPlace, store: Store) -> None:
    store.audit.record(record())
    place.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bonecds'")

    store.audit.record(record())

    assert store.alarms == []


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("statement_timeout", "1s"), ("lock_timeout", "500ms"), ("synchronous_commit", "on")],
)
def test_limits_are_set_for_the_session(store: Store, setting: str, expected: str) -> None:
    assert store.database.write("look", lambda c: c.exec_driver_sql(f"SHOW {setting}").scalar()) == expected


@pytest.mark.parametrize(("told", "used"), [("off", "on"), ("remote_write", "remote_write"), ("local", "local")])
def test_g5_a_database_that_would_rather_forget_is_told_not_to(
    place: PostgresPlace, store: Store, told: str, used: str
) -> None:
    place.administer(f"ALTER DATABASE {place.name} SET synchronous_commit = {told}")

    found = store.database.write("look", lambda c: c.exec_driver_sql("SHOW synchronous_commit").scalar())
    assert found == used


def test_a_start_waits_while_another_one_changes_the_tables(
    place: PostgresPlace, another_store: Callable[[], Store]
) -> None:
    """Here only as long as a call waits, since this store was not started but is used at once."""
    late = another_store()
    with place.server.connect(place.name) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
        with pytest.raises(StoreUnavailable, match="LockNotAvailable"):
            late.audit.record(record())
    late.clock.seconds += 2
    late.audit.record(record())


def test_threads_beyond_the_pool_do_not_open_more_connections(store: Store) -> None:
    pool = store.database._engine().pool
    held = [pool.connect() for _ in range(8)]
    try:
        with pytest.raises(StoreUnavailable, match="TimeoutError"):
            store.audit.record(record())
    finally:
        for connection in held:
            connection.close()
