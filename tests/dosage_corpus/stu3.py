"""Prescriptions of the NHS dose-syntax examples (FHIR STU3, XML) as R4 JSON, as far as a dose needs it."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

from cds_service.formats import strict_json

# elements that repeat, and those that hold a number
_LISTS = frozenset({"additionalInstruction", "coding", "contained", "dosageInstruction"})
_REPEATED_VALUES = frozenset({"dayOfWeek", "event", "timeOfDay", "when"})
_NUMBERS = frozenset(
    [
        *("count", "countMax", "duration", "durationMax", "frequency", "frequencyMax", "period", "periodMax"),
        *("offset", "sequence", "value"),
    ]
)
_DOSE_AND_RATE = frozenset({"doseQuantity", "doseRange", "rateQuantity", "rateRange", "rateRatio"})


def prescription(xml: str) -> dict[str, Any] | None:
    """The first prescription or statement in a file; `None` when there is none, as in files of loose pieces."""
    try:
        root = ET.fromstring(xml)  # noqa: S314  files of a public repository, named one by one
    except ET.ParseError:
        return None
    kinds = ("MedicationRequest", "MedicationStatement")
    found = next((each for each in root.iter() if each.tag in kinds), None)
    if found is None:
        return None
    resource = _object(found)
    # a drug is a reference to a contained resource or a reference alone
    drugs = [each["Medication"] for each in resource.pop("contained", []) if "Medication" in each]
    for unused in ("medicationReference", "subject"):
        resource.pop(unused, None)
    resource |= {"resourceType": found.tag, "status": "active"}
    if drugs:
        resource["medicationCodeableConcept"] = drugs[0].get("code", {})
    loaded: dict[str, Any] = strict_json.load(json.dumps(resource).encode())
    return loaded


def _object(element: ET.Element) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for child in element:
        name, value = child.tag, _value(child)
        if name in _LISTS or name in _REPEATED_VALUES:
            made.setdefault(name, []).append(value)
        elif name in _DOSE_AND_RATE:
            made.setdefault("doseAndRate", [{}])[0][name] = value
        else:
            made[name] = value
    return made


def _value(element: ET.Element) -> Any:
    written = element.get("value")
    if written is None:
        return _object(element)
    if element.tag in _NUMBERS:
        return json.loads(written)
    return {"true": True, "false": False}.get(written, written)
