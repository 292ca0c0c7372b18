"""The OpenAPI document says what the service does: schemathesis calls every address with what the document allows, and with what
it does not. EXAMPLES=1 tries all examples, as before a release, otherwise a quarter; the same ones in every run.
"""

from __future__ import annotations

import json
import re

import pytest
import schemathesis
from hypothesis import settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from cds_service.protocol import openapi
from cds_service.protocol.discovery import ServiceEntry
from tests.conformance.stub import stub_app
from tests.support import golden
from tests.support.examples import examples
from tests.support.golden import OPENAPI, Scenario, scenarios

# What is refused although the document allows it (data of another patient), or taken although it does not (what senders get
# wrong harmlessly), is no fault: `negative_data_rejection` and `positive_data_acceptance` are left out.
_CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_SCHEMA = schemathesis.openapi.from_wsgi("/openapi.json", golden.app())


@_SCHEMA.parametrize()
@settings(max_examples=examples(80), derandomize=True, deadline=None, database=None)
def test_every_answer_is_one_that_the_document_names(case: schemathesis.Case) -> None:
    case.call_and_validate(checks=_CHECKS)


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_answers_of_the_scenarios_are_those_of_the_document(scenario: Scenario) -> None:
    """With cards, which made-up calls never get."""
    answer = golden.post(scenario.text("request.json"))

    assert str(answer.status_code) in _SCHEMA.raw_schema["paths"][answer.request.path]["post"]["responses"]
    assert _SCHEMA[answer.request.path]["POST"].is_valid_response(answer)


def test_a_wrong_answer_does_not_pass() -> None:
    scenario = next(each for each in scenarios() if not each.refused)
    answer = golden.post(scenario.text("request.json"))
    answer.set_data(json.dumps({"cards": None}))

    assert not _SCHEMA[answer.request.path]["POST"].is_valid_response(answer)


def test_it_is_an_openapi_document_and_every_reference_in_it_leads_somewhere() -> None:
    document = golden.app().test_client().get("/openapi.json").get_json()
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))

    assert _SCHEMA.validate() is None
    assert {each.removeprefix("#/components/schemas/") for each in references} <= document["components"][
        "schemas"
    ].keys()


def test_every_address_is_in_the_document_and_no_other() -> None:
    app = stub_app()
    addresses = {str(rule).replace("<service_id>", "stub-patient-view") for rule in app.url_map.iter_rules()}

    assert set(app.test_client().get("/openapi.json").get_json()["paths"]) == addresses


def test_clients_may_keep_it_for_a_short_time() -> None:
    client = stub_app().test_client()
    first = client.get("/openapi.json")
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})

    assert (first.content_type, first.headers["Cache-Control"]) == ("application/json", "public, max-age=60")
    assert (again.status_code, again.data) == (304, b"")


def test_a_service_on_another_hook_takes_any_context() -> None:
    document = openapi.document([ServiceEntry("s", "appointment-book", "", "Says something.")])

    assert document["components"]["schemas"]["request-of-appointment-book"]["properties"]["context"]["type"] == "object"


def test_the_published_document_is_current() -> None:
    """When this fails: make golden."""
    assert OPENAPI.read_text("utf-8") == golden.openapi_document()
