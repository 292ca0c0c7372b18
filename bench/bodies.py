"""Bodies of realistic calls, chart open or an order: one invented woman with multiple sclerosis on prednisone, and her chart.

Of the prefetched resources 60 % are Observations, 20 % MedicationRequests and 20 % Conditions, each about 1.8 kB with
the elements that US Core servers send (profile, narrative, identifiers, encounter, performer, reference range). The
codes that matter here stand between everyday ones, as in a real chart. Nothing is random: the same size gives the
same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

AS_OF = dt.date(2026, 6, 15)
SIZES = (50, 500)
HOOKS = ("patient-view", "order-select", "order-sign")
PATIENT = "bench-1"

_LOINC = "http://loinc.org"
_RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
_SNOMED = "http://snomed.info/sct"
_ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
_UCUM = "http://unitsofmeasure.org"
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_PERSON = {"reference": f"Patient/{PATIENT}", "display": "Invented, Ada"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of resource of the chart: the prefetch key it goes under, its code, and what it says."""

    key: str
    code: str
    display: str
    value: str = ""
    unit: str = ""


_RESULTS: Sequence[_Kind] = (
    _Kind("laboratory", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "0.84", "mg/dL"),
    _Kind("lifestyle", "39156-5", "Body mass index (BMI) [Ratio]", "24.3", "kg/m2"),
    _Kind("laboratory", "17861-6", "Calcium [Mass/volume] in Serum or Plasma", "9.4", "mg/dL"),
    _Kind("lifestyle", "29463-7", "Body weight", "66.2", "kg"),
    _Kind("vitaminD", "62292-8", "25-Hydroxyvitamin D3+D2 [Mass/volume] in Serum or Plasma", "17.4", "ng/mL"),
    _Kind("laboratory", "98979-8", "Glomerular filtration rate (CKD-EPI 2021)", "78", "mL/min/{1.73_m2}"),
    _Kind("lifestyle", "8302-2", "Body height", "165", "cm"),
    _Kind("laboratory", "1751-7", "Albumin [Mass/volume] in Serum or Plasma", "4.1", "g/dL"),
    _Kind("lifestyle", "29463-7", "Body weight", "66.8", "kg"),
    _Kind("boneDensity", "38267-1", "DXA Lumbar spine [T-score] Bone density", "-2.1", "{T-score}"),
)
_DRUGS: Sequence[_Kind] = (
    _Kind("medicationRequests", "198145", "prednisone 10 MG Oral Tablet", "1", "tablet"),
    _Kind("medicationRequests", "313782", "Acetaminophen 325 MG Oral Tablet", "2", "tablet"),
    _Kind("medicationRequests", "855332", "Warfarin Sodium 5 MG Oral Tablet", "1", "tablet"),
    _Kind("medicationRequests", "197604", "Digoxin 0.125 MG Oral Tablet", "1", "tablet"),
    _Kind("medicationRequests", "310965", "Ibuprofen 200 MG Oral Tablet", "1", "tablet"),
)
_PROBLEMS: Sequence[_Kind] = (
    _Kind("conditions", "24700007", "Multiple sclerosis (disorder)", "G35"),
    _Kind("conditions", "38341003", "Hypertension", "I10"),
    _Kind("conditions", "444814009", "Viral sinusitis (disorder)", "J01.90"),
    _Kind("conditions", "55822004", "Hyperlipidemia", "E78.5"),
    _Kind("conditions", "40055000", "Chronic sinusitis (disorder)", "J32.9"),
)
# Every key the service asks for is sent, as the guide for integrators asks: some look-ups found nothing.
_FOUND_NOTHING = (
    "medicationDispenses",
    "medicationAdministrations",
    "medicationStatements",
    "boneReports",
    "procedures",
    "secondaryCauses",
    "fractureRisk",
    "function",
    "familyHistory",
)


def service_id(hook: str) -> str:
    """The id of the service that answers the hook."""
    return f"bone-health-{hook}"


def body(resources: int, hook: str = "patient-view") -> bytes:
    """The bytes of one call.

    Args:
        resources: prefetched resources besides the Patient; a multiple of five keeps the mix exact.
        hook: one of `HOOKS`; an order hook carries one draft order, denosumab 60 mg.
    """
    return json.dumps(call(resources, hook), separators=(",", ":")).encode()


def call(resources: int, hook: str = "patient-view") -> Json:
    """One call as JSON values."""
    by_key: dict[str, list[Json]] = {kind.key: [] for kind in (*_RESULTS, *_DRUGS, *_PROBLEMS)}
    for key, resource in _chart(resources):
        by_key[key].append(resource)
    prefetch: Json = {"patient": _patient()}
    prefetch |= {key: _searchset(found) for key, found in by_key.items()}
    prefetch |= {key: _searchset([]) for key in _FOUND_NOTHING}
    context: Json = {"userId": "Practitioner/bench", "patientId": PATIENT, "encounterId": "bench-visit"}
    if hook != "patient-view":
        context |= {"draftOrders": _searchset([_DENOSUMAB]), "selections": ["MedicationRequest/draft-1"]}
    return {
        "hook": hook,
        "hookInstance": "0b7a6e0e-5f7c-4d8a-9f57-0d5a3f0c9b11",
        "fhirServer": "https://ehr.example/fhir",
        "context": context,
        "prefetch": prefetch,
    }


_DENOSUMAB: Json = {
    "resourceType": "MedicationRequest",
    "id": "draft-1",
    "status": "draft",
    "intent": "order",
    "medicationCodeableConcept": {"coding": [{"system": _RXNORM, "code": "993452"}], "text": "denosumab 60 mg"},
    "subject": _PERSON,
    "authoredOn": AS_OF.isoformat(),
    "dosageInstruction": [
        {
            "text": "60 mg subcutaneously every 6 months",
            "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "mo"}},
            "doseAndRate": [{"doseQuantity": {"value": 60, "unit": "mg", "system": _UCUM, "code": "mg"}}],
        }
    ],
}


def _chart(resources: int) -> Iterator[tuple[str, Json]]:
    fifth = resources // 5
    shares = ((_RESULTS, resources - 2 * fifth, _result), (_DRUGS, fifth, _order), (_PROBLEMS, fifth, _problem))
    for kinds, count, make in shares:
        for number, kind in enumerate(islice(cycle(kinds), count)):
            yield kind.key, make(kind, number)


def _searchset(resources: Sequence[Json]) -> Json:
    entries = [
        {
            "fullUrl": f"https://ehr.example/fhir/{each['resourceType']}/{each['id']}",
            "resource": each,
            "search": {"mode": "match"},
        }
        for each in resources
    ]
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _patient() -> Json:
    return {
        "resourceType": "Patient",
        "id": PATIENT,
        "identifier": [{"system": "https://ehr.example/mrn", "value": "invented-1"}],
        "active": True,
        "name": [{"use": "official", "family": "Invented", "given": ["Ada"]}],
        "gender": "female",
        "birthDate": "1968-03-09",
    }


def _result(kind: _Kind, number: int) -> Json:
    when = _day(number * 9)
    resource = _start("Observation", kind, number, "us-core-observation-lab")
    resource |= {
        "category": [
            _concept("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory")
        ],
        "status": "final",
        "code": _concept(_LOINC, kind.code, kind.display),
        "subject": _PERSON,
        "effectiveDateTime": f"{when}T08:{number % 60:02}:00-05:00",
        "issued": f"{when}T13:{number % 60:02}:00-05:00",
        "performer": [{"reference": "Organization/bench-lab", "display": "Invented Regional Laboratory"}],
        "valueQuantity": {"value": float(kind.value), "unit": kind.unit, "system": _UCUM, "code": kind.unit},
        "referenceRange": [{"text": "Reference range of the laboratory that measured; see its catalogue of tests."}],
        "note": [{"text": _PADDING[:330]}],
    }
    return resource


def _order(kind: _Kind, number: int) -> Json:
    when = _day(number * 27)
    resource = _start("MedicationRequest", kind, number, "us-core-medicationrequest")
    resource |= {
        "status": "active" if number < len(_DRUGS) else "completed",
        "intent": "order",
        "medicationCodeableConcept": _concept(_RXNORM, kind.code, kind.display),
        "subject": _PERSON,
        "authoredOn": when,
        "requester": {"reference": "Practitioner/bench", "display": "Invented, Grace, MD"},
        "dosageInstruction": [
            {
                "sequence": 1,
                "text": f"Take {kind.value} {kind.unit} by mouth once a day.",
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
                "route": _concept(_SNOMED, "26643006", "Oral route (qualifier value)"),
                "doseAndRate": [{"doseQuantity": {"value": int(kind.value), "unit": kind.unit}}],
            }
        ],
        "dispenseRequest": {
            "validityPeriod": {"start": when, "end": _day(number * 27 - 30)},
            "quantity": {"value": 30, "unit": kind.unit},
            "expectedSupplyDuration": {"value": 30, "unit": "days", "system": _UCUM, "code": "d"},
        },
        "note": [{"text": _PADDING[:130]}],
    }
    return resource


def _problem(kind: _Kind, number: int) -> Json:
    resource = _start("Condition", kind, number, "us-core-condition-problems-health-concerns")
    status = "http://terminology.hl7.org/CodeSystem"
    resource |= {
        "clinicalStatus": _concept(f"{status}/condition-clinical", "active", "Active"),
        "verificationStatus": _concept(f"{status}/condition-ver-status", "confirmed", "Confirmed"),
        "category": [_concept(f"{status}/condition-category", "problem-list-item", "Problem List Item")],
        "code": {
            "coding": [
                {"system": _SNOMED, "code": kind.code, "display": kind.display},
                {"system": _ICD10CM, "code": kind.value, "display": kind.display},
            ],
            "text": kind.display,
        },
        "subject": _PERSON,
        "onsetDateTime": _day(2000 + number * 3),
        "recordedDate": _day(2000 + number * 3),
        "recorder": {"reference": "Practitioner/bench", "display": "Invented, Grace, MD"},
        "note": [{"text": _PADDING[:320]}],
    }
    return resource


_PADDING = (
    "Entered by the care team of an invented clinic for measuring only. The text stands for the comments, addenda and "
    "interface remarks that real resources carry and that decision support has to read past without cost: who "
    "phoned whom, which analyser was used, which form was scanned, and which earlier entry this one replaces. "
)


def _start(resource_type: str, kind: _Kind, number: int, profile: str) -> Json:
    ident = f"{resource_type.lower()}-{number}"
    narrative = f"{kind.display}; entry {number}; {kind.value} {kind.unit}. "
    return {
        "resourceType": resource_type,
        "id": ident,
        "meta": {
            "versionId": "1",
            "lastUpdated": f"{_day(0)}T06:00:00.000+00:00",
            "profile": [f"{_US_CORE}/{profile}"],
        },
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{narrative}{_PADDING[:170]}</p></div>',
        },
        "identifier": [{"use": "official", "system": "https://ehr.example/ids", "value": f"{ident}-of-{PATIENT}"}],
        "encounter": {"reference": f"Encounter/bench-{number // 7}", "display": "Office visit"},
    }


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _day(before: int) -> str:
    """The day that many days before `AS_OF`."""
    return (AS_OF - dt.timedelta(days=before)).isoformat()
