"""The orders of an order hook, as senders really write them (`protocol.md` items 28-30, 45, 92-93)."""

from __future__ import annotations

import pytest

from cds_service.engine.draft_orders import orders_of

FIRST = {"resourceType": "MedicationRequest", "id": "a", "status": "draft"}
SECOND = {"resourceType": "ServiceRequest", "id": "b", "status": "draft"}
DRUG = {"resourceType": "Medication", "id": "m"}


def context(*orders: object, selections: object = None, **bundle: object) -> dict[str, object]:
    basket = {"resourceType": "Bundle", **bundle, "entry": [{"resource": order} for order in orders]}
    return {"draftOrders": basket} | ({} if selections is None else {"selections": selections})


def selected(hook: str, told: dict[str, object]) -> list[str]:
    found = orders_of(hook, told)
    assert found is not None
    return [each["id"] for each, picked in zip(found.resources, found.selected, strict=True) if picked]


def test_another_hook_has_no_orders_even_where_the_context_carries_some() -> None:
    assert orders_of("patient-view", context(FIRST)) is None


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/a",
        "a",
        "https://ehr.example.org/fhir/MedicationRequest/a",
        "MedicationRequest/a/_history/2",
        "urn:uuid:a",
    ],
)
def test_item_92_the_selected_orders_are_those_that_selections_names(selection: str) -> None:
    assert selected("order-select", context(FIRST, SECOND, selections=[selection])) == ["a"]


@pytest.mark.parametrize("selections", [None, [], ["MedicationRequest/elsewhere"], [7], "a word"])
def test_selections_that_name_none_of_the_orders_select_all_of_them(selections: object) -> None:
    assert selected("order-select", context(FIRST, SECOND, selections=selections)) == ["a", "b"]


def test_item_93_at_signing_all_orders_are_meant() -> None:
    assert selected("order-sign", context(FIRST, SECOND, selections=["MedicationRequest/a"])) == ["a", "b"]


def test_item_29_a_medication_in_the_bundle_goes_along_and_is_no_order() -> None:
    assert selected("order-select", context(FIRST, DRUG)) == ["a"]


def test_item_28_a_bundle_without_a_type_and_of_any_type_is_read() -> None:
    assert selected("order-sign", context(FIRST)) == selected("order-sign", context(FIRST, type="transaction")) == ["a"]


def test_an_order_without_an_id_takes_that_of_its_full_url() -> None:
    order = {"resourceType": "MedicationRequest"}
    basket = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:a", "resource": order}]}
    assert selected("order-select", {"draftOrders": basket, "selections": ["MedicationRequest/a"]}) == ["a"]


@pytest.mark.parametrize(
    "basket", [None, {}, "text", [], {"resourceType": "Bundle"}, {"resourceType": "Bundle", "entry": 3}]
)
def test_c13_a_basket_that_is_none_holds_no_orders(basket: object) -> None:
    found = orders_of("order-sign", {"draftOrders": basket})
    assert found is not None
    assert found.resources == ()


def test_what_cannot_be_read_is_told_without_its_value() -> None:
    found = orders_of(
        "order-sign",
        {"draftOrders": {"resourceType": "Bundle", "entry": [{"resource": FIRST}, {"resource": "secret"}]}},
    )
    assert found is not None
    assert "secret" not in found.detail
    assert found.detail
