"""Whom to treat in Canada: TX-06 (Osteoporosis Canada 2023)."""

from __future__ import annotations

from cds_service.clinical.concepts import scaled_frax, score_value
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.treatment_criteria import (
    CARD,
    FRAGILITY,
    MAJOR,
    READS,
    fracture_at,
    fractures_counted,
    recalled,
    untreated,
)
from cds_service.kernel.criteria import all_of, any_of, at_least, at_most
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Finding, Json, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


@rule(
    "TX-06",
    sets=("oc2023",),
    card=CARD,
    check="V",
    strength="oc-treat",
    reads=(*READS, "fractures", "lowest_t", "frax"),
)
def treatment_recommended_by_osteoporosis_canada(p: Patient, t: Thresholds) -> Finding:
    """Osteoporosis Canada recommends or suggests a drug, and none is taken.

    What it looks for: women after menopause and men from 50 with a low-trauma hip or vertebral fracture, or two fragility
    fractures: a drug is recommended. Where the site has switched on the recalled parts (TX-06 under `preview`), also FRAX
    major osteoporotic 20 % or more, or a T-score of -2.5 or lower from 70: recommended; FRAX 15 % or more, or such a T-score
    under 70: suggested. `advice` says which.

    Why it matters: the risk of another fracture is highest in the years after the first.

    When it stays silent: before menopause and under 50 in men; treated. Where the rules on glucocorticoids
    recommend treatment, this rule stands on their card.

    Sources: Osteoporosis Canada 2023, recommendation 3.5: the first clause was read, the rest is recalled.
    """
    one = exactly(1)
    mof, _ = scaled_frax(p, one, one)
    low = at_most("t-at-most", score_value(p.lowest_t), t["oc2023.treat-t"])
    old = at_least("age-at-least", p.age, t["oc2023.treat-age"])
    fractures = any_of(
        fracture_at(p, "fracture-hip-or-spine", MAJOR),
        at_least("fragility-fractures", fractures_counted(p, FRAGILITY), t["oc2023.treat-fractures"]),
    )
    recommended = any_of(at_least("frax-mof-from", mof, t["oc2023.treat-mof"]), all_of(low, old))
    suggested = any_of(at_least("frax-mof-from", mof, t["oc2023.suggest-mof"]), low)
    more = recalled(p, "TX-06")
    met = any_of(fractures, all_of(recommended, more), all_of(suggested, more))
    strong = Truth.YES in (fractures.truth, all_of(recommended, more).truth)
    values: dict[str, Json] = {"advice": "recommended" if strong else "suggested"} if met.truth is Truth.YES else {}
    return untreated(p, t, met, values, Proposal("bone-referral"))


RULES: tuple[Rule, ...] = (treatment_recommended_by_osteoporosis_canada,)
