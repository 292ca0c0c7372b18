"""Screening of the general population in the United States: SCR-01 and SCR-02 (USPSTF), SCR-14 (ACOG), SCR-15 (AACE)."""

from __future__ import annotations

from cds_service.clinical.concepts import adjusted_frax, dxa_since
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import woman
from cds_service.clinical.rules.risk_factors import drinks, parent_broke_hip, smokes
from cds_service.clinical.rules.screening import (
    CARD,
    READS,
    READS_DXA,
    SWITCHES,
    SWITCHES_DXA,
    asks_for_dxa,
    general_population,
    measured_ever,
    measured_lately,
    ost_values,
    scored_lately,
    screened,
    shown_age,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, less_than, true
from cds_service.kernel.dates import plus_months
from cds_service.kernel.rules import Finding, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds

_READS_TOOL = ("postmenopausal", "bmi", "smoking", "parental_hip_fracture", "alcohol", "ost")


@rule(
    "SCR-01",
    sets=("uspstf2025",),
    card=CARD,
    check="V2",
    strength="uspstf-b",
    reads=(*READS_DXA, "sex", "therapies"),
    switches=SWITCHES_DXA,
)
def woman_never_scanned(p: Patient, t: Thresholds) -> Finding:
    """A woman of 65 or older without a DXA on record.

    What it looks for: a woman from 65 in the general population, and no DXA of spine or hip, however old.

    Why it matters: the guideline advises screening at this age, to prevent fractures (grade B).

    When it stays silent: known osteoporosis, an osteoporosis drug, a fragility fracture, a disease or drug that weakens
    bone, multiple sclerosis or a glucocorticoid in the last year: the guideline does not cover these people (SCR-05 and the
    rules on MS and glucocorticoids do). So it speaks only at sites that screen everybody.

    Sources: USPSTF 2025; the exclusions in a restatement.
    """
    values, proposals = asks_for_dxa(p, t)
    applies = all_of(
        at_least("age-at-least", p.age, t["uspstf2025.women-age"]),
        woman(p),
        screened(p, t),
        general_population(p, t),
    )
    return Finding(applies, measured_ever(p), values, proposals)


@shared
def increased_risk(p: Patient, t: Thresholds) -> Criterion:
    """One risk factor or more, and a formal tool that shows increased risk. OST only raises: it never rules the risk out."""
    factors = any_of(
        less_than("bmi-below", p.bmi, t["policy.low-bmi"]),
        smokes(p, t),
        parent_broke_hip(p, t),
        drinks(p, t),
    )
    mof, _ = adjusted_frax(p, t)
    tools = any_of(
        at_least("frax-mof-at-least", mof, t["uspstf2025.tool-mof"]),
        less_than("ost-below", p.ost, t["ost.women-below"]),
    )
    return all_of(true("postmenopausal", p.postmenopausal), factors, tools)


@rule(
    "SCR-02",
    sets=("uspstf2025",),
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="uspstf-b",
    reads=(*READS_DXA, "sex", "therapies", *_READS_TOOL),
    switches=(*SWITCHES_DXA, "gc_75_op"),
)
def younger_woman_at_increased_risk(p: Patient, t: Thresholds) -> Finding:
    """A postmenopausal woman under 65 with a risk factor and a tool that shows increased risk, and no DXA on record.

    What it looks for: postmenopausal, under 65, in the general population; BMI below 18.5, current smoking, hip fracture of a
    parent or three drinks of alcohol a day; and OST below 2 (worked out from age and the weight of the last year) or FRAX,
    major osteoporotic, of 8.4 % or more. ORAI, OSIRIS and SCORE are not read.

    Why it matters: younger women are screened only if a formal tool shows increased risk (grade B).

    When it stays silent: no risk factor; no tool result; the people that SCR-01 leaves out, both groups of this service
    among them.

    Sources: USPSTF 2025; the cut-offs of the tools are recalled, the list of risk factors is that of this project; off
    unless switched on.
    """
    values, proposals = asks_for_dxa(p, t)
    applies = all_of(
        increased_risk(p, t),
        less_than("age-below", p.age, t["uspstf2025.women-age"]),
        woman(p),
        screened(p, t),
        general_population(p, t),
    )
    return Finding(applies, measured_ever(p), values | ost_values(p, t), proposals)


@rule(
    "SCR-14",
    sets=("acog2021",),
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="recalled",
    reads=(*READS_DXA, "sex", "therapies", *_READS_TOOL),
    switches=(*SWITCHES_DXA, "gc_75_op"),
)
def woman_not_screened_after_menopause(p: Patient, t: Thresholds) -> Finding:
    """A woman from 65, or a younger one after menopause at increased risk, without a DXA in two years.

    What it looks for: the women of SCR-01 and SCR-02, and no DXA in the last two years.

    Why it matters: gynaecologists screen after menopause; the guideline repeats it not sooner than after two years.

    When it stays silent: as SCR-01 and SCR-02.

    Sources: ACOG 2021, recalled wording, not yet read in the source; off unless switched on.
    """
    values, proposals = asks_for_dxa(p, t)
    applies = all_of(
        any_of(at_least("age-at-least", p.age, t["acog2021.women-age"]), increased_risk(p, t)),
        woman(p),
        screened(p, t),
        general_population(p, t),
    )
    recent = dxa_since(p, "dxa-recent", plus_months(p.as_of, -t.days("acog2021.repeat-months")))
    return Finding(applies, recent, values | ost_values(p, t), proposals)


@rule(
    "SCR-15",
    sets=("aace2020",),
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="recalled",
    reads=(*READS, "age", "sex", "frax"),
    switches=SWITCHES,
)
def woman_not_evaluated(p: Patient, t: Thresholds) -> Finding:
    """A woman from 50 whose fracture risk was not evaluated.

    What it looks for: a woman of 50 or older without a FRAX result in five years and without a DXA in 23 months.

    Why it matters: all women from 50 are evaluated for their risk, and have a DXA where that shows a reason.

    When it stays silent: evaluated or measured, and no new risk factor since.

    Sources: AACE 2020, recalled wording, not yet read in the source; off unless switched on.
    """
    applies = all_of(at_least("age-at-least", p.age, t["aace2020.women-age"]), woman(p), screened(p, t))
    return Finding(applies, any_of(scored_lately(p, t), measured_lately(p, t)), {"age": shown_age(p)})


RULES: tuple[Rule, ...] = (
    woman_never_scanned,
    younger_woman_at_increased_risk,
    woman_not_screened_after_menopause,
    woman_not_evaluated,
)
