"""What is read out of a call."""

import json

import pytest

from cds_service.kernel.errors import RequestRefused
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.validate import violations_of_request

CALL = """{
  "hook": "patient-view",
  "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
  "fhirServer": "https://ehr.example.org/fhir",
  "fhirAuthorization": {
    "access_token": "s3cr3t", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read", "subject": "us"
  },
  "context": {"userId": "Practitioner/example", "patientId": "p1", "encounterId": "e1"},
  "prefetch": {"patient": {"resourceType": "Patient", "id": "p1"}}
}"""


def call(old: str = "", new: str = "") -> HookRequest:
    assert old in CALL
    return parse(json.loads(CALL.replace(old, new) if old else CALL), hook="patient-view")


def test_the_call_conforms_to_the_schema():
    assert violations_of_request(json.loads(CALL)) == []


def test_everything_a_call_holds():
    assert call() == HookRequest(
        hook="patient-view",
        hook_instance="d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        user_type="Practitioner",
        user_id="example",
        patient_id="p1",
        encounter_id="e1",
        fhir_server="https://ehr.example.org/fhir",
        access_token="s3cr3t",  # noqa: S106
        context={"userId": "Practitioner/example", "patientId": "p1", "encounterId": "e1"},
        prefetch={"patient": {"resourceType": "Patient", "id": "p1"}},
    )


def test_the_least_a_call_holds():
    found = parse(
        json.loads('{"hook": "patient-view", "hookInstance": "1", "context": {"userId": "u", "patientId": "p1"}}'),
        hook="patient-view",
    )
    assert (found.encounter_id, found.fhir_server, found.access_token, found.prefetch) == (None, None, None, {})


def test_item_22_f1_repr_shows_nobody_and_no_token():
    assert repr(call()) == "HookRequest(hook='patient-view', user_type='Practitioner')"


@pytest.mark.parametrize(
    ("user", "kind", "ident"),
    [
        ("PractitionerRole/a", "PractitionerRole", "a"),
        ("Patient/p1", "Patient", "p1"),
        ("RelatedPerson/r", "RelatedPerson", "r"),
        ("patient/p1", "Patient", "p1"),
        ("Patient/p1/_history/2", "Patient", "p1"),
        ("https://ehr.example.org/fhir/Patient/p1", "Patient", "p1"),
        ("https://ehr.example.org/patient/api/Practitioner/a", "Practitioner", "a"),
        ("a", "", "a"),
        ("Device/7", "", "Device/7"),
    ],
)
def test_item_19_s10_the_type_of_user_is_read_in_every_form(user: str, kind: str, ident: str):
    found = call("Practitioner/example", user)
    assert (found.user_type, found.user_id) == (kind, ident)


def test_item_26_departures_in_the_authorisation_are_tolerated_but_seen_by_the_schema():
    text = CALL.replace('"expires_in": 300, ', "")
    assert parse(json.loads(text), hook="patient-view").access_token == "s3cr3t"  # noqa: S105
    assert violations_of_request(json.loads(text)) == ["fhirAuthorization.expires_in: is required"]


@pytest.mark.parametrize("token", ['""', "null", "7", '["s3cr3t"]'])
def test_an_authorisation_without_a_token_has_none(token: str):
    assert call('"s3cr3t"', token).access_token is None


ORDER = """{"hook": "order-sign", "hookInstance": "1", "context": {
  "userId": "u", "patientId": "p1", "draftOrders": {"resourceType": "Bundle", "entry": []}}}"""


def test_item_28_draft_orders_need_no_bundle_type():
    found = parse(json.loads(ORDER), hook="order-sign")
    assert found.context["draftOrders"] == {"resourceType": "Bundle", "entry": []}


@pytest.mark.parametrize("orders", ["[]", "null", "{}", '{"resourceType": "MedicationRequest"}'])
def test_item_27_draft_orders_are_a_bundle(orders: str):
    text = ORDER.replace('{"resourceType": "Bundle", "entry": []}', orders)
    with pytest.raises(RequestRefused, match=r"context\.draftOrders"):
        parse(json.loads(text), hook="order-sign")


def test_item_27_order_select_needs_selections():
    with pytest.raises(RequestRefused, match=r"a value is required \(at context\.selections\)"):
        parse(json.loads(ORDER.replace("order-sign", "order-select")), hook="order-select")


def test_a_hook_without_a_definition_still_needs_its_patient():
    text = '{"hook": "encounter-start", "hookInstance": "1", "context": {"userId": 3}}'
    with pytest.raises(RequestRefused, match=r"context\.patientId"):
        parse(json.loads(text), hook="encounter-start")


def test_a_hook_without_a_definition_may_have_no_user():
    text = '{"hook": "order-dispatch", "hookInstance": "1", "context": {"patientId": "p1", "userId": 3}}'
    found = parse(json.loads(text), hook="order-dispatch")
    assert (found.user_type, found.user_id, found.patient_id) == ("", "", "p1")
