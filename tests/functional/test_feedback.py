"""`POST /cds-services/{id}/feedback`: kept before it is acknowledged, joined to the card it is about, and heard by nobody else."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bonecds_kit.forger import Forger
from cds_service.cli.compose import build_app
from cds_service.review.call import prefetch, request_of
from cds_service.web.settings import Settings
from tests.functional.test_callers import PATH, PUBLIC, WOMAN, settings

Json = dict[str, Any]
TO = f"{PATH}/feedback"
AT = "2026-06-15T12:00:00Z"


@pytest.fixture
def service(tmp_path: Path) -> FlaskClient:
    return build_app(settings(tmp_path)).test_client()


def rows(folder: Path, table: str) -> list[Json]:
    with sqlite3.connect(folder / "bonecds.sqlite3") as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"select * from {table}")]  # noqa: S608 a name of ours


def card_of(service: FlaskClient) -> Json:
    card: Json = service.post(PATH, json=request_of(prefetch(WOMAN))).json["cards"][0]
    return card


def overridden(card: str, **more: object) -> Json:
    return {"feedback": [{"card": card, "outcome": "overridden", "outcomeTimestamp": AT, **more}]}


def test_item_63_to_66_what_became_of_a_card_is_kept_and_found_beside_the_card(
    service: FlaskClient, tmp_path: Path
) -> None:
    card = card_of(service)
    suggestion = card["suggestions"][0]["uuid"]
    reason = {"reason": {key: card["overrideReasons"][0][key] for key in ("code", "system")}}
    accepted = {
        "card": card["uuid"],
        "outcome": "accepted",
        "outcomeTimestamp": AT,
        "acceptedSuggestions": [{"id": suggestion}],
    }
    answers = [
        service.post(TO, json={"feedback": [accepted]}),
        service.post(TO, json=overridden(card["uuid"], overrideReason=reason)),
        service.post(TO, json={"feedback": [accepted]}),
    ]

    assert {(answer.status_code, answer.data) for answer in answers} == {(200, b"")}
    assert [(row["card"], row["outcome"]) for row in rows(tmp_path, "feedback")] == [
        (card["uuid"], "accepted"),
        (card["uuid"], "overridden"),
    ]
    given = {row["card"]: row for row in rows(tmp_path, "issued")}[card["uuid"]]
    assert given["topic"] == card["source"]["topic"]["code"]
    assert json.loads(given["rules"]) == card["extension"]["org.bonecds.rules"]
    assert suggestion in given["suggestions"]


def test_item_69_a_card_nobody_knows_gets_the_same_answer(service: FlaskClient, tmp_path: Path) -> None:
    answer = service.post(TO, json=overridden("not one of ours"))
    assert (answer.status_code, answer.data) == (200, b"")
    assert len(rows(tmp_path, "feedback")) == 1


def test_item_68_f6_what_a_clinician_writes_is_in_no_log_and_in_no_other_table(
    service: FlaskClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service.post(
        TO, json=overridden(card_of(service)["uuid"], overrideReason={"userComment": "zqSaid: call Mr Testmann"})
    )

    assert "zqSaid" not in capsys.readouterr().err
    assert "zqSaid" not in json.dumps(rows(tmp_path, "feedback") + rows(tmp_path, "issued") + rows(tmp_path, "calls"))
    assert [row["words"] for row in rows(tmp_path, "comments")] == ["zqSaid: call Mr Testmann"]


def test_f4_the_row_of_an_issued_card_names_nobody(service: FlaskClient, tmp_path: Path) -> None:
    card_of(service)
    told = json.dumps(rows(tmp_path, "issued"))
    call = request_of(prefetch(WOMAN))
    assert not [word for word in (call["context"]["patientId"], call["context"]["userId"]) if word in told]
    assert all(len(row["patient_hash"]) == 64 for row in rows(tmp_path, "issued"))


def test_g6_feedback_that_cannot_be_kept_is_not_acknowledged_and_cards_go_on(
    service: FlaskClient, tmp_path: Path
) -> None:
    card = card_of(service)
    with sqlite3.connect(tmp_path / "bonecds.sqlite3", isolation_level=None) as other:
        other.execute("begin immediate")
        refused = service.post(TO, json=overridden(card["uuid"]))
        assert card_of(service)["summary"] == card["summary"]
        other.execute("rollback")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert refused.json["issue"][0]["code"] == "transient"
    assert rows(tmp_path, "feedback") == []


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        ({}, 400, "feedback"),
        ({"feedback": [{"card": "x", "outcome": "ignored", "outcomeTimestamp": AT}]}, 400, "feedback[0].outcome"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(
    service: FlaskClient, body: Json, status: int, where: str
) -> None:
    answer = service.post(TO, json=body)
    assert (answer.status_code, answer.json["issue"][0]["expression"]) == (status, [where])


def test_without_a_database_nothing_pretends_to_be_kept(tmp_path: Path) -> None:
    answer = build_app(Settings()).test_client().post(TO, json=overridden("x"))
    assert answer.status_code == 404
    assert "database_url" in answer.json["issue"][0]["diagnostics"]


def test_an_unknown_service_has_no_feedback(service: FlaskClient) -> None:
    assert service.post("/cds-services/other/feedback", json=overridden("x")).status_code == 404


def test_item_83_a_page_may_send_it(service: FlaskClient) -> None:
    asked = service.options(TO, headers={"Origin": "http://localhost:8080"})
    assert asked.status_code == 204
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]


def test_item_76_the_token_is_for_the_address_of_the_feedback(tmp_path: Path) -> None:
    with Forger(f"{PUBLIC}{TO}") as forger:
        client = build_app(settings(tmp_path, forger.registration())).test_client()
        header = {"Authorization": f"Bearer {forger.good()}"}
        assert client.post(TO, json=overridden("x")).status_code == 401
        assert client.post(TO, json=overridden("x"), headers=header).status_code == 200
        other = {"Authorization": f"Bearer {forger.good(aud=f'{PUBLIC}{PATH}')}"}
        assert client.post(TO, json=overridden("x"), headers=other).status_code == 401
