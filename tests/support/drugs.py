"""Orders, supplies and doses of osteoporosis drugs as FHIR JSON text."""

from __future__ import annotations

RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
HCPCS, CM = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets", "http://hl7.org/fhir/sid/icd-10-cm"
DENOSUMAB_60, XGEVA, DENOSUMAB = (RXNORM, "993452"), (RXNORM, "1046402"), (RXNORM, "993449")
ALENDRONATE = (RXNORM, "904431")
ACTIVE = ', "authoredOn": "2026-03-01"'


def drug(code: tuple[str, str]) -> str:
    return f'"medicationCodeableConcept": {{"coding": [{{"system": "{code[0]}", "code": "{code[1]}"}}]}}'


def order(code: tuple[str, str], more: str, status: str = "active", ident: str = "m1") -> str:
    return (
        f'{{"resourceType": "MedicationRequest", "id": "{ident}", "status": "{status}", "intent": "order",'
        f" {drug(code)}{more}}}"
    )


def given(code: tuple[str, str], on: str, dose: str = '{"value": 60, "unit": "mg"}', ident: str = "a1") -> str:
    effective = f'"effectiveDateTime": "{on}", ' if on else ""
    return (
        f'{{"resourceType": "MedicationAdministration", "id": "{ident}", "status": "completed", {effective}{drug(code)},'
        f' "dosage": {{"dose": {dose}}}}}'
    )


def dispense(code: tuple[str, str], on: str, days: int = 84, ident: str = "d1") -> str:
    return (
        f'{{"resourceType": "MedicationDispense", "id": "{ident}", "status": "completed", {drug(code)},'
        f' "whenHandedOver": "{on}", "daysSupply": {{"value": {days}, "code": "d"}}}}'
    )
