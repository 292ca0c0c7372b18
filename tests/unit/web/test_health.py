"""`/healthz` and `/readyz`."""

import json

from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.conformance.stub import StubService, one_card
from tests.conformance.wire import CALL, PATIENT, Wire, diagnostics


def wire(*problems: str) -> Wire:
    app = create_app(Settings(), [StubService()], one_card, self_check=lambda: problems)
    return Wire(app, StubService().id, CALL.replace("PREFETCH", PATIENT))


def test_the_process_is_alive_even_when_not_ready():
    answer = wire("profile us: unknown rule").get("/healthz")
    assert (answer.status_code, json.loads(answer.text)) == (200, {"status": "alive"})


def test_ready_when_the_self_check_finds_nothing():
    answer = wire().get("/readyz")
    assert (answer.status_code, json.loads(answer.text)) == (200, {"status": "ready"})


def test_not_ready_says_why():
    answer = wire("profile us: unknown rule", "no texts").get("/readyz")
    assert answer.status_code == 503
    assert diagnostics(answer).startswith("Not ready: profile us: unknown rule; no texts.")
