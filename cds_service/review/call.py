"""A story as the CDS Hooks call that an EHR makes: one prefetch key per need, and the orders that are being written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cds_service.clinical import needs
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.clinical.terminology import terminology
from cds_service.kernel.errors import ContentError
from cds_service.kernel.needs import Need
from cds_service.review.story import PATIENT_ID, Json, drafts, resources

STATES = ("absent", "null", "empty", "failed", "not-permitted", "partial")


def prefetch(story: Mapping[str, Any]) -> Json:
    """The record as the values of our prefetch keys; those of `incomplete` in the state they name."""
    values = prefetch_of(resources(story))
    for key, state in story.get("incomplete", {}).items():
        if key not in values:
            raise ContentError("story", f"incomplete.{key}", "there is no such look-up", f"Known: {', '.join(values)}.")
        in_state(values, key, state)
    return values


def prefetch_of(record: Iterable[Json]) -> Json:
    """What the searches of our needs find in a record."""
    record = list(record)
    return {need.key: _found(need, record) for need in ALL_NEEDS}


def in_state(values: Json, key: str, state: str) -> None:
    """Put one prefetch key into one of the `STATES` that a client may send; "partial" keeps what was found."""
    if state == "absent":
        values.pop(key, None)
    elif state == "partial":
        values[key] = _with_next_page(values[key])
    else:
        values[key] = {
            "null": None,
            "empty": searchset([]),
            "failed": _outcome("timeout"),
            "not-permitted": _outcome("forbidden"),
        }[state]


def hook_of(story: Mapping[str, Any]) -> str:
    """The hook at which a story is told: `order-select` where something is being ordered."""
    return "order-select" if story.get("orders") else "patient-view"


def request_of(values: Mapping[str, Any], user: str = "Practitioner/dr1") -> Json:
    """A patient-view call with that prefetch."""
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": user, "patientId": PATIENT_ID},
        "prefetch": dict(values),
    }


def order_request(values: Mapping[str, Any], orders: Iterable[tuple[Json, bool]], hook: str = "order-select") -> Json:
    """A call about those draft orders, each with whether it is selected; the prefetch is as at patient-view."""
    call, orders = request_of(values), list(orders)
    basket = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": order} for order, _ in orders]}
    context = {**call["context"], "draftOrders": basket}
    if hook == "order-select":
        context["selections"] = [f"{order['resourceType']}/{order['id']}" for order, selected in orders if selected]
    return {**call, "hook": hook, "context": context}


def request_text(story: Mapping[str, Any]) -> str:
    """The call an EHR makes for this patient, JSON text."""
    values = prefetch(story)
    orders = drafts(story)
    return json.dumps(order_request(values, orders) if orders else request_of(values))


def searchset(record: Iterable[Json]) -> Json:
    """The Bundle of a search that found those resources."""
    entries = [{"resource": resource, "search": {"mode": "match"}} for resource in record]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries}


@lru_cache(maxsize=64)
def _wanted(need: Need) -> frozenset[tuple[str, str]]:
    """The codes that a search for that need lists."""
    return frozenset((row.system, row.code) for row in terminology().rows(*need.concepts))


def _found(need: Need, record: list[Json]) -> Json | None:
    """What a search for that need finds; the patient itself is read, not searched."""
    found = [resource for resource in record if resource["resourceType"] == need.resource_type]
    if need.by_id:
        return found[0] if found else None
    if not need.concepts:
        return searchset(found)
    wanted = _wanted(need)
    # what has no code (the Timed 25-Foot Walk) a site adds to the search for function by hand
    uncoded = need is needs.FUNCTION
    return searchset(r for r in found if wanted & _codings(r) or (uncoded and not _codings(r)))


def _codings(resource: Json) -> set[tuple[str, str]]:
    return {(coding["system"], coding["code"]) for coding in resource["code"].get("coding", ())}


def _with_next_page(value: Json) -> Json:
    """The Patient read has no pages: there the server says that its answer is incomplete."""
    if value["resourceType"] == "Bundle":
        return {**value, "link": [{"relation": "next", "url": "https://ehr.example/r4?page=2"}]}
    issue = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "incomplete"}]}
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": value}, {"resource": issue}]}


def _outcome(code: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}
