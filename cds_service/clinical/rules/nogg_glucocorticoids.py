"""NOGG 2024 on glucocorticoids: GC-30 (protection before DXA) and GC-31 (FRAX adjusted for the dose)."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    as_json,
    daily_now,
    dxa_since,
    latest_frax,
    on_therapy,
    prior_fracture,
    shown_course,
)
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import chosen, woman
from cds_service.clinical.rules.glucocorticoid_classes import frax_values
from cds_service.clinical.rules.glucocorticoid_courses import (
    nogg_course_total,
    nogg_frax,
    nogg_lowers_frax,
    nogg_raises_frax,
    older,
    three_months,
    three_months_on,
)
from cds_service.clinical.rules.glucocorticoid_treatment import known_pregnant
from cds_service.clinical.rules.nogg_thresholds import at_treatment_threshold
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, not_
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Known
from cds_service.kernel.rules import Finding, Json, Kind, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_FRAGILITY_SITES = frozenset(FractureSite) - {FractureSite.ELSEWHERE}


@rule(
    "GC-30",
    sets=("nogg2024",),
    card="glucocorticoid-treatment",
    check="V2",
    strength="nogg-strong",
    reads=(
        "age",
        "sex",
        "postmenopausal",
        "exposure",
        "fractures",
        "frax",
        "scans",
        "therapies",
        "pregnant",
        "pregnancy_possible",
    ),
    switches=("treat_first", "gc_duration_op"),
)
def no_bone_protection_on_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """On glucocorticoids, at high risk and without bone protection: it starts now, DXA follows.

    What it looks for: a glucocorticoid now, in a course of three months taken or ordered, no osteoporosis drug, and any of:
    (a) a prior fragility fracture; (b) a woman of 70 or older; in postmenopausal women and men from 50: (c) 7.5 mg a day or
    more, prednisolone-equivalent, or as much in three months as 30 mg a day for four weeks; (d) FRAX, adjusted for the dose,
    at or above the treatment threshold of the age.

    Why it matters: bone is lost fastest in the first months, so the guideline does not wait for DXA.

    When it stays silent: replacement therapy, local steroids, short courses; relapse pulses, which also do not count towards
    the total of (c); an osteoporosis drug; pregnancy; a site that assesses first. Which drug is left to the site.

    Sources: NOGG 2024, section 7, recommendation 16 of the 2022-24 web text, read in a restatement (strong).
    """
    group, frax_high = older(p, t["nogg2024.men-age"]), at_treatment_threshold(p, t)
    triggers = {
        "fracture": prior_fracture(p, _FRAGILITY_SITES),
        "woman": all_of(woman(p), at_least("age-at-least", p.age, t["nogg2024.gc-women-age"])),
        "dose": all_of(
            group,
            any_of(three_months_on(p, t, t["nogg2024.gc-dose"], from_90=_from_90(p)), nogg_course_total(p, t)),
        ),
        "frax": all_of(group, frax_high),
    }
    on_course = any_of(three_months(p, t).criterion, all_of(group, nogg_course_total(p, t)))
    since = plus_months(p.as_of, -t.days("acr2022.assessment-lookback"))
    dxa_open = dxa_since(p, "dxa-recent", since).truth is Truth.NO
    values = shown_course(p.exposure)
    values |= {
        "triggers": [name for name, each in triggers.items() if each.truth is Truth.YES],
        "dxa_to_follow": dxa_open,
    }
    return Finding(
        all_of(
            at_least("adult", p.age, t["ms.adult-age"]),
            chosen(p, "treat_first", "treat"),
            on_course,
            any_of(*triggers.values()),
            not_(known_pregnant(p)),
        ),
        on_therapy(p),
        values,
        (Proposal("dxa"),) if dxa_open else (),
        Level.WARNING,
    )


def _from_90(p: Patient) -> bool:
    return p.choice("gc_duration_op") == "at_least"


@rule(
    "GC-31",
    sets=("nogg2024",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-treatment",
    check="V2",
    strength="definition",
    source="kanis2011",
    reads=("age", "exposure", "frax"),
    switches=("gc_duration_op",),
)
def frax_adjusted_for_dose_by_nogg(p: Patient, t: Thresholds) -> Finding:
    """FRAX is raised from 7.5 mg a day and lowered below 2.5 mg.

    What it looks for: a FRAX result on record, age 40 or over, and a glucocorticoid course of three months. Below 2.5 mg a day
    the probabilities are multiplied by 0.80 (hip 0.65), where FRAX was worked out with glucocorticoids ticked; from 7.5 mg by
    1.15 (hip 1.20). Raw and adjusted values are both shown.

    Why it matters: FRAX knows glucocorticoids as yes or no, and stands for a middle dose.

    When it stays silent: at a dose in between; without FRAX; a short course; a low dose beside a FRAX that does not say
    whether glucocorticoids were ticked.

    Sources: Kanis 2011, as restated for NOGG 2024.
    """
    frax = latest_frax(p)
    known = holds(
        "frax-on-record",
        Truth.YES if isinstance(frax, Known) else Truth.UNKNOWN if p.frax.gaps else Truth.NO,
        frax.evidence if isinstance(frax, Known) else (),
        p.frax.gaps,
    )
    factor = any_of(nogg_lowers_frax(p, t), nogg_raises_frax(p, t))
    applies = all_of(at_least("age-at-least", p.age, t["nogg2024.frax-age"]), known, factor)
    return Finding(applies, values=_frax_shown(p, t, factor))


def _frax_shown(p: Patient, t: Thresholds, factor: Criterion) -> dict[str, Json]:
    frax = latest_frax(p)
    if not isinstance(frax, Known) or factor.truth is Truth.UNKNOWN:
        return {}
    raw = {"mof": frax.value.mof, "hip": frax.value.hip}
    values: dict[str, Json] = {"frax_raw": {name: as_json(each) for name, each in raw.items() if each is not None}}
    values["frax_adjusted"] = frax_values(nogg_frax(p, t))
    if (today := as_json(daily_now(p.exposure).value)) is not None:
        values["pred_eq_mg_per_day"] = today
    return values


RULES: tuple[Rule, ...] = (no_bone_protection_on_glucocorticoids, frax_adjusted_for_dose_by_nogg)
