"""What we send as FHIR: built and validated with fhir.resources (R4B modules), which only this and `knowledge/` use.

For ServiceRequest and MedicationRequest R4B is R4: HL7 changed neither between 4.0.1 and 4.3.0 (hl7.org/FHIR/r4b-explanation.html).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest


def service_request(
    patient_id: str,
    codings: Sequence[dict[str, str]],
    text: str,
    category: Sequence[dict[str, str]] = (),
    encounter_id: str | None = None,
) -> dict[str, Any]:
    """A draft ServiceRequest.

    Args:
        patient_id: logical id of the patient.
        codings: parallel codings of the same thing: receivers rarely share one system.
        text: what is ordered, for people.
        category: codings of the kind of service.
        encounter_id: logical id of the encounter the call came from, if any.

    Returns:
        Plain FHIR JSON.
    """
    content = _draft("code", codings, text, patient_id, encounter_id)
    if category:
        content["category"] = [{"coding": list(category)}]
    built: dict[str, Any] = json.loads(ServiceRequest(**content).model_dump_json(exclude_none=True))
    return {"resourceType": "ServiceRequest", **built}


def medication_request(
    patient_id: str,
    codings: Sequence[dict[str, str]],
    text: str,
    dosage: dict[str, Any],
    encounter_id: str | None = None,
) -> dict[str, Any]:
    """A draft MedicationRequest.

    Args:
        patient_id: logical id of the patient.
        codings: parallel codings of the product.
        text: the product, for people.
        dosage: the FHIR Dosage.
        encounter_id: logical id of the encounter the call came from, if any.

    Returns:
        Plain FHIR JSON.
    """
    content = _draft("medicationCodeableConcept", codings, text, patient_id, encounter_id)
    content["dosageInstruction"] = [dosage]
    built: dict[str, Any] = json.loads(MedicationRequest(**content).model_dump_json(exclude_none=True))
    return {"resourceType": "MedicationRequest", **built}


def _draft(
    name: str, codings: Sequence[dict[str, str]], text: str, patient_id: str, encounter_id: str | None
) -> dict[str, Any]:
    """What every draft holds; `name` is the element that says what is ordered."""
    encounter = {"encounter": {"reference": f"Encounter/{encounter_id}"}} if encounter_id else {}
    return {
        "status": "draft",
        "intent": "proposal",
        name: {"coding": list(codings), "text": text},
        "subject": {"reference": f"Patient/{patient_id}"},
        **encounter,
    }


def is_medication_request(resource: Mapping[str, Any]) -> bool:
    """Whether somebody else's MedicationRequest is valid, so that we may send it back with a change."""
    content = {key: value for key, value in resource.items() if key != "resourceType"}
    if resource.get("resourceType") != "MedicationRequest":
        return False
    try:
        MedicationRequest(**content)
    except ValueError:
        return False
    return True
