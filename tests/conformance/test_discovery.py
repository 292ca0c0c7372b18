"""Discovery: checklist items 1-13 and 31-38 of the CDS Hooks 2.0.1 notes; @N is the HL7 requirement number."""

import json

import pytest

from cds_service.protocol import discovery, validate
from cds_service.web.app import create_app
from cds_service.web.settings import Settings
from tests.conformance.stub import one_card
from tests.conformance.wire import Wire


def test_item_5_at_4_discovery_answers_200_with_a_services_array(wire: Wire):
    answer = wire.get("/cds-services")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert {type(service) for service in json.loads(answer.text)["services"]} == {dict}


def test_item_6_at_7_each_service_has_hook_title_description_and_id(wire: Wire):
    service = wire.entry()
    assert (service["hook"], service["id"]) == ("patient-view", wire.service_id)
    assert service["title"]
    assert service["description"]


def test_item_7_at_11_prefetch_is_an_object_of_texts(wire: Wire):
    service = wire.entry()
    assert {type(template) for template in service["prefetch"].values()} == {str}


def test_item_8_without_services_the_array_is_empty_and_nothing_else_is():
    app = create_app(Settings(), [], one_card)
    answer = app.test_client().get("/cds-services")
    assert (answer.status_code, answer.text) == (200, '{"services":[]}')


def test_item_2_at_3_empty_fields_of_a_service_are_left_out():
    entry = discovery.ServiceEntry("s", "patient-view", "", "Says something.")
    assert entry.to_json() == {"hook": "patient-view", "description": "Says something.", "id": "s"}


def test_item_12_clients_may_keep_the_document_for_a_short_time(wire: Wire):
    first = wire.get("/cds-services")
    assert first.headers["Cache-Control"] == "public, max-age=60"
    again = wire.get("/cds-services", If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data) == (304, b"")


def test_item_12_the_fhir_version_stands_in_the_usage_requirements(wire: Wire):
    service = wire.entry()
    assert "R4" in service["usageRequirements"]


def test_item_13_no_property_of_later_drafts_is_sent(wire: Wire):
    service = wire.entry()
    assert {"version", "hookVersion"}.isdisjoint(service)


def test_a_slash_at_the_end_of_the_discovery_address_is_forgiven(wire: Wire):
    assert wire.get("/cds-services/").status_code == 200


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("Patient/{{context.patientId}}", id="context-field"),
        pytest.param("PractitionerRole/{{userPractitionerRoleId}}", id="user-token"),
        pytest.param(
            "Observation?patient={{context.patientId}}&code=http://loinc.org|38263-0&_sort=-date", id="search"
        ),
    ],
)
def test_item_31_at_55_2_0_tokens_conform(template: str):
    entry = discovery.ServiceEntry("s", "patient-view", "S", "Says.", {"key": template})
    assert validate.violations_of_discovery(discovery.document([entry])) == []


@pytest.mark.parametrize(
    "template",
    [
        pytest.param("MedicationRequest?_id={{context.draftOrders.MedicationRequest.id}}", id="item-32-nested-field"),
        pytest.param("Observation?date=ge{{today() - 90 days}}", id="item-33-today"),
        pytest.param("Encounter/{{%encounter.id}}", id="item-34-earlier-key"),
        pytest.param("Patient/{context.patientId}", id="item-31-single-braces"),
        pytest.param("Patient/{{context.patientId", id="item-31-left-open"),
    ],
)
def test_items_31_to_34_other_tokens_do_not_conform(template: str):
    entry = discovery.ServiceEntry("s", "patient-view", "S", "Says.", {"key": template})
    violations = validate.violations_of_discovery(discovery.document([entry]))
    assert [violation.partition(":")[0] for violation in violations] == ["services[0].prefetch.key"]


def test_item_36_results_are_sorted_the_fhir_way(wire: Wire):
    service = wire.entry()
    assert [t for t in service["prefetch"].values() if "sort:desc" in t] == []


def test_item_38_no_template_uses_a_parameter_twice(wire: Wire):
    service = wire.entry()
    for template in service["prefetch"].values():
        names = [part.partition("=")[0] for part in template.partition("?")[2].split("&")]
        assert len(names) == len(set(names)), template
