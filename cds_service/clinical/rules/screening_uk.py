"""Whose fracture risk is assessed in the United Kingdom: SCR-12 (NICE CG146), SCR-13 (NOGG). A calculator comes first."""

from __future__ import annotations

from cds_service.clinical.concepts import as_json, latest_frax, long_term_use, on_therapy
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import chosen, man, on_record, woman
from cds_service.clinical.rules.glucocorticoid_courses import nogg_frax
from cds_service.clinical.rules.nice_glucocorticoids import major_risk_factor
from cds_service.clinical.rules.nogg_thresholds import at_treatment_threshold
from cds_service.clinical.rules.risk_factors import (
    fragility_fracture,
    parent_broke_hip,
    secondary_cause,
    smokes,
)
from cds_service.clinical.rules.screening import (
    CARD,
    READS,
    SWITCHES,
    last_dxa,
    measured_lately,
    scored_lately,
    screened,
    shown_age,
    shown_frax,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, less_than, none_of, not_, true
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.rules import Finding, Json, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


@rule(
    "SCR-12",
    sets=("nice",),
    card=CARD,
    check="V",
    strength="nice-consider",
    reads=(*READS, "age", "sex", "frax", "therapies", "falls", "parental_hip_fracture", "bmi", "smoking"),
    switches=(*SWITCHES, "men_age"),
)
def fracture_risk_not_assessed(p: Patient, t: Thresholds) -> Finding:
    """A woman from 65, a man from 75 or a younger adult with a risk factor, and no fracture-risk score.

    What it looks for: a woman of 65 or older; a man of 75 or older; from 40 with a fragility fracture, long-term
    glucocorticoids, a fall on record, hip fracture of a parent, a disease of SCR-05, BMI below 18.5 or current smoking; under 50
    only with a major one: fragility fracture, glucocorticoids or premature menopause. Men where the site follows NICE for
    them. And no FRAX result in five years and no DXA in 23 months, or a new risk factor since.

    Why it matters: FRAX (without bone density) or QFracture comes first, DXA after it for those near a treatment threshold;
    the guideline never measures first. So this card offers no DXA.

    When it stays silent: none of the risk factors; an osteoporosis drug; scored or measured, and nothing new since. Alcohol is
    not used: the guideline counts units a week, the record drinks of unstated size. A QFracture result has no code and is
    not read. Under 40 GC-33 speaks.

    Sources: NICE CG146, 1.1, 1.2, 1.6, 1.7.
    """
    applies = all_of(
        any_of(_of_nice_age(p, t), _younger_at_risk(p, t)),
        any_of(woman(p), all_of(man(p), chosen(p, "men_age", "nice"))),
        none_of(on_therapy(p)),
        screened(p, t),
    )
    return Finding(applies, any_of(scored_lately(p, t), measured_lately(p, t)), {"age": shown_age(p)})


def _of_nice_age(p: Patient, t: Thresholds) -> Criterion:
    return any_of(
        all_of(at_least("age-at-least", p.age, t["nice.women-age"]), woman(p)),
        all_of(at_least("age-at-least", p.age, t["nice.men-age"]), man(p)),
    )


def _younger_at_risk(p: Patient, t: Thresholds) -> Criterion:
    factor = any_of(
        fragility_fracture(p, t),
        long_term_use(p, t).criterion,
        on_record("fall-on-record", p.falls),
        parent_broke_hip(p, t),
        secondary_cause(p, t),
        less_than("bmi-below", p.bmi, t["nice.low-bmi"]),
        smokes(p, t),
    )
    old_enough = any_of(
        at_least("age-at-least", p.age, t["nice.no-routine-age"]),
        all_of(at_least("age-at-least", p.age, t["nice.tool-age"]), major_risk_factor(p)),
    )
    return all_of(factor, old_enough)


@rule(
    "SCR-13",
    sets=("nogg2024",),
    card=CARD,
    check="V2",
    strength="nogg-strong",
    reads=(*READS, "age", "sex", "postmenopausal", "frax", "therapies"),
    switches=(*SWITCHES, "men_age"),
)
def fracture_risk_not_scored_or_high(p: Patient, t: Thresholds) -> Finding:
    """No FRAX result, or one at the treatment threshold without a DXA as a baseline.

    What it looks for: a postmenopausal woman from 40 or a man from 50, not on an osteoporosis drug. Without a FRAX result in
    five years: FRAX first. With one at or above the treatment threshold of the age: DXA as a baseline, without delaying
    treatment. A new risk factor since makes an older result or DXA not count.

    Why it matters: the guideline goes from FRAX to DXA, and treats high risk before DXA is done.

    When it stays silent: a DXA in the last 23 months and nothing new since; men, where the site follows a guideline that
    does not screen them. With a FRAX result below the treatment threshold it cannot tell: whether that is intermediate (DXA)
    or low rests on NOGG's assessment thresholds, which are not in the rule book. Nor are treatment thresholds under 50.

    Sources: NOGG 2024, section 4; the treatment thresholds in a restatement (TX-04).
    """
    scored, high = scored_lately(p, t), at_treatment_threshold(p, t)
    applies = all_of(
        any_of(not_(scored), high, _between_thresholds(high)),
        _of_nogg(p, t),
        none_of(on_therapy(p)),
        screened(p, t),
    )
    step = "tool" if scored.truth is Truth.NO else "dxa"
    values: dict[str, Json] = {"age": shown_age(p), "step": step} | _for_dose(p, t)
    return Finding(
        applies,
        measured_lately(p, t),
        values | last_dxa(p, t) | shown_frax(p),
        (Proposal("dxa"),) if step == "dxa" else (),
    )


def _for_dose(p: Patient, t: Thresholds) -> dict[str, Json]:
    """FRAX, major osteoporotic, where the glucocorticoid dose raises or lowers it, to one decimal."""
    frax, (adjusted, _) = latest_frax(p), nogg_frax(p, t)
    if not isinstance(frax, Known) or not isinstance(adjusted, Known) or adjusted.value == frax.value.mof:
        return {}
    exact = as_json(adjusted.value)
    return {"mof_for_dose": round(exact, 1)} if exact is not None else {}


def _of_nogg(p: Patient, t: Thresholds) -> Criterion:
    return any_of(
        all_of(
            at_least("age-at-least", p.age, t["nogg2024.frax-age"]), woman(p), true("postmenopausal", p.postmenopausal)
        ),
        all_of(
            at_least("age-at-least", p.age, t["nogg2024.men-age"]),
            man(p),
            chosen(p, "men_age", "bhof_iscd", "nice", "oc2023"),
        ),
    )


def _between_thresholds(high: Criterion) -> Criterion:
    """Below the treatment threshold the rule book does not say where low risk begins."""
    truth = Truth.UNKNOWN if high.truth is Truth.NO else Truth.NO
    return holds("nogg-intermediate", truth, gaps=(Gap(GapKind.NOT_RECORDED, "assessment-threshold"),))


RULES: tuple[Rule, ...] = (fracture_risk_not_assessed, fracture_risk_not_scored_or_high)
