"""What risk models may ask about a patient, from the facts that rules read.

A key stands here only where the value sets have codes to look for it: "no" then means looked for and not found. What a
model asks for beyond that (dementia, for example) was not looked for, and the model has to say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.risk_models import RiskInputs
from cds_service.clinical.rules.common import on_record, taken_now
from cds_service.kernel.criteria import Criterion, holds, true
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.truth import Truth

# Diagnoses that were ever made.
_DIAGNOSES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "bone-metastasis": ("cond.bone_metastasis",),
        "chronic-kidney-disease": ("cond.ckd", "cond.ckd_4_5"),
        "chronic-liver-disease": ("cond.chronic_liver",),
        "cushing-syndrome": ("cond.cushing",),
        "diabetes-type-1": ("cond.diabetes_type_1",),
        "diabetes-type-2": ("cond.diabetes_type_2",),
        "hyperparathyroidism": ("cond.hyperparathyroidism", "cond.hyperparathyroidism_primary"),
        "hyperthyroidism": ("cond.hyperthyroidism",),
        "lupus": ("cond.lupus",),
        "malabsorption": ("cond.malabsorption",),
        "myeloma": ("cond.myeloma",),
        "myocardial-infarction": ("cond.mi",),
        "rheumatoid-arthritis": ("cond.rheumatoid_arthritis",),
        "stroke": ("cond.stroke",),
    }
)
# Drugs that are taken now.
_DRUGS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "enzyme-inducing-anticonvulsant": ("comed.enzyme_inducing_aed",),
        "hormone-therapy": ("therapy.hormone", "therapy.status.hormone"),
        "ssri-or-snri": ("comed.ssri_snri",),
    }
)
# The value set also has baclofen and tizanidine, which are no anticonvulsants.
_GABAPENTINOIDS = frozenset({"gabapentin", "pregabalin"})
_SEDATING = "comed.ms_symptomatic_sedating"
_MAJOR = frozenset({FractureSite.HIP, FractureSite.VERTEBRA, FractureSite.WRIST, FractureSite.HUMERUS})
# Models ask for prescriptions in the six months before (QFracture) or three months of use (FRAX).
_GLUCOCORTICOID_MONTHS = 6


def risk_inputs(p: Patient) -> RiskInputs:
    """Everything a model may ask."""
    return RiskInputs(p.as_of, p.age, p.sex, p.bmi, p.smoking, p.alcohol, {each.key: each for each in _found(p)})


def _found(p: Patient) -> Iterator[Criterion]:
    for key, concepts in _DIAGNOSES.items():
        yield on_record(key, p.diagnoses(*concepts))
    for key, concepts in _DRUGS.items():
        yield taken_now(key, p.current_drugs(*concepts))
    sedating = p.current_drugs(_SEDATING)
    yield taken_now(
        "gabapentinoid", Series(tuple(d for d in sedating.items if d.drug in _GABAPENTINOIDS), sedating.gaps)
    )
    yield _glucocorticoid(p)
    yield on_record("fall", p.falls)
    yield _major_fracture(p)
    yield true("parental-hip-fracture", p.parental_hip_fracture)


def _glucocorticoid(p: Patient) -> Criterion:
    """A systemic glucocorticoid on any of the last days; the dose is not asked."""
    first = plus_months(p.as_of, -_GLUCOCORTICOID_MONTHS)
    some = p.exposure.total(first, p.as_of).more_than(Decimal(0))
    return holds("glucocorticoid", some, p.exposure.shown_by(first, p.as_of), p.exposure.doubts(first, p.as_of))


def _major_fracture(p: Patient) -> Criterion:
    """Hip, spine, wrist or upper arm, in adult life; a fracture of an unstated site may be one of these."""
    series = p.fractures
    found = tuple(each.evidence for each in series.items if each.site in _MAJOR)
    unstated = tuple(
        Gap(GapKind.NOT_RECORDED, "fracture-site", "", each.evidence.resource)
        for each in series.items
        if each.site is FractureSite.OTHER
    )
    open_ = (*unstated, *series.gaps)
    truth = Truth.YES if found else Truth.UNKNOWN if open_ else Truth.NO
    return holds("major-fracture", truth, found, open_)
