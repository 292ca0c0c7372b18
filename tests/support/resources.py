"""Conditions and Observations as FHIR JSON text."""

from __future__ import annotations

SCT, CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
WHO, LOINC = "http://hl7.org/fhir/sid/icd-10", "http://loinc.org"
RESOLVED = ', "clinicalStatus": {"coding": [{"code": "resolved"}]}'
ACTIVE = ', "clinicalStatus": {"coding": [{"code": "active"}]}'


def condition(code: str, more: str = "", ident: str = "c1", system: str = SCT) -> str:
    coding = f'{{"coding": [{{"system": "{system}", "code": "{code}"}}]}}'
    return f'{{"resourceType": "Condition", "id": "{ident}", "code": {coding}{more}}}'


def observation(code: str, value: str, on: str = "2026-05-01", ident: str = "o1", system: str = SCT) -> str:
    effective = f'"effectiveDateTime": "{on}", ' if on else ""
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", {effective}'
        f'"code": {{"coding": [{{"system": "{system}", "code": "{code}"}}]}}, {value}}}'
    )
