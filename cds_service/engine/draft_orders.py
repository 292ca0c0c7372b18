"""The orders being written that an order hook carries in its context, and which of them the call is about.

Built for order-select and order-sign of the CDS Hooks library (`selections`, `draftOrders`). Seen in the wild and taken as
meant: a Bundle without `type`, an order without medication or `intent` when the page opens (the public sandbox), `category`
as an object and the Medication as an entry of its own (Epic), orders that are signed a second time and are no drafts any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.fhir import answers
from cds_service.fhir.identity import with_id
from cds_service.fhir.read import items, string
from cds_service.kernel.needs import Resource

ORDER_HOOKS = frozenset({"order-select", "order-sign"})
# what orders refer to and no one orders
_COMPANIONS = frozenset({"Medication", "Patient", "Practitioner", "PractitionerRole", "Encounter", "Organization"})


@dataclass(frozen=True, slots=True)
class DraftOrders:
    """The resources of `draftOrders`.

    Attributes:
        resources: every one, in the order they came; each with an id where its entry gives one.
        full_urls: the `fullUrl` of each, "" where there is none.
        selected: whether the call is about it, for each.
        detail: what could not be read, in our own words; never a value.
    """

    resources: tuple[Resource, ...]
    full_urls: tuple[str, ...]
    selected: tuple[bool, ...]
    detail: str


def orders_of(hook: str, context: Mapping[str, Any]) -> DraftOrders | None:
    """Read the orders of a call; `None` for a hook that has none.

    At order-select the selected orders are those `selections` names. Where it names none of the orders that came, all
    count as selected: to say nothing about any of them would look like "nothing to say".
    """
    if hook not in ORDER_HOOKS:
        return None
    found = answers.read_all(context.get("draftOrders"))
    named = tuple(map(with_id, found.resources, found.full_urls))
    orders = [string(resource.get("resourceType")) not in _COMPANIONS for resource in named]
    chosen = {_tail(each) for each in items(context.get("selections"))} - {""} if hook == "order-select" else set()
    picked = [is_order and string(each.get("id")) in chosen for is_order, each in zip(orders, named, strict=True)]
    selected = picked if any(picked) else orders
    return DraftOrders(named, found.full_urls, tuple(selected), found.detail)


def _tail(selection: object) -> str:
    """The id a selection ends with; "MedicationRequest/1", an address, or the bare id."""
    return string(selection).split("/_history/")[0].rsplit("/", 1)[-1].removeprefix("urn:uuid:")
