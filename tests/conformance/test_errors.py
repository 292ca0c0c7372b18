"""Errors and CORS: checklist items 70-72 (K), 42-43 and 82-83 (M); threat rows F2 and F3."""

import json

import pytest

from cds_service.cli.compose import build_app
from cds_service.kernel.errors import InputError, PatientMismatch, Unassessable
from cds_service.kernel.rules import Level
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import Card, HookResponse, Source
from cds_service.web.app import Service
from cds_service.web.settings import Settings
from tests.conformance.stub import StubService, stub_app
from tests.conformance.wire import CALL, PATIENT, Wire, check_outcome, diagnostics, expression

BODY = CALL.replace("PREFETCH", PATIENT)


def failing(problem: Exception, settings: Settings | None = None) -> Wire:
    def answer(_service: Service, _call: HookRequest) -> HookResponse:
        raise problem

    return Wire(stub_app(settings, answer), StubService().id, BODY)


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_item_71_another_method_on_a_service_is_405(wire: Wire, method: str):
    answer = wire.app.test_client().open(wire.path, method=method)
    check_outcome(answer)
    assert (answer.status_code, "POST" in answer.headers["Allow"]) == (405, True)
    assert "POST a call to one of them" in diagnostics(answer)


def test_item_71_posting_to_discovery_is_405(wire: Wire):
    assert wire.call(path="/cds-services").status_code == 405


def test_item_71_an_unknown_address_is_404(wire: Wire):
    assert wire.get("/admin").status_code == 404


@pytest.mark.parametrize("path", ["/admin", "/healthz/more"])
def test_item_71_a_wrong_address_says_where_the_services_are(wire: Wire, path: str):
    assert "GET /cds-services lists the services" in diagnostics(wire.get(path))


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        pytest.param(PatientMismatch("data of another patient", "prefetch.patient"), "business-rule", id="s4-foreign"),
        pytest.param(Unassessable("not enough was supplied", "prefetch.patient"), "incomplete", id="s5-unassessable"),
    ],
)
def test_item_42_at_54_what_cannot_be_assessed_is_412_naming_the_key(problem: InputError, code: str):
    answer = failing(problem).call()
    assert (answer.status_code, expression(answer)) == (412, ["prefetch.patient"])
    assert json.loads(answer.text)["issue"][0]["code"] == code


@pytest.mark.parametrize(("choice", "status"), [("412", 412), ("card", 200)])
def test_item_72_on_unassessable_a_site_may_choose_a_card(choice: str, status: int):
    """The product, with nothing supplied: not even whether the patient is in scope can be told."""
    service = "bone-health-patient-view"
    answer = Wire(build_app(Settings(on_unassessable=choice)), service, CALL.replace("PREFETCH", "{}")).call()
    assert answer.status_code == status
    if status == 200:
        (card,) = json.loads(answer.text)["cards"]
        assert card["indicator"] == "info"


@pytest.mark.parametrize("problem", [RuntimeError("Mary Smith 1950-03-04"), RecursionError("p1"), KeyError("p1")])
def test_f2_our_own_fault_is_500_with_a_correlation_id_and_nothing_else(
    problem: Exception, capsys: pytest.CaptureFixture[str]
):
    answer = failing(problem).call()
    correlation = answer.headers["X-Correlation-Id"]
    assert answer.status_code == 500
    assert diagnostics(answer) == (
        f"The service failed. Tell its operator the correlation id. Correlation id: {correlation}"
    )
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["correlation_id"], line["problem"]) == ("fault", correlation, type(problem).__name__)
    assert line["place"].startswith("test_errors.py:")
    assert "Mary" not in json.dumps(line)


def test_e3_a_number_that_is_not_finite_is_a_fault_and_not_an_answer():
    card = Card("u", "Fine.", Level.INFO, Source("S"), extension={"org.bonecds.x": float("nan")})
    wire = Wire(stub_app(answer=lambda _service, _call: HookResponse((card,))), StubService().id, BODY)
    assert wire.call().status_code == 500


def test_f1_an_answered_call_is_logged_without_the_patient(wire: Wire, capsys: pytest.CaptureFixture[str]):
    answer = wire.call()
    line = json.loads(capsys.readouterr().err)
    assert line.pop("ms") >= 0
    assert line.pop("key_states")
    assert line.pop("time")
    # the stub asks no rules
    assert ("rule_set" in line, "gaps" in line) == (wire.service_id != "stub-patient-view",) * 2
    line = {key: value for key, value in line.items() if key not in ("rule_set", "gaps")}
    assert line == {
        "level": "info",
        "event": "call",
        "correlation_id": answer.headers["X-Correlation-Id"],
        "hook_instance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "service": wire.service_id,
        "hook": "patient-view",
        "status": 200,
        "cards": len(json.loads(answer.text)["cards"]),
    }


def test_f3_control_characters_in_a_hook_instance_do_not_reach_the_log(wire: Wire, capsys: pytest.CaptureFixture[str]):
    wire.with_change("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", 'x\\r\\n{\\"event\\": \\"forged\\"}\\u001b[31m')
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "call"
    assert "forged" not in line


LOCAL = "http://localhost:3000"


@pytest.mark.parametrize("path", ["/cds-services", "SERVICE", "SERVICE/feedback"])
def test_item_83_preflight_is_answered_without_credentials(wire: Wire, path: str):
    answer = wire.options(
        path.replace("SERVICE", wire.path),
        Origin=LOCAL,
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization,content-type",
    )
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == LOCAL
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_item_82_at_208_answers_and_errors_carry_the_origin(wire: Wire):
    answers = [wire.get("/cds-services", Origin=LOCAL), wire.call(Origin=LOCAL), wire.call("{", Origin=LOCAL)]
    found = [(a.status_code, a.headers["Access-Control-Allow-Origin"], a.headers["Vary"]) for a in answers]
    assert found == [(200, LOCAL, "Origin"), (200, LOCAL, "Origin"), (400, LOCAL, "Origin")]


def test_item_83_a_500_carries_the_origin_too():
    answer = failing(RuntimeError()).call(Origin=LOCAL)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (500, LOCAL)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example.org",
        "http://localhost.evil.example.org",
        "http://127.0.0.1.nip.io",
        "null",
        "http://localhost:3000@evil",
    ],
)
def test_item_83_other_origins_get_no_cors_headers(wire: Wire, origin: str):
    answer = wire.get("/cds-services", Origin=origin)
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_item_83_a_list_of_origins_replaces_loopback():
    app = stub_app(Settings(cors_origins=("https://ehr.example.org",)))
    client = app.test_client()
    allowed = {
        origin: client.get("/cds-services", headers={"Origin": origin}).headers.get("Access-Control-Allow-Origin")
        for origin in ("https://ehr.example.org", LOCAL)
    }
    assert allowed == {"https://ehr.example.org": "https://ehr.example.org", LOCAL: None}
