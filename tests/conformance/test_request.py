"""What a call must and may hold: checklist items 14-30 (C, D, E) and threat row C13."""

import pytest

from tests.conformance.wire import Wire, expression


def test_item_14_at_16_a_call_is_answered(wire: Wire):
    answer = wire.call()
    assert (answer.status_code, answer.content_type) == (200, "application/json")


@pytest.mark.parametrize(
    ("line", "place"),
    [
        pytest.param('"hook": "patient-view",', "hook", id="hook"),
        pytest.param('"hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",', "hookInstance", id="hookInstance"),
        pytest.param('"userId": "Practitioner/example",', "context.userId", id="item-27-userId"),
        pytest.param('"patientId": "p1",', "context.patientId", id="item-27-patientId"),
    ],
)
def test_item_15_a_required_field_that_is_missing_is_400_and_named(wire: Wire, line: str, place: str):
    answer = wire.with_change(line, "")
    assert (answer.status_code, expression(answer)) == (400, [place])


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param('"hook": "patient-view"', '"hook": 1', "hook", id="hook-number"),
        pytest.param('"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"', '""', "hookInstance", id="hookInstance-empty"),
        pytest.param('"d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"', "null", "hookInstance", id="hookInstance-null"),
        pytest.param('"https://ehr.example.org/fhir"', '"file:///etc/passwd"', "fhirServer", id="fhirServer-file"),
        pytest.param('"https://ehr.example.org/fhir"', "[]", "fhirServer", id="fhirServer-list"),
        pytest.param('"Practitioner/example"', "true", "context.userId", id="c7-userId-true"),
        pytest.param('"patientId": "p1"', '"patientId": 12', "context.patientId", id="c7-patientId-number"),
    ],
)
def test_item_15_a_field_of_the_wrong_type_is_400_and_named(wire: Wire, old: str, new: str, place: str):
    answer = wire.with_change(old, new)
    assert (answer.status_code, expression(answer)) == (400, [place])


@pytest.mark.parametrize("context", ["null", "[]", '"patient-view"', "true"])
def test_item_15_a_context_that_is_no_object_is_400(wire: Wire, context: str):
    start, end = wire.body.index('"context":'), wire.body.index('"prefetch":')
    answer = wire.call(f'{wire.body[:start]}"context": {context}, {wire.body[end:]}')
    assert (answer.status_code, expression(answer)) == (400, ["context"])


def test_item_16_any_non_empty_hook_instance_will_do(wire: Wire):
    assert wire.with_change("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "call number 5").status_code == 200


def test_item_17_wrong_hook_for_id_is_400(wire: Wire):
    answer = wire.with_change('"patient-view"', '"order-sign"')
    assert (answer.status_code, expression(answer)) == (400, ["hook"])


def test_item_17_unknown_id_is_404(wire: Wire):
    assert wire.call(path="/cds-services/nobody").status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        pytest.param('"extension": {"com.epic.cdshooks.request.bpa-trigger-action": "23"},', id="epic-extension"),
        pytest.param('"extension": null,', id="empty-extension"),
        pytest.param('"user": "Practitioner/example", "oauth": null,', id="fields-of-1.0-drafts"),
        pytest.param('"hookVersion": "1.0", "x": {"y": [1, {"z": null}]},', id="unknown-fields"),
    ],
)
def test_item_18_unknown_fields_and_extensions_are_accepted(wire: Wire, more: str):
    assert wire.with_change('"hook":', f'{more} "hook":').status_code == 200


@pytest.mark.parametrize(
    "user",
    ["PractitionerRole/A2340113", "practitioner/1", "1", "Device/7", "https://ehr.example.org/fhir/Practitioner/1"],
)
def test_item_19_every_form_of_user_is_accepted(wire: Wire, user: str):
    assert wire.with_change("Practitioner/example", user).status_code == 200


def test_item_27_the_encounter_is_optional(wire: Wire):
    assert wire.with_change('"p1",\n    "encounterId": "e1"', '"p1"').status_code == 200


@pytest.mark.parametrize("nothing", ["null", '""'])
@pytest.mark.parametrize("held", ['"e1"', '"https://ehr.example.org/fhir"'])
def test_optional_fields_that_hold_nothing_count_as_absent(wire: Wire, held: str, nothing: str):
    assert wire.with_change(held, nothing).status_code == 200


AUTHORIZATION = (
    '"access_token": "s3cr3t", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "us"'
)


def with_authorization(wire: Wire, fields: str) -> str:
    return wire.body.replace('"context":', f'"fhirAuthorization": {{{fields}}}, "context":')


def test_item_20_a_token_is_accepted(wire: Wire):
    assert wire.call(with_authorization(wire, AUTHORIZATION)).status_code == 200


def test_item_15_cds_r_1_a_token_without_its_server_is_400(wire: Wire):
    body = with_authorization(wire, AUTHORIZATION).replace('"fhirServer": "https://ehr.example.org/fhir",', "")
    answer = wire.call(body)
    assert (answer.status_code, expression(answer)) == (400, ["fhirServer"])


def test_item_24_a_token_of_another_patient_is_400(wire: Wire):
    answer = wire.call(with_authorization(wire, f'{AUTHORIZATION}, "patient": "p2"'))
    assert (answer.status_code, expression(answer)) == (400, ["fhirAuthorization.patient"])


@pytest.mark.parametrize("patient", ["p1", "Patient/p1"])
def test_item_24_a_token_of_this_patient_is_accepted(wire: Wire, patient: str):
    assert wire.call(with_authorization(wire, f'{AUTHORIZATION}, "patient": "{patient}"')).status_code == 200


def test_item_23_epic_scopes_are_accepted(wire: Wire):
    body = with_authorization(wire, AUTHORIZATION).replace("patient/*.read", "Observation.Read (Labs) (R4)")
    assert wire.call(body).status_code == 200


def test_item_26_a_missing_expires_in_is_accepted(wire: Wire):
    body = with_authorization(wire, AUTHORIZATION).replace('"expires_in": 300,', "")
    assert wire.call(body).status_code == 200


@pytest.mark.parametrize(
    "ident",
    [
        pytest.param("Patient/p1", id="type-in-front"),
        pytest.param("../../metadata", id="path-traversal"),
        pytest.param("..", id="parent-step"),
        pytest.param(".", id="here-step"),
        pytest.param("p1?_id=p2", id="query"),
        pytest.param("p1%2Fp2", id="percent"),
        pytest.param("p1\\n", id="line-break"),
        pytest.param("p\\u0000", id="nul"),
        pytest.param("р1", id="c11-cyrillic-look-alike"),
        pytest.param("a" * 65, id="65-characters"),
        pytest.param("", id="empty"),
    ],
)
def test_c13_a_patient_id_that_is_no_fhir_id_is_400_and_not_repeated(wire: Wire, ident: str):
    answer = wire.with_change('"patientId": "p1"', f'"patientId": "{ident}"')
    assert (answer.status_code, expression(answer)) == (400, ["context.patientId"])
    assert not ident or len(ident) < 3 or ident not in answer.text


def test_c13_an_encounter_id_that_is_no_fhir_id_is_400(wire: Wire):
    answer = wire.with_change('"e1"', '"Encounter/../e1"')
    assert (answer.status_code, expression(answer)) == (400, ["context.encounterId"])


@pytest.mark.parametrize("service_id", ["..", "%2e%2e", "a%2Fb", "a/b", "%00", "x" * 3000])
def test_c13_odd_service_ids_are_404(wire: Wire, service_id: str):
    assert wire.call(path=f"/cds-services/{service_id}").status_code == 404


@pytest.mark.parametrize("prefetch", ["null", "[]", '"none"', "0"])
def test_prefetch_that_is_no_object_is_400(wire: Wire, prefetch: str):
    start = wire.body.index('"prefetch":')
    answer = wire.call(f'{wire.body[:start]}"prefetch": {prefetch}}}')
    assert (answer.status_code, expression(answer)) == (400, ["prefetch"])


@pytest.mark.parametrize("value", ["null", "[]", '"text"', "true", "7", '{"resourceType": "OperationOutcome"}'])
def test_item_40_an_odd_value_under_a_key_never_refuses_the_envelope(wire: Wire, value: str):
    start = wire.body.index('"prefetch": {')
    body = f'{wire.body[:start]}"prefetch": {{"-user": {value}, {wire.body[start:].partition("{")[2]}'
    assert wire.call(body).status_code == 200
