"""Denosumab that is late, and what follows it: shared by GC-16, SAF-06 and LAB-02."""

from __future__ import annotations

from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient, shared
from cds_service.kernel.criteria import Criterion, holds
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, some

# A PTH/PTHrP analogue after denosumab does not stop the rebound: ACR asks for an antiresorptive, or romosozumab and then one.
_FOLLOW_ON = frozenset(
    {
        DrugClass.BISPHOSPHONATE,
        DrugClass.BISPHOSPHONATE_ORAL,
        DrugClass.BISPHOSPHONATE_IV,
        DrugClass.ROMOSOZUMAB,
        DrugClass.SERM,
    }
)


def last_dose(p: Patient) -> DateSpan | None:
    """When the last dose of denosumab on record was given."""
    return next((each.last for each in _denosumab(p) if each.last), None)


@shared
def denosumab_late(p: Patient, t: Thresholds) -> Criterion:
    """The last dose on record is seven months ago or more."""
    given = _denosumab(p)
    truths = [_late(each, p, t) for each in given]
    truth = some(truths + [Truth.UNKNOWN] * bool(p.therapies.gaps and not given))
    gaps = (*p.therapies.gaps, Gap(GapKind.NOT_RECORDED, "denosumab-last-dose"))
    return holds("denosumab-late", truth, tuple(each.evidence for each in given), gaps)


def denosumab_followed(p: Patient) -> Criterion:
    """Another drug that holds the gain is taken now, or was taken after the last dose; or the next dose is being ordered."""
    holding = _FOLLOW_ON | {DrugClass.DENOSUMAB}
    ordered = [each for each in p.ordered_therapies if each.drug_class in holding and each.current is Truth.YES]
    if ordered:
        return holds("therapy-ordered", Truth.YES, tuple(each.evidence for each in ordered))
    last = last_dose(p)
    others = [(_follows(each, last), each) for each in p.therapies.items if each.drug_class in _FOLLOW_ON]
    truth = some([truth for truth, _ in others] + [Truth.UNKNOWN] * bool(p.therapies.gaps))
    counted = tuple(each.evidence for followed, each in others if followed is not Truth.NO)
    doubts = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource)
        for followed, each in others
        if followed is Truth.UNKNOWN
    )
    return holds("followed-by-another-drug", truth, counted, (*doubts, *p.therapies.gaps))


def _follows(other: Therapy, last: DateSpan | None) -> Truth:
    if last is None or other.last is None:
        return other.current
    if other.last.earliest > last.latest:
        return Truth.YES
    return other.current


def _denosumab(p: Patient) -> list[Therapy]:
    return [each for each in p.therapies.items if each.drug_class is DrugClass.DENOSUMAB]


def _late(given: Therapy, p: Patient, t: Thresholds) -> Truth:
    if given.last is None:
        return Truth.UNKNOWN
    limit = plus_months(p.as_of, -t.days("acr2022.denosumab-late-months"))
    if given.last.latest <= limit:
        return Truth.YES
    return Truth.NO if given.last.earliest > limit else Truth.UNKNOWN
