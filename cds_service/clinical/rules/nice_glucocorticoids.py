"""NICE CG146 on glucocorticoids: GC-33 and GC-34."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    adult,
    as_json,
    daily_now,
    dxa_since,
    on_dose_for_months,
    prior_fracture,
    shown_course,
    taking,
)
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.kernel.criteria import Criterion, all_of, any_of, ever, less_than, none_of
from cds_service.kernel.rules import Finding, Kind, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


@rule(
    "GC-33",
    sets=("nice",),
    card="glucocorticoid-assessment",
    check="V2",
    strength="nice-measure",
    reads=("age", "exposure", "scans", "frax"),
)
def high_dose_without_measurement(p: Patient, t: Thresholds) -> Finding:
    """High-dose glucocorticoids for three months or longer, and nothing measured since.

    What it looks for: an adult on more than 7.5 mg a day for at least three months. Under 40: no DXA since the start. From 40:
    no DXA and no risk score since the start.

    Why it matters: under 40 bone density is measured directly; from 40 FRAX and QFracture underestimate risk at this dose.

    When it stays silent: 7.5 mg a day or less; local steroids and replacement therapy; a measurement since the start.

    Sources: NICE CG146, 1.9 and the recommendation on risk tools.
    """
    course = on_dose_for_months(
        p.exposure, "gc-high-dose", t["nice.high-dose"], t["nice.high-dose-months"], over_dose=True
    )
    start = course.run.first if course.run else p.as_of
    young = less_than("age-below", p.age, t["nice.tool-age"])
    values = shown_course(p.exposure)
    if course.criterion.truth is not Truth.UNKNOWN:
        values["high_dose_gc"] = course.criterion.truth is Truth.YES
    if (today := as_json(daily_now(p.exposure).value)) is not None:
        values["pred_eq_mg_per_day"] = today
    if young.truth is not Truth.UNKNOWN:
        values["measure_directly"] = young.truth is Truth.YES
    scored = ever(
        "frax-since",
        type(p.frax)(tuple(f for f in p.frax.items if f.on and f.on.earliest >= start), p.frax.gaps),
    )
    done = any_of(dxa_since(p, "dxa-since", start), all_of(none_of(young), scored))
    return Finding(all_of(adult(p, t["nice.adult-age"]), course.criterion), done, values, (Proposal("dxa"),))


@rule(
    "GC-34",
    sets=("nice",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-assessment",
    check="V",
    strength="nice-do-not",
    reads=("age", "exposure", "fractures"),
)
def no_routine_assessment_under_50(p: Patient, t: Thresholds) -> Finding:
    """Under 50 and without a major risk factor: no routine assessment.

    What it looks for: an adult under 50 without current systemic glucocorticoids, fragility fracture or untreated
    premature menopause.

    Why it matters: NICE advises against routine assessment there. A gate, never a card.

    When it stays silent: from 50; with one of the risk factors.

    Sources: NICE CG146, 1.2.
    """
    return Finding(
        all_of(
            adult(p, t["nice.adult-age"]),
            less_than("age-below", p.age, t["nice.no-routine-age"]),
            none_of(major_risk_factor(p)),
        )
    )


def major_risk_factor(p: Patient) -> Criterion:
    """What NICE wants under 50: a systemic glucocorticoid now, a fragility fracture, untreated premature menopause."""
    return any_of(
        taking(p.exposure),
        prior_fracture(p, frozenset(FractureSite)),
        ever("premature-menopause", p.diagnoses("menopause.premature_or_surgical")),
    )


RULES: tuple[Rule, ...] = (high_dose_without_measurement, no_routine_assessment_under_50)
