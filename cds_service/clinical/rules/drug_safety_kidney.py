"""Safety of an osteoporosis drug that is taken: kidney function (rule book SAF-02, SAF-03, SAF-05)."""

from __future__ import annotations

from cds_service.clinical.facts.therapies import DrugClass
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.contraindications import (
    contraindication_clearance_30,
    contraindication_clearance_35,
    contraindication_denosumab_kidney,
)
from cds_service.clinical.rules.drug_safety import CARD, LABELS
from cds_service.clinical.rules.drugs_taken import Taken, about_those_on, named, of_class, taken, warned
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.rules import Finding, Json, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_READS = ("therapies", "clearance", "egfr")
_MEASURES = {
    "clearance-below": "creatinine clearance",
    "egfr-below": "eGFR",
    "kidney-disease-4-5": "diagnosis",
    "dialysis": "dialysis",
}


def _kidney(criterion: Criterion) -> dict[str, Json]:
    """Which measure decided, its value and its date."""
    for leaf in criterion.reasons():
        if leaf.truth is Truth.YES:
            on = next((str(shown.on) for shown in leaf.evidence if shown.on), "")
            limit = {"kidney_limit": str(leaf.threshold.value)} if leaf.threshold else {}
            return {"kidney_measure": _MEASURES[leaf.key], "kidney_found": leaf.found, "kidney_on": on, **limit}
    return {}


@rule(
    "SAF-02",
    sets=LABELS,
    card=CARD,
    check="V2",
    strength="label",
    source="label_us",
    reads=_READS,
    critical_because="The label of zoledronic acid names a creatinine clearance below 35 mL/min as a contraindication.",
)
@about_those_on("alendronate-or-zoledronate-now", named("alendronate", "zoledronic acid"))
def alendronate_or_zoledronate_and_kidney(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Alendronate or zoledronic acid is taken, and kidney function is below the limit of the label.

    What it looks for: creatinine clearance by Cockcroft-Gault, with actual weight, below 35 mL/min: critical for zoledronic
    acid, a warning for alendronate. Where the clearance cannot be computed: eGFR below 35, which is the number of ACR 2022
    for bisphosphonates, dialysis, or chronic kidney disease of stage 4 or 5. The card says which was used.

    Why it matters: bisphosphonates leave the body through the kidney; the labels set a lower limit.

    When it stays silent: a clearance of 35 or more. An eGFR of 35 or more is no clearance: then the answer is "cannot
    tell". Acute kidney failure has no verified code.

    Sources: drug labels, read in a restatement; ACR 2022, text (eGFR).
    """
    zoledronate = taken(p, "zoledronate-now", named("zoledronic acid"))
    against = contraindication_clearance_35(p, t)
    critical = zoledronate.criterion.truth is Truth.YES
    values = _kidney(against) | {"critical": critical}
    return warned(drug, against, Level.CRITICAL if critical else Level.WARNING, values, (Proposal("metabolic-panel"),))


@rule("SAF-03", sets=LABELS, card=CARD, check="V2", strength="label", source="label_us", reads=_READS)
@about_those_on("risedronate-or-ibandronate-now", named("risedronate", "ibandronate"))
def risedronate_or_ibandronate_and_kidney(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Risedronate or ibandronate is taken, and kidney function is below the limit of the label.

    What it looks for: creatinine clearance by Cockcroft-Gault, with actual weight, below 30 mL/min. Where it cannot be
    computed: eGFR below 35, the number of ACR 2022 for all bisphosphonates, dialysis, or chronic kidney disease of stage 4
    or 5. The card says which was used.

    Why it matters: bisphosphonates leave the body through the kidney; the labels set a lower limit.

    When it stays silent: a clearance of 30 or more; a higher eGFR alone gives "cannot tell".

    Sources: drug labels, read in a restatement; ACR 2022, text (eGFR).
    """
    against = contraindication_clearance_30(p, t)
    return warned(drug, against, Level.WARNING, _kidney(against), (Proposal("metabolic-panel"),))


@rule(
    "SAF-05",
    sets=LABELS,
    card=CARD,
    check="V",
    strength="label-boxed",
    source="label_us",
    reads=("therapies", "egfr"),
    critical_because="Boxed warning of the United States label: severe hypocalcaemia in advanced kidney disease.",
)
@about_those_on("denosumab-now", of_class(DrugClass.DENOSUMAB))
def denosumab_and_kidney(p: Patient, t: Thresholds, drug: Taken) -> Finding:
    """Denosumab is taken, and eGFR is below 30 or the patient is on dialysis.

    What it looks for: the latest eGFR of the last six months (three in chronic kidney disease of stage 4 or 5) below 30;
    dialysis; chronic kidney disease of stage 4 or 5 on record where no eGFR counts.

    Why it matters: severe hypocalcaemia. The mineral and bone disorder of kidney disease is looked for, and somebody who
    knows it supervises the treatment.

    When it stays silent: eGFR 30 or more and no dialysis.

    Sources: openFDA, denosumab, boxed warning (January 2024); all brands.
    """
    against = contraindication_denosumab_kidney(p, t)
    propose = (Proposal("metabolic-panel"), Proposal("pth-test"), Proposal("vitamin-d-test"))
    return warned(drug, against, Level.CRITICAL, _kidney(against), propose)


RULES: tuple[Rule, ...] = (
    alendronate_or_zoledronate_and_kidney,
    risedronate_or_ibandronate_and_kidney,
    denosumab_and_kidney,
)
