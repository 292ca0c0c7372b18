"""A story as the CDS Hooks call that an EHR makes when the chart is opened: one prefetch key per need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cds_service.clinical import needs
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.clinical.terminology import terminology
from cds_service.kernel.needs import Need
from cds_service.review.story import PATIENT_ID, Json, resources

STATES = ("absent", "null", "empty", "failed", "not-permitted", "partial")


def prefetch(story: Mapping[str, Any]) -> Json:
    """The record as the values of our prefetch keys; those of `incomplete` in the state they name."""
    values = prefetch_of(resources(story))
    for key, state in story.get("incomplete", {}).items():
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


def request_of(values: Mapping[str, Any], user: str = "Practitioner/dr1") -> Json:
    """A patient-view call with that prefetch."""
    return {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": user, "patientId": PATIENT_ID},
        "prefetch": dict(values),
    }


def request_text(story: Mapping[str, Any]) -> str:
    """The call an EHR makes for this patient, JSON text."""
    return json.dumps(request_of(prefetch(story)))


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
