"""Laboratory results and measurements as FHIR JSON text."""

from __future__ import annotations


def result(
    code: str,
    value: str,
    unit: str = "",
    on: str = "2026-05-01",
    ident: str = "r1",
    status: str = "final",
    text: str = "",
) -> str:
    """An Observation with a LOINC code ("" for none); a value that is no number is written as an element of its own."""
    date = f'"effectiveDateTime": "{on}", ' if on else ""
    coding = f'"coding": [{{"system": "http://loinc.org", "code": "{code}"}}]' if code else ""
    words = f'"text": "{text}"' if text else ""
    told = value if '"' in value else f'"valueQuantity": {{"value": {value}, "unit": "{unit}"}}'
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "{status}", {date}'
        f'"code": {{{", ".join(part for part in (coding, words) if part)}}}, {told}}}'
    )


def patient(born: str = "1964-01-01", gender: str = "female") -> str:
    """A Patient; "" leaves birth date or gender out."""
    parts = [f'"{key}": "{value}"' for key, value in (("birthDate", born), ("gender", gender)) if value]
    return f'{{"resourceType": "Patient", "id": "p1", {", ".join(parts)}}}'
