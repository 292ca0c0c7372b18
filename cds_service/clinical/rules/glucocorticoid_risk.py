"""ACR 2022 risk classes on long-term glucocorticoids: GC-03 to GC-10. Exactly one class applies, or none can be told."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    adjusted_frax,
    as_json,
    daily_now,
    dose_adjusts_frax,
    latest_frax,
    year_total,
)
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.glucocorticoid_classes import (
    frax_values,
    high_40,
    is_40,
    low_40,
    moderate_40,
    moderate_young,
    on_long_term,
    other_reading,
    t_score_without_diagnosis,
    very_high_40,
    very_high_young,
)
from cds_service.kernel.criteria import all_of, holds, less_than, none_of
from cds_service.kernel.facts import Known
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Finding, Json, Kind, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_READS_40 = ("age", "sex", "postmenopausal", "exposure", "fractures", "lowest_t", "lowest_z", "frax")
_READS_YOUNG = ("age", "exposure", "fractures", "lowest_z", "scans")
_SWITCHES_DOSE = ("cum_op", "count_pulses")
_SWITCHES_40 = ("gc_75_op", "score_40_50", *_SWITCHES_DOSE)


def _values(p: Patient, t: Thresholds, name: str) -> dict[str, Json]:
    values: dict[str, Json] = {"class": name}
    year = as_json(year_total(p, t).value)
    if year is not None:
        values["cum12_mg"] = year
    return values


def _values_40(p: Patient, t: Thresholds, name: str) -> dict[str, Json]:
    """The class, and what has to be said beside it: another reading's class (P01), a Z-score that counts instead (P16)."""
    return _values(p, t, name) | other_reading(p, t) | t_score_without_diagnosis(p, t)


# --- GC-03 -----------------------------------------------------------------------------------------------------------
@rule(
    "GC-03",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=("age", "exposure", "frax"),
    switches=("gc_75_op",),
)
def frax_adjusted_for_dose(p: Patient, t: Thresholds) -> Finding:
    """FRAX is multiplied by a factor on more than 7.5 mg a day.

    What it looks for: a FRAX result on record, age 40 or over, and a daily dose above the threshold. Raw and adjusted
    values are both shown. At exactly 7.5 mg the table adjusts nothing, the figures do; the site chooses (D3), and where
    the class depends on it, both are shown.

    Why it matters: FRAX knows glucocorticoids as yes or no and underestimates higher doses.

    When it stays silent: under 40, without FRAX, at a dose to which no factor applies.

    Sources: ACR 2022, Table 1; clinical.md 2.3 reading 1.
    """
    frax = latest_frax(p)
    known = (
        holds("frax-on-record", Truth.YES, frax.evidence)
        if isinstance(frax, Known)
        else holds("frax-on-record", Truth.UNKNOWN if p.frax.gaps else Truth.NO, gaps=p.frax.gaps)
    )
    above = dose_adjusts_frax(p, t)
    values: dict[str, Json] = {}
    if isinstance(frax, Known):
        raw = {"mof": frax.value.mof, "hip": frax.value.hip}
        values["frax_raw"] = {name: as_json(value) for name, value in raw.items() if value is not None}
        if above.truth is not Truth.UNKNOWN:
            values["frax_adjusted"] = frax_values(adjusted_frax(p, t))
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
    switches=_SWITCHES_40,
)
def very_high_risk(p: Patient, t: Thresholds) -> Finding:
    """Very high risk, 40 and over.

    What it looks for: on long-term glucocorticoids, any of: a prior osteoporotic fracture; T-score -3.5 or lower;
    adjusted FRAX major osteoporotic 30 % or hip 4.5 % or more; 30 mg a day for more than 30 days; 5 g in a year. A site
    may ask for the two doses together (ACR 2017), leave relapse pulses out of the 5 g, or use T-scores only after
    menopause and in men from 50.

    Why it matters: the guideline offers treatment at once, anabolic drugs first (conditional).

    When it stays silent: under 40; not on long-term glucocorticoids, so relapse pulses alone never give a class.

    Sources: ACR 2022, Table 1; clinical.md 2.3.
    """
    applies = all_of(on_long_term(p, t), is_40(p, t), very_high_40(p, t))
    return Finding(applies, values=_values_40(p, t, "very_high"))


@rule(
    "GC-05",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_40,
    switches=_SWITCHES_40,
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
    return Finding(applies, values=_values_40(p, t, "high"))


@rule(
    "GC-06",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V",
    strength="definition",
    reads=_READS_40,
    switches=_SWITCHES_40,
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
    return Finding(applies, values=_values_40(p, t, "moderate"))


@rule(
    "GC-07",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-general",
    check="V",
    strength="definition",
    reads=_READS_40,
    switches=_SWITCHES_40,
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
    values = _values_40(p, t, "low")
    by_figure = less_than("gc-dose-below", daily_now(p.exposure), t["acr2022.low-figure-dose"])
    values["low_by_table_only"] = by_figure.truth is not Truth.YES
    values["low_figure_dose"] = as_json(exactly(t.number("acr2022.low-figure-dose")))
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
    switches=_SWITCHES_DOSE,
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
    switches=_SWITCHES_DOSE,
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
    card="glucocorticoid-general",
    check="V",
    strength="definition",
    reads=_READS_YOUNG,
    switches=_SWITCHES_DOSE,
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
