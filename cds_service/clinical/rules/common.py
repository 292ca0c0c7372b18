"""Criteria shared by families of rules beyond glucocorticoids."""

from __future__ import annotations

from typing import Any

from cds_service.clinical.concepts import score_value, uses_t_scores
from cds_service.clinical.facts.comedication import Medication
from cds_service.clinical.facts.multiple_sclerosis import MobilityKind
from cds_service.clinical.patient import Patient, shared
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, ever, holds, not_
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


def on_record(key: str, series: Series[Any]) -> Criterion:
    """Is the diagnosis on record, active or not stated otherwise?"""
    return ever(key, series)


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
    return any_of(_aids(p), at_least("edss-at-least", p.edss, t["ms.edss"]))


def _aids(p: Patient) -> Criterion:
    aids = [aid for aid in p.mobility.items if aid.kind is not MobilityKind.REDUCED]
    if aids:
        return holds("mobility-aid", Truth.YES, tuple(aid.evidence for aid in aids))
    return holds("mobility-aid", Truth.UNKNOWN if p.mobility.gaps else Truth.NO, gaps=p.mobility.gaps)


def taken_now(key: str, series: Series[Medication]) -> Criterion:
    """Is a drug of this kind taken now? A course that only may go on leaves it open."""
    certain = [drug for drug in series.items if drug.current is Truth.YES]
    if certain:
        return holds(key, Truth.YES, tuple(drug.evidence for drug in certain))
    open_ = tuple(Gap(GapKind.NOT_RECORDED, "drug-current", drug.drug, drug.evidence.resource) for drug in series.items)
    if open_ or series.gaps:
        return holds(key, Truth.UNKNOWN, gaps=(*open_, *series.gaps))
    return holds(key, Truth.NO)
