"""Criteria that several rules share, each in one place: long-term glucocorticoids, prior fracture, risk figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeAlias

from cds_service.clinical.exposure import Exposure, Run
from cds_service.clinical.facts.bone_density import Score
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.frax import Frax
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.pulses import total_without_pulses
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, more_than, true
from cds_service.kernel.dates import DateSpan, plus_days, plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, plain
from cds_service.kernel.rules import Json
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth

_YES = frozenset({Truth.YES})
_MAYBE = frozenset({Truth.YES, Truth.UNKNOWN})
Meets: TypeAlias = Callable[[Interval], Truth]


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


def long_term(
    exposure: Exposure, key: str, dose: Threshold | None, days: Threshold, *, from_days: bool = False
) -> LongTerm:
    """On at least that dose now, in a course of more than that many days (DEF-02).

    Days already taken and days ordered both count ("initiated or continued").

    Args:
        exposure: the timeline.
        key: key of the criterion.
        dose: mg per day; none for any dose.
        days: length of the course.
        from_days: whether exactly that many days are enough.
    """

    def long_enough(run: Run) -> bool:
        return run.days >= days.value if from_days else run.days > days.value

    run, truth = _run_now(exposure, _from(dose), long_enough)
    found = f"{run.days} days" if run and run.last < dt.date.max else ""
    doubts = _doubts(exposure, run)
    shown = exposure.shown_by(run.first, run.last) if run else ()
    return LongTerm(Criterion(key, truth, shown, dose, found, doubts if truth is Truth.UNKNOWN else ()), run)


# Where the dose of each reading of `gc_entry` stands; NICE names none: any dose counts.
_ENTRY_DOSES = {
    "acr2022": "acr2022.gc-entry-dose",
    "iscd": "bhof_iscd.gc-entry-dose",
    "nogg2024": "nogg2024.gc-dose",
}


@shared
def long_term_use(p: Patient, t: Thresholds) -> LongTerm:
    """Long-term glucocorticoids as the site reads them (D1, D2), for rules that are not those of one guideline."""
    name = _ENTRY_DOSES.get(p.choice("gc_entry"))
    dose = t[name] if name else None
    if from_90 := p.choice("gc_duration_op") == "at_least":
        key = "gc-use-from-90-days" if dose else "gc-any-use-from-90-days"
    else:
        key = "gc-use-over-90-days" if dose else "gc-any-use-over-90-days"
    return long_term(p.exposure, key, dose, t["policy.long-term-days"], from_days=from_90)


def on_dose_for_months(
    exposure: Exposure, key: str, dose: Threshold, months: Threshold, *, over_dose: bool = False
) -> LongTerm:
    """On that dose now, and for at least that many months already."""

    def long_enough(run: Run) -> bool:
        return plus_months(run.first, int(months.value)) <= plus_days(exposure.as_of, 1)

    run, truth = _run_now(exposure, _over(dose) if over_dose else _from(dose), long_enough)
    shown = exposure.shown_by(run.first, exposure.as_of) if run else ()
    gaps = _doubts(exposure, run) if truth is Truth.UNKNOWN else ()
    return LongTerm(Criterion(key, truth, shown, dose, gaps=gaps), run)


def _from(dose: Threshold | None) -> Meets:
    if dose is None:
        return lambda daily: daily.more_than(Decimal(0))
    limit = dose.value
    return lambda daily: daily.at_least(limit)


def _over(dose: Threshold) -> Meets:
    return lambda daily: daily.more_than(dose.value)


def _run_now(exposure: Exposure, meets: Meets, enough: Callable[[Run], bool]) -> tuple[Run | None, Truth]:
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


@shared
def year_total(p: Patient, t: Thresholds) -> Known[Interval]:
    """Prednisolone-equivalent mg in the trailing year (DEF-04), with or without pulses as the site counts them (D15)."""
    window = t.days("acr2022.cumulative-window")
    total = total_in(p.exposure, window)
    if p.choice("count_pulses") != "never":
        return total
    return replace(total, value=total_without_pulses(p.exposure, t, plus_days(p.as_of, 1 - window), p.as_of))


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
def dose_adjusts_frax(p: Patient, t: Thresholds) -> Criterion:
    """The dose from which ACR multiplies FRAX: above 7.5 mg by its table, from 7.5 mg by its figures (D3)."""
    dose, limit = daily_now(p.exposure), t["acr2022.frax-adjust-above"]
    if p.choice("gc_75_op") == "at_least":
        return at_least("gc-dose-from", dose, limit)
    return more_than("gc-dose-above", dose, limit)


@shared
def adjusted_frax(p: Patient, t: Thresholds) -> tuple[Fact[Interval], Fact[Interval]]:
    """Major osteoporotic and hip probability, in percent, adjusted for the glucocorticoid dose (GC-03)."""
    return acr_frax(p, t, dose_adjusts_frax(p, t).truth)


def acr_frax(p: Patient, t: Thresholds, adjusted: Truth) -> tuple[Fact[Interval], Fact[Interval]]:
    """The same, where it is settled whether ACR's factors apply; while that is unknown, raw to adjusted."""

    def factor(key: str) -> Interval:
        full = t.number(key)
        low = full if adjusted is Truth.YES else Decimal(1)
        return Interval(low, Decimal(1) if adjusted is Truth.NO else full)

    return scaled_frax(p, factor("acr2022.frax-mof-factor"), factor("acr2022.frax-hip-factor"))


def scaled_frax(p: Patient, mof: Interval, hip: Interval) -> tuple[Fact[Interval], Fact[Interval]]:
    """Both probabilities of the newest FRAX times a factor; a factor between two bounds leaves the result between two."""
    match latest_frax(p):
        case Unknown() as nothing:
            return nothing, nothing
        case Known(frax, evidence, doubts):
            dose = daily_now(p.exposure)

            def scaled(raw: Interval | None, factor: Interval) -> Fact[Interval]:
                if raw is None:
                    return Unknown((Gap(GapKind.NOT_RECORDED, "frax"),))
                if doubts:  # a higher result may exist among what was not supplied (S2)
                    raw = Interval(raw.low, None)
                why = doubts if factor.exact else (*doubts, *dose.doubts)
                return Known(_product(raw, factor), evidence, why)

            return scaled(frax.mof, mof), scaled(frax.hip, hip)


def _product(one: Interval, factor: Interval) -> Interval:
    low = None if one.low is None or factor.low is None else one.low * factor.low
    high = None if one.high is None or factor.high is None else one.high * factor.high
    return Interval(low, high, one.above_low, one.below_high)


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


def frax_since(p: Patient, key: str, since: dt.date) -> Criterion:
    """A FRAX result on or after that day; "no" only when all look-ups completed (S2)."""
    recent = tuple(f.evidence for f in p.frax.items if f.on and f.on.earliest >= since)
    if recent:
        return holds(key, Truth.YES, recent)
    undated = any(f.on is None or f.on.latest >= since for f in p.frax.items)
    return holds(key, Truth.UNKNOWN if undated or p.frax.gaps else Truth.NO, gaps=p.frax.gaps)


def on_therapy(p: Patient) -> Criterion:
    """Taking an osteoporosis drug now, or one is being ordered: then there is nothing left to ask for."""
    ordered = tuple(each.evidence for each in p.ordered_therapies if each.current is Truth.YES)
    if ordered:
        return holds("therapy-ordered", Truth.YES, ordered)
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
