"""What speaks against an osteoporosis drug: one function for each row of the rule book (4.3).

None of them asks whether the drug is taken: the rules of `drug_safety*.py` ask that at chart open, and the same criteria hold
for a drug that is being ordered.
"""

from __future__ import annotations

from cds_service.clinical.concepts import tentative, within_months
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.facts.mobility import MobilityKind
from cds_service.clinical.needs import FUNCTION
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import aid_on_record, on_record
from cds_service.clinical.rules.glucocorticoid_treatment import known_pregnant
from cds_service.clinical.rules.recent_results import (
    calcium_high,
    calcium_low,
    calcium_low_before_adjustment,
    clearance_below,
    egfr_below,
    on_dialysis,
    staged,
)
from cds_service.clinical.rules.vitamin_d import UNIT_KEY, latest
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, ever, holds, less_than, true
from cds_service.kernel.facts import GapKind, Known, Unknown
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

NEVER_MEASURED = frozenset({GapKind.NOT_RECORDED, GapKind.TOO_OLD})


# --- oral bisphosphonates (SAF-01) -----------------------------------------------------------------------------------
def contraindication_oesophagus(p: Patient, t: Thresholds) -> Criterion:
    """An oesophagus that empties slowly: stricture, achalasia."""
    return on_record("oesophagus-empties-slowly", still_active(p.diagnoses("cond.oesophageal_delayed_emptying")))


def contraindication_upright(p: Patient, t: Thresholds) -> Criterion:
    """Signs that the patient cannot sit or stand upright for 30 minutes: bed, or EDSS 8.0 and more.

    EDSS is a scale of multiple sclerosis: that there is none says nothing about anybody else.
    """
    edss = tentative(at_least("edss-at-least", p.edss, t["label_us.upright-edss"]), p.chart.gaps(FUNCTION))
    if edss.truth is not Truth.YES:
        edss = all_of(on_record("ms", p.ms), edss)
    return any_of(aid_on_record(p, "in-bed", MobilityKind.BEDBOUND), edss)


def caution_barrett(p: Patient, t: Thresholds) -> Criterion:
    """Barrett's oesophagus; it stays, so that "resolved" is not looked at."""
    return on_record("barrett", p.diagnoses("cond.oesophageal_barrett"))


# --- kidney (SAF-02, SAF-03, SAF-05) ---------------------------------------------------------------------------------
def contraindication_clearance_35(p: Patient, t: Thresholds) -> Criterion:
    """Kidney function below the limit of alendronate and zoledronate."""
    return clearance_below(p, t, t["label_us.alendronate-zoledronate-clearance"])


def contraindication_clearance_30(p: Patient, t: Thresholds) -> Criterion:
    """Kidney function below the limit of risedronate and ibandronate."""
    return clearance_below(p, t, t["label_us.risedronate-ibandronate-clearance"])


def contraindication_denosumab_kidney(p: Patient, t: Thresholds) -> Criterion:
    """Advanced kidney disease under denosumab: eGFR below 30, dialysis, or stage 4 or 5 where no eGFR counts."""
    measured = egfr_below(p, t, t["label_us.denosumab-egfr"])
    return any_of(measured, on_dialysis(p, t), *staged(p, measured))


# --- calcium and vitamin D (SAF-04, SAF-12) --------------------------------------------------------------------------
def contraindication_hypocalcaemia(p: Patient, t: Thresholds) -> Criterion:
    """Calcium, adjusted for albumin, below the limit; a diagnosis where no result that counts decides."""
    measured = calcium_low(p, t)
    if measured.truth is not Truth.UNKNOWN:
        return measured
    return any_of(measured, on_record("hypocalcaemia", still_active(p.diagnoses("cond.hypocalcaemia"))))


def caution_unadjusted_calcium(p: Patient, t: Thresholds) -> Criterion:
    """A low total calcium that nobody has adjusted for albumin: a sign, not more."""
    return calcium_low_before_adjustment(p, t)


def vitamin_d_low(p: Patient, t: Thresholds) -> Criterion:
    """25(OH)D below 20 ng/mL (50 nmol/L), compared in the unit reported (DEF-11)."""
    match latest(p, t):
        case Known(result, evidence, doubts):
            limit = t[f"label_eu.parenteral-vitamin-d.{UNIT_KEY[result.unit]}"]
            return tentative(less_than("vitamin-d-below", Known(result.value, evidence, doubts), limit), doubts)
        case Unknown(gaps):
            return holds("vitamin-d-not-known", Truth.UNKNOWN, gaps=gaps)


def contraindication_vitamin_d(p: Patient, t: Thresholds) -> Criterion:
    """25(OH)D low, or looked for and not known.

    Not known is a finding of its own only where the look-up completed and every result could be read (S2).
    """
    found = vitamin_d_low(p, t)
    if found.gaps and {gap.kind for gap in found.gaps} <= NEVER_MEASURED:
        return holds("vitamin-d-not-known", Truth.YES)
    return found


# --- romosozumab, raloxifene, PTH analogues (SAF-08 to SAF-11) -------------------------------------------------------
def event_within(p: Patient, months: Threshold) -> Criterion:
    """A heart attack or stroke in the last so many months."""
    events = p.diagnoses("cond.mi", "cond.stroke")
    recent = [
        within_months("mi-or-stroke-recent", each.on, p.as_of, int(months.value), each.evidence)
        for each in events.items
    ]
    another = holds("mi-or-stroke-other", Truth.UNKNOWN if events.gaps else Truth.NO, gaps=events.gaps)
    return any_of(*recent, another)


def contraindication_romosozumab_us(p: Patient, t: Thresholds) -> Criterion:
    """A heart attack or stroke in the year before."""
    return event_within(p, t["label_us.romosozumab-event-months"])


def contraindication_romosozumab_eu(p: Patient, t: Thresholds) -> Criterion:
    """A heart attack or stroke at any time."""
    return ever("mi-or-stroke-ever", p.diagnoses("cond.mi", "cond.stroke"))


def contraindication_raloxifene(p: Patient, t: Thresholds) -> Criterion:
    """Venous thromboembolism, active or past."""
    return ever("venous-thromboembolism", p.diagnoses("cond.vte"))


def caution_raloxifene_immobility(p: Patient, t: Thresholds) -> Criterion:
    """Prolonged immobilisation: wheelchair or bed."""
    return aid_on_record(p, "long-immobile", MobilityKind.WHEELCHAIR, MobilityKind.BEDBOUND)


def caution_pth_analogue(p: Patient, t: Thresholds) -> Criterion:
    """Paget's disease, cancer in bone, irradiation, high calcium."""
    measured = calcium_high(p, t)
    named = (on_record("hypercalcaemia", still_active(p.diagnoses("cond.hypercalcaemia"))),)
    return any_of(
        on_record("paget", p.diagnoses("cond.paget")),
        on_record("skeletal-malignancy", p.diagnoses("cond.myeloma", "cond.bone_metastasis")),
        on_record("irradiation", p.diagnoses("cond.irradiation")),
        measured,
        *(named if measured.truth is Truth.UNKNOWN else ()),
    )


# --- jaw, femur, pregnancy (SAF-13 to SAF-15) ------------------------------------------------------------------------
def caution_jaw(p: Patient, t: Thresholds) -> Criterion:
    """Osteonecrosis of the jaw; codes that may mean another disease of the jaw or another bone do not count."""
    return on_record("jaw-osteonecrosis", p.diagnoses("cond.onj"))


def contraindication_atypical_fracture(p: Patient, t: Thresholds) -> Criterion:
    """An atypical femoral fracture at any time."""
    return ever("atypical-femoral-fracture", p.atypical_fractures)


def contraindication_pregnancy(p: Patient, t: Thresholds) -> Criterion:
    """Known to be pregnant."""
    return known_pregnant(p)


def caution_pregnancy_possible(p: Patient, t: Thresholds) -> Criterion:
    """May become pregnant, as far as the record tells."""
    return true("pregnancy-possible", p.pregnancy_possible)
