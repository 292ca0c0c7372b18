"""Processes that die, start together, or are forked (G3, G5)."""

from __future__ import annotations

import os
import signal
import time

import pytest

from tests.store.conftest import Place
from tests.store.parts import LATER, Store, record
from tests.store.processes import output, started


def test_g5_after_kill_9_every_acknowledged_record_is_there(place: Place) -> None:
    writer = started("write_until_killed", place.address)
    assert writer.stdout
    acknowledged = [writer.stdout.readline().strip() for _ in range(200)]
    os.kill(writer.pid, signal.SIGKILL)
    # not by communicate, which loses what readline has read ahead; the last line may be cut
    acknowledged += writer.stdout.read().split("\n")[:-1]
    writer.communicate(timeout=60)

    kept = {found for (found,) in place.run("SELECT correlation_id FROM calls")}
    assert writer.returncode == -signal.SIGKILL
    assert len(acknowledged) >= 200
    assert set(acknowledged) <= kept
    # the one that was written when the blow fell may be there or not
    assert len(kept) - len(acknowledged) in (0, 1)


def test_g3_after_kill_9_others_go_on_writing(place: Place, store: Store) -> None:
    writer = started("write_until_killed", place.address)
    assert writer.stdout
    writer.stdout.readline()
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate(timeout=60)

    assert store.tokens.first_use("iss", "t-1", LATER)
    assert store.alarms == []


def test_several_workers_start_at_once(place: Place) -> None:
    start_at = time.time() + 3
    workers = [started("start", place.address, start_at) for _ in range(4)]

    assert [output(worker) for worker in workers] == [["started []"]] * 4
    assert place.run("SELECT version_num FROM alembic_version") == [("0003",)]
    assert place.run("SELECT count(*) FROM calls") == [(4,)]


def test_a_store_that_was_used_before_the_processes_part_works_in_each(place: Place, store: Store) -> None:
    """gunicorn's preload: made and perhaps used by the parent. A connection shared by two processes would mix answers."""
    store.audit.record(record("parent-1"))
    child = os.fork()
    if child == 0:
        try:
            for number in range(20):
                store.audit.record(record(f"child-{number}"))
            os._exit(len(store.alarms))
        except BaseException:
            os._exit(99)
    for number in range(20):
        store.audit.record(record(f"parent-{number}"))
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert store.alarms == []
    assert place.run("SELECT count(*) FROM calls") == [(41,)]


def test_two_processes_have_each_their_own_connections(store: Store) -> None:
    store.audit.record(record())
    mine = store.database._engine()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, b"same" if store.database._engine() is mine else b"own")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reader, 4) == b"own"
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("pragma", ["journal_mode", "synchronous", "foreign_keys"])
def test_sqlite_is_told_to_reach_the_disk(store: Store, pragma: str) -> None:
    """`kill -9` does not tell FULL from OFF, only a power cut does; so the setting itself is looked at."""
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    found = store.database.write("look", lambda c: c.exec_driver_sql(f"PRAGMA {pragma}").scalar())

    assert found == expected[pragma]
