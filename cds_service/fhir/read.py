"""Small readers over plain FHIR JSON. Anything may stand anywhere; nothing here raises on odd input.

Epic and the public sandbox send an object where a list belongs (`MedicationRequest.category`), STU3 senders
a bare string where a CodeableConcept belongs: `items` and `mapping` take both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from cds_service.kernel.dates import DateSpan, parse_date
from cds_service.kernel.needs import Resource

_EMPTY: Mapping[str, Any] = {}


def mapping(value: object) -> Mapping[str, Any]:
    """The JSON object, or an empty one."""
    return value if isinstance(value, dict) else _EMPTY


def items(value: object) -> Sequence[Any]:
    """The JSON list; a lone value counts as a list of one."""
    if isinstance(value, list):
        return value
    return () if value is None else (value,)


def string(value: object) -> str:
    """The text without outer blanks, or an empty one."""
    return value.strip() if isinstance(value, str) else ""


def number(value: object) -> Decimal | None:
    """The JSON number; true and false, and numbers written as text, are not numbers (C7, S7)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    return Decimal(repr(value)) if isinstance(value, float) else None


def name_of(resource: Resource) -> str:
    """`Type/id` as it is shown in evidence; `Type` alone where it has no id."""
    kind, ident = string(resource.get("resourceType")), string(resource.get("id"))
    return f"{kind}/{ident}" if ident else kind


def code_text(codeable: object) -> str:
    """The words of a CodeableConcept: its text, else the first display."""
    if isinstance(codeable, str):
        return codeable.strip()
    concept = mapping(codeable)
    if text := string(concept.get("text")):
        return text
    return next((d for c in items(concept.get("coding")) if (d := string(mapping(c).get("display")))), "")


def codes_in(codeable: object) -> frozenset[str]:
    """The bare codes of a CodeableConcept, lower case, whatever their system: for small closed sets only."""
    if isinstance(codeable, str):
        return frozenset({codeable.strip().lower()})
    found = {
        string(mapping(coding).get("code")).lower()
        for concept in items(codeable)
        for coding in items(mapping(concept).get("coding"))
    }
    return frozenset(found - {""})


def span(start: object, end: object) -> DateSpan | None:
    """The days from the start of one date to the end of another; one of the two is enough."""
    first, last = parse_date(start), parse_date(end)
    if first is None or last is None:
        return first or last
    if first.earliest > last.latest:
        return None
    return DateSpan(first.earliest, last.latest, first.text if first.text == last.text else f"{first}..{last}")


_WHEN = {
    "Observation": ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "issued"),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
    "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate", "assertedDate"),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "FamilyMemberHistory": ("date",),
}


def when(resource: Resource) -> DateSpan | None:
    """When the thing happened, from the first date element that can be read; `None` when none can."""
    for element in _WHEN.get(string(resource.get("resourceType")), ()):
        value = resource.get(element)
        found = span(value.get("start"), value.get("end")) if isinstance(value, dict) else parse_date(value)
        if found is not None:
            return found
    return None
