"""Criteria that several rules share, each in one place: long-term glucocorticoids, prior fracture, risk figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.clinical.exposure import Exposure, Run
from cds_service.clinical.facts.bone_density import Score
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.frax import Frax
from cds_service.clinical.patient import Patient, shared
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, more_than, true
from cds_service.kernel.dates import DateSpan, plus_days, plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, plain
from cds_service.kernel.rules import Json
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

_YES = frozenset({Truth.YES})
_MAYBE = frozenset({Truth.YES, Truth.UNKNOWN})
GLUCOCORTICOIDS = "glucocorticoids"


# --- age and sex -----------------------------------------------------------------------------------------------------
def adult(p: Patient, limit: Threshold) -> Criterion:
    """Old enough for rules about adults; children have rules of their own."""
    return at_least("adult", p.age, limit)


@shared
def uses_t_scores(p: Patient, t: Thresholds) -> Criterion:
    """Postmenopausal women and men from 50: T-scores classify; everybody else: Z-scores (DEF-09)."""
    man = holds("man", *_is(p, "male"))
    woman = holds("woman", *_is(p, "female"))
    return any_of(
        all_of(man, at_least("age-at-least", p.age, t["bhof_iscd.t-score-age-men"])),
        all_of(woman, true("postmenopausal", p.postmenopausal)),
    )


def _is(p: Patient, sex: str) -> tuple[Truth, tuple[Evidence, ...], tuple[Gap, ...]]:
    match p.sex:
        case Known(value, evidence):
            return Truth.of(value.value == sex), evidence, ()
        case Unknown(gaps):
            return Truth.UNKNOWN, (), gaps


# --- glucocorticoids -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LongTerm:
    """Long-term glucocorticoids on the day asked about.

    Attributes:
        criterion: whether it holds, and why.
        run: the days in a row above the entry dose that include today: certain ones where there are any.
    """

    criterion: Criterion
    run: Run | None


def long_term(exposure: Exposure, key: str, dose: Threshold, days: Threshold, *, over_dose: bool = False) -> LongTerm:
    """On at least (or more than) that dose now, in a course of more than that many days (DEF-02).

    Days already taken and days ordered both count ("initiated or continued").
    """
    run, truth = _run_now(exposure, dose.value, over_dose, lambda run: run.days > days.value)
    found = f"{run.days} days" if run and run.last < dt.date.max else ""
    doubts = _doubts(exposure, run)
    shown = exposure.shown_by(run.first, run.last) if run else ()
    return LongTerm(Criterion(key, truth, shown, dose, found, doubts if truth is Truth.UNKNOWN else ()), run)


def on_dose_for_months(
    exposure: Exposure, key: str, dose: Threshold, months: Threshold, *, over_dose: bool = False
) -> LongTerm:
    """On that dose now, and for at least that many months already."""

    def long_enough(run: Run) -> bool:
        return plus_months(run.first, int(months.value)) <= plus_days(exposure.as_of, 1)

    run, truth = _run_now(exposure, dose.value, over_dose, long_enough)
    shown = exposure.shown_by(run.first, exposure.as_of) if run else ()
    gaps = _doubts(exposure, run) if truth is Truth.UNKNOWN else ()
    return LongTerm(Criterion(key, truth, shown, dose, gaps=gaps), run)


def _run_now(
    exposure: Exposure, dose: Decimal, over_dose: bool, enough: Callable[[Run], bool]
) -> tuple[Run | None, Truth]:
    def meets(daily: Interval) -> Truth:
        return daily.more_than(dose) if over_dose else daily.at_least(dose)

    certain = _containing(exposure.runs(meets, _YES), exposure.as_of)
    possible = _containing(exposure.runs(meets, _MAYBE), exposure.as_of)
    if certain and enough(certain):
        return certain, Truth.YES
    if exposure.gaps or (possible and enough(possible)):
        return certain or possible, Truth.UNKNOWN
    return certain or possible, Truth.NO


def _containing(runs: tuple[Run, ...], day: dt.date) -> Run | None:
    return next((run for run in runs if run.first <= day <= run.last), None)


def _doubts(exposure: Exposure, run: Run | None) -> tuple[Gap, ...]:
    return exposure.doubts(run.first, run.last) if run else exposure.gaps


def ended_long_term(exposure: Exposure, dose: Threshold, days: Threshold) -> Criterion:
    """A long course that certainly was, and certainly is over."""
    past = [run for run in exposure.runs(lambda d: d.at_least(dose.value), _YES) if run.days > days.value]
    past = [run for run in past if run.last < exposure.as_of]
    shown = exposure.shown_by(past[-1].first, past[-1].last) if past else ()
    return Criterion("gc-was-long-term", Truth.of(bool(past)), shown, dose)


def taking(exposure: Exposure) -> Criterion:
    """On any systemic glucocorticoid today."""
    today = exposure.as_of
    truth = exposure.on(today).more_than(Decimal(0))
    return holds("gc-now", truth, exposure.shown_by(today, today), exposure.doubts(today, today))


def daily_now(exposure: Exposure) -> Known[Interval]:
    """Prednisolone-equivalent mg taken on the day asked about."""
    today = exposure.as_of
    return Known(exposure.on(today), exposure.shown_by(today, today), exposure.doubts(today, today))


def shown_course(exposure: Exposure) -> dict[str, Json]:
    """Drugs and daily dose of today in words, for card texts."""
    today = exposure.as_of
    drugs = sorted({c.ingredient for c in exposure.courses if c.days.first <= today <= c.days.last})
    daily = exposure.on(today)
    words = str(daily)
    if daily.high is None:
        words = f"at least {plain(daily.low)}" if daily.low else "unreadable"
    return {
        "gc_drugs": " + ".join(drugs).replace("_", " ").capitalize() or "Glucocorticoid",
        "gc_daily": words,
    }


def total_in(exposure: Exposure, window_days: int) -> Known[Interval]:
    """Prednisolone-equivalent mg in the trailing window, today included (DEF-04)."""
    today = exposure.as_of
    first = plus_days(today, 1 - window_days)
    return Known(exposure.total(first, today), exposure.shown_by(first, today), exposure.doubts(first, today))


def high_daily(exposure: Exposure, t: Thresholds) -> Criterion:
    """At least 30 mg a day for more than 30 days in a row, within the trailing year (DEF-05)."""
    dose, days = t["acr2022.high-daily-dose"], t["acr2022.high-daily-days"]
    today = exposure.as_of
    first = plus_days(today, 1 - t.days("acr2022.cumulative-window"))

    def longest(accept: frozenset[Truth]) -> Run | None:
        runs = exposure.runs(lambda daily: daily.at_least(dose.value), accept)
        cut = [
            Run(max(run.first, first), min(run.last, today)) for run in runs if run.last >= first and run.first <= today
        ]
        return max(cut, key=lambda run: run.days, default=None)

    certain, possible = longest(_YES), longest(_MAYBE)
    truth = Truth.NO
    if certain and certain.days > days.value:
        truth = Truth.YES
    elif exposure.gaps or (possible and possible.days > days.value):
        truth = Truth.UNKNOWN
    run = certain or possible
    shown = exposure.shown_by(run.first, run.last) if run and truth is not Truth.NO else ()
    found = f"{run.days} days" if run else ""
    gaps = exposure.doubts(first, today) if truth is Truth.UNKNOWN else ()
    return Criterion("gc-high-daily", truth, shown, dose, found, gaps)


def pulses(exposure: Exposure, t: Thresholds, months: int) -> Criterion:
    """High-dose courses of a few days in the trailing months (DEF-06)."""
    equal_mg = t.number("equivalence.methylprednisolone")
    limit = t.number("policy.pulse-dose") * t.number("equivalence.reference") / equal_mg
    longest = t.days("policy.pulse-days")
    since = plus_months(exposure.as_of, -months)

    def found(accept: frozenset[Truth]) -> list[Run]:
        runs = exposure.runs(lambda daily: daily.at_least(limit), accept)
        return [run for run in runs if run.days <= longest and since <= run.first <= exposure.as_of]

    certain = found(_YES)
    if certain:
        shown = tuple(e for run in certain for e in exposure.shown_by(run.first, run.last))
        return Criterion("gc-pulses", Truth.YES, shown, t["policy.pulse-dose"], certain[-1].first.isoformat())
    if exposure.gaps or found(_MAYBE):
        gaps = exposure.doubts(since, exposure.as_of)
        return Criterion("gc-pulses", Truth.UNKNOWN, threshold=t["policy.pulse-dose"], gaps=gaps)
    return Criterion("gc-pulses", Truth.NO, threshold=t["policy.pulse-dose"])


# --- fractures and scores --------------------------------------------------------------------------------------------
OSTEOPOROTIC_SITES = frozenset({FractureSite.HIP, FractureSite.VERTEBRA, FractureSite.WRIST, FractureSite.HUMERUS})


def prior_fracture(
    p: Patient, sites: frozenset[FractureSite] = OSTEOPOROTIC_SITES, key: str = "prior-fracture"
) -> Criterion:
    """A low-trauma fracture of those sites in adult life; a fragility fracture of unstated site counts (DEF-07)."""
    counted = [f for f in p.fractures.items if f.site in sites or f.site is FractureSite.OTHER]
    certain = [f for f in counted if f.low_trauma is Truth.YES]
    if certain:
        return holds(key, Truth.YES, tuple(f.evidence for f in certain))
    open_ = [f for f in counted if f.low_trauma is Truth.UNKNOWN and f.site in sites]
    doubts = tuple(Gap(GapKind.NOT_RECORDED, "fracture-cause", str(f.on or ""), f.evidence.resource) for f in open_)
    if open_ or p.fractures.gaps:
        return holds(key, Truth.UNKNOWN, gaps=(*doubts, *p.fractures.gaps))
    return holds(key, Truth.NO)


def score_value(score: Fact[Score]) -> Fact[Interval]:
    """The number of a T- or Z-score; while a look-up is open a lower one may exist, so it is only an upper bound (S2)."""
    match score:
        case Known(value, evidence, doubts):
            number = Interval(None, value.value.high) if doubts else value.value
            return Known(number, evidence, doubts)
        case Unknown():
            return score


def latest_frax(p: Patient) -> Fact[Frax]:
    """The newest FRAX result on record."""
    if p.frax.items:
        newest = p.frax.items[0]
        return Known(newest, (newest.evidence,), p.frax.gaps)
    return Unknown(p.frax.gaps or (Gap(GapKind.NOT_RECORDED, "frax"),))


@shared
def adjusted_frax(p: Patient, t: Thresholds) -> tuple[Fact[Interval], Fact[Interval]]:
    """Major osteoporotic and hip probability, in percent, adjusted for the glucocorticoid dose (GC-03)."""
    match latest_frax(p):
        case Unknown() as nothing:
            return nothing, nothing
        case Known(frax, evidence, doubts):
            dose = daily_now(p.exposure)
            above = more_than("gc-dose-above", dose, t["acr2022.frax-adjust-above"]).truth

            def adjusted(raw: Interval | None, factor: Decimal) -> Fact[Interval]:
                if raw is None:
                    return Unknown((Gap(GapKind.NOT_RECORDED, "frax"),))
                if doubts:  # a higher result may exist among what was not supplied (S2)
                    raw = Interval(raw.low, None)
                if above is Truth.NO:
                    return Known(raw, evidence, doubts)
                if above is Truth.YES:
                    return Known(raw.times(factor), evidence, doubts)
                high = None if raw.high is None else raw.high * factor
                return Known(Interval(raw.low, high), evidence, (*doubts, *dose.doubts))

            return (
                adjusted(frax.mof, t.number("acr2022.frax-mof-factor")),
                adjusted(frax.hip, t.number("acr2022.frax-hip-factor")),
            )


def tentative(criterion: Criterion, doubts: tuple[Gap, ...]) -> Criterion:
    """What was found may be enough for a yes; a no needs everything to have been looked at (S2)."""
    if criterion.truth is not Truth.NO or not doubts:
        return criterion
    return replace(criterion, truth=Truth.UNKNOWN, gaps=doubts)


# --- dates -----------------------------------------------------------------------------------------------------------
def within_months(key: str, on: DateSpan | None, as_of: dt.date, months: int, evidence: Evidence) -> Criterion:
    """Did it happen in the last so many months?"""
    since = plus_months(as_of, -months)
    if on is None or on.earliest < since <= on.latest:
        return holds(key, Truth.UNKNOWN, gaps=(Gap(GapKind.NOT_RECORDED, "date", "", evidence.resource),))
    return holds(key, Truth.of(on.earliest >= since and on.earliest <= as_of), (evidence,))


def dxa_since(p: Patient, key: str, since: dt.date) -> Criterion:
    """A central DXA on or after that day; "no" only when all look-ups completed (S2)."""
    truths: list[tuple[Truth, Evidence]] = []
    for scan in p.scans.items:
        if scan.central is False or (scan.on and scan.on.earliest > p.as_of):
            continue
        certain = scan.on is not None and scan.on.earliest >= since and scan.central is True
        possible = scan.on is None or scan.on.latest >= since
        truths.append((Truth.YES if certain else Truth.of(False) if not possible else Truth.UNKNOWN, scan.evidence))
    yes = tuple(evidence for truth, evidence in truths if truth is Truth.YES)
    if yes:
        return holds(key, Truth.YES, yes)
    maybe = tuple(
        Gap(GapKind.NOT_RECORDED, "bone-density-date-or-site", "", evidence.resource)
        for truth, evidence in truths
        if truth is Truth.UNKNOWN
    )
    if maybe or p.scans.gaps:
        return holds(key, Truth.UNKNOWN, gaps=(*maybe, *p.scans.gaps))
    return holds(key, Truth.NO, tuple(evidence for _, evidence in truths))


def on_therapy(p: Patient) -> Criterion:
    """Taking an osteoporosis drug now."""
    current = [each for each in p.therapies.items if each.current is Truth.YES]
    if current:
        return holds("on-therapy", Truth.YES, tuple(each.evidence for each in current))
    unsure = [each for each in p.therapies.items if each.current is Truth.UNKNOWN]
    doubts = tuple(Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource) for each in unsure)
    if unsure or p.therapies.gaps:
        return holds("on-therapy", Truth.UNKNOWN, gaps=(*doubts, *p.therapies.gaps))
    return holds("on-therapy", Truth.NO)


def as_json(value: Interval) -> int | float | None:
    """An exact number for `values`, `None` when it is only an interval."""
    if not value.exact or value.low is None:
        return None
    return int(value.low) if value.low == value.low.to_integral_value() else round(float(value.low), 6)
