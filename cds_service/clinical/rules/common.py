"""Criteria shared by families of rules beyond glucocorticoids."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from cds_service.clinical.concepts import score_value, taking, total_in, uses_t_scores
from cds_service.clinical.facts.comedication import Medication
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.facts.demographics import Sex
from cds_service.clinical.facts.mobility import MobilityKind
from cds_service.clinical.patient import SCOPE_NEEDS, Patient, shared
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, ever, holds, not_
from cds_service.kernel.facts import Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


def on_record(key: str, series: Series[Any]) -> Criterion:
    """Is the diagnosis on record, active or not stated otherwise?"""
    return ever(key, series)


def chosen(p: Patient, switch: str, *readings: str) -> Criterion:
    """Does the site take one of those readings of a disagreement between guidelines (`switches.toml`)?"""
    taken = p.choice(switch)
    return holds(f"choice-{switch}", Truth.of(taken in readings), found=taken)


@shared
def in_our_groups(p: Patient, t: Thresholds) -> Criterion:
    """The groups the service is for: MS on record, or a systemic glucocorticoid now or in the last year (DESIGN S5)."""
    window = total_in(p.exposure, t.days("policy.scope-days"))
    recent = window.value.more_than(Decimal(0))
    found = any(truth is Truth.YES for truth in (recent, taking(p.exposure).truth))
    open_ = p.chart.gaps(*SCOPE_NEEDS)
    truth = Truth.YES if found else Truth.UNKNOWN if open_ else Truth.NO
    return any_of(on_record("ms", p.ms), holds("gc-recent", truth, window.evidence, open_))


def woman(p: Patient) -> Criterion:
    """Female, as recorded for clinical use."""
    return _of_sex(p, "woman", Sex.FEMALE)


def man(p: Patient) -> Criterion:
    """Male, as recorded for clinical use."""
    return _of_sex(p, "man", Sex.MALE)


def _of_sex(p: Patient, key: str, sex: Sex) -> Criterion:
    match p.sex:
        case Known(value, evidence):
            return holds(key, Truth.of(value is sex), evidence)
        case Unknown(gaps):
            return holds(key, Truth.UNKNOWN, gaps=gaps)


@shared
def low_bone_mass(p: Patient, t: Thresholds) -> Criterion:
    """T-score below normal where T-scores classify, Z-score below the expected range elsewhere."""
    by_t = uses_t_scores(p, t)
    t_low = at_most("t-at-most", score_value(p.lowest_t), t["bhof_iscd.osteoporosis-t"])
    z_low = at_most("z-at-most", score_value(p.lowest_z), t["bhof_iscd.z-below-expected"])
    return any_of(all_of(by_t, t_low), all_of(not_(by_t), z_low))


@shared
def reduced_mobility(p: Patient, t: Thresholds) -> Criterion:
    """EDSS 6.0 or more, walking aid, wheelchair or bed."""
    return any_of(
        aid_on_record(p, "mobility-aid", MobilityKind.WALKING_AID, MobilityKind.WHEELCHAIR, MobilityKind.BEDBOUND),
        at_least("edss-at-least", p.edss, t["ms.edss"]),
    )


def aid_on_record(p: Patient, key: str, *kinds: MobilityKind) -> Criterion:
    """Does the patient get about like that now, as far as the record tells?"""
    aids = tuple(aid.evidence for aid in p.mobility.items if aid.kind in kinds)
    truth = Truth.YES if aids else Truth.UNKNOWN if p.mobility.gaps else Truth.NO
    return holds(key, truth, aids, p.mobility.gaps)


@shared
def does_not_walk(p: Patient, t: Thresholds) -> Criterion:
    """Wheelchair, bed or paralysis on record, or MS with an EDSS at which walking is lost (LIF-05).

    The EDSS counts in MS only: without MS nobody records one, and its absence means nothing.
    """
    return any_of(
        aid_on_record(p, "wheelchair-or-bed", MobilityKind.WHEELCHAIR, MobilityKind.BEDBOUND),
        ever("paralysis", still_active(p.diagnoses("mobility.paralysis"))),
        all_of(on_record("ms", p.ms), at_least("edss-at-least", p.edss, t["lifestyle.no-walking-edss"])),
    )


def taken_now(key: str, series: Series[Medication]) -> Criterion:
    """Is a drug of this kind taken now? A course that only may go on leaves it open."""
    certain = [drug for drug in series.items if drug.current is Truth.YES]
    if certain:
        return holds(key, Truth.YES, tuple(drug.evidence for drug in certain))
    open_ = tuple(Gap(GapKind.NOT_RECORDED, "drug-current", drug.drug, drug.evidence.resource) for drug in series.items)
    if open_ or series.gaps:
        return holds(key, Truth.UNKNOWN, gaps=(*open_, *series.gaps))
    return holds(key, Truth.NO)
