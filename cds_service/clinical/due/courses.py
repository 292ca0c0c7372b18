"""Courses that end: anabolic drugs, bisphosphonates to be reviewed, and breaks after a full course."""

from __future__ import annotations

import datetime as dt

from cds_service.clinical.concepts import dxa_since
from cds_service.clinical.due.days import Due, State, after, counted, later, most_urgent, newest, undated
from cds_service.clinical.due.doses import doses_given, oral_bisphosphonates
from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient
from cds_service.kernel.criteria import Criterion, any_of, holds
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

ZOLEDRONATE = "zoledronic acid"
_ANABOLIC = frozenset({DrugClass.ROMOSOZUMAB, DrugClass.PTH_ANALOGUE})
# NOGG's intervals by drug; the Endocrine Society has one for all
_NOGG_BREAK = {
    "risedronate": "nogg2024.break-months-risedronate",
    "ibandronate": "nogg2024.break-months-risedronate",
    "alendronate": "nogg2024.break-months-alendronate",
    ZOLEDRONATE: "nogg2024.break-months-zoledronate",
}


def anabolic_end(p: Patient, t: Thresholds) -> Fact[Due]:
    """The end of the anabolic course that is running, after which an antiresorptive follows (TX-08)."""
    running = [each for each in p.therapies.items if each.drug_class in _ANABOLIC and each.current is not Truth.NO]
    if not running:
        return Unknown(p.therapies.gaps or (Gap(GapKind.NOT_RECORDED, "anabolic-course"),))
    therapy = running[0]
    interval = t[f"monitoring.{therapy.drug}-months"]
    if therapy.started is None:
        return Unknown((_start(therapy),))
    on = later(therapy.started, months=int(interval.value))
    return counted(p.as_of, "anabolic-end", on, interval, (therapy.evidence,))


def _start(therapy: Therapy) -> Gap:
    return Gap(GapKind.NOT_RECORDED, "therapy-start", therapy.drug, therapy.evidence.resource)


def reviewed_bisphosphonates(p: Patient) -> list[Therapy]:
    """Bisphosphonates with a usual length of treatment: tablets and zoledronate."""
    return [*oral_bisphosphonates(p), *(each for each in p.therapies.items if each.drug == ZOLEDRONATE)]


def _length(therapy: Therapy, t: Thresholds, stage: str) -> Threshold:
    kind = "zoledronate" if therapy.drug == ZOLEDRONATE else "oral"
    return t[f"es2020.{stage}-months-{kind}"]


def treatment_review(p: Patient, t: Thresholds) -> Fact[Due]:
    """When the length of bisphosphonate treatment is looked at: after 5 (zoledronate 3) years, and again after 10 (6) (TX-07).

    Counted from the first use on record; the second review takes over on its day. A DXA or FRAX since a year before the
    review is taken for it.
    """
    taken = [each for each in reviewed_bisphosphonates(p) if each.current is not Truth.NO]
    if not taken:
        return Unknown(p.therapies.gaps or (Gap(GapKind.NOT_RECORDED, "bisphosphonate"),))
    return most_urgent(_review(p, t, therapy) for therapy in taken)


def _review(p: Patient, t: Thresholds, therapy: Therapy) -> Fact[Due]:
    if therapy.started is None:
        return Unknown((_start(therapy),))
    first, second = (_length(therapy, t, stage) for stage in ("review", "longest"))
    again = later(therapy.started, months=int(second.value))
    interval = first if p.as_of < again.latest else second
    on = later(therapy.started, months=int(interval.value))
    seen = _assessed_since(p, plus_months(on.latest, -t.days("acr2022.assessment-lookback")))
    if seen.truth is Truth.YES and p.as_of >= on.earliest:
        shown = tuple(leaf.evidence[0] for leaf in seen.reasons() if leaf.evidence)
        return Known(Due("review", on, State.DONE, shown, interval), shown)
    return counted(p.as_of, "review", on, interval, (therapy.evidence,), newer=seen.open_gaps())


def _assessed_since(p: Patient, since: dt.date) -> Criterion:
    """A DXA or a FRAX result on or after that day."""
    dated = [each for each in p.frax.items if each.on and each.on.latest >= since]
    certain = tuple(each.evidence for each in dated if each.on and each.on.earliest >= since)
    open_ = (
        *(undated("frax", each.evidence) for each in p.frax.items if each.on is None or each in dated),
        *p.frax.gaps,
    )
    truth = Truth.YES if certain else Truth.UNKNOWN if open_ else Truth.NO
    return any_of(dxa_since(p, "dxa-since-review", since), holds("frax-since-review", truth, certain, open_))


# --- a break after a full course -------------------------------------------------------------------------------------
def last_bisphosphonate(p: Patient) -> Therapy | None:
    """The osteoporosis drug used last, where that is a bisphosphonate with a usual length of treatment."""
    last = max(p.therapies.items, key=lambda each: each.last.latest if each.last else dt.date.min, default=None)
    return last if last in reviewed_bisphosphonates(p) else None


def in_break(p: Patient, t: Thresholds) -> Criterion:
    """Is a full course of a bisphosphonate over, and nothing taken since?

    Full: 5 years of tablets, or 3 yearly doses of zoledronate.
    """
    key, last = "treatment-break", last_bisphosphonate(p)
    if last is None or any(each.current is Truth.YES for each in p.therapies.items):
        return holds(key, Truth.UNKNOWN if p.therapies.gaps and last is None else Truth.NO, gaps=p.therapies.gaps)
    unsure = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource)
        for each in p.therapies.items
        if each.current is Truth.UNKNOWN
    )
    truth, gaps = _full(p, t, last)
    if truth is not Truth.NO and (open_ := (*unsure, *p.therapies.gaps)):
        truth, gaps = Truth.UNKNOWN, open_
    return Criterion(key, truth, (last.evidence,), _length(last, t, "review"), gaps=gaps)


def _full(p: Patient, t: Thresholds, therapy: Therapy) -> tuple[Truth, tuple[Gap, ...]]:
    """Did the course reach its usual length? And if nobody can tell, why."""
    months = int(_length(therapy, t, "review").value)
    if therapy.drug == ZOLEDRONATE:
        given = doses_given(p, "zoledronic_acid")
        if not given:
            return Truth.UNKNOWN, (Gap(GapKind.NOT_RECORDED, "last-dose", therapy.drug),)
        return Truth.of(len(given) * t.days("monitoring.zoledronate-months") >= months), ()
    if therapy.started is None or therapy.last is None:
        return Truth.UNKNOWN, (_start(therapy),)
    truth = ~after(later(therapy.started, months=months), therapy.last)
    return truth, (_start(therapy),) if truth is Truth.UNKNOWN else ()


def break_recheck(p: Patient, t: Thresholds) -> Fact[Due]:
    """When risk is looked at again in a treatment break: so long after the last use, or after a DXA in the break (MON-05)."""
    therapy = last_bisphosphonate(p)
    if therapy is None or therapy.last is None:
        return Unknown(p.therapies.gaps or (Gap(GapKind.NOT_RECORDED, "bisphosphonate"),))
    usual = "es2020.break-months"
    interval = t[_NOGG_BREAK.get(therapy.drug, usual) if p.choice("mon_years") == "nogg2024" else usual]
    stopped = therapy.last.latest
    scans = [scan for scan in p.scans.items if scan.central and scan.on and scan.on.earliest > stopped]
    base = newest((therapy.last, *(scan.on for scan in scans if scan.on)))
    shown = (*(scan.evidence for scan in scans[:1]), therapy.evidence)
    on = later(base, months=int(interval.value))
    return counted(p.as_of, "break-recheck", on, interval, shown, newer=p.scans.gaps)
