"""`/readyz` of the product: what keeps it from answering is looked for anew each time, or nearly so."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cli import compose, readiness
from cds_service.cli.readiness import Lately
from cds_service.cli.serve import build_app
from cds_service.clinical.clinic import CLINIC
from cds_service.kernel.errors import ContentError
from cds_service.protocol.response import HookResponse
from cds_service.web.settings import Settings

SETTINGS = Settings(as_of=dt.date(2026, 6, 15))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is looked at each time."""
    for name in ("SELF_TEST_S", "VERSION_S", "FILES_S", "WATCH_S"):
        monkeypatch.setattr(readiness, name, 0)


def stored(folder: Path, **more: Any) -> Settings:
    return replace(SETTINGS, database_url=f"sqlite:///{folder}/kept.sqlite3", **more)


def told(client: FlaskClient) -> tuple[int, str]:
    answer = client.get("/readyz")
    return answer.status_code, answer.get_data(as_text=True)


def test_ready_with_its_own_content_and_says_which():
    answer = build_app(SETTINGS).test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready", "rule_set": CLINIC.version})


def test_not_ready_on_a_day_without_thresholds(monkeypatch: pytest.MonkeyPatch):
    client = build_app(SETTINGS).test_client()

    def no_thresholds(_self: object, _day: dt.date) -> None:
        raise ContentError("acr2022.toml", "gc-entry-dose", "no value is in force", "Add one.")

    monkeypatch.setattr(type(CLINIC), "thresholds", no_thresholds)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "gc-entry-dose" in answer.get_data(as_text=True)


# --- two calls with known answers -------------------------------------------------------------------------------------


def _never_fires(*_: object, **__: object) -> HookResponse:
    return HookResponse()


def _breaks(*_: object, **__: object) -> HookResponse:
    raise KeyError("somebody's name")


def test_hz01_d23_a_service_that_gives_no_card_where_one_is_due_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "answer", _never_fires)
    assert told(build_app(SETTINGS).test_client()) == (503, _like("no card where VD-05 must fire"))


def test_hz01_a_service_that_gives_a_card_where_none_is_due_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    real = compose.answer
    loud: list[HookResponse] = []

    def answer(*given: Any, **more: Any) -> HookResponse:
        loud.append(real(*given, **more))
        return loud[0]

    monkeypatch.setattr(compose, "answer", answer)
    assert told(build_app(SETTINGS).test_client()) == (503, _like("cards where there is nothing to say"))


def test_hz01_a_service_whose_rules_fail_is_not_ready_and_says_only_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose, "answer", _breaks)
    status, words = told(build_app(SETTINGS).test_client())
    assert (status, words) == (503, _like("the self-test 'fires' failed: KeyError"))
    assert "somebody" not in words


def test_the_self_test_is_not_run_for_every_question(monkeypatch: pytest.MonkeyPatch) -> None:
    real = compose.answer
    asked: list[object] = []

    def answer(*given: Any, **more: Any) -> HookResponse:
        asked.append(given)
        return real(*given, **more)

    monkeypatch.setattr(compose, "answer", answer)
    client = build_app(SETTINGS).test_client()
    assert [told(client)[0] for _ in range(5)] == [200] * 5
    assert len(asked) == 2


# --- one version at a time --------------------------------------------------------------------------------------------


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], FlaskClient]:
    """Starts a process of some version on the same database."""

    def start(name: str) -> FlaskClient:
        with monkeypatch.context() as change:
            change.setattr(type(CLINIC), "version", name)
            return build_app(stored(tmp_path)).test_client()

    return start


@pytest.mark.usefixtures("impatient")
def test_d23_an_earlier_version_stops_being_ready_as_soon_as_another_one_starts(
    version: Callable[[str], FlaskClient], capsys: pytest.CaptureFixture[str]
) -> None:
    old = version("0.1.0+old")
    assert told(old)[0] == 200
    new = version("0.1.0+new")
    assert told(new)[0] == 200
    assert [told(old) for _ in range(3)] == [(503, _like("another version is in force (0.1.0+new"))] * 3
    alarms = [json.loads(line) for line in capsys.readouterr().err.splitlines() if "mixed-versions" in line]
    assert [each["problem"] for each in alarms] == ["0.1.0+new"]


@pytest.mark.usefixtures("impatient")
def test_d23_after_a_step_back_the_newer_version_is_not_ready(version: Callable[[str], FlaskClient]) -> None:
    version("0.1.0+old")
    new = version("0.1.0+new")
    back = version("0.1.0+old")
    assert (told(back)[0], told(new)[0]) == (200, 503)


@pytest.mark.usefixtures("impatient")
def test_d23_processes_of_the_same_version_do_not_mind_each_other(version: Callable[[str], FlaskClient]) -> None:
    processes = [version("0.1.0+same") for _ in range(3)]
    assert [told(each)[0] for each in processes] == [200] * 3


@pytest.mark.usefixtures("impatient")
def test_d23_g6_no_version_is_asked_for_while_the_database_is_away(
    version: Callable[[str], FlaskClient], tmp_path: Path
) -> None:
    old = version("0.1.0+old")
    version("0.1.0+new")
    (tmp_path / "kept.sqlite3").unlink()
    assert told(old) == (200, _like("The database cannot be used"))


@pytest.mark.usefixtures("impatient")
def test_d23_g6_a_version_that_was_started_while_the_database_was_away_is_in_force_when_it_is_back(
    version: Callable[[str], FlaskClient], tmp_path: Path
) -> None:
    old, file = version("0.1.0+old"), tmp_path / "kept.sqlite3"
    good = tmp_path / "aside"
    with sqlite3.connect(file) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file.rename(good)
    file.write_text("no database at all, and long enough to be taken for a broken one" * 100, "utf-8")
    new = version("0.1.0+new")
    good.rename(file)
    _until_the_pause_is_over(new)
    assert (told(new)[0], told(old)[0]) == (200, 503)


def _until_the_pause_is_over(client: FlaskClient) -> None:
    deadline = time.monotonic() + 20
    while "The database cannot be used" in told(client)[1]:
        assert time.monotonic() < deadline
        time.sleep(0.1)


# --- the files it was started from ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("impatient")
def test_d23_a_file_that_was_changed_under_the_running_service_is_told_until_it_is_as_it_was(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('base = "us"\n', "utf-8")
    client = build_app(replace(SETTINGS, site_file=site)).test_client()
    assert told(client)[0:2] == (200, _like('"ready"'))
    site.write_text('base = "us"\ncard_cap = 2\n', "utf-8")
    assert told(client) == (200, _like("Files changed under the running service: restart it."))
    site.write_text('base = "us"\n', "utf-8")
    assert told(client) == (200, _like('"ready"'))
    site.unlink()
    assert told(client) == (200, _like("Files changed under the running service: restart it."))


def test_d23_every_file_of_the_content_is_watched() -> None:
    seen = {Path(path).name for path, *_ in readiness.Files()._stamped()}
    assert {"acr2022.toml", "us.toml", "vitamin_d.py"} <= seen
    assert any(name.endswith(".csv") for name in seen)


# --- its own record ---------------------------------------------------------------------------------------------------


def calls(folder: Path, number: int, fires: Callable[[int], bool]) -> None:
    """Write so many invented calls, the last of them now, into the database of the service."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None)  # noqa: TID251 as the service does
    names = (
        "correlation_id, time, hook, service, client, key_id, patient_hash, user_hash, status, ms, cards, rules, rule_set, "
        "profile, key_states, problem"
    )
    with sqlite3.connect(folder / "kept.sqlite3") as database:
        database.executemany(
            f"INSERT INTO calls ({names}) VALUES (?, ?, 'patient-view', 'bone-health-patient-view', 'north', '', ?, '', 200, 9, 1, "  # noqa: S608
            "?, '1+a', 'us', '{}', '')",
            (
                (
                    str(place),
                    str(now - dt.timedelta(minutes=number - place)),
                    f"p{place}",
                    json.dumps([{"id": "GC-11", "version": "1"}] if fires(place) else []),
                )
                for place in range(number)
            ),
        )


@pytest.mark.usefixtures("impatient")
def test_hz01_d22_a_rule_that_fell_silent_makes_the_service_degraded_and_is_one_alarm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = build_app(stored(tmp_path)).test_client()
    calls(tmp_path, 3_000, lambda place: place % 5 == 0 and place < 2_500)
    for _ in range(3):
        assert told(client) == (200, _like("rule-silent: bone-health-patient-view fires/GC-11/silence"))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(each["event"], each["client"], each["problem"]) for each in lines] == [
        ("rule-silent", "north", "fires/GC-11/fall"),
        ("rule-silent", "north", "fires/GC-11/silence"),
    ]


@pytest.mark.usefixtures("impatient")
def test_g6_what_was_found_is_still_told_while_the_database_is_away(tmp_path: Path) -> None:
    client = build_app(stored(tmp_path)).test_client()
    calls(tmp_path, 3_000, lambda place: place % 5 == 0 and place < 2_500)
    assert told(client) == (200, _like("rule-silent"))
    (tmp_path / "kept.sqlite3").unlink()
    assert told(client) == (200, _like("rule-silent"))
    assert told(client) == (200, _like("The database cannot be used"))


@pytest.mark.usefixtures("impatient")
def test_a_record_that_takes_too_long_to_read_is_told_and_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = build_app(stored(tmp_path)).test_client()
    calls(tmp_path, 100, lambda _: True)
    monkeypatch.setattr(compose.watcher, "_SECONDS", 0.0)
    assert told(client) == (200, _like("takes too long to read here"))


# --- how often --------------------------------------------------------------------------------------------------------


def test_what_was_worked_out_lately_is_not_worked_out_again() -> None:
    now, done = [0.0], [0]

    def work() -> int:
        done[0] += 1
        return done[0]

    value = Lately(5.0, work, clock=lambda: now[0])
    assert [value(), value()] == [1, 1]
    now[0] = 5.0
    assert value() == 2


def test_nobody_waits_for_one_who_works_out_what_may_be_late() -> None:
    def work() -> int:
        # another thread would find the same
        assert value() == 7
        return 8

    value = Lately(5.0, work, meanwhile=7)
    assert value() == 8


class _like(str):  # noqa: N801 reads as a word in the assertions above
    """A text that equals every text it is a part of."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) in other

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__
