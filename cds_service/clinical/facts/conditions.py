"""Diagnoses on record, by concept of the value sets."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import activity, ahead, begun, newest_first
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import name_of, when
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS,)

# these also stand as Procedures: a kidney transplant, a session of dialysis
_ALSO_PROCEDURES = frozenset({"cond.dialysis", "cond.transplant"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One diagnosis.

    Attributes:
        concept: the concept of the value sets that matched.
        text: what it is, in our own words.
        on: when it began; "by <date>" when only the recording is dated; `None` when nothing is.
        active: whether it is still there; unknown when the record does not say.
        disputed: true when the same concept is also on record as refuted (D10).
        evidence: what shows it.
    """

    concept: str
    text: str
    on: DateSpan | None
    active: Truth
    disputed: bool
    evidence: Evidence


def diagnoses(chart: Chart, *concepts: str) -> Series[Diagnosis]:
    """Every diagnosis of those concepts, past and present, newest first; the same one told twice counts once (D11)."""
    found: dict[tuple[str, str], Diagnosis] = {}
    procedures = tuple(c for c in concepts if c in _ALSO_PROCEDURES)
    told = [
        *chart.find("Condition", *concepts),
        *(chart.find("Procedure", *procedures) if procedures else ()),
    ]
    for each in told:
        diagnosis = _diagnosis(chart, each, concepts)
        if diagnosis is None:
            continue
        key = diagnosis.concept, str(diagnosis.on)
        known = found.get(key)
        if known is None or (known.active is not Truth.YES and diagnosis.active is Truth.YES):
            found[key] = diagnosis
    wanted = (*NEEDS, needs.PROCEDURES) if procedures else NEEDS
    ordered = sorted(found.values(), key=lambda d: newest_first(d.on))
    return Series(tuple(ordered), chart.gaps(*wanted))


def still_active(series: Series[Diagnosis]) -> Series[Diagnosis]:
    """Those that are active, or not said to be over."""
    return Series(tuple(d for d in series.items if d.active is not Truth.NO), series.gaps)


def _diagnosis(chart: Chart, found: Found, concepts: tuple[str, ...]) -> Diagnosis | None:
    resource = found.resource
    procedure = resource.get("resourceType") == "Procedure"
    on = when(resource) if procedure else begun(chart, resource)
    if ahead(chart, resource, on):
        return None
    matched = {entry.concept for entry in found.entries}
    concept = next(c for c in concepts if c in matched)
    active = Truth.UNKNOWN if procedure else activity(resource, chart.as_of)
    disputed = any(True for _ in chart.refuted(concept))
    text = label(concept)
    return Diagnosis(concept, text, on, active, disputed, Evidence("diagnosis", text, on, name_of(resource)))


_LABELS = {
    "cond.ckd": "chronic kidney disease",
    "cond.ckd_4_5": "chronic kidney disease stage 4 or 5",
    "cond.mi": "myocardial infarction",
    "cond.mgus": "monoclonal gammopathy",
    "cond.onj": "osteonecrosis of the jaw",
    "cond.paget": "Paget's disease of bone",
    "cond.vte": "venous thromboembolism",
    "cond.lupus": "systemic lupus erythematosus",
    "cond.cushing": "Cushing's syndrome",
    "cond.vitamin_d_deficiency": "vitamin D deficiency",
    "cond.oesophageal": "oesophageal disease",
    "cond.oesophageal_barrett": "Barrett's oesophagus",
    "cond.oesophageal_delayed_emptying": "oesophageal disease that delays emptying",
    "menopause.premature_or_surgical": "premature or surgical menopause",
    "ms.condition": "multiple sclerosis",
}


def label(concept: str) -> str:
    """The words for a concept: "cond.adrenal_insufficiency" is "adrenal insufficiency"."""
    return _LABELS.get(concept) or concept.partition(".")[2].replace("_", " ").replace(".", ", ")
