"""A call for which there is no place is turned away in front of Flask, and looks to its sender like any other refusal."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from cds_service.web import app as web_app
from cds_service.web import observe
from cds_service.web.admission import Places
from cds_service.web.app import create_app
from cds_service.web.metrics import Metrics
from cds_service.web.settings import Settings
from tests.conformance.stub import StubService, one_card
from tests.conformance.wire import CALL, PATIENT
from tests.unit.web.test_metrics import NAMES, samples

BODY = CALL.replace("PREFETCH", PATIENT)
PATH = f"/cds-services/{StubService().id}"


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    """A service of which the only place is taken."""
    places = Places(1, 0)
    monkeypatch.setattr(web_app, "Places", lambda *_: places)
    with places.one():
        yield create_app(Settings(), [StubService()], one_card, metrics=Metrics(NAMES)).test_client()


def test_g1_it_says_so_when_to_come_back_and_under_which_number_it_is_logged(full: FlaskClient) -> None:
    answer = full.post(PATH, data=BODY, content_type="application/json", headers={"Origin": "http://localhost:9000"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.content_type == "application/fhir+json"
    (issue,) = json.loads(answer.data)["issue"]
    assert (issue["severity"], issue["code"]) == ("error", "throttled")
    assert answer.headers["X-Correlation-Id"] in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:9000"
    assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_g1_it_is_logged_and_counted(full: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    answer = full.post(PATH, data=BODY, content_type="application/json")

    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    told = ("event", "status", "problem", "service", "correlation_id")
    assert [line[name] for name in told] == [
        "refused", 503, "TooBusy", StubService().id, answer.headers["X-Correlation-Id"],
    ]  # fmt: skip
    assert samples(full.application.extensions[observe.EXTENSION])[("bonecds_calls_shed_total",)] == 1


def test_g1_its_body_is_read_so_that_the_next_call_on_the_connection_is_understood(full: FlaskClient) -> None:
    sent = io.BytesIO(BODY.encode())
    full.post(PATH, input_stream=sent, content_length=len(BODY), content_type="application/json")
    assert sent.tell() == len(BODY)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/cds-services", 200),
        ("GET", "/healthz", 200),
        ("POST", "/cds-services/unknown", 404),
        ("OPTIONS", PATH, 204),
    ],
)
def test_g1_whoever_needs_no_place_is_answered_as_ever(full: FlaskClient, method: str, path: str, status: int) -> None:
    assert full.open(path, method=method).status_code == status


def test_g1_the_place_that_becomes_free_is_given_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(1, 0)
    monkeypatch.setattr(web_app, "Places", lambda *_: places)
    client = create_app(Settings(), [StubService()], one_card).test_client()
    with places.one():
        assert client.post(PATH, data=BODY, content_type="application/json").status_code == 503
    assert client.post(PATH, data=BODY, content_type="application/json").status_code == 200
