"""The API of the sandbox: the same answers as the service gives, with the reasons; for this page and this machine alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from functools import lru_cache
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cli.serve import build_app
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import GapKind
from cds_service.sandbox.calls import FAILURES
from cds_service.sandbox.patients import SandboxPatient, patients
from cds_service.web.body import to_bytes
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF, FOLDER, Json, Scenario, scenarios

OURS = {"X-Bonecds-Sandbox": "1"}
CLIENT = {"name": "north", "issuer": "https://ehr.example.org", "jwks_urls": ["https://ehr.example.org/jwks"]}
WITH_RECORD = [each for each in scenarios() if not each.refused]


@lru_cache(maxsize=1)
def client() -> FlaskClient:
    return build_app(Settings(sandbox=True, as_of=AS_OF)).test_client()


@lru_cache(maxsize=1)
def plain() -> FlaskClient:
    """The service without the page."""
    return build_app(Settings(as_of=AS_OF)).test_client()


def told(patient: SandboxPatient, hook: str = "patient-view", instance: str = "one", **more: Any) -> Json:
    context: Json = {"userId": "Practitioner/example", "patientId": patient.id}
    if hook != "patient-view":
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": each} for each in patient.orders]}
        context["selections"] = [f"MedicationRequest/{each['id']}" for each in patient.orders]
    request = {"hook": hook, "hookInstance": instance, "context": context}
    asked = {
        "service": f"bone-health-{hook}",
        "request": request,
        "record": patient.record,
        "profile": "us",
        "units": "profile",
    }
    return {**asked, "failing": dict(patient.failing), **more}


def called(asked: Json) -> Json:
    answer = client().post("/sandbox/api/call", json=asked, headers=OURS)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


@pytest.mark.parametrize("scenario", WITH_RECORD, ids=str)
def test_the_page_gets_the_cards_that_an_ehr_gets(scenario: Scenario) -> None:
    sent = scenario.json("request.json")
    patient = patients()[str(scenario)]
    found = called(told(patient, sent["hook"], sent["hookInstance"]))

    as_named_there = json.dumps(found["response"]).replace(patient.id, sent["context"]["patientId"])
    assert json.loads(as_named_there) == scenario.json("cards.json")


@pytest.mark.parametrize("scenario", WITH_RECORD, ids=str)
def test_the_request_that_is_shown_is_answered_to_the_byte_by_a_service_without_the_page(scenario: Scenario) -> None:
    """The trace asks every rule, the service those that may speak at the hook: the page must not show more for it."""
    sent = scenario.json("request.json")
    found = called(told(patients()[str(scenario)], sent["hook"], sent["hookInstance"]))
    answer = plain().post(f"/cds-services/bone-health-{sent['hook']}", json=found["request"])

    assert answer.data == to_bytes(found["response"])


def test_the_patients_together_fire_every_family_of_rules_and_every_kind_of_gap() -> None:
    """Those of look-ups by the switches of the page, all others by the records themselves."""
    families: Counter[str] = Counter()
    gaps: set[str] = set()
    texts = _gap_words()
    for patient in patients().values():
        for hook in ("patient-view", *(("order-select",) if patient.orders else ())):
            found = called(told(patient, hook))
            trace = found["trace"]
            fired = {
                each["id"] for card in found["response"]["cards"] for each in card["extension"]["org.bonecds.rules"]
            }
            families.update(each.partition("-")[0] for each in fired)
            gaps |= {line for each in trace["outcomes"] for line in (*each["missing"], *each["not_known"])}
    failing = {how: called(told(patients()["ms-screening-by-age"], failing={"boneDensity": how})) for how in FAILURES}
    gaps |= {
        line
        for found in failing.values()
        for each in found["trace"]["outcomes"]
        for line in (*each["missing"], *each["not_known"])
    }

    assert len(patients()) >= 16
    # S5 is the card of the gaps
    assert set(families) - {"S5"} == {"D20", "DX", "GC", "LAB", "LIF", "MON", "MS", "SAF", "SCR", "TX", "VD"}
    assert {kind for kind in GapKind if not any(line.startswith(texts[kind.value]) for line in gaps)} == set()


def _gap_words() -> dict[str, str]:
    from hooks.patient_view import SERVICE

    return dict(SERVICE.texts("en").gaps)


@pytest.mark.parametrize(
    ("how", "state"),
    [
        ("failed", "failed"),
        ("not-permitted", "not-permitted"),
        ("incomplete", "partial"),
        ("not-supplied", "not-supplied"),
    ],
)
def test_a_look_up_fails_as_a_client_fails_and_the_reader_says_how(how: str, state: str) -> None:
    found = called(told(patients()["gc-very-high-risk-untreated"], failing={"boneDensity": how}))

    assert found["trace"]["lookups"]["boneDensity"] == state
    assert ("boneDensity" in found["request"]["prefetch"]) == (how != "not-supplied")


def test_a_patient_that_cannot_be_assessed_is_refused_as_by_the_service() -> None:
    patient = patients()["nothing-to-say"]
    found = called(told(patient, failing=dict.fromkeys(("conditions", "medicationRequests"), "not-supplied")))

    assert found["status"] == 412
    assert found["response"]["issue"][0]["code"] == "incomplete"
    assert found["trace"]["scope"] == "not known"


@pytest.mark.parametrize(("profile", "source"), [("us", "ACR 2022"), ("uk", "NOGG 2024"), ("ca", "ACR 2022")])
def test_the_profile_is_the_one_that_was_chosen(profile: str, source: str) -> None:
    found = called(told(patients()["gc-assessment-due"], profile=profile))

    assert found["trace"]["profile"] == profile
    assert found["response"]["cards"][0]["source"]["label"] == source


def test_the_pictures_are_those_of_the_summary() -> None:
    found = client().post("/sandbox/api/pictures", json=told(patients()["gc-very-high-risk-untreated"]), headers=OURS)
    drawn = found.get_json()["pictures"]
    titles = [each["title"] for each in drawn]

    assert titles[0] == "T-scores over time"
    assert titles[3] == "What was looked up"
    assert all(each["svg"].startswith("<svg") and each["rows"] and each["description"] for each in drawn)


@pytest.mark.parametrize("quantity", ["age", "t-score", "daily-dose", "duration", "vitamin-d", "edss"])
def test_the_rule_map_varies_every_quantity(quantity: str) -> None:
    asked = told(
        patients()["ms-screening-by-age"], vary=quantity, held={"daily-dose": 10} if quantity != "daily-dose" else {}
    )
    found = client().post("/sandbox/api/what-if", json=asked, headers=OURS)

    assert found.status_code == 200, found.text
    assert [each["quantity"] for each in found.get_json()["quantities"]] == [
        "age", "t-score", "daily-dose", "duration", "vitamin-d", "edss",
    ]  # fmt: skip


def test_a_duration_without_a_dose_is_answered_in_words() -> None:
    found = client().post(
        "/sandbox/api/what-if", json=told(patients()["ms-screening-by-age"], vary="duration"), headers=OURS
    )

    assert found.get_json()["picture"] is None
    assert "Hold a daily dose beside it." in found.get_json()["problem"]


@pytest.mark.parametrize("held", [{"age": 500}, {"edss": 0.3}], ids=str)
def test_a_value_that_cannot_be_is_not_tried(held: Json) -> None:
    asked = told(patients()["ms-screening-by-age"], vary="t-score", held=held)

    assert "is not possible" in client().post("/sandbox/api/what-if", json=asked, headers=OURS).get_json()["problem"]


@pytest.mark.parametrize("held", [{"weight": 1}, {"age": "x"}], ids=str)
def test_what_is_no_quantity_is_refused(held: Json) -> None:
    asked = told(patients()["ms-screening-by-age"], vary="t-score", held=held)

    assert client().post("/sandbox/api/what-if", json=asked, headers=OURS).status_code == 400


@pytest.mark.parametrize("path", ["pictures", "what-if"])
def test_pictures_of_a_record_of_two_people_are_refused(path: str) -> None:
    patient = patients()["gc-assessment-due"]
    stranger = {"resource": {"resourceType": "Condition", "id": "x", "subject": {"reference": "Patient/other"}}}
    record = {**patient.record, "entry": [*patient.record["entry"], stranger]}

    found = client().post(f"/sandbox/api/{path}", json=told(patient, record=record), headers=OURS).get_json()

    assert "resources of another patient" in found["problem"]
    assert not found.get("pictures")
    assert not found.get("picture")


def test_a_record_of_two_people_is_refused_and_not_sorted_out() -> None:
    patient = patients()["gc-assessment-due"]
    stranger = {"resource": {"resourceType": "Condition", "id": "x", "subject": {"reference": "Patient/other"}}}
    record = {**patient.record, "entry": [*patient.record["entry"], stranger]}

    assert called(told(patient, record=record))["status"] == 412


def test_what_does_not_say_whose_it_is_proves_no_absence() -> None:
    patient = patients()["gc-assessment-due"]
    nameless = {"resource": {"resourceType": "Procedure", "id": "x", "status": "completed"}}
    record = {**patient.record, "entry": [*patient.record["entry"], nameless]}

    assert called(told(patient, record=record))["trace"]["lookups"]["procedures"] == "partial"


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "xx"}, {"units": 1}, {"as_of": "2026-02-30"}, {"service": "other"}, {"extra": 1}, {"request": []},
    ],
    ids=str,
)  # fmt: skip
def test_what_the_page_never_sends_is_refused(change: Json) -> None:
    answer = client().post("/sandbox/api/call", json=told(patients()["nothing-to-say"], **change), headers=OURS)

    assert answer.status_code == 400
    assert answer.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"service": 1, "service": 2}', "NaN"])
def test_bytes_that_are_no_call_are_refused(body: str) -> None:
    answer = client().post("/sandbox/api/call", data=body, content_type="application/json", headers=OURS)

    assert answer.status_code == 400


def test_h3_every_patient_of_the_sandbox_is_an_invented_one() -> None:
    """They are the scenarios of the repository, and nobody else can be read."""
    assert set(patients()) == {str(each) for each in WITH_RECORD}
    for each in patients().values():
        identifier = each.record["entry"][0]["resource"].get("identifier", [{"value": "TEST-"}])
        assert identifier[0]["value"].startswith("TEST-")


def test_h3_the_page_sends_and_shows_no_token() -> None:
    found = called(told(patients()["gc-assessment-due"]))

    assert "fhirAuthorization" not in found["request"]
    assert "token" not in json.dumps(found).lower()


def test_h3_nothing_that_is_sent_to_the_page_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    called(told(patients()["gc-assessment-due"]))
    client().post("/sandbox/api/call", json={"service": "secret words"}, headers=OURS)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Bonecds-Sandbox": "0"},
        {**OURS, "Origin": "https://evil.example"},
        {**OURS, "Origin": "http://127.0.0.1:9999"},
        {**OURS, "Origin": "null"},
    ],
    ids=str,
)
def test_h4_a_post_of_another_page_is_refused(headers: dict[str, str]) -> None:
    answer = client().post("/sandbox/api/call", json=told(patients()["nothing-to-say"]), headers=headers)

    assert answer.status_code == 403


def test_h4_the_page_itself_may_post() -> None:
    answer = client().post(
        "/sandbox/api/call", json=told(patients()["nothing-to-say"]), headers={**OURS, "Origin": "http://localhost"}
    )

    assert answer.status_code == 200


def test_h4_a_browser_is_not_told_that_another_page_may_send_the_header() -> None:
    headers = {"Origin": "http://127.0.0.1:9999", "Access-Control-Request-Headers": "x-bonecds-sandbox"}
    answer = client().options("/sandbox/api/call", headers=headers)

    assert "x-bonecds-sandbox" not in answer.headers.get("Access-Control-Allow-Headers", "").lower()


@pytest.mark.parametrize("path", ["/sandbox", "/sandbox/api/patients", "/fhir/Patient", "/fhir/metadata"])
def test_h4_a_foreign_name_that_leads_here_gets_nothing(path: str) -> None:
    """DNS rebinding: the page of evil.example, whose name now means 127.0.0.1."""
    assert client().get(path, headers={"Host": "evil.example:8080"}).status_code == 403


def test_h5_the_sandbox_is_off_unless_it_is_switched_on() -> None:
    plain = build_app(Settings(as_of=AS_OF)).test_client()

    assert [plain.get(path).status_code for path in ("/sandbox", "/sandbox/api/patients", "/fhir/metadata")] == [
        404
    ] * 3


def test_h5_the_sandbox_cannot_be_on_while_clients_are_registered() -> None:
    with pytest.raises(ContentError, match="sandbox: cannot be on while clients are registered"):
        Settings(sandbox=True, clients=(CLIENT,), public_url="https://cds.example.org", database_url="sqlite://")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "cds.example.org"])  # noqa: S104 refused is what is tested
def test_h5_the_sandbox_is_for_this_machine_alone(host: str) -> None:
    with pytest.raises(ContentError, match="sandbox: is for this machine alone"):
        Settings(sandbox=True, host=host, insecure_public_bind=True)


def test_h5_a_service_without_it_does_not_even_load_it() -> None:
    program = "import sys; from cds_service.cli.serve import build_app; from cds_service.web.settings import Settings; "
    program += "build_app(Settings()); print([name for name in sys.modules if name.startswith('cds_service.sandbox')])"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=FOLDER.parents[1]
    )

    assert ran.stdout == "[]\n"


def test_h1_every_answer_of_the_page_carries_the_policy() -> None:
    for path in ("/sandbox", "/sandbox/static/main.js", "/sandbox/api/patients", "/sandbox/api/patients/nobody"):
        with client().get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_h1_the_page_names_no_other_host_and_holds_no_script_of_its_own() -> None:
    from html.parser import HTMLParser

    found: list[tuple[str, dict[str, str | None]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, dict(attrs)))

    Reader().feed(client().get("/sandbox").text)
    addresses = [attrs[name] or "" for _, attrs in found for name in ("src", "href", "action") if name in attrs]

    assert [each for each in addresses if not each.startswith(("/sandbox/static/", "#"))] == []
    assert [tag for tag, attrs in found if any(name.startswith("on") or name == "style" for name in attrs)] == []
    assert [attrs for tag, attrs in found if tag in ("script", "style") and "src" not in attrs] == []
