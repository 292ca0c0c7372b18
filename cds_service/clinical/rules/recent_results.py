"""Laboratory results that still count: how old they may be (rule book 7), and what they show about calcium and kidney."""

from __future__ import annotations

from dataclasses import replace

from cds_service.clinical.concepts import tentative
from cds_service.clinical.facts.conditions import still_active
from cds_service.clinical.facts.laboratory import Lab
from cds_service.clinical.patient import Patient, shared
from cds_service.kernel.criteria import Criterion, any_of, ever, holds, less_than
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, plain
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

_DIALYSIS_SESSION = "Procedure/"


# --- how old ---------------------------------------------------------------------------------------------------------
def lab_value(lab: Fact[Lab]) -> Fact[Interval]:
    """The number of a laboratory result, in the unit it was reported in."""
    match lab:
        case Known(value, evidence, doubts):
            return Known(value.value, evidence, doubts)
        case unknown:
            return unknown


def still_counts(p: Patient, t: Thresholds, lab: Fact[Lab], months: str) -> Fact[Lab]:
    """The result, unless it is too old.

    In chronic kidney disease of stage 4 or 5 it counts for less long. Between the two limits what it shows still
    counts as found; that it does not show something proves nothing any more (S2), so that it has a doubt there.

    Args:
        p: the patient.
        t: the numbers in force.
        lab: the latest result.
        months: key of the usual limit ("laboratory.calcium-months").
    """
    match lab:
        case Unknown():
            return lab
        case Known(value, evidence, doubts):
            if too_old := stale(p, value.on, value.evidence, value.analyte, t.days(months)):
                return Unknown((too_old,))
            sooner = stale(p, value.on, value.evidence, value.analyte, t.days("laboratory.severe-ckd-months"))
            if sooner is None:
                return lab
            severe = still_active(p.diagnoses("cond.ckd_4_5"))
            more = (sooner,) if severe.items else severe.gaps
            return Known(value, evidence, (*doubts, *more))


def stale(p: Patient, on: DateSpan | None, shown: Evidence, what: str, months: int) -> Gap | None:
    """Why a result that old does not count; nothing when it does."""
    since = plus_months(p.as_of, -months)
    if on is not None and on.latest < since:
        return Gap(GapKind.TOO_OLD, what, str(on), shown.resource)
    if on is None or on.earliest < since:
        return Gap(GapKind.NOT_RECORDED, "date", "", shown.resource)
    return None


# --- kidney ----------------------------------------------------------------------------------------------------------
def egfr_below(p: Patient, t: Thresholds, limit: Threshold) -> Criterion:
    """Is the latest eGFR that still counts below the limit?"""
    egfr = lab_value(still_counts(p, t, p.egfr, "laboratory.creatinine-months"))
    return tentative(less_than("egfr-below", egfr, limit), egfr.doubts if isinstance(egfr, Known) else ())


def clearance_below(p: Patient, t: Thresholds, limit: Threshold) -> Criterion:
    """Is the kidney function below a limit that a drug label gives as creatinine clearance?

    The clearance decides. Where it cannot be told, an eGFR below the number of ACR 2022, dialysis or a diagnosis of stage
    4 or 5 is enough for a yes; a higher eGFR is no creatinine clearance and never gives a no.
    """
    doubts = p.clearance.doubts if isinstance(p.clearance, Known) else ()
    by_clearance = tentative(less_than("clearance-below", p.clearance, limit), doubts)
    if by_clearance.truth is not Truth.UNKNOWN:
        return by_clearance
    by_egfr = egfr_below(p, t, t["acr2022.bisphosphonate-egfr"])
    return any_of(by_clearance, by_egfr, on_dialysis(p, t), *staged(p, by_egfr))


def staged(p: Patient, measured: Criterion) -> tuple[Criterion, ...]:
    """A diagnosis of chronic kidney disease of stage 4 or 5, where no measurement that counts decides."""
    if measured.truth is not Truth.UNKNOWN:
        return ()
    return (ever("kidney-disease-4-5", still_active(p.diagnoses("cond.ckd_4_5"))),)


def on_dialysis(p: Patient, t: Thresholds) -> Criterion:
    """Dialysis on record as a condition that is not over, or a session as recent as a creatinine has to be."""
    found = still_active(p.diagnoses("cond.dialysis"))
    months = t.days("laboratory.creatinine-months")
    gaps: list[Gap] = list(found.gaps)
    shown: list[Evidence] = []
    for each in found.items:
        session = each.evidence.resource.startswith(_DIALYSIS_SESSION)
        gap = stale(p, each.on, each.evidence, "dialysis", months) if session else None
        if gap is None:
            shown.append(each.evidence)
        elif gap.kind is not GapKind.TOO_OLD:
            gaps.append(gap)
    truth = Truth.YES if shown else Truth.UNKNOWN if gaps else Truth.NO
    return holds("dialysis", truth, tuple(shown), tuple(gaps))


# --- calcium ---------------------------------------------------------------------------------------------------------
def counted_calcium(p: Patient, t: Thresholds) -> Fact[Lab]:
    """The latest calcium that still counts."""
    return still_counts(p, t, p.calcium, "laboratory.calcium-months")


@shared
def calcium_low(p: Patient, t: Thresholds) -> Criterion:
    """Is the calcium, adjusted for albumin, below the laboratory's limit, or below the number where it gives none?

    A total calcium decides only where its albumin cannot change the answer (`_settled`).
    """
    calcium = counted_calcium(p, t)
    return _settled(p, t, calcium, _below_limit(t, calcium), low=True)


@shared
def calcium_low_before_adjustment(p: Patient, t: Thresholds) -> Criterion:
    """Is a total calcium low that nobody has adjusted for albumin, so that the adjusted one may or may not be?"""
    calcium = counted_calcium(p, t)
    found = _below_limit(t, calcium)
    if isinstance(calcium, Known) and calcium.value.adjusted:
        return holds("total-calcium-low", Truth.NO, found.evidence)
    return replace(found, key="total-calcium-low", threshold=None)


@shared
def calcium_high(p: Patient, t: Thresholds) -> Criterion:
    """Is the calcium above the laboratory's limit? Without one nobody can tell; a total calcium: as in `calcium_low`."""
    calcium = counted_calcium(p, t)
    return _settled(p, t, calcium, _above_limit(calcium), low=False)


def _below_limit(t: Thresholds, calcium: Fact[Lab]) -> Criterion:
    number = t["label_eu.calcium-low"]
    match calcium:
        case Unknown(gaps):
            return Criterion("calcium-below", Truth.UNKNOWN, threshold=number, gaps=gaps)
        case Known(lab, evidence, doubts) if lab.low_limit is not None:
            found = f"{lab.evidence.value}, limit {plain(lab.low_limit)}"
            below = holds("calcium-below-laboratory-limit", lab.value.less_than(lab.low_limit), evidence, found=found)
            return tentative(_with_gaps(below, doubts), doubts)
        case Known(lab, evidence, doubts):
            value = Known(lab.in_unit(number.unit), evidence, doubts)
            return tentative(less_than("calcium-below", value, number), doubts)


def _above_limit(calcium: Fact[Lab]) -> Criterion:
    key = "calcium-above-laboratory-limit"
    match calcium:
        case Unknown(gaps):
            return Criterion(key, Truth.UNKNOWN, gaps=gaps)
        case Known(lab, evidence, doubts) if lab.high_limit is not None:
            above = holds(key, lab.value.more_than(lab.high_limit), evidence, found=lab.evidence.value)
            return tentative(_with_gaps(above, doubts), doubts)
        case Known(lab, evidence, _):
            return Criterion(key, Truth.UNKNOWN, evidence, gaps=(Gap(GapKind.NOT_RECORDED, "calcium-limit"),))


def _with_gaps(criterion: Criterion, doubts: tuple[Gap, ...]) -> Criterion:
    """A result between two bounds, "<2.3" or two of one day, is unknown for a reason."""
    if criterion.truth is not Truth.UNKNOWN:
        return criterion
    return replace(criterion, gaps=doubts or (Gap(GapKind.NOT_RECORDED, "exact-value", criterion.found),))


def _settled(p: Patient, t: Thresholds, calcium: Fact[Lab], found: Criterion, *, low: bool) -> Criterion:
    """What a total calcium shows, where adjusting it for albumin could not turn the answer round.

    No correction formula is used. But every one of them leaves the total as it is at 40 g/L, raises it below and
    lowers it above: a low total with an albumin of 40 g/L or more is low, and one that is not low with 40 or less
    is not. The albumin has to be of the same day.
    """
    if not isinstance(calcium, Known) or calcium.value.adjusted or found.truth is Truth.UNKNOWN:
        return found
    neutral = t.number("laboratory.albumin-neutral")
    certain = Truth.UNKNOWN
    shown: tuple[Evidence, ...] = ()
    if isinstance(p.albumin, Known) and not p.albumin.doubts and _same_day(p.albumin.value, calcium.value):
        albumin = p.albumin.value.in_unit("g/L")
        lowers = (found.truth is Truth.YES) is low
        certain = albumin.at_least(neutral) if lowers else albumin.at_most(neutral)
        shown = p.albumin.evidence
    if certain is Truth.YES:
        return replace(found, evidence=(*found.evidence, *shown))
    return replace(found, truth=Truth.UNKNOWN, gaps=(Gap(GapKind.NOT_RECORDED, "calcium-adjusted"),))


def _same_day(one: Lab, other: Lab) -> bool:
    return one.on is not None and one.on.exact and one.on == other.on
