"""`/fhir`, and the requests that the public CDS Hooks sandbox was seen to send, replayed against it and the three services.

Seen with cds-hooks/sandbox at 3b7e255 (`GET` before `POST`, the DSTU2 `Accept`, an empty draft on load, its own JWT).
"""

from __future__ import annotations

import base64
import json
import uuid
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.cli.serve import build_app
from cds_service.protocol import validate
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF

Json = dict[str, Any]
PATIENT = "gc-assessment-due"
ORIGIN = "http://localhost:8081"
# what the public sandbox asks a FHIR server for
DSTU2 = {"Accept": "application/json+fhir", "Origin": ORIGIN}
FORM = "application/x-www-form-urlencoded"


@lru_cache(maxsize=1)
def client() -> FlaskClient:
    return build_app(Settings(sandbox=True, as_of=AS_OF)).test_client()


def asked(path: str, **headers: str) -> TestResponse:
    return client().get(f"/fhir/{path}", headers={**DSTU2, **headers})


# --- FHIR ---------------------------------------------------------------------------------------------------------------
def test_the_capability_statement_is_valid_r4_and_says_so() -> None:
    answer = asked("metadata")

    assert answer.content_type == "application/fhir+json"
    assert answer.get_json()["fhirVersion"] == "4.0.1"
    CapabilityStatement.model_validate_json(answer.data)


@pytest.mark.parametrize(
    "kind", ["Patient", "Condition", "MedicationRequest", "Observation", "DiagnosticReport", "Procedure"]
)
def test_a_search_answers_a_valid_bundle_with_total_and_self_link(kind: str) -> None:
    told = asked(f"{kind}?_count=2").get_json()

    assert told["link"][0] == {"relation": "self", "url": f"http://localhost/fhir/{kind}?_count=2"}
    assert told["total"] >= len(told["entry"]) == 2
    Bundle.model_validate(told)


def test_pages_lead_to_every_resource_once() -> None:
    seen: list[str] = []
    address = "Observation?_count=40"
    while address:
        told = asked(address).get_json()
        seen += [entry["resource"]["id"] for entry in told["entry"]]
        following = [link["url"] for link in told["link"] if link["relation"] == "next"]
        address = following[0].partition("/fhir/")[2] if following else ""

    assert len(seen) == len(set(seen)) == told["total"]


def test_a_resource_is_read_at_the_address_a_search_gives() -> None:
    entry = asked(f"Condition?patient={PATIENT}").get_json()["entry"][0]

    assert asked(entry["fullUrl"].partition("/fhir/")[2]).get_json() == entry["resource"]


@pytest.mark.parametrize("path", ["Patient/nobody", "Nothing", "Nothing/1", "Binary"])
def test_what_there_is_not_is_an_operation_outcome(path: str) -> None:
    answer = asked(path)

    assert (answer.status_code, answer.get_json()["resourceType"]) == (404, "OperationOutcome")


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_nothing_can_be_written(method: str) -> None:
    assert getattr(client(), method)(f"/fhir/Patient/{PATIENT}").status_code == 405
    assert client().post("/fhir/Patient", json={"resourceType": "Patient"}).status_code == 405


def test_a_search_by_form_is_the_search_by_address() -> None:
    query = {"patient": PATIENT, "category": "problem-list-item"}
    by_form = client().post("/fhir/Condition/_search", data=urlencode(query), content_type=FORM)

    assert by_form.get_json() == asked(f"Condition?{urlencode(query)}").get_json()
    assert by_form.get_json()["total"] == 3


def test_an_unknown_parameter_is_named_and_with_strict_handling_an_error() -> None:
    told = asked(f"Condition?patient={PATIENT}&severity=x").get_json()
    notice = told["entry"][-1]

    assert notice["search"]["mode"] == "outcome"
    assert "severity" in notice["resource"]["issue"][0]["diagnostics"]
    assert "severity" not in told["link"][0]["url"]
    assert asked(f"Condition?patient={PATIENT}&severity=x", Prefer="handling=strict").status_code == 400
    assert asked(f"Condition?patient={PATIENT}", Prefer="handling=strict").status_code == 200


@pytest.mark.parametrize("query", ["date=soon", "_count=x", "patient=" + "x" * 11_000])
def test_a_search_that_cannot_be_is_refused(query: str) -> None:
    answer = asked(f"Observation?{query}")

    assert (answer.status_code, answer.get_json()["resourceType"]) == (400, "OperationOutcome")


def test_a_form_of_another_type_is_refused() -> None:
    assert client().post("/fhir/Condition/_search", json={"patient": PATIENT}).status_code == 400


def test_the_templates_of_discovery_find_here_what_they_find_in_the_request() -> None:
    """Every prefetch template of the service is a search that this server knows in full."""
    service = client().get("/cds-services").get_json()["services"][0]
    for template in service["prefetch"].values():
        answer = asked(template.replace("{{context.patientId}}", PATIENT), Prefer="handling=strict")
        assert answer.status_code == 200


# --- the public sandbox -------------------------------------------------------------------------------------------------
def prefetched(templates: Json) -> Json:
    """As the sandbox does it: parameters sorted, those of one name joined by a comma, and a form where there are any."""
    made = {}
    for key, template in templates.items():
        kind, _, query = template.replace("{{context.patientId}}", PATIENT).partition("?")
        if not query:
            made[key] = asked(kind).get_json()
            continue
        merged: dict[str, list[str]] = {}
        for name, value in sorted(parse_qsl(query)):
            merged.setdefault(name, []).append(value)
        body = urlencode({name: ",".join(values) for name, values in merged.items()})
        made[key] = client().post(f"/fhir/{kind}/_search", data=body, content_type=FORM, headers=DSTU2).get_json()
    return made


def jwt(service: str) -> str:
    """The sandbox's own token: unverifiable here, and nobody is registered (ES384, kid and jku as it sends them)."""
    head = {
        "alg": "ES384",
        "typ": "JWT",
        "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
        "jku": "https://sandbox.cds-hooks.org/jwks",
    }
    claims = {
        "iss": "https://sandbox.cds-hooks.org", "aud": f"http://localhost/cds-services/{service}", "exp": 2_000_000_300,
        "iat": 2_000_000_000, "jti": str(uuid.uuid4()),
    }  # fmt: skip
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (head, claims)]
    return ".".join([*parts, base64.urlsafe_b64encode(b"x" * 96).decode()])


def call(hook: str, **context: Any) -> TestResponse:
    service = f"bone-health-{hook}"
    (found,) = (each for each in client().get("/cds-services").get_json()["services"] if each["id"] == service)
    body = {
        "hookInstance": str(uuid.uuid4()), "hook": hook, "fhirServer": "http://localhost/fhir",
        "context": {"patientId": PATIENT, "userId": "Practitioner/COREPRACTITIONER1", **context},
        "prefetch": prefetched(found["prefetch"]),
    }  # fmt: skip
    headers = {"Accept": "application/json", "Origin": ORIGIN, "Authorization": f"Bearer {jwt(service)}"}
    return client().post(f"/cds-services/{service}", json=body, headers=headers)


def drafts(**medication: Any) -> Json:
    order = {
        "resourceType": "MedicationRequest", "id": "order-123", "status": "draft", "authoredOn": "2026-06-15",
        "subject": {"reference": f"Patient/{PATIENT}"}, **medication,
    }  # fmt: skip
    return {
        "selections": ["MedicationRequest/order-123"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
    }


# item 4 of what it sends: RxNorm 312615, pills by number, supply in place of a duration
PREDNISONE = {
    "medicationCodeableConcept": {
        "text": "predniSONE 20 MG Oral Tablet",
        "coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "312615", "display": "predniSONE 20 MG"}
        ],
    },
    "dosageInstruction": [
        {
            "doseAndRate": [{"doseQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "{pill}"}}],
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        }
    ],
    "dispenseRequest": {
        "expectedSupplyDuration": {"value": 180, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    },
}


@pytest.mark.parametrize("path", ["/cds-services/bone-health-patient-view", "/fhir/Patient", "/fhir/Condition/_search"])
def test_public_sandbox_1_the_preflight_of_a_page_on_loopback_is_answered(path: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = client().options(path, headers=headers)

    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"Authorization", "Content-Type"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.parametrize("path", ["Condition", f"Patient/{PATIENT}", "Condition/_search", "metadata"])
def test_a_fhir_client_in_a_page_may_ask_for_strict_handling(path: str) -> None:
    headers = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "prefer"}
    answer = client().options(f"/fhir/{path}", headers=headers)

    assert answer.status_code == 204
    assert "Prefer" in answer.headers["Access-Control-Allow-Headers"].split(", ")


def test_prefer_is_for_fhir_alone_and_for_pages_that_may_read_the_answer() -> None:
    headers = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "prefer"}
    service = client().options("/cds-services/bone-health-patient-view", headers={"Origin": ORIGIN, **headers})
    foreign = client().options("/fhir/Condition", headers={"Origin": "https://evil.example", **headers})

    assert service.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
    assert not {name for name, _ in foreign.headers if name.startswith("Access-Control-")}


def test_the_public_sandbox_finds_what_it_opens_a_patient_with() -> None:
    """`/metadata`, the list of patients, one with given names in a list, and conditions with a total."""
    answer = asked(f"Condition?patient={PATIENT}")
    patient = asked(f"Patient/{PATIENT}").get_json()
    condition = answer.get_json()["entry"][0]["resource"]

    assert asked("metadata").get_json()["fhirVersion"] == "4.0.1"
    assert asked("Patient").status_code == 200
    assert patient["name"][0]["given"] == ["Petra"]
    assert answer.get_json()["total"] > 0
    assert condition["code"]["coding"][0]["code"]
    assert condition["code"]["text"]
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN


def test_public_sandbox_2_a_call_with_its_unverifiable_token_is_answered_where_nobody_is_registered() -> None:
    answer = call("patient-view")

    assert answer.status_code == 200
    assert [card["indicator"] for card in answer.get_json()["cards"]] == ["warning", "info"]
    assert validate.violations_of_response(answer.get_json()) == []


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_public_sandbox_3_the_empty_draft_on_page_load_is_answered(hook: str) -> None:
    answer = call(hook, **drafts())

    assert answer.status_code == 200
    assert validate.violations_of_response(answer.get_json()) == []


def test_public_sandbox_4_a_product_with_pills_by_number_is_read_with_its_strength() -> None:
    answer = call("order-select", **drafts(**PREDNISONE))

    assert "20 mg" in json.dumps(answer.get_json()["cards"])


def test_public_sandbox_5_every_hook_has_a_service_id_of_its_own() -> None:
    services = client().get("/cds-services").get_json()["services"]

    assert len({each["id"] for each in services}) == len({each["hook"] for each in services}) == 3


def test_public_sandbox_6_no_template_has_a_parameter_twice_that_could_be_merged() -> None:
    for service in client().get("/cds-services").get_json()["services"]:
        for template in service["prefetch"].values():
            names = [name for name, _ in parse_qsl(template.partition("?")[2])]
            assert len(names) == len(set(names))


def test_public_sandbox_7_no_template_has_a_token_that_it_would_send_as_it_stands() -> None:
    """It understands `context.patientId` and posts all others literally; an empty Bundle would read as "none found"."""
    for service in client().get("/cds-services").get_json()["services"]:
        left = [each.replace("{{context.patientId}}", "") for each in service["prefetch"].values()]
        assert [each for each in left if "{{" in each] == []


def test_public_sandbox_8_a_failed_look_up_is_a_key_that_is_missing_and_proves_nothing() -> None:
    (found,) = (each for each in client().get("/cds-services").get_json()["services"] if each["hook"] == "patient-view")
    prefetch = {key: value for key, value in prefetched(found["prefetch"]).items() if key != "boneDensity"}
    body = {
        "hookInstance": str(uuid.uuid4()), "hook": "patient-view",
        "context": {"patientId": PATIENT, "userId": "Practitioner/COREPRACTITIONER1"}, "prefetch": prefetch,
    }  # fmt: skip
    cards = client().post("/cds-services/bone-health-patient-view", json=body).get_json()["cards"]

    assert "no DXA" not in json.dumps(cards)
    assert "Not supplied" in json.dumps(cards)


def test_public_sandbox_12_what_it_applies_from_a_suggestion_names_its_drug_in_words_and_code() -> None:
    """It applies a create only with `medicationCodeableConcept`, text and coding; drafts of ours that are drugs have both."""
    from tests.support.golden import scenarios

    actions = [
        action["resource"]
        for each in scenarios()
        if not each.refused
        for card in each.json("cards.json")["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    drugs = [each["medicationCodeableConcept"] for each in actions if each["resourceType"] == "MedicationRequest"]

    assert drugs
    assert all(each["text"] and each["coding"][0]["code"] for each in drugs)
