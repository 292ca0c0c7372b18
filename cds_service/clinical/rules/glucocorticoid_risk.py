"""ACR 2022 risk classes on long-term glucocorticoids: GC-03 to GC-10. Exactly one class applies, or none can be told."""

from __future__ import annotations

from collections.abc import Callable

from cds_service.clinical.concepts import (
    adjusted_frax,
    adult,
    as_json,
    daily_now,
    high_daily,
    latest_frax,
    long_term,
    on_dose_for_months,
    prior_fracture,
    score_value,
    total_in,
)
from cds_service.clinical.patient import Patient, shared
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
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.rules import Finding, Json, Kind, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_READS_40 = ("age", "exposure", "fractures", "lowest_t", "frax")
_READS_YOUNG = ("age", "exposure", "fractures", "lowest_z", "scans")


# --- the population and its parts ------------------------------------------------------------------------------------
@shared
def on_long_term(p: Patient, t: Thresholds) -> Criterion:
    """The guideline's population: adults on at least 2.5 mg a day for more than three months (DEF-02)."""
    course = long_term(p.exposure, "gc-long-term", t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"])
    return all_of(adult(p, t["acr2022.adult-age"]), course.criterion)


@shared
def is_40(p: Patient, t: Thresholds) -> Criterion:
    """From 40 the guideline classifies by T-score and FRAX, below by Z-score."""
    return at_least("age-at-least", p.age, t["acr2022.frax-age"])


@shared
def very_high_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, very high, 40 and over."""
    mof, hip = adjusted_frax(p, t)
    return any_of(
        prior_fracture(p),
        at_most("t-at-most", score_value(p.lowest_t), t["acr2022.very-high-t"]),
        at_least("frax-mof-at-least", mof, t["acr2022.very-high-mof"]),
        at_least("frax-hip-at-least", hip, t["acr2022.very-high-hip"]),
        high_daily(p.exposure, t),
        _year_dose(p, t),
    )


@shared
def high_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, high, 40 and over."""
    mof, hip = adjusted_frax(p, t)
    return any_of(
        at_most("t-at-most", score_value(p.lowest_t), t["acr2022.high-t"]),
        at_least("frax-mof-at-least", mof, t["acr2022.high-mof"]),
        at_least("frax-hip-at-least", hip, t["acr2022.high-hip"]),
    )


@shared
def moderate_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, moderate, with readings 4 and 6: hip exactly 1 % and every T-score from -1.0 down are moderate."""
    mof, hip = adjusted_frax(p, t)
    return any_of(
        at_most("t-at-most", score_value(p.lowest_t), t["acr2022.moderate-t"]),
        at_least("frax-mof-at-least", mof, t["acr2022.moderate-mof"]),
        at_least("frax-hip-at-least", hip, t["acr2022.moderate-hip"]),
    )


@shared
def low_40(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, low: all of them, so each must be known."""
    mof, hip = adjusted_frax(p, t)
    return all_of(
        more_than("t-more-than", score_value(p.lowest_t), t["acr2022.moderate-t"]),
        less_than("frax-mof-below", mof, t["acr2022.moderate-mof"]),
        less_than("frax-hip-below", hip, t["acr2022.moderate-hip"]),
    )


@shared
def very_high_young(p: Patient, t: Thresholds) -> Criterion:
    """Table 1, very high, under 40, with reading 2: 30 mg a day for more than 30 days."""
    return any_of(prior_fracture(p), high_daily(p.exposure, t), _year_dose(p, t))


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


def _year_dose(p: Patient, t: Thresholds) -> Criterion:
    total = total_in(p.exposure, t.days("acr2022.cumulative-window"))
    return at_least("gc-year-dose", total, t["acr2022.cumulative-dose"])


def _values(p: Patient, t: Thresholds, name: str) -> dict[str, Json]:
    values: dict[str, Json] = {"class": name}
    year = as_json(total_in(p.exposure, t.days("acr2022.cumulative-window")).value)
    if year is not None:
        values["cum12_mg"] = year
    return values


# --- GC-03 -----------------------------------------------------------------------------------------------------------
@rule(
    "GC-03",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=("age", "exposure", "frax"),
)
def frax_adjusted_for_dose(p: Patient, t: Thresholds) -> Finding:
    """FRAX is multiplied by a factor on more than 7.5 mg a day.

    What it looks for: a FRAX result on record, age 40 or over, and a daily dose above the threshold. Raw and adjusted
    values are both shown. At exactly 7.5 mg the table adjusts nothing, the figures do; the table is followed.

    Why it matters: FRAX knows glucocorticoids as yes or no and underestimates higher doses.

    When it stays silent: under 40, without FRAX, at a dose to which no factor applies.

    Sources: ACR 2022, Table 1; clinical.md 2.3 reading 1.
    """
    dose = daily_now(p.exposure)
    frax = latest_frax(p)
    known = (
        holds("frax-on-record", Truth.YES, frax.evidence)
        if isinstance(frax, Known)
        else holds("frax-on-record", Truth.UNKNOWN if p.frax.gaps else Truth.NO, gaps=p.frax.gaps)
    )
    above = more_than("gc-dose-above", dose, t["acr2022.frax-adjust-above"])
    values: dict[str, Json] = {}
    if isinstance(frax, Known):
        raw = {"mof": frax.value.mof, "hip": frax.value.hip}
        values["frax_raw"] = {name: as_json(value) for name, value in raw.items() if value is not None}
        adjusted = dict(zip(("mof", "hip"), adjusted_frax(p, t), strict=True))
        if above.truth is not Truth.UNKNOWN:
            values["frax_adjusted"] = {
                name: as_json(value.value) for name, value in adjusted.items() if isinstance(value, Known)
            }
    return Finding(all_of(on_long_term(p, t), is_40(p, t), known, above), values=values)


# --- classes from 40 -------------------------------------------------------------------------------------------------
@rule(
    "GC-04",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_40,
)
def very_high_risk(p: Patient, t: Thresholds) -> Finding:
    """Very high risk, 40 and over.

    What it looks for: on long-term glucocorticoids, any of: a prior osteoporotic fracture; T-score -3.5 or lower;
    adjusted FRAX major osteoporotic 30 % or hip 4.5 % or more; 30 mg a day for more than 30 days; 5 g in a year.

    Why it matters: the guideline offers treatment at once, anabolic drugs first (conditional).

    When it stays silent: under 40; not on long-term glucocorticoids, so relapse pulses alone never give a class.

    Sources: ACR 2022, Table 1; clinical.md 2.3.
    """
    applies = all_of(on_long_term(p, t), is_40(p, t), very_high_40(p, t))
    return Finding(applies, values=_values(p, t, "very_high"))


@rule(
    "GC-05",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_40,
)
def high_risk(p: Patient, t: Thresholds) -> Finding:
    """High risk, 40 and over.

    What it looks for: not very high, and any of: T-score -2.5 or lower; adjusted FRAX major osteoporotic 20 % or hip
    3 % or more.

    Why it matters: the guideline recommends treatment.

    When it stays silent: under 40, very high risk, or while very high risk cannot be excluded.

    Sources: ACR 2022, Table 1.
    """
    applies = all_of(on_long_term(p, t), is_40(p, t), none_of(very_high_40(p, t)), high_40(p, t))
    return Finding(applies, values=_values(p, t, "high"))


@rule(
    "GC-06",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_40,
)
def moderate_risk(p: Patient, t: Thresholds) -> Finding:
    """Moderate risk, 40 and over.

    What it looks for: not high or very high, and any of: T-score from -1.0 down; adjusted FRAX major osteoporotic 10 %
    or hip 1 % or more. The table leaves hip exactly 1 % and T-scores of -2.41 to -2.49 unassigned: both are moderate.

    Why it matters: the guideline offers treatment, without an order of preference among drugs.

    When it stays silent: under 40, or while a higher class cannot be excluded.

    Sources: ACR 2022, Table 1, Figure 3; clinical.md 2.3 readings 4 to 6.
    """
    applies = all_of(on_long_term(p, t), is_40(p, t), none_of(very_high_40(p, t), high_40(p, t)), moderate_40(p, t))
    return Finding(applies, values=_values(p, t, "moderate"))


@rule(
    "GC-07",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_40,
)
def low_risk(p: Patient, t: Thresholds) -> Finding:
    """Low risk, 40 and over.

    What it looks for: none of the higher classes, and all of: T-score above -1.0, adjusted FRAX major osteoporotic below
    10 %, hip below 1 %. From 7.5 mg a day the figures would not call it low; `low_by_table_only` says so.

    Why it matters: the guideline advises against osteoporosis drugs here.

    When it stays silent: while one of the figures is missing. A class is never guessed.

    Sources: ACR 2022, Table 1, Figures 2 and 3; clinical.md 2.3 readings 5 and 7.
    """
    applies = all_of(on_long_term(p, t), is_40(p, t), none_of(very_high_40(p, t)), low_40(p, t))
    values = _values(p, t, "low")
    by_figure = less_than("gc-dose-below", daily_now(p.exposure), t["acr2022.low-figure-dose"])
    values["low_by_table_only"] = by_figure.truth is not Truth.YES
    return Finding(applies, values=values)


# --- classes under 40 ------------------------------------------------------------------------------------------------
@rule(
    "GC-08",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=("age", "exposure", "fractures"),
)
def very_high_risk_under_40(p: Patient, t: Thresholds) -> Finding:
    """Very high risk, under 40.

    What it looks for: on long-term glucocorticoids, any of: a prior osteoporotic fracture; 30 mg a day for more than
    30 days; 5 g in a year.

    Why it matters: the guideline offers treatment (conditional).

    When it stays silent: from 40; not on long-term glucocorticoids, so relapse pulses alone never give a class.

    Sources: ACR 2022, Table 1, Figures 1 to 3; clinical.md 2.3 reading 2.
    """
    young = less_than("age-below", p.age, t["acr2022.frax-age"])
    return Finding(all_of(on_long_term(p, t), young, very_high_young(p, t)), values=_values(p, t, "very_high"))


@rule(
    "GC-09",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_YOUNG,
)
def moderate_risk_under_40(p: Patient, t: Thresholds) -> Finding:
    """Moderate risk, under 40.

    What it looks for: not very high; 7.5 mg a day or more for at least six months; and a Z-score of -3.0 or lower, or bone
    loss beyond the least significant change.

    Why it matters: the guideline offers treatment (conditional).

    When it stays silent: from 40; while the Z-score is missing. There is no high class under 40.

    Sources: ACR 2022, Table 1, Figures; clinical.md 2.3 readings 3 and 8.
    """
    young = less_than("age-below", p.age, t["acr2022.frax-age"])
    applies = all_of(on_long_term(p, t), young, none_of(very_high_young(p, t)), moderate_young(p, t))
    return Finding(applies, values=_values(p, t, "moderate"))


@rule(
    "GC-10",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_YOUNG,
)
def low_risk_under_40(p: Patient, t: Thresholds) -> Finding:
    """Low risk, under 40.

    What it looks for: no risk factor other than the glucocorticoid itself: neither very high nor moderate.

    Why it matters: the guideline advises against osteoporosis drugs here.

    When it stays silent: from 40; while a higher class cannot be excluded.

    Sources: ACR 2022, Table 1.
    """
    young = less_than("age-below", p.age, t["acr2022.frax-age"])
    applies = all_of(on_long_term(p, t), young, none_of(very_high_young(p, t), moderate_young(p, t)))
    return Finding(applies, values=_values(p, t, "low"))


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


RULES: tuple[Rule, ...] = (
    frax_adjusted_for_dose,
    very_high_risk,
    high_risk,
    moderate_risk,
    low_risk,
    very_high_risk_under_40,
    moderate_risk_under_40,
    low_risk_under_40,
)
