"""Who is answered: registered callers whose token proves it, each with its own profile; and what is recorded of a call."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from bonecds_kit.faultfhir import FaultFhir
from bonecds_kit.forge import TABLE
from bonecds_kit.forger import Forger
from bonecds_kit.steps import Step
from cds_service.cli.compose import build_app
from cds_service.kernel.errors import ContentError
from cds_service.review.call import prefetch, request_of
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF

Json = dict[str, Any]
PUBLIC = "https://cds.example.org"
PATH = "/cds-services/bone-health-patient-view"
WOMAN: Json = {
    "sex": "female",
    "age": 61,
    "menopause": "yes",
    "steroids": [{"drug": "prednisone", "mg": 10, "taken": 150, "days": 180}],
}


@pytest.fixture(scope="module")
def forger() -> Iterator[Forger]:
    with Forger(f"{PUBLIC}{PATH}") as found:
        yield found


@pytest.fixture
def open_service(tmp_path: Path, forger: Forger) -> Callable[..., FlaskClient]:
    def opened(**client: object) -> FlaskClient:
        return build_app(settings(tmp_path, {**forger.registration(), **client})).test_client()

    return opened


def settings(folder: Path, *clients: Json, **more: Any) -> Settings:
    return Settings(
        public_url=PUBLIC, clients=clients, database_url=f"sqlite:///{folder}/bonecds.sqlite3", as_of=AS_OF, **more
    )


def post(client: FlaskClient, token: str = "", body: Json | None = None) -> Any:
    headers = [("Authorization", f"Bearer {token}")] if token else []
    return client.post(PATH, json=body or request_of(prefetch(WOMAN)), headers=headers)


def recorded(folder: Path) -> list[Json]:
    with sqlite3.connect(folder / "bonecds.sqlite3") as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute("select * from calls order by id")]


# --- who is let in ---------------------------------------------------------------------------------------------------


def test_a_registered_caller_with_a_good_token_gets_cards(
    open_service: Callable[..., FlaskClient], forger: Forger
) -> None:
    answer = post(open_service(), forger.good())
    assert answer.status_code == 200
    assert answer.json["cards"]


def test_a14_the_same_token_is_refused_the_second_time_also_after_a_restart(
    open_service: Callable[..., FlaskClient], forger: Forger
) -> None:
    token = forger.good()
    assert [post(open_service(), token).status_code for _ in range(2)] == [200, 401]


@pytest.mark.parametrize(
    "row", [row for row in TABLE if row.id in ("A1", "A9", "A12", "A17", "A21")], ids=lambda r: r.id
)
def test_the_forged_tokens_of_a_row_get_their_status(
    row: Any, open_service: Callable[..., FlaskClient], forger: Forger
) -> None:
    service = open_service()
    for forgery in row.forgeries:
        for step in forgery.steps(forger):
            assert _send(service, step) in step.expected, forgery.name


def _send(service: FlaskClient, step: Step) -> int:
    headers = [("Authorization", value) for value in step.authorization]
    status: int = service.post(f"{PATH}{step.query}", json=request_of(prefetch(WOMAN)), headers=headers).status_code
    return status


def test_a23_a_refusal_does_not_tell_why(open_service: Callable[..., FlaskClient], forger: Forger) -> None:
    service = open_service()
    spent = forger.good()
    assert post(service, spent).status_code == 200
    refusals = [post(service, token) for token in ("", "no.jwt.x", forger.good(aud="x"), forger.good(exp=1), spent)]
    assert {answer.status_code for answer in refusals} == {401}
    told = {_without_its_id(answer) for answer in refusals}
    assert len(told) == 1
    assert "WWW-Authenticate" in told.pop()


def _without_its_id(answer: Any) -> str:
    ident = answer.headers["X-Correlation-Id"]
    return f"{answer.headers}{answer.text}".replace(ident, "ID")


def test_who_may_not_call_has_nothing_parsed(open_service: Callable[..., FlaskClient]) -> None:
    answer = open_service().post(PATH, data=b"{ no JSON", content_type="application/json")
    assert answer.status_code == 401


def test_discovery_asks_for_no_token(open_service: Callable[..., FlaskClient]) -> None:
    assert open_service().get("/cds-services").status_code == 200


def test_each_client_has_its_own_clinical_choices(
    open_service: Callable[..., FlaskClient], forger: Forger, tmp_path: Path
) -> None:
    for profile in ("us", "uk"):
        assert post(open_service(profile=profile), forger.good()).status_code == 200
    assert [call["profile"] for call in recorded(tmp_path)] == ["us", "uk"]


def test_a22_without_registered_clients_the_service_starts_on_loopback_only() -> None:
    with pytest.raises(ContentError, match="open to other machines, and no clients are registered"):
        Settings(host="0.0.0.0")  # noqa: S104


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"public_url": ""}, "public_url: is needed with clients"),
        ({"public_url": "http://cds.example.org"}, "public_url: "),
        ({"database_url": ""}, "database_url: is needed with clients"),
        ({"fhir_bases": ("https://ehr.example.org/r4",)}, "fhir_bases: is for callers who are not registered"),
    ],
)
def test_clients_need_an_address_and_a_database(change: Json, message: str, forger: Forger) -> None:
    right: Json = {"public_url": PUBLIC, "database_url": "sqlite://", "clients": (forger.registration(),)}
    with pytest.raises(ContentError, match=message):
        Settings(**{**right, **change})


# --- the record of calls ---------------------------------------------------------------------------------------------


def test_f4_a_call_is_recorded_with_what_was_found_and_without_who_it_is_about(
    open_service: Callable[..., FlaskClient], forger: Forger, tmp_path: Path
) -> None:
    answer = post(open_service(), forger.good())
    (call,) = recorded(tmp_path)
    assert (call["correlation_id"], call["client"], call["status"], call["cards"]) == (
        answer.headers["X-Correlation-Id"],
        "forger",
        200,
        len(answer.json["cards"]),
    )
    assert {"id": "GC-01", "version": "1"} in json.loads(call["rules"])
    assert len(call["patient_hash"]) == 64
    assert "p1" not in json.dumps(call).replace(call["patient_hash"], "")


def test_whoever_is_turned_away_fills_no_disk(
    open_service: Callable[..., FlaskClient], forger: Forger, tmp_path: Path
) -> None:
    service = open_service()
    for token in ("", "x", forger.good(iss="https://stranger.example")):
        post(service, token)
    assert recorded(tmp_path) == []


def test_a_call_that_is_refused_for_what_it_brings_is_recorded(
    open_service: Callable[..., FlaskClient], forger: Forger, tmp_path: Path
) -> None:
    body = request_of(prefetch(WOMAN))
    body["prefetch"]["patient"]["id"] = "somebody-else"
    assert post(open_service(), forger.good(), body).status_code == 412
    assert [(call["status"], call["problem"]) for call in recorded(tmp_path)] == [(412, "PatientMismatch")]


def test_f5_g6_cards_are_given_while_the_database_is_away(
    open_service: Callable[..., FlaskClient], forger: Forger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = open_service()
    assert service.get("/readyz").json["status"] == "ready"
    (tmp_path / "bonecds.sqlite3").unlink()
    answer = post(service, forger.good())
    assert (answer.status_code, bool(answer.json["cards"])) == (200, True)
    assert service.get("/readyz").json["status"] == "degraded"
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert "replay-store-down" in events
    assert "audit-failing" in events


def test_a16_where_the_site_says_so_nobody_is_let_in_while_replays_cannot_be_told(
    tmp_path: Path, forger: Forger
) -> None:
    service = build_app(settings(tmp_path, forger.registration(), replay_store_down="refuse")).test_client()
    (tmp_path / "bonecds.sqlite3").unlink()
    assert post(service, forger.good()).status_code == 401


# --- what is fetched -------------------------------------------------------------------------------------------------


def _record(values: Json) -> list[Json]:
    found = []
    for value in values.values():
        found += [e["resource"] for e in value["entry"]] if value["resourceType"] == "Bundle" else [value]
    return list({f"{r['resourceType']}/{r['id']}": r for r in found}.values())


def test_a_call_without_prefetch_gets_the_same_cards_from_the_registered_server(
    open_service: Callable[..., FlaskClient], forger: Forger, tmp_path: Path
) -> None:
    values = prefetch(WOMAN)
    with FaultFhir(_record(values)) as ehr:
        service = open_service(fhir_bases=[ehr.base])
        bare = {**request_of({}), "fhirServer": ehr.base, "fhirAuthorization": _authorization()}
        fetched = post(service, forger.good(), bare)
        sent = post(service, forger.good(), request_of(values))
    assert [card["summary"] for card in fetched.json["cards"]] == [card["summary"] for card in sent.json["cards"]]
    assert fetched.json["cards"]
    assert {request.headers.get("authorization") for request in ehr.requests} == {"Bearer let-me-in"}


def test_b1_a_server_that_is_not_registered_is_not_called_and_the_operator_is_told(
    open_service: Callable[..., FlaskClient], forger: Forger, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultFhir() as ehr:
        bare = {**request_of({}), "fhirServer": ehr.base, "fhirAuthorization": _authorization()}
        answer = post(open_service(fhir_bases=["https://ehr.example.org/r4"]), forger.good(), bare)
    assert (answer.status_code, ehr.requests) == (412, [])
    assert "fetch-refused" in capsys.readouterr().err


def _authorization() -> Json:
    return {
        "access_token": "let-me-in",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "bonecds",
    }
