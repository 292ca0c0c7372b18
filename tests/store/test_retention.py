"""What the site has deleted is gone, and nothing else is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.protocol.feedback import CardOutcome, Feedback
from cds_service.store import site_key
from cds_service.store.audit import Audit, IssuedCard
from cds_service.store.retention import TABLES, Retention
from tests.store.conftest import Place, SqlitePlace
from tests.store.parts import KEY, NOON, Store, record

ISSUER = "https://ehr.example.org"


def card(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def visit(
    store: Store, number: int, audit: Audit | None = None, when: dt.datetime | None = None, **changed: Any
) -> None:
    """A call with one card, overridden with a comment an hour later; each number a day later."""
    when = when or NOON + dt.timedelta(days=number)
    call = record(f"c-{number}", time=when, issued=(IssuedCard(card(number), "vitamin-d", "info"),), **changed)
    (audit or store.audit).record(call)
    later = when + dt.timedelta(hours=1)
    told = Feedback(card(number), CardOutcome.OVERRIDDEN, later, comment=f"comment {number}")
    store.feedback.keep([told], client="ward 3", service="s", received=later)


def left(place: Place) -> dict[str, int]:
    return {name: int(str(place.run(f"SELECT count(*) FROM {name}")[0][0])) for name in TABLES}  # noqa: S608 names of ours


def test_what_is_older_goes_in_steps_and_the_rest_stays(
    place: Place, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cds_service.store.retention._AT_ONCE", 2)
    for number in range(8):
        visit(store, number)

    assert Retention(store.database).purge(NOON + dt.timedelta(days=5)) == dict.fromkeys(TABLES, 5)
    assert left(place) == dict.fromkeys(TABLES, 3)
    assert place.run("SELECT correlation_id FROM calls ORDER BY id") == [("c-5",), ("c-6",), ("c-7",)]


def test_a_table_may_be_emptied_alone(place: Place, store: Store) -> None:
    visit(store, 0)
    assert Retention(store.database).purge(NOON + dt.timedelta(days=1), ["comments"]) == {"comments": 1}
    assert left(place) == {"comments": 0, "feedback": 1, "issued": 1, "calls": 1}


def test_everything_about_one_patient_goes_and_nothing_about_another(place: Place, store: Store) -> None:
    visit(store, 0, patient_id="p1", issuer=ISSUER)
    visit(store, 1, patient_id="p2", issuer=ISSUER)
    visit(store, 2, patient_id="p1", issuer="https://other.example.org")

    assert Retention(store.database).erase(KEY.pseudonym("patient", ISSUER, "p1")) == dict.fromkeys(TABLES, 1)
    assert place.run("SELECT correlation_id FROM calls ORDER BY id") == [("c-1",), ("c-2",)]
    assert place.run("SELECT words FROM comments ORDER BY words") == [("comment 1",), ("comment 2",)]


# --- the commands -----------------------------------------------------------------------------------------------------


def run(place: Place, *arguments: str, said: str = "", **more: str) -> Result:
    names = {"keep": "BONECDS_KEEP_DAYS", "former": "BONECDS_FORMER_KEY_FILES"}
    environ = {"BONECDS_DATABASE_URL": place.address} | {names[name]: value for name, value in more.items()}
    return CliRunner().invoke(main.bonecds, list(arguments), env=environ, input=said)


def test_the_command_says_how_many_went(place: Place, store: Store) -> None:
    for number in range(3):
        visit(store, number)
    done = run(place, "purge", "--before", "2026-06-17")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [f"{name}: 2 deleted" for name in TABLES]
    assert left(place) == dict.fromkeys(TABLES, 1)


def test_a_patient_is_erased_by_the_id_on_standard_input(place: Place, store: Store) -> None:
    if not isinstance(place, SqlitePlace):
        pytest.skip("the key stands beside the file of SQLite; with PostgreSQL only the name of the file differs")
    key = site_key.read_or_make(site_key.beside(str(place.file)))
    visit(store, 0, Audit(store.database, key), patient_id="p1", issuer=ISSUER)
    done = run(place, "erase", "--issuer", ISSUER, "--patient", "-", said="p1\n")
    assert done.exit_code == 0, done.output
    assert left(place) == dict.fromkeys(TABLES, 0)


def test_a_key_is_never_made_to_erase_with(place: Place, store: Store) -> None:
    if not isinstance(place, SqlitePlace):
        pytest.skip("the key stands beside the file of SQLite")
    done = run(place, "erase", "--issuer", ISSUER, "--patient", "p1")
    assert done.exit_code != 0
    assert not site_key.beside(str(place.file)).exists()


def test_without_a_database_nothing_is_made(tmp_path: Any) -> None:
    absent = tmp_path / "absent.db"
    done = CliRunner().invoke(
        main.bonecds, ["purge", "--before", "2026-01-01"], env={"BONECDS_DATABASE_URL": f"sqlite:///{absent}"}
    )
    assert done.exit_code != 0
    assert not absent.exists()


def test_each_table_is_kept_for_the_days_the_settings_say(place: Place, store: Store) -> None:
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 the command counts from the present
    for number, days in enumerate((0, 40, 400)):
        visit(store, number, when=now - dt.timedelta(days))
    done = run(place, "purge", keep="{ comments = 30, calls = 365 }")
    assert done.exit_code == 0, done.output
    assert left(place) == {"comments": 1, "feedback": 3, "issued": 3, "calls": 2}


def test_purge_without_a_day_and_without_periods_says_what_is_missing(place: Place, store: Store) -> None:
    done = run(place, "purge", "--only", "comments", keep="{ calls = 365 }")
    assert done.exit_code != 0
    assert "keep_days" in str(done.exception or done.output)


def test_an_erased_patient_is_erased_under_a_former_key_too(place: Place, store: Store, tmp_path: Any) -> None:
    if not isinstance(place, SqlitePlace):
        pytest.skip("the key stands beside the file of SQLite; with PostgreSQL only the name of the file differs")
    former = tmp_path / "former.key"
    present = site_key.read_or_make(site_key.beside(str(place.file)))
    for number, key in enumerate((site_key.read_or_make(former), present)):
        visit(store, number, Audit(store.database, key), patient_id="p1", issuer=ISSUER)
    done = run(place, "erase", "--issuer", ISSUER, "--patient", "p1", former=str(former))
    assert done.exit_code == 0, done.output
    assert left(place) == dict.fromkeys(TABLES, 0)
