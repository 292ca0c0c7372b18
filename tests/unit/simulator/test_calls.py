"""The requests of the simulator are requests that the specification allows."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.kernel.errors import InputError
from cds_service.protocol import validate
from cds_service.simulator import calls

Json = dict[str, Any]
ORDER: Json = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "prednisone"}}


@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])
def test_a_call_of_each_hook_conforms(hook: str) -> None:
    orders = [ORDER] if hook != "patient-view" else []
    context = calls.context_of(hook, "p1", "Practitioner/dr1", "e1", orders)
    access = calls.Access("https://ehr.example.org/r4", "secret", "patient/*.rs")
    body = calls.request_of(hook, context, {"patient": None}, access)
    assert validate.violations_of_request(body) == []


def test_no_two_calls_have_the_same_id() -> None:
    made = {calls.request_of("patient-view", {"patientId": "p1"}, {})["hookInstance"] for _ in range(20)}
    assert len(made) == 20


def test_drafts_are_completed_as_an_ehr_would_and_all_are_selected() -> None:
    drug = {"resourceType": "Medication", "id": "m1"}
    context = calls.context_of("order-select", "p1", "Practitioner/dr1", orders=[ORDER, drug, {**ORDER, "id": "x"}])
    drafts = [entry["resource"] for entry in context["draftOrders"]["entry"]]
    assert context["selections"] == ["MedicationRequest/draft-1", "MedicationRequest/x"]
    assert (drafts[0]["status"], drafts[0]["intent"], drafts[0]["subject"]) == (
        "draft",
        "order",
        {"reference": "Patient/p1"},
    )
    assert drafts[1] == drug


def test_at_order_sign_nothing_is_selected() -> None:
    assert "selections" not in calls.context_of("order-sign", "p1", "Practitioner/dr1", orders=[ORDER])


@pytest.mark.parametrize(("hook", "orders"), [("patient-view", [ORDER]), ("order-sign", [])])
def test_orders_go_with_the_order_hooks_and_only_there(hook: str, orders: list[Json]) -> None:
    with pytest.raises(InputError, match="draft orders"):
        calls.context_of(hook, "p1", "Practitioner/dr1", orders=orders)


@pytest.mark.parametrize(
    "data", [ORDER, [ORDER], {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": ORDER}]}]
)
def test_orders_are_read_from_a_resource_a_list_or_a_bundle(data: object) -> None:
    assert calls.orders_in(data) == [ORDER]


@pytest.mark.parametrize("data", [None, {}, [], {"resourceType": "Bundle"}])
def test_a_file_without_orders_is_refused(data: object) -> None:
    with pytest.raises(InputError, match="no order"):
        calls.orders_in(data)


CARDS: list[Json] = [
    {"uuid": "c1", "suggestions": [{"uuid": "s1"}, {"uuid": "s2", "isRecommended": True}]},
    {"uuid": "c2", "overrideReasons": [{"code": "r", "system": "urn:x", "display": "Done"}]},
    {"summary": "no uuid"},
]
WHEN = "2026-06-15T12:00:00Z"


def test_accepting_takes_the_recommended_suggestion_and_leaves_cards_without_one() -> None:
    body, left_out = calls.feedback_of(CARDS, "accepted", WHEN)
    assert validate.violations_of_feedback(body) == []
    assert [(each["card"], each["acceptedSuggestions"]) for each in body["feedback"]] == [("c1", [{"id": "s2"}])]
    assert len(left_out) == 2


def test_overriding_gives_the_first_reason_of_the_card() -> None:
    body, left_out = calls.feedback_of(CARDS, "overridden", WHEN)
    assert validate.violations_of_feedback(body) == []
    assert [each.get("overrideReason", {}).get("reason", {}).get("code") for each in body["feedback"]] == [None, "r"]
    assert len(left_out) == 1
