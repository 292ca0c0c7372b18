"""Put a record on a FHIR server, as transactions of PUTs: the resources keep their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import orjson
import requests

from hooks.patient_view import SERVICE
from tests.real_servers.patients import Json, everywhere

# What the service asks for, and what a medication order may point at. Nothing else of a record is ever looked at.
TYPES = frozenset(need.resource_type for need in SERVICE.needs) | {"Medication"}
_TOGETHER = 200
_SECONDS = 120


def stored(bundle: Json) -> list[Json]:
    """The resources as a server stores them: with references to each other of the form `Type/id`."""
    places = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in bundle["entry"]
        if "fullUrl" in entry
    }

    def relative(value: Json) -> Json:
        target = places.get(str(value.get("reference")))
        return {**value, "reference": target} if target else value

    resources = (entry["resource"] for entry in bundle["entry"])
    return [everywhere(each, relative) for each in resources if each["resourceType"] in TYPES]


def load(base: str, token: str, bundle: Json) -> list[str]:
    """Load a record.

    Returns:
        What the server refused, one line each with its reason; usually nothing.
    """
    first = ("Patient", "Medication")
    resources = sorted(stored(bundle), key=lambda each: each["resourceType"] not in first)
    refused = []
    for some in _by(_TOGETHER, resources):
        if _post(base, token, some):
            # One bad resource fails a whole transaction: find it.
            refused += [problem for each in some if (problem := _post(base, token, [each]))]
    return refused


def _post(base: str, token: str, resources: Sequence[Json]) -> str:
    """Send one transaction; the reason of the refusal, or nothing."""
    entries = [
        {"resource": each, "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}}
        for each in resources
    ]
    body = as_bytes({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    headers = {"Content-Type": "application/fhir+json", "Authorization": f"Bearer {token}"}
    response = requests.post(base, data=body, headers=headers, timeout=_SECONDS)
    answered = response.json()
    said = [entry.get("response", {}) for entry in answered.get("entry", ())]
    problems = [str(each.get("outcome")) for each in said if str(each.get("status", ""))[:1] != "2"]
    if response.status_code != requests.codes.ok:
        problems.append(f"{response.status_code} {answered}")
    return f"{resources[0]['resourceType']}/{resources[0]['id']}: {problems[0]}" if problems else ""


def as_bytes(value: Json) -> bytes:
    """JSON text in which a number keeps all its digits: 25.0 stays 25.0."""
    return orjson.dumps(value, default=_as_written)


def _as_written(number: object) -> orjson.Fragment:
    if isinstance(number, Decimal):
        return orjson.Fragment(str(number).encode())
    raise TypeError(type(number).__name__)


def _by(size: int, items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
