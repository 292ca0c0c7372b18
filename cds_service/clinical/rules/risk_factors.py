"""Clinical risk factors that screening guidelines count, each as far as a record can show it.

Guidelines name them; what a name covers here is this project's reading:

* fragility fracture: low-trauma, in adult life, not of hand, foot, skull or face (DEF-07);
* glucocorticoids: long-term use as the site reads it (D1, D2); relapse pulses and short courses do not count;
* secondary cause: the diseases of ACR's clinical risk assessment, those that FRAX counts as secondary osteoporosis, and
  the others that the terminology lists as secondary causes; multiple sclerosis is on none of these lists;
* drugs: glucocorticoids, enzyme-inducing anticonvulsants for six months, aromatase inhibitors, GnRH analogues and androgen
  deprivation, depot medroxyprogesterone; proton pump inhibitors, antidepressants and heparins are not counted;
* falls, low BMI, current smoking, hip fracture of a parent, alcohol in drinks a day.
"""

from __future__ import annotations

from cds_service.clinical.concepts import long_term_use, prior_fracture
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.lifestyle import Smoking
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import on_record, taken_now
from cds_service.clinical.rules.multiple_sclerosis import anticonvulsant_long
from cds_service.kernel.criteria import Criterion, any_of, at_least, holds, true
from cds_service.kernel.facts import Known, Unknown
from cds_service.kernel.quantities import between
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

FRAGILITY_SITES = frozenset(FractureSite) - {FractureSite.ELSEWHERE}
SECONDARY_CAUSES = (
    "cond.anorexia_nervosa",
    "cond.ankylosing_spondylitis",
    "cond.chronic_liver",
    "cond.cushing",
    "cond.diabetes_type_1",
    "cond.hyperparathyroidism",
    "cond.hyperparathyroidism_primary",
    "cond.hyperthyroidism",
    "cond.hypogonadism",
    "cond.lupus",
    "cond.malabsorption",
    "cond.osteogenesis_imperfecta",
    "cond.rheumatoid_arthritis",
)
_HORMONE_DRUGS = ("comed.aromatase_inhibitor", "comed.gnrh_adt", "comed.dmpa")


@shared
def fragility_fracture(p: Patient, t: Thresholds) -> Criterion:
    """A low-trauma fracture in adult life, hand, foot, skull and face apart."""
    return prior_fracture(p, FRAGILITY_SITES, "fragility-fracture")


@shared
def secondary_cause(p: Patient, t: Thresholds) -> Criterion:
    """A disease that costs bone and is not said to be over, or premature menopause, which never is."""
    return any_of(
        on_record("secondary-cause", still_active(p.diagnoses(*SECONDARY_CAUSES))),
        on_record("premature-menopause", p.diagnoses("menopause.premature_or_surgical")),
    )


@shared
def bone_harming_drug(p: Patient, t: Thresholds) -> Criterion:
    """A drug that costs bone, taken now."""
    return any_of(
        long_term_use(p, t).criterion,
        anticonvulsant_long(p, t),
        taken_now("hormone-lowering-drug", p.current_drugs(*_HORMONE_DRUGS)),
    )


@shared
def smokes(p: Patient, t: Thresholds) -> Criterion:
    """Smokes now, however much."""
    match p.smoking:
        case Known(value, evidence):
            return holds("smokes", Truth.of(value is Smoking.CURRENT), evidence)
        case Unknown(gaps):
            return holds("smokes", Truth.UNKNOWN, gaps=gaps)


@shared
def parent_broke_hip(p: Patient, t: Thresholds) -> Criterion:
    """Mother or father broke a hip."""
    return true("parental-hip-fracture", p.parental_hip_fracture)


@shared
def drinks(p: Patient, t: Thresholds) -> Criterion:
    """Three drinks of alcohol a day or more, as recorded; what a drink holds differs between countries."""
    return at_least("alcohol-at-least", p.alcohol, t["policy.alcohol-drinks"])


def at_least_so_many(key: str, factors: tuple[Criterion, ...], limit: Threshold) -> Criterion:
    """Do at least so many of them hold? What is unknown may hold or not."""
    sure = [each for each in factors if each.truth is Truth.YES]
    open_ = [each for each in factors if each.truth is Truth.UNKNOWN]
    shown = tuple(evidence for each in sure for leaf in each.reasons() for evidence in leaf.evidence)
    doubts = tuple(dict.fromkeys(gap for each in open_ for gap in each.open_gaps()))
    counted = between(len(sure), len(sure) + len(open_))
    return at_least(key, Known(counted, shown, doubts), limit)
