"""What we send as FHIR: built and validated with fhir.resources (R4B modules), which only this and `knowledge/` use.

For ServiceRequest R4B is R4: HL7 changed neither between 4.0.1 and 4.3.0 (hl7.org/FHIR/r4b-explanation.html).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fhir.resources.R4B.servicerequest import ServiceRequest


def service_request(
    patient_id: str, codings: Sequence[dict[str, str]], text: str, category: Sequence[dict[str, str]] = ()
) -> dict[str, Any]:
    """A draft ServiceRequest.

    Args:
        patient_id: logical id of the patient.
        codings: parallel codings of the same thing: receivers rarely share one system.
        text: what is ordered, for people.
        category: codings of the kind of service.

    Returns:
        Plain FHIR JSON.
    """
    content: dict[str, Any] = {
        "status": "draft",
        "intent": "proposal",
        "code": {"coding": list(codings), "text": text},
        "subject": {"reference": f"Patient/{patient_id}"},
    }
    if category:
        content["category"] = [{"coding": list(category)}]
    built: dict[str, Any] = json.loads(ServiceRequest(**content).model_dump_json(exclude_none=True))
    return {"resourceType": "ServiceRequest", **built}
