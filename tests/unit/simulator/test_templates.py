"""Templates are filled as CDS Hooks 2.0 says, and nothing of the context gets out of its place."""

from __future__ import annotations

import pytest

from cds_service.formats.urls import parse_base
from cds_service.simulator.templates import fill
from tests.support.golden import templates

CONTEXT = {
    "patientId": "p1",
    "encounterId": "e1",
    "userId": "Practitioner/dr1",
    "draftOrders": {"resourceType": "Bundle"},
}


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Patient/{{context.patientId}}", "Patient/p1"),
        ("/Patient/{{ context.patientId }}", "Patient/p1"),
        ("Encounter?_id={{context.encounterId}}&patient={{context.patientId}}", "Encounter?_id=e1&patient=p1"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/dr1"),
        (
            "Observation?code=http://loinc.org|1-8,http://loinc.org|2-6",
            "Observation?code=http://loinc.org%7C1-8,http://loinc.org%7C2-6",
        ),
        ("Observation?code=a%7Cb", "Observation?code=a%7Cb"),
        ("Patient/{{userPatientId}}", None),
        ("Practitioner/{{userPractitionerRoleId}}", None),
        ("Patient/{{context.absent}}", None),
        ("X/{{context.draftOrders}}", None),
        ("Observation?date=ge{{today() - 1 year}}", None),
        ("X/{{context.draftOrders.MedicationRequest.id}}", None),
    ],
)
def test_each_token(template: str, filled: str | None) -> None:
    assert fill(template, CONTEXT) == filled


@pytest.mark.parametrize("hostile", ["p1&_count=0", "../Patient", "p1?x=1", "p1#", "p 1", "p1|x", "p1%2f.."])
def test_a_value_of_the_context_stays_a_value(hostile: str) -> None:
    filled = fill("Observation?patient={{context.patientId}}&_count=5", {"patientId": hostile})
    assert filled is not None
    assert (filled.count("&"), filled.count("?"), "#" in filled) == (1, 1, False)


def test_every_template_of_this_service_becomes_an_address_below_the_base() -> None:
    base = parse_base("https://ehr.example.org/r4")
    for template in templates().values():
        filled = fill(template, CONTEXT)
        assert filled
        assert base.url(filled).startswith("https://ehr.example.org/r4/")
