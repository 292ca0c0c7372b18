"""Who may call, what is for trials only, and what callers have to send."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from cds_service.doctor.checks import settings
from cds_service.doctor.finding import Level
from cds_service.doctor.site import Site
from cds_service.engine.services import installed
from cds_service.security.clients import Client

NORTH = Client("north", "https://ehr.north.example.org", ("https://ehr.north.example.org/jwks.json",))
TRIAL = Site(
    services=installed(),
    host="127.0.0.1",
    public_url="",
    clients=(),
    registered=0,
    anybody=Client("", ""),
    insecure_public_bind=False,
    fixed_day=None,
    fetch_seconds=2.5,
    database_url="",
    audit_key_file=None,
    former_key_files=(),
    admin_key_file=None,
    silent=False,
    profiles={},
    sandbox=False,
)
HOSPITAL = replace(TRIAL, host="0.0.0.0", public_url="https://cds.example.org", clients=(NORTH,), registered=1)  # noqa: S104


@pytest.mark.parametrize(
    ("site", "level"),
    [
        (HOSPITAL, Level.PASS),
        (TRIAL, Level.WARN),
        (replace(TRIAL, host="[::1]"), Level.WARN),
        (replace(TRIAL, host="0.0.0.0", insecure_public_bind=True), Level.FAIL),  # noqa: S104
        (replace(TRIAL, public_url="https://cds.example.org"), Level.FAIL),
        (replace(TRIAL, public_url="http://127.0.0.1:8080"), Level.WARN),
    ],
)
def test_a22_callers_are_registered_wherever_other_machines_can_reach_the_service(site: Site, level: Level) -> None:
    assert settings.callers(site).level is level


@pytest.mark.parametrize(("on", "level"), [(False, Level.PASS), (True, Level.FAIL)])
def test_the_sandbox_is_off(*, on: bool, level: Level) -> None:
    assert settings.sandbox(on=on).level is level


@pytest.mark.parametrize(
    ("site", "levels"),
    [
        (HOSPITAL, [(Level.PASS, "")]),
        (replace(HOSPITAL, silent=True), [(Level.WARN, "")]),
        (replace(HOSPITAL, clients=(NORTH, replace(NORTH, name="south", silent=True))), [(Level.WARN, "south")]),
    ],
)
def test_that_nobody_sees_a_card_is_said(site: Site, levels: list[tuple[Level, str]]) -> None:
    found = list(settings.silent(site))
    assert [(each.level, each.about) for each in found] == levels
    assert all("no card is shown" in each.seen for each in found if each.level is Level.WARN)


def test_a_fixed_day_is_said() -> None:
    levels = [each.level for each in settings.settings(replace(HOSPITAL, fixed_day=dt.date(2026, 6, 15)))]
    assert levels == [Level.PASS, Level.WARN]


def test_a_door_left_open_beside_the_lock_is_said() -> None:
    (_, found) = settings.settings(replace(HOSPITAL, insecure_public_bind=True))
    assert (found.level, found.seen) == (Level.WARN, "insecure_public_bind is set although clients are registered")


def test_a_hospital_that_is_all_right_hears_nothing_else() -> None:
    assert [each.level for each in settings.settings(HOSPITAL)] == [Level.PASS]


def test_a12_the_audience_is_the_address_of_each_service_letter_by_letter() -> None:
    found = settings.tokens(NORTH, "https://cds.example.org/", ["one", "two"])
    assert found.details[:4] == (
        "iss     https://ehr.north.example.org",
        "jku     https://ehr.north.example.org/jwks.json",
        "aud     https://cds.example.org/cds-services/one",
        "aud     https://cds.example.org/cds-services/two",
    )


def test_a_client_whose_keys_were_exchanged_by_hand_sends_no_jku() -> None:
    found = settings.tokens(replace(NORTH, jwks_urls=(), tenants=frozenset({"b", "a"})), "https://cds.example.org", [])
    assert "jku     (none: its keys are exchanged by hand)" in found.details
    assert "tenant  a, b" in found.details


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("", Level.SKIPPED),
        ("http://127.0.0.1:8080", Level.WARN),
        ("https://cds.example.org?x=1", Level.FAIL),
        ("https://cds.example.org", None),
    ],
)
def test_an_address_that_nobody_can_call_is_told_before_it_is_tried(url: str, level: Level | None) -> None:
    found = settings.public_url(replace(TRIAL, public_url=url))
    assert (found.level if found else None) is level


@pytest.mark.parametrize(
    ("status", "ids", "problem", "level"),
    [
        (200, ("a", "b", "c"), "", Level.PASS),
        (200, ("a",), "", Level.FAIL),
        (200, None, "", Level.FAIL),
        (404, None, "", Level.FAIL),
        (0, None, "not in time", Level.WARN),
    ],
)
def test_who_answers_at_the_public_address(
    status: int, ids: tuple[str, ...] | None, problem: str, level: Level
) -> None:
    assert settings.discovered(status, ids, ["a", "b"], problem).level is level


def test_nothing_secret_stands_in_the_repr_of_a_site() -> None:
    site = replace(HOSPITAL, database_url="postgresql+psycopg://bonecds:hunter2@db/bonecds", audit_key_file=Path("k"))
    assert "hunter2" not in repr(site)
