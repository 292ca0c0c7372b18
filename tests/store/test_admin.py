"""`/admin`: who gets in, what stands on the page, and what it may cost."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.cli.compose import build_app
from cds_service.kernel.errors import ContentError, StoreUnavailable
from cds_service.protocol.feedback import CardOutcome
from cds_service.reports.rows import Asked, Call, Card
from cds_service.store.database import Alarm, Database
from cds_service.web import admin
from cds_service.web.admin import Admin, Tries
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.store.conftest import Place
from tests.store.parts import KEY, NOON, Clock, Store
from tests.store.test_reading import WORDS, tell, visit

SECRET = secrets.token_bytes(32)


def with_password(password: str) -> Mapping[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"lead:{password}".encode()).decode()}


RIGHT, WRONG = with_password(SECRET.hex()), with_password("0" * 64)


@dataclass
class Rows:
    """A source that is always the same, and remembers what it was asked."""

    pages: int = 1
    asked: list[Asked] = field(default_factory=list)
    problem: Exception | None = None
    wait: threading.Event | None = None
    begun: threading.Event = field(default_factory=threading.Event)

    def calls(self, asked: Asked) -> Iterator[Sequence[Call]]:
        self.asked.append(asked)
        if self.problem:
            raise self.problem
        self.begun.set()
        if self.wait:
            self.wait.wait(10)
        for _ in range(self.pages):
            yield [Call(NOON, "patient-view", 200)]

    def cards(self, asked: Asked) -> Iterator[Sequence[Card]]:
        yield []


def app_of(made: Admin) -> Flask:
    app = create_app(Settings(), (), lambda *_: None)  # type: ignore[arg-type, return-value]
    admin.register(app, made)
    return app


def client_of(made: Admin) -> FlaskClient:
    return app_of(made).test_client()


def get(client: FlaskClient, address: str = "/admin", headers: Mapping[str, str] = RIGHT) -> TestResponse:
    return client.get(address, headers=dict(headers))


# --- who gets in ---------------------------------------------------------------------------------------------------------
def test_without_the_setting_there_is_no_such_page(tmp_path: Path) -> None:
    app = build_app(Settings(database_url=f"sqlite:///{tmp_path / 'b.db'}"))
    assert get(app.test_client()).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        WRONG,
        with_password(""),
        with_password(SECRET.hex()[:-1]),
        {"Authorization": "Bearer " + SECRET.hex()},
        {"Authorization": "Basic !"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()},
    ],
)
def test_whoever_has_not_the_password_gets_the_same_401(headers: Mapping[str, str]) -> None:
    rows = Rows()
    answer = get(client_of(Admin(SECRET, rows)), headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert answer.text == get(client_of(Admin(SECRET, rows)), headers=WRONG).text
    assert rows.asked == []


def test_the_password_lets_in_under_any_user_name_and_in_capitals() -> None:
    client = client_of(Admin(SECRET, Rows()))
    assert get(client).status_code == 200
    assert get(client, headers=with_password(SECRET.hex().upper())).status_code == 200


def test_after_a_few_wrong_passwords_no_more_are_looked_at_for_a_second() -> None:
    clock = Clock()
    client = client_of(Admin(SECRET, Rows(), Tries(3, clock)))
    assert [get(client, headers=WRONG).status_code for _ in range(4)] == [401, 401, 401, 429]
    refused = get(client)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    clock.seconds += 1
    assert get(client).status_code == 200
    # a quiet night saves nothing up
    clock.seconds += 30_000
    assert [get(client, headers=WRONG).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_right_passwords_are_not_counted() -> None:
    client = client_of(Admin(SECRET, Rows(), Tries(3, Clock())))
    assert {get(client).status_code for _ in range(10)} == {200}


# --- what every answer carries -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("headers", [RIGHT, WRONG])
def test_every_answer_forbids_scripts_frames_and_keeping(headers: Mapping[str, str]) -> None:
    answer = get(client_of(Admin(SECRET, Rows())), headers=headers)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy


# --- what is asked for ---------------------------------------------------------------------------------------------------
def test_the_period_and_the_client_are_those_of_the_address() -> None:
    rows = Rows()
    assert get(client_of(Admin(SECRET, rows)), "/admin?from=2026-01-01&to=2026-01-31&client=ward+3").status_code == 200
    day = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    assert rows.asked == [Asked(day, day + dt.timedelta(days=31), "ward 3")]


def test_without_a_period_it_is_the_last_ninety_days() -> None:
    rows = Rows()
    get(client_of(Admin(SECRET, rows, today=lambda: dt.date(2026, 6, 15))))
    assert rows.asked == [
        Asked(dt.datetime(2026, 3, 18, tzinfo=dt.UTC), dt.datetime(2026, 6, 16, tzinfo=dt.UTC)),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2026-02-30",
        "from=2026-02-02&to=2026-02-01",
        "to=0001-01-01",
        "to=9999-12-31",
        "client=" + "x" * 201,
        "client=%00",
    ],
)
def test_what_cannot_be_asked_for_is_said(query: str) -> None:
    assert get(client_of(Admin(SECRET, Rows())), f"/admin?{query}").status_code == 400


def test_the_name_of_a_client_cannot_bring_markup() -> None:
    answer = get(client_of(Admin(SECRET, Rows())), "/admin?client=%3Cscript%3Ealert(1)%3C/script%3E%22")
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text


# --- what it may cost ----------------------------------------------------------------------------------------------------
def test_no_more_rows_are_read_than_the_page_says() -> None:
    answer = get(client_of(Admin(SECRET, Rows(pages=10), most=4)), "/admin?from=2026-06-01")
    assert "newest 4 calls" in answer.text
    assert "Not everything was read" in answer.text
    # the form keeps what was asked for
    assert 'name="from" value="2026-06-01"' in answer.text
    assert "4 calls; in 4 of them rules were asked" in answer.text


def test_reading_ends_when_the_time_is_up() -> None:
    answer = get(client_of(Admin(SECRET, Rows(pages=10), seconds=-1)))
    assert "Not everything was read" in answer.text
    assert "1 calls; in 1 of them" in answer.text


def test_one_report_is_made_at_a_time() -> None:
    rows = Rows(wait=threading.Event())
    app = app_of(Admin(SECRET, rows))
    first: list[TestResponse] = []
    thread = threading.Thread(target=lambda: first.append(get(app.test_client())))
    thread.start()
    assert rows.begun.wait(10)
    second = get(app.test_client())
    assert rows.wait
    rows.wait.set()
    thread.join(10)

    assert (second.status_code, second.headers["Retry-After"]) == (503, "1")
    assert [each.status_code for each in first] == [200]
    assert get(app.test_client()).status_code == 200


def test_after_a_report_that_failed_another_one_can_be_made() -> None:
    rows = Rows(problem=StoreUnavailable("SQLITE_FULL"))
    client = client_of(Admin(SECRET, rows))
    answer = get(client)
    assert answer.status_code == 503
    assert "the database cannot be used at the moment" in answer.text.lower()
    rows.problem = None
    assert get(client).status_code == 200


def test_a_fault_tells_nothing() -> None:
    answer = get(client_of(Admin(SECRET, Rows(problem=RuntimeError("zqSaid")))))
    assert answer.status_code == 500
    assert "zqSaid" not in answer.text


# --- as it is served -----------------------------------------------------------------------------------------------------
@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Settings], Flask]]:
    """Builds applications, whose connections are closed in the end."""
    made: list[Database] = []

    def database(address: str, alarm: Alarm) -> Database:
        made.append(Database(address, alarm))
        return made[-1]

    monkeypatch.setattr("cds_service.cli.compose.Database", database)
    yield build_app
    for one in made:
        one.close()


def settings_of(place: Place, folder: Path, secret: str = SECRET.hex()) -> Settings:
    (folder / "admin.key").write_text(f"{secret}\n")
    (folder / "site.key").write_text(bytes(range(32)).hex())
    return Settings(database_url=place.address, audit_key_file=folder / "site.key", admin_key_file=folder / "admin.key")


def test_the_page_shows_no_hash_no_comment_and_no_group_of_few(
    place: Place, store: Store, build: Callable[[Settings], Flask], tmp_path_factory: pytest.TempPathFactory
) -> None:
    for number in range(12):
        visit(store, number)
    tell(store, 0, CardOutcome.ACCEPTED, comment=WORDS)
    app = build(settings_of(place, tmp_path_factory.mktemp("keys")))
    answer = get(app.test_client(), "/admin?from=2026-06-01&to=2026-06-30")

    assert answer.status_code == 200
    assert "1/1 = 100 %" in answer.text
    assert "&lt;11" in answer.text
    hashes = [KEY.pseudonym("patient", "https://ehr.example.org", f"patient-{number}") for number in range(12)]
    for told in (*hashes, KEY.pseudonym("user", "https://ehr.example.org", "Practitioner/dr-who"), KEY.id, "zqSaid"):
        assert told not in answer.text


def test_a_database_that_is_gone_is_503_with_words(
    place: Place, store: Store, build: Callable[[Settings], Flask], tmp_path_factory: pytest.TempPathFactory
) -> None:
    app = build(settings_of(place, tmp_path_factory.mktemp("keys")))
    store.database.close()
    place.gone()
    answer = get(app.test_client())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "The database cannot be used at the moment" in answer.text


def test_the_site_key_is_no_password(
    place: Place, build: Callable[[Settings], Flask], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(ContentError, match=r"admin_key_file: holds the site key\. Make a secret of its own"):
        build(settings_of(place, tmp_path_factory.mktemp("keys"), bytes(range(32)).hex()))


def test_a_file_with_something_else_stops_the_start(
    place: Place, build: Callable[[Settings], Flask], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(ContentError, match=r"is not a key of 64 hex digits") as refused:
        build(settings_of(place, tmp_path_factory.mktemp("keys"), "hunter2"))
    assert "hunter2" not in str(refused.value)


def test_without_a_database_the_setting_makes_no_sense(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="nothing is kept"):
        Settings(admin_key_file=tmp_path / "admin.key")
