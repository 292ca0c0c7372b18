"""What becomes of a card changes what is said next, through the whole service and its database (HZ-06)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from bonecds_kit.forger import Forger
from cds_service.cli.compose import build_app
from cds_service.kernel.errors import ContentError
from cds_service.review.call import prefetch, request_of
from cds_service.store.database import Database
from cds_service.store.retention import Retention
from cds_service.web import observe
from cds_service.web.settings import Settings
from tests.functional.test_callers import PATH, WOMAN, forger, settings
from tests.functional.test_feedback import AT, TO, Json, overridden, rows
from tests.support.golden import AS_OF

__all__ = ["forger"]
GC_TOPIC = "GlucocorticoidBoneAssessment"


@pytest.fixture
def service(tmp_path: Path) -> FlaskClient:
    return build_app(settings(tmp_path)).test_client()


def cards(service: FlaskClient, person: Json = WOMAN, **headers: str) -> dict[str, Json]:
    answer = service.post(PATH, json=request_of(prefetch(person)), headers=headers)
    assert answer.status_code == 200
    return {card["source"]["topic"]["code"]: card for card in answer.json["cards"]}


def dismiss(service: FlaskClient, card: Json, code: str = "not-now") -> None:
    reason = next(each for each in card["overrideReasons"] if each["code"] == code)
    told = overridden(card["uuid"], overrideReason={"reason": {key: reason[key] for key in ("code", "system")}})
    assert service.post(TO, json=told).status_code == 200


def test_a_dismissed_topic_is_not_repeated_and_the_others_are(service: FlaskClient, tmp_path: Path) -> None:
    first = cards(service)
    assert GC_TOPIC in first
    dismiss(service, first[GC_TOPIC])

    again = cards(service)
    assert GC_TOPIC not in again
    assert set(first) - {GC_TOPIC} <= set(again)
    kept = [(row["topic"], row["display"]) for row in rows(tmp_path, "issued")]
    assert (GC_TOPIC, "quiet") in kept


def test_an_accepted_suggestion_silences_the_topic_too(service: FlaskClient) -> None:
    card = cards(service)[GC_TOPIC]
    accepted = {
        "card": card["uuid"],
        "outcome": "accepted",
        "outcomeTimestamp": AT,
        "acceptedSuggestions": [{"id": card["suggestions"][0]["uuid"]}],
    }
    service.post(TO, json={"feedback": [accepted]})
    assert GC_TOPIC not in cards(service)


@pytest.mark.parametrize(
    "news",
    [
        {"fractures": {"site": "hip", "ago": "1 month"}},
        {"steroids": [{"drug": "prednisone", "mg": 40, "taken": 150, "days": 180}]},
        {"dxa": {"ago": "1 month", "t": {"hip": -2.7}}},
    ],
    ids=["a new fracture", "a step of the dose", "a new class of T-score"],
)
def test_something_new_about_the_patient_breaks_the_silence(service: FlaskClient, news: Json) -> None:
    before = cards(service)
    for card in before.values():
        dismiss(service, card)
    assert cards(service) == {}
    assert cards(service, WOMAN | news)


def test_a_lower_dose_is_nothing_new(service: FlaskClient) -> None:
    for card in cards(service).values():
        dismiss(service, card)
    less = WOMAN | {"steroids": [{"drug": "prednisone", "mg": 8, "taken": 150, "days": 180}]}
    assert cards(service, less) == {}


def test_an_erased_patient_is_advised_anew(service: FlaskClient, tmp_path: Path) -> None:
    for card in cards(service).values():
        dismiss(service, card)
    database = Database(f"sqlite:///{tmp_path}/bonecds.sqlite3", lambda *_: None)

    Retention(database).erase(rows(tmp_path, "issued")[0]["patient_hash"])
    assert GC_TOPIC in cards(service)


def test_another_process_with_the_same_database_is_silent_too(service: FlaskClient, tmp_path: Path) -> None:
    for card in cards(service).values():
        dismiss(service, card)
    assert cards(build_app(settings(tmp_path)).test_client()) == {}


def test_g6_while_the_past_cannot_be_read_everything_is_said(service: FlaskClient, tmp_path: Path) -> None:
    first = cards(service)
    for card in first.values():
        dismiss(service, card)
    (tmp_path / "bonecds.sqlite3").rename(tmp_path / "away.sqlite3")

    assert set(cards(service)) == set(first)


@pytest.mark.parametrize(("days", "speaks"), [(9, False), (10, True)])
def test_a_site_says_for_how_long_an_answer_stands(tmp_path: Path, days: int, speaks: bool) -> None:
    site = tmp_path / "clinic.toml"
    site.write_text('base = "us"\n[quiet]\ndismissed = 10\n')
    first = build_app(settings(tmp_path, site_file=site)).test_client()
    dismiss(first, cards(first)[GC_TOPIC])

    stored = f"sqlite:///{tmp_path}/bonecds.sqlite3"
    later = Settings(database_url=stored, site_file=site, as_of=AS_OF + dt.timedelta(days))
    assert (GC_TOPIC in cards(build_app(later).test_client())) is speaks


def test_a_site_may_let_a_topic_speak_each_time(tmp_path: Path) -> None:
    site = tmp_path / "clinic.toml"
    site.write_text('base = "us"\n[quiet_topics]\nglucocorticoid-assessment = 0\n')
    service = build_app(settings(tmp_path, site_file=site)).test_client()
    dismiss(service, cards(service)[GC_TOPIC])
    assert GC_TOPIC in cards(service)


def test_a_rule_that_begins_to_speak_as_time_goes_on_is_something_new(tmp_path: Path) -> None:
    """Half a year on glucocorticoids without assessment is more than the three months that were answered."""
    person = WOMAN | {"steroids": [{"drug": "prednisone", "mg": 10, "taken": 150, "days": 900}]}
    first = build_app(settings(tmp_path)).test_client()
    dismiss(first, cards(first, person)[GC_TOPIC])

    later = Settings(database_url=f"sqlite:///{tmp_path}/bonecds.sqlite3", as_of=AS_OF + dt.timedelta(120))
    assert GC_TOPIC in cards(build_app(later).test_client(), person)


# --- silent mode -----------------------------------------------------------------------------------------------------
def test_a_site_in_silent_mode_shows_nothing_and_records_what_it_would_have_shown(tmp_path: Path) -> None:
    silent = build_app(settings(tmp_path, silent=True)).test_client()
    assert cards(silent) == {}
    kept = rows(tmp_path, "issued")
    assert {row["display"] for row in kept} == {"silent"}
    assert GC_TOPIC in {row["topic"] for row in kept}
    assert json.loads(rows(tmp_path, "calls")[0]["rules"])


def test_silent_mode_without_a_database_is_refused_at_the_start() -> None:
    with pytest.raises(ContentError, match="silent"):
        Settings(silent=True)


def test_a_client_in_silent_mode_is_shown_nothing_and_another_one_is(tmp_path: Path, forger: Forger) -> None:
    def served(**client: object) -> FlaskClient:
        return build_app(settings(tmp_path, {**forger.registration(), **client})).test_client()

    assert cards(served(silent=True), Authorization=f"Bearer {forger.good()}") == {}
    assert cards(served(), Authorization=f"Bearer {forger.good()}")


def test_a_rule_in_silent_mode_is_named_in_a_site_file(tmp_path: Path) -> None:
    first = cards(build_app(settings(tmp_path)).test_client())[GC_TOPIC]
    (lead, *_) = first["extension"]["org.bonecds.rules"]
    site = tmp_path / "clinic.toml"
    every = "".join(f'"{each["id"]}" = 0\n' for each in first["extension"]["org.bonecds.rules"])
    site.write_text(f'base = "us"\n[shown_to_percent]\n{every}')
    rules = {
        each["id"]
        for card in cards(build_app(settings(tmp_path, site_file=site)).test_client()).values()
        for each in card["extension"]["org.bonecds.rules"]
    }
    assert lead["id"] not in rules
    assert lead["id"] in json.dumps([row["rules"] for row in rows(tmp_path, "issued") if row["display"] == "silent"])


def test_a_rule_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    site = tmp_path / "clinic.toml"
    site.write_text('base = "us"\n[shown_to_percent]\n"GC-99" = 10\n')
    with pytest.raises(ContentError, match="GC-99"):
        build_app(settings(tmp_path, site_file=site))


def test_cards_that_are_held_back_are_counted(tmp_path: Path) -> None:
    app = build_app(settings(tmp_path, silent=True, metrics_port=9090))
    cards(app.test_client())
    page = app.extensions[observe.EXTENSION].page().decode()
    assert 'bonecds_cards_held_total{why="silent"} 2.0' in page
    assert "bonecds_cards_total{" not in page


@pytest.mark.parametrize(("kept", "expected"), [(True, ("female", "60-69")), (False, ("", ""))])
def test_s8_sex_and_age_band_are_kept_only_where_the_site_says_so(
    tmp_path: Path, kept: bool, expected: tuple[str, str]
) -> None:
    cards(build_app(settings(tmp_path, record_groups=kept)).test_client())
    (call,) = rows(tmp_path, "calls")
    assert (call["sex"], call["age_band"]) == expected
