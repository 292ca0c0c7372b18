"""What keeps written rows from being there after a power cut, and who may read the key."""

from __future__ import annotations

import pytest

from cds_service.doctor.checks import store
from cds_service.doctor.checks.store import KeyFile
from cds_service.doctor.finding import Level
from cds_service.store.condition import Condition

SAFE = (("journal_mode", "wal"), ("synchronous", "2"))
PG = (("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on"))


def levels(seen: Condition) -> list[Level]:
    return [each.level for each in store.database(seen)]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Condition("sqlite", schema="current", guards=SAFE, mode=0o600), [Level.PASS]),
        (Condition("sqlite", schema="current", guards=SAFE, mode=0o644), [Level.WARN, Level.PASS]),
        (Condition("sqlite", schema="older", guards=SAFE, mode=0o600), [Level.WARN]),
        (Condition("sqlite", schema="none", guards=SAFE, mode=0o600), [Level.WARN]),
        (Condition("sqlite", schema="unknown", guards=SAFE, mode=0o600), [Level.FAIL]),
        (Condition("sqlite", schema="current", guards=(("synchronous", "1"),)), [Level.FAIL]),
        (Condition("sqlite", schema="current", guards=(("journal_mode", "delete"),)), [Level.FAIL]),
        (Condition("sqlite", made=False), [Level.WARN]),
        (Condition("sqlite", made=False, writable=False), [Level.FAIL]),
        (Condition("sqlite", problem="SQLITE_READONLY"), [Level.FAIL]),
        (Condition("memory"), [Level.FAIL]),
        (Condition("postgresql", schema="current", guards=PG), [Level.PASS]),
        (Condition("postgresql", schema="current", guards=(("fsync", "off"),)), [Level.FAIL]),
        (Condition("postgresql", schema="current", guards=(("full_page_writes", "off"),)), [Level.WARN]),
        (Condition("postgresql", schema="current", guards=(("synchronous_commit", "off"),)), [Level.WARN]),
        (Condition("postgresql", schema="current", guards=PG, writable=False), [Level.FAIL]),
    ],
)
def test_each_condition_of_a_database(seen: Condition, expected: list[Level]) -> None:
    assert levels(seen) == expected
    assert all(each.fix for each in store.database(seen) if each.level is not Level.PASS)


@pytest.mark.parametrize(("registered", "level"), [(0, Level.SKIPPED), (1, Level.FAIL)])
def test_clients_need_a_database(registered: int, level: Level) -> None:
    assert store.no_database(registered).level is level


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (KeyFile(mode=0o600), Level.PASS),
        (KeyFile(mode=0o400), Level.PASS),
        (KeyFile(mode=0o640), Level.FAIL),
        (KeyFile(mode=0o604), Level.FAIL),
        (KeyFile(made=False), Level.WARN),
        (KeyFile(problem="is not a key of 64 hex digits"), Level.FAIL),
    ],
)
def test_the_key_is_for_its_owner_alone(seen: KeyFile, level: Level) -> None:
    assert store.audit_key(seen).level is level


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (KeyFile(), Level.PASS),
        (KeyFile(mode=0o640), Level.WARN),
        (KeyFile(mode=0o604), Level.WARN),
        (KeyFile(made=False), Level.FAIL),
        (KeyFile("is not a key of 64 hex digits"), Level.FAIL),
    ],
)
def test_a_password_and_a_former_key_are_there_and_for_their_owner_alone(seen: KeyFile, level: Level) -> None:
    assert store.admin_key(seen).level is level
    former = store.former_key(seen, "former_key_files.0")
    assert (former.level, former.about) == (level, "former_key_files.0")


def test_without_a_page_of_reports_there_is_no_password_to_look_at() -> None:
    assert store.admin_key(None).level is Level.PASS
