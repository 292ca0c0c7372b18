"""Proposals as drafts: valid FHIR, one action each, for this patient, nothing ticked (S10, E5)."""

from __future__ import annotations

import uuid

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.cards.suggest import Subject, already_ordered, load_orders, suggestion, without_covered
from cds_service.clinical import content
from cds_service.kernel.errors import ContentError
from cds_service.kernel.rules import Proposal
from tests.unit.engine.made_up import ORDERS, orders

CARD = "6f9d4c1e-8b7a-5f00-9a54-1f2e3d4c5b6a"


def test_a_proposal_becomes_one_draft_for_this_patient() -> None:
    made = suggestion(Proposal("plumber"), orders(), Subject("p1"), CARD).to_json()
    assert made == {
        "label": "Call the plumber",
        "uuid": "304d3799-9598-526b-a531-b7d3760afda9",
        "isRecommended": None,
        "actions": [
            {
                "type": "create",
                "description": "Draft order: plumber",
                "resource": {
                    "resourceType": "ServiceRequest",
                    "status": "draft",
                    "intent": "proposal",
                    "code": {
                        "coding": [
                            {"system": "http://example.org/trades", "code": "17", "display": "Plumber"},
                            {"system": "http://example.net", "code": "P"},
                        ],
                        "text": "Plumber, today",
                    },
                    "subject": {"reference": "Patient/p1"},
                },
                "resourceId": "",
            }
        ],
    }


@pytest.mark.parametrize("key", load_orders(content.orders_file(), "orders.toml"))
def test_e5_every_order_of_the_product_is_a_valid_draft_for_patient_and_encounter(key: str) -> None:
    subject = Subject("p1", "e1")
    (action,) = suggestion(Proposal(key), load_orders(content.orders_file(), "orders.toml"), subject, CARD).actions
    model = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}[action.resource["resourceType"]]
    request = model.model_validate(action.resource)
    assert (request.status, request.intent, request.subject.reference) == ("draft", "proposal", "Patient/p1")
    assert request.encounter.reference == "Encounter/e1"


def test_s6_the_uuid_follows_from_card_and_order() -> None:
    def made(order: str, card: str) -> str:
        return suggestion(Proposal(order), orders(), Subject("p1"), card).uuid

    assert made("plumber", CARD) == made("plumber", CARD)
    assert len({made("plumber", CARD), made("roofer", CARD), made("plumber", str(uuid.UUID(int=1)))}) == 3
    assert str(uuid.UUID(made("plumber", CARD))) == made("plumber", CARD)


def test_what_another_proposal_covers_is_not_offered_beside_it() -> None:
    known = load_orders(ORDERS.replace('text = "Roofer"', 'text = "Roofer"\ncovers = ["plumber"]'), "orders.toml")
    plumber, roofer = Proposal("plumber"), Proposal("roofer")

    assert without_covered([plumber, roofer, roofer], known) == (roofer,)
    assert without_covered([plumber, plumber], known) == (plumber,)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('text = "Roofer"', "", "roofer: 'text' is a required property"),
        ('text = "Roofer"', 'text = ""', "roofer.text: '' should be non-empty"),
        (
            'text = "Roofer"',
            'text = "R"\nprice = 3',
            "roofer: Additional properties are not allowed ('price' was unexpected)",
        ),
        (
            '[{ system = "http://example.org/trades", code = "18" }]',
            "[]",
            "roofer.codings: [] should be non-empty",
        ),
        ('code = "18"', "code = 18", "roofer.codings.0.code: 18 is not of type 'string'"),
        (
            'text = "Roofer"',
            'text = "R"\ncovers = ["painter"]',
            "roofer.covers: there is no order 'painter'. Write the key of an order.",
        ),
    ],
)
def test_orders_that_are_wrong_stop_the_start(old: str, new: str, message: str) -> None:
    assert old in ORDERS
    with pytest.raises(ContentError) as problem:
        load_orders(ORDERS.replace(old, new), "orders.toml")
    assert str(problem.value) == f"orders.toml: {message}"


@pytest.mark.parametrize(
    ("draft", "keys"),
    [
        ({"code": {"coding": [{"system": "http://example.org/trades", "code": "17"}]}}, {"plumber"}),
        ({"code": {"coding": [{"system": "http://example.net", "code": "P"}]}}, {"plumber"}),
        (
            {"medicationCodeableConcept": {"coding": [{"system": "http://example.org/trades", "code": "18"}]}},
            {"roofer"},
        ),
        ({"code": {"coding": [{"system": "http://example.org/other", "code": "17"}]}}, set()),
        ({"code": {"text": "Plumber, today"}}, set()),
        ({"code": "17"}, set()),
        ({}, set()),
        ({"status": "draft", "code": {"coding": [{"system": "http://example.net", "code": "P"}]}}, {"plumber"}),
        ({"status": "revoked", "code": {"coding": [{"system": "http://example.net", "code": "P"}]}}, set()),
        ({"doNotPerform": True, "code": {"coding": [{"system": "http://example.net", "code": "P"}]}}, set()),
    ],
)
def test_e5_an_order_in_the_basket_is_known_by_any_of_its_codes(draft: dict[str, object], keys: set[str]) -> None:
    assert already_ordered([draft], orders()) == keys


def test_e5_an_order_in_the_basket_stands_for_what_it_covers() -> None:
    known = load_orders(ORDERS.replace('text = "Roofer"', 'text = "Roofer"\ncovers = ["plumber"]'), "orders.toml")
    roofer = {"code": {"coding": [{"system": "http://example.org/trades", "code": "18"}]}}
    assert already_ordered([roofer], known) == {"plumber", "roofer"}


def test_a_drug_is_offered_with_its_dosage_and_reads_as_what_it_says() -> None:
    known = load_orders(content.orders_file(), "orders.toml")
    (action,) = suggestion(Proposal("denosumab"), known, Subject("p1"), CARD).actions
    (dosage,) = action.resource["dosageInstruction"]
    assert dosage["timing"]["repeat"] == {"frequency": 1, "period": 6, "periodUnit": "mo"}
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 60
