"""Screening in Canada: SCR-09 and SCR-10 (Osteoporosis Canada 2023), SCR-11 (Canadian Task Force 2023)."""

from __future__ import annotations

from cds_service.clinical.concepts import latest_frax, long_term_use, score_value, uses_t_scores
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import chosen, man, woman
from cds_service.clinical.rules.diagnosis import score_values
from cds_service.clinical.rules.risk_factors import (
    at_least_so_many,
    drinks,
    fragility_fracture,
    parent_broke_hip,
    secondary_cause,
    smokes,
)
from cds_service.clinical.rules.screening import (
    CARD,
    READS,
    READS_DXA,
    READS_GENERAL,
    SWITCHES,
    SWITCHES_DXA,
    asks_for_dxa,
    general_population,
    measured_lately,
    scored_lately,
    screened,
    shown_age,
    shown_frax,
    spine_assessed,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, holds, less_than, none_of, not_
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.rules import Finding, Json, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("oc2023",)
_READS_FACTORS = ("falls_in_year", "parental_hip_fracture", "bmi", "smoking", "alcohol")


@rule(
    "SCR-09",
    sets=_SET,
    card=CARD,
    check="V",
    strength="oc-conditional",
    reads=(*READS_DXA, "sex", "postmenopausal", *_READS_FACTORS),
    switches=(*SWITCHES_DXA, "men_age"),
)
def bone_density_due_in_canada(p: Patient, t: Thresholds) -> Finding:
    """A fracture or risk factors from 50, one risk factor from 65, or age 70, and no recent DXA.

    What it looks for: a postmenopausal woman, or a man from 50 where the site follows Osteoporosis Canada for men, who is 50 or
    older with a previous fragility fracture or at least two clinical risk factors, 65 or older with one, or 70 or older; and
    no DXA in the last 23 months, or a new risk factor since. Counted as risk factors, for want of the guideline's own list in
    the rule book: previous fragility fracture, long-term glucocorticoids, two falls in a year, hip fracture of a parent, a
    secondary cause (the diseases of SCR-05, however many), BMI below 18.5, current smoking, three drinks of alcohol a day.

    Why it matters: the guideline measures bone density by age and number of risk factors.

    When it stays silent: one risk factor under 65; a DXA in the last 23 months and nothing new since. Multiple sclerosis is
    not counted as a risk factor.

    Sources: Osteoporosis Canada 2023, recommendation 3.3 (conditional).
    """
    values, proposals = asks_for_dxa(p, t)
    factors = _risk_factors(p, t)
    several = at_least_so_many("risk-factors-at-least", factors, t["oc2023.risk-factors"])
    applies = all_of(
        any_of(
            at_least("age-at-least", p.age, t["oc2023.all-age"]),
            all_of(any_of(*factors), at_least("age-at-least", p.age, t["oc2023.factor-age"])),
            all_of(
                any_of(fragility_fracture(p, t), several), at_least("age-at-least", p.age, t["oc2023.fracture-age"])
            ),
        ),
        uses_t_scores(p, t),
        any_of(woman(p), chosen(p, "men_age", "oc2023")),
        screened(p, t),
    )
    counted: dict[str, Json] = {
        "fracture": fragility_fracture(p, t).truth is Truth.YES,
        "risk_factors": sum(each.truth is Truth.YES for each in factors),
    }
    return Finding(applies, measured_lately(p, t), values | counted, proposals)


@shared
def _risk_factors(p: Patient, t: Thresholds) -> tuple[Criterion, ...]:
    return (
        fragility_fracture(p, t),
        long_term_use(p, t).criterion,
        at_least("falls-at-least", p.falls_in_year, t["ms.falls"]),
        parent_broke_hip(p, t),
        secondary_cause(p, t),
        less_than("bmi-below", p.bmi, t["policy.low-bmi"]),
        smokes(p, t),
        drinks(p, t),
    )


@rule(
    "SCR-10",
    sets=_SET,
    card=CARD,
    check="V",
    strength="oc-conditional",
    reads=(*READS, "age", "sex", "postmenopausal", "lowest_t", "frax"),
    switches=SWITCHES,
)
def spine_not_imaged_in_canada(p: Patient, t: Thresholds) -> Finding:
    """A T-score of -2.5 or lower from 65, or a fracture risk of 15 to 19.9 %, and no image of the spine.

    What it looks for: a postmenopausal woman or a man from 50 who is 65 or older with a lowest T-score of -2.5 or lower, or has a
    FRAX, major osteoporotic, as recorded, of 15 to 19.9 %; no vertebral fracture on record; and no vertebral fracture
    assessment on record, or a new risk factor since.

    Why it matters: a vertebral fracture that nobody knows of moves these people to treatment.

    When it stays silent: a vertebral fracture is known; an assessment on record. Spine X-rays and CAROC results are not read.

    Sources: Osteoporosis Canada 2023, recommendation 3.4 (conditional).
    """
    low = all_of(
        at_most("t-at-most", score_value(p.lowest_t), t["oc2023.imaging-t"]),
        at_least("age-at-least", p.age, t["oc2023.imaging-age"]),
    )
    mof = _recorded_mof(p, t)
    in_band = all_of(
        at_least("frax-recorded-mof-at-least", mof, t["oc2023.imaging-mof-from"]),
        at_most("frax-recorded-mof-at-most", mof, t["oc2023.imaging-mof-to"]),
    )
    applies = all_of(any_of(low, in_band), uses_t_scores(p, t), not_(_known_vertebral_fracture(p)), screened(p, t))
    why: list[Json] = [name for name, each in (("t_score", low), ("frax", in_band)) if each.truth is Truth.YES]
    values = score_values("t_score", p.lowest_t) | {"age": shown_age(p), "why": why}
    return Finding(applies, spine_assessed(p, t), values | shown_frax(p), (Proposal("vfa"),))


def _recorded_mof(p: Patient, t: Thresholds) -> Fact[Interval]:
    """FRAX, major osteoporotic, as recorded, where the result still counts; while a look-up is open a newer one may exist."""
    frax, counts = latest_frax(p), scored_lately(p, t)
    if not isinstance(frax, Known) or frax.value.mof is None:
        return Unknown(frax.gaps if isinstance(frax, Unknown) else (Gap(GapKind.NOT_RECORDED, "frax"),))
    too_old = Gap(GapKind.TOO_OLD, "frax", str(frax.value.on or ""), frax.value.evidence.resource)
    if open_ := (*frax.doubts, *counts.open_gaps(), *((too_old,) if counts.truth is Truth.NO else ())):
        return Unknown(open_)
    return Known(frax.value.mof, frax.evidence)


def _known_vertebral_fracture(p: Patient) -> Criterion:
    known = tuple(f.evidence for f in p.fractures.items if f.site is FractureSite.VERTEBRA)
    truth = Truth.YES if known else Truth.UNKNOWN if p.fractures.gaps else Truth.NO
    return holds("known-vertebral-fracture", truth, known, p.fractures.gaps)


@rule(
    "SCR-11",
    sets=("ctf2023",),
    card=CARD,
    check="V",
    strength="ctf-conditional",
    reads=(*READS_GENERAL, "age", "sex", "frax"),
    switches=SWITCHES,
)
def woman_not_scored_in_canada(p: Patient, t: Thresholds) -> Finding:
    """A woman from 65 in the general population without a fracture-risk score; nobody younger, and no men.

    What it looks for: a woman of 65 or older in the general population without a FRAX result in five years and without a DXA in
    23 months. `against_screening` says that the guideline advises against screening: women from 40 to 64, men from 40.

    Why it matters: the risk comes first, and DXA only where treatment is considered.

    When it stays silent: women under 65 and men; the people that SCR-01 leaves out, both groups of this service among them.

    Sources: Canadian Task Force 2023 (conditional; strong against), read in a summary.
    """
    older = all_of(at_least("age-at-least", p.age, t["ctf2023.women-age"]), woman(p))
    against = all_of(
        at_least("age-at-least", p.age, t["ctf2023.against-age"]), any_of(man(p), woman(p)), none_of(older)
    )
    applies = all_of(older, screened(p, t), general_population(p, t))
    values: dict[str, Json] = {"age": shown_age(p)}
    if against.truth is not Truth.UNKNOWN:
        values["against_screening"] = against.truth is Truth.YES
    return Finding(applies, any_of(scored_lately(p, t), measured_lately(p, t)), values)


RULES: tuple[Rule, ...] = (bone_density_due_in_canada, spine_not_imaged_in_canada, woman_not_scored_in_canada)
