"""DXA results on record as FHIR JSON text, and what is read of them."""

from __future__ import annotations

from cds_service.clinical.facts.bone_density import Measure, lowest, scores
from cds_service.fhir.chart import Chart
from cds_service.kernel.facts import Known

SPINE, HIP, FEMUR, FOREARM, HEEL = "38267-1", "38264-8", "38263-0", "38265-5", "38266-3"
HIP_Z, HIP_BMD = "80933-5", "38261-4"
NO_SITE = "440035002"
WITH_VFA, VFA_ONLY, REPORT = "83014-1", "83051-3", "83311-1"
T_UNIT = ', "unit": "{T-score}"'


def codeable(code: str, text: str = "") -> str:
    system = "http://snomed.info/sct" if len(code) > 7 and "-" not in code else "http://loinc.org"
    words = f', "text": "{text}"' if text else ""
    return f'{{"coding": [{{"system": "{system}", "code": "{code}"}}]{words}}}'


def score(
    number: str,
    code: str = HIP,
    on: str = "2026-05-01",
    ident: str = "s1",
    text: str = "",
    unit: str = T_UNIT,
    more: str = "",
) -> str:
    date = f', "effectiveDateTime": "{on}"' if on else ""
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final"{date}, "code": {codeable(code, text)},'
        f' "valueQuantity": {{"value": {number}{unit}}}{more}}}'
    )


def body_site(text: str) -> str:
    return f', "bodySite": {{"text": "{text}"}}'


def report(code: str = REPORT, conclusion: str = "", on: str = "2026-05-01", ident: str = "r1", more: str = "") -> str:
    words = f', "conclusion": "{conclusion}"' if conclusion else ""
    return (
        f'{{"resourceType": "DiagnosticReport", "id": "{ident}", "status": "final", "effectiveDateTime": "{on}",'
        f' "code": {codeable(code)}{words}{more}}}'
    )


def procedure(code: str, on: str = "2026-05-01", ident: str = "p1", more: str = "") -> str:
    return (
        f'{{"resourceType": "Procedure", "id": "{ident}", "status": "completed", "performedDateTime": "{on}",'
        f' "code": {codeable(code)}{more}}}'
    )


def lowest_t(chart: Chart) -> tuple[str, str, str]:
    fact = lowest(scores(chart), Measure.T)
    assert isinstance(fact, Known)
    return str(fact.value.value), fact.value.site.value, str(fact.value.on)


def sites(chart: Chart) -> list[str]:
    return [each.site.value for each in scores(chart).items]
