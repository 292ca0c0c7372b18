"""What ACR 2022 makes its risk classes of (Table 1), as criteria that rules on risk, treatment and monitoring share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cds_service.clinical.concepts import (
    acr_frax,
    adjusted_frax,
    adult,
    as_json,
    daily_now,
    dose_adjusts_frax,
    high_daily,
    long_term,
    on_dose_for_months,
    prior_fracture,
    score_value,
    uses_t_scores,
    year_total,
)
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import chosen
from cds_service.kernel.criteria import (
    Criterion,
    all_of,
    any_of,
    at_least,
    at_most,
    holds,
    less_than,
    more_than,
    none_of,
)
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.rules import Json
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

# Major osteoporotic and hip, in percent
Frax: TypeAlias = tuple[Fact[Interval], Fact[Interval]]


# --- the population --------------------------------------------------------------------------------------------------
@shared
def on_long_term(p: Patient, t: Thresholds) -> Criterion:
    """The guideline's population: adults on at least 2.5 mg a day for more than three months (DEF-02)."""
    course = long_term(p.exposure, "gc-long-term", t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"])
    return all_of(adult(p, t["acr2022.adult-age"]), course.criterion)


@shared
def is_40(p: Patient, t: Thresholds) -> Criterion:
    """From 40 the guideline classifies by T-score and FRAX, below by Z-score."""
    return at_least("age-at-least", p.age, t["acr2022.frax-age"])


# --- classes from 40 -------------------------------------------------------------------------------------------------
@shared
def very_high_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, very high, 40 and over."""
    return _very_high_40(p, t, adjusted_frax(p, t))


def _very_high_40(p: Patient, t: Thresholds, frax: Frax) -> Criterion:
    return any_of(
        prior_fracture(p),
        _by_t_score(p, t, at_most("t-at-most", score_value(p.lowest_t), t["acr2022.very-high-t"])),
        at_least("frax-mof-at-least", frax[0], t["acr2022.very-high-mof"]),
        at_least("frax-hip-at-least", frax[1], t["acr2022.very-high-hip"]),
        _by_dose(p, t),
    )


@shared
def high_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, high, 40 and over."""
    return _high_40(p, t, adjusted_frax(p, t))


def _high_40(p: Patient, t: Thresholds, frax: Frax) -> Criterion:
    return any_of(
        _by_t_score(p, t, at_most("t-at-most", score_value(p.lowest_t), t["acr2022.high-t"])),
        at_least("frax-mof-at-least", frax[0], t["acr2022.high-mof"]),
        at_least("frax-hip-at-least", frax[1], t["acr2022.high-hip"]),
    )


@shared
def moderate_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, moderate, with readings 4 and 6: hip exactly 1 % and every T-score from -1.0 down are moderate."""
    return _moderate_40(p, t, adjusted_frax(p, t))


def _moderate_40(p: Patient, t: Thresholds, frax: Frax) -> Criterion:
    return any_of(
        _by_t_score(p, t, at_most("t-at-most", score_value(p.lowest_t), t["acr2022.moderate-t"])),
        at_least("frax-mof-at-least", frax[0], t["acr2022.moderate-mof"]),
        at_least("frax-hip-at-least", frax[1], t["acr2022.moderate-hip"]),
    )


@shared
def low_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, low: all of them, so each must be known."""
    return _low_40(p, t, adjusted_frax(p, t))


def _low_40(p: Patient, t: Thresholds, frax: Frax) -> Criterion:
    return all_of(
        _by_t_score(p, t, more_than("t-more-than", score_value(p.lowest_t), t["acr2022.moderate-t"])),
        less_than("frax-mof-below", frax[0], t["acr2022.moderate-mof"]),
        less_than("frax-hip-below", frax[1], t["acr2022.moderate-hip"]),
    )


def _by_t_score(p: Patient, t: Thresholds, compared: Criterion) -> Criterion:
    """A T-score gives a class from 40; where the site follows ISCD, only after menopause and in men from 50 (D17)."""
    counts = chosen(p, "score_40_50", "acr_t")
    if counts.truth is not Truth.YES:
        counts = any_of(counts, uses_t_scores(p, t))
    return all_of(counts, compared)


def _by_dose(p: Patient, t: Thresholds) -> Criterion:
    """30 mg a day for long or 5 g in a year (ACR 2022); both together, where the site keeps to ACR 2017 (D14)."""
    parts = (high_daily(p.exposure, t), at_least("gc-year-dose", year_total(p, t), t["acr2022.cumulative-dose"]))
    return all_of(*parts) if p.choice("cum_op") == "and" else any_of(*parts)


# --- classes under 40 ------------------------------------------------------------------------------------------------
@shared
def very_high_young(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, very high, under 40, with reading 2: 30 mg a day for more than 30 days."""
    return any_of(prior_fracture(p), _by_dose(p, t))


@shared
def moderate_young(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, moderate, under 40, with readings 3 and 8: dose and (Z-score at most -3.0 or bone loss)."""
    course = on_dose_for_months(p.exposure, "gc-dose-for-months", t["acr2022.young-dose"], t["acr2022.young-months"])
    low_z = at_most("z-at-most", score_value(p.lowest_z), t["acr2022.young-z"])
    return all_of(course.criterion, any_of(low_z, _bone_loss(p)))


def _bone_loss(p: Patient) -> Criterion:
    """Loss over the least significant change: no record tells the centre's change, so two scans leave it open (MON-02)."""
    if len({str(scan.on) for scan in p.scans.items}) > 1:
        return holds("bone-loss", Truth.UNKNOWN, gaps=(Gap(GapKind.NOT_RECORDED, "least-significant-change"),))
    return holds("bone-loss", Truth.UNKNOWN if p.scans.gaps else Truth.NO, gaps=p.scans.gaps)


# --- one class of them all -------------------------------------------------------------------------------------------
def risk_class(p: Patient, t: Thresholds, name: str) -> Criterion:
    """One class as a criterion, without the population, for the rules on treatment: "very_high_40", "low_young" ..."""
    if name.endswith("_young"):
        young = less_than("age-below", p.age, t["acr2022.frax-age"])
        parts: dict[str, Callable[[], tuple[Criterion, ...]]] = {
            "very_high_young": lambda: (very_high_young(p, t),),
            "moderate_young": lambda: (none_of(very_high_young(p, t)), moderate_young(p, t)),
            "low_young": lambda: (none_of(very_high_young(p, t), moderate_young(p, t)),),
        }
        return all_of(young, *parts[name]())
    parts = {
        "very_high_40": lambda: (very_high_40(p, t),),
        "high_40": lambda: (none_of(very_high_40(p, t)), high_40(p, t)),
        "moderate_40": lambda: (none_of(very_high_40(p, t), high_40(p, t)), moderate_40(p, t)),
        "low_40": lambda: (none_of(very_high_40(p, t)), low_40(p, t)),
    }
    return all_of(is_40(p, t), *parts[name]())


def other_reading(p: Patient, t: Thresholds) -> dict[str, Json]:
    """Exactly at the dose where ACR's table and figures disagree: the class by the one the site does not follow.

    Empty at any other dose, and where both give the same class (policy case P01).
    """
    dose, limit = daily_now(p.exposure).value, t.number("acr2022.frax-adjust-above")
    if not dose.exact or dose.low != limit:
        return {}
    adjusted = dose_adjusts_frax(p, t).truth is Truth.YES
    other = acr_frax(p, t, Truth.of(not adjusted))
    own_class, other_class = _class_40(p, t, adjusted_frax(p, t)), _class_40(p, t, other)
    if not other_class or own_class == other_class:
        return {}
    return {
        "class_other_reading": other_class,
        "other_reading": "table" if adjusted else "figures",
        "frax_other_reading": frax_values(other),
    }


def _class_40(p: Patient, t: Thresholds, frax: Frax) -> str:
    """The class with that FRAX; empty while a higher one cannot be excluded."""
    steps = (("very_high", _very_high_40), ("high", _high_40), ("moderate", _moderate_40), ("low", _low_40))
    for name, criterion in steps:
        truth = criterion(p, t, frax).truth
        if truth is not Truth.NO:
            return name if truth is Truth.YES else ""
    return ""


def frax_values(frax: Frax) -> dict[str, Json]:
    """Both probabilities for `values`; one that is not known is left out."""
    return {
        name: as_json(fact.value)
        for name, fact in zip(("mof", "hip"), frax, strict=True)
        if not isinstance(fact, Unknown)
    }


def t_score_without_diagnosis(p: Patient, t: Thresholds) -> dict[str, Json]:
    """The T-score ACR classifies by where ISCD wants the Z-score: before menopause, in men under 50 (policy case P16)."""
    if uses_t_scores(p, t).truth is not Truth.NO or not isinstance(p.lowest_t, Known):
        return {}
    values: dict[str, Json] = {"class_t_score": str(p.lowest_t.value.value)}
    if isinstance(p.lowest_z, Known):
        low = at_most("z-at-most", score_value(p.lowest_z), t["bhof_iscd.z-below-expected"])
        if low.truth is not Truth.UNKNOWN:
            place = "below" if low.truth is Truth.YES else "within"
            values |= {"class_z_score": str(p.lowest_z.value.value), "class_z_place": place}
    return values
