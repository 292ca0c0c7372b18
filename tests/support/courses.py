"""Glucocorticoid orders and supplies as FHIR, and the timeline that follows from them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from cds_service.clinical import content, profiles
from cds_service.clinical.exposure import Exposure
from cds_service.clinical.facts.glucocorticoids import exposure, told
from tests.support.charts import chart_of

AS_OF = dt.date(2026, 6, 15)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PREDNISONE_5MG = {"coding": [{"system": RXNORM, "code": "312617"}]}
PREDNISONE_1MG = {"coding": [{"system": RXNORM, "code": "198144"}]}
DEXAMETHASONE = {"coding": [{"system": RXNORM, "code": "3264"}], "text": "dexamethasone"}
METHYLPREDNISOLONE_IV = {"coding": [{"system": RXNORM, "code": "1743726"}]}


def order(ident: str, mg: float | None, first: str, last: str | None, **more: Any) -> str:
    period = {"start": first} | ({"end": last} if last else {})
    dosage: dict[str, Any] = {
        "text": "as written",
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": period}},
        "route": {"text": "Oral"},
    }
    if mg is not None:
        dosage["doseAndRate"] = [{"doseQuantity": {"value": mg, "unit": "mg"}}]
    return json.dumps(
        {
            "resourceType": "MedicationRequest",
            "id": ident,
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": PREDNISONE_5MG,
            "subject": {"reference": "Patient/p1"},
            "authoredOn": first,
            "dosageInstruction": [dosage],
            **more,
        }
    )


def dispense(ident: str, tablets: float, days: int, on: str, **more: Any) -> str:
    return json.dumps(
        {
            "resourceType": "MedicationDispense",
            "id": ident,
            "status": "completed",
            "medicationCodeableConcept": PREDNISONE_5MG,
            "subject": {"reference": "Patient/p1"},
            "whenHandedOver": on,
            "quantity": {"value": tablets, "unit": "tablet"},
            "daysSupply": {"value": days, "unit": "days", "code": "d"},
            **more,
        }
    )


def given(ident: str, mg: float, on: str, **more: Any) -> str:
    return json.dumps(
        {
            "resourceType": "MedicationAdministration",
            "id": ident,
            "status": "completed",
            "medicationCodeableConcept": METHYLPREDNISOLONE_IV,
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": on,
            "dosage": {"dose": {"value": mg, "unit": "mg"}, "route": {"text": "Intravenous"}},
            **more,
        }
    )


def timeline(*resources: str, incomplete: tuple[Any, ...] = ()) -> Exposure:
    chart = chart_of(*resources, incomplete=incomplete)
    return exposure(chart, told(chart, content.thresholds(AS_OF), profiles.profile("us").equal))


def stretches(*resources: str) -> list[tuple[str, str, str]]:
    return [(str(s.first), str(s.last), str(s.daily)) for s in timeline(*resources).stretches]


def year(*resources: str) -> str:
    return str(timeline(*resources).total(AS_OF - dt.timedelta(days=364), AS_OF))
