"""Doses and supplies of drugs that go on: denosumab, zoledronate, oral bisphosphonates."""

from __future__ import annotations

from cds_service.clinical.due.days import Due, counted, later, newest, undated
from cds_service.clinical.facts.doses import DoseGiven
from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient
from cds_service.kernel.facts import Fact, Gap, GapKind, Unknown
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth


def denosumab(p: Patient, t: Thresholds) -> Fact[Due]:
    """The next dose: six months after the last one, late from seven (SAF-06, GC-16)."""
    return _dose(p, "denosumab", t["monitoring.denosumab-months"], t.days("acr2022.denosumab-late-months"))


def zoledronate(p: Patient, t: Thresholds) -> Fact[Due]:
    """The next yearly dose, late from 15 months (MON-03)."""
    return _dose(p, "zoledronic_acid", t["monitoring.zoledronate-months"], t.days("policy.zoledronate-months"))


def _dose(p: Patient, ingredient: str, interval: Threshold, late_months: int) -> Fact[Due]:
    series, given = p.doses(ingredient), doses_given(p, ingredient)
    if not given:
        return Unknown(series.gaps or (Gap(GapKind.NOT_RECORDED, "last-dose", ingredient.replace("_", " ")),))
    last = newest(dose.on for dose in given)
    on, late = later(last, months=int(interval.value)), later(last, months=late_months)
    return counted(p.as_of, f"dose-{ingredient}", on, interval, (given[0].evidence,), late=late, newer=series.gaps)


def doses_given(p: Patient, ingredient: str) -> list[DoseGiven]:
    """The doses that certainly reached the patient, newest first."""
    return [dose for dose in p.doses(ingredient).items if dose.given is Truth.YES]


def oral_supply(p: Patient, t: Thresholds) -> Fact[Due]:
    """The refill of an oral bisphosphonate that is still ordered: the day after the last supply; late after a gap (MON-03).

    Unknown where no supply is on record: nobody can tell from orders whether tablets were fetched.
    """
    interval = t["monitoring.refill-gap-days"]
    ordered = {each.drug for each in oral_bisphosphonates(p) if each.current is not Truth.NO}
    told = [each for each in p.supplies.items if each.drug in ordered]
    if not told:
        return Unknown(p.supplies.gaps or (Gap(GapKind.NOT_RECORDED, "supply"),))
    unclear = tuple(undated("supply", each.evidence) for each in told if each.until is None)
    ends = [each.until for each in told if each.until]
    if not ends:
        return Unknown((*unclear, *p.supplies.gaps))
    until = newest(ends)
    late = later(until, days=int(interval.value))
    newer = (*unclear, *p.supplies.gaps)
    return counted(p.as_of, "supply", later(until, days=1), interval, (told[0].evidence,), late=late, newer=newer)


def oral_bisphosphonates(p: Patient) -> list[Therapy]:
    """Tablets, past and present."""
    return [each for each in p.therapies.items if each.drug_class is DrugClass.BISPHOSPHONATE_ORAL]
