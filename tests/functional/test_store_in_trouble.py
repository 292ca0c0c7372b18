"""A database that is away, locked, full, damaged or of the version before: cards are given, the operator is told, and nothing that
was acknowledged is lost (G6). A read-only one is in tests/store/test_trouble.py, as another user than that of the tests."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from alembic import command
from flask.testing import FlaskClient
from sqlalchemy import create_engine

from cds_service.cli.compose import build_app
from cds_service.store import migrate
from tests.functional.test_callers import PATH, WOMAN, settings
from tests.functional.test_feedback import TO, Json, overridden, rows
from tests.functional.test_quiet import GC_TOPIC, cards

FILE = "bonecds.sqlite3"


@contextlib.contextmanager
def away(folder: Path) -> Iterator[None]:
    (folder / FILE).rename(folder / "away")
    yield
    (folder / "away").rename(folder / FILE)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(folder / FILE, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """No file of this process may grow beyond what the log of writes has now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((folder / f"{FILE}-wal").stat().st_size, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def damaged(folder: Path) -> Iterator[None]:
    files = [folder / f"{FILE}{end}" for end in ("", "-wal", "-shm")]
    for file in files:
        file.rename(folder / f"good-{file.name}")
    files[0].write_bytes(os.urandom(100_000))
    yield
    for file in files:
        (folder / f"good-{file.name}").rename(file)


Trouble = Callable[[Path], AbstractContextManager[None]]


@pytest.mark.parametrize("trouble", [away, locked, full, damaged])
def test_g6_cards_are_given_the_alarm_rings_and_what_was_acknowledged_is_kept(
    trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = build_app(settings(tmp_path)).test_client()
    first = cards(service)
    card = first[GC_TOPIC]["uuid"]
    # enough for the log of writes to be a file of its own
    for second in range(40):
        assert service.post(TO, json=_told(card, second)).status_code == 200
    capsys.readouterr()

    with trouble(tmp_path):
        assert set(cards(service)) <= set(first)
        answer = service.post(TO, json=_told(card, 50))
        assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1"), answer.data
        assert service.get("/readyz").json["status"] == "degraded"
        told = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
        assert "audit-failing" in told

    _wait_until_it_is_tried_again(service)
    assert service.post(TO, json=_told(card, 50)).status_code == 200
    assert len(rows(tmp_path, "feedback")) == 41


def _told(card: str, second: int) -> Json:
    told = overridden(card, overrideReason={"reason": {"code": "not-now", "system": "urn:x"}})
    told["feedback"][0]["outcomeTimestamp"] = f"2026-06-15T12:00:{second:02}Z"
    return told


def _wait_until_it_is_tried_again(service: FlaskClient) -> None:
    import time

    end = time.monotonic() + 20
    while service.get("/readyz").json["status"] != "ready" and time.monotonic() < end:
        time.sleep(0.1)


def test_g6_a_database_of_the_version_before_is_brought_up_to_date_and_its_cards_are_known(tmp_path: Path) -> None:
    before = create_engine(f"sqlite:///{tmp_path}/{FILE}")
    with before.begin() as connection:
        command.upgrade(migrate._config(connection), "0002")
        connection.exec_driver_sql(
            "INSERT INTO issued (card, correlation_id, time, hook, client, key_id, patient_hash, topic, indicator, rules,"
            " suggestions, profile, rule_set) VALUES ('9368d37b-283f-44a0-93ea-547cebab93ed', 'c-1', '2026-06-01 12:00:00',"
            " 'patient-view', '', 'k', 'p', 'VitaminD', 'info', '[]', '[]', 'us', '1')"
        )
    before.dispose()

    service = build_app(settings(tmp_path)).test_client()
    assert GC_TOPIC in cards(service, WOMAN)
    assert service.post(TO, json=overridden("9368d37b-283f-44a0-93ea-547cebab93ed")).status_code == 200
    old = next(row for row in rows(tmp_path, "issued") if row["correlation_id"] == "c-1")
    assert (old["display"], old["evidence"]) == ("shown", "[]")
    assert service.post(PATH, json={}).status_code == 400
