"""Whom to treat and whom to refer in the United Kingdom: TX-04, TX-05 (NOGG 2024)."""

from __future__ import annotations

from cds_service.clinical.concepts import score_value, within_months
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.common import chosen
from cds_service.clinical.rules.nogg_thresholds import at_treatment_threshold, at_very_high_risk
from cds_service.clinical.rules.treatment_criteria import CARD, READS, fractures_counted, untreated
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, holds
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.rules import Finding, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_SET = ("nogg2024",)
_VERTEBRA = frozenset({FractureSite.VERTEBRA})


@rule(
    "TX-04",
    sets=_SET,
    card=CARD,
    check="V2",
    strength="nogg-threshold",
    reads=(*READS, "frax"),
    switches=("frax_mode", "gc_duration_op"),
)
def intervention_threshold_met_untreated(p: Patient, t: Thresholds) -> Finding:
    """FRAX reaches NOGG's intervention threshold of the age, and no osteoporosis drug is taken.

    What it looks for: women after menopause and men, from 50, whose newest FRAX major osteoporotic reaches 7.3 % at 50 to 54,
    9.5 % at 55 to 59, 12.2 % at 60 to 64, 16.5 % at 65 to 69, 20.3 % from 70, or hip 5.4 % from 70. Hip thresholds of younger
    ages are not on file, and no threshold under 50. FRAX is adjusted for the glucocorticoid dose.

    Why it matters: below 70 a fixed threshold would miss people whose risk is high for their age.

    When it stays silent: before menopause; treated; where the site takes a fixed threshold (D5).

    Sources: NOGG 2024, as restated.
    """
    met = all_of(at_treatment_threshold(p, t), chosen(p, "frax_mode", "by_age"))
    return untreated(p, t, met, {})


@rule(
    "TX-05",
    sets=_SET,
    card=CARD,
    check="V2",
    strength="nogg-referral",
    reads=(*READS, "fractures", "lowest_t", "frax"),
    switches=("vhr_set", "frax_mode", "gc_duration_op"),
)
def very_high_risk_not_referred(p: Patient, t: Thresholds) -> Finding:
    """Very high risk by NOGG, and no osteoporosis drug is taken.

    What it looks for: women after menopause and men from 50 with a vertebral fracture within two years, two vertebral
    fractures, a T-score of -3.5 or lower, or FRAX at 1.6 times the intervention threshold of the age or more.

    Why it matters: a specialist considers drugs that are injected, some of them before any other.

    When it stays silent: a drug is taken; where the site reads very high risk otherwise (D6). Referrals are not on record.
    High-dose glucocorticoids with another risk factor, which the guideline may name as well, are recalled and not looked for.

    Sources: NOGG 2024, section 4 (referral, factor 1.6); the list of features as restated.
    """
    months = t.days("nogg2024.recent-vertebral-months")
    recent = [
        within_months("vertebral-fracture-recent", f.on, p.as_of, months, f.evidence)
        for f in p.fractures.items
        if f.site is FractureSite.VERTEBRA and f.low_trauma is Truth.YES
    ]
    met = any_of(
        *recent,
        _may_be_vertebral(p),
        at_least("vertebral-fractures", fractures_counted(p, _VERTEBRA), t["nogg2024.vertebral-fractures"]),
        at_most("t-at-most", score_value(p.lowest_t), t["nogg2024.very-high-t"]),
        all_of(at_very_high_risk(p, t), chosen(p, "frax_mode", "by_age")),
    )
    return untreated(p, t, all_of(met, chosen(p, "vhr_set", "nogg2024")), {}, Proposal("bone-referral"))


def _may_be_vertebral(p: Patient) -> Criterion:
    """A vertebral fracture whose cause is not told, or fractures that could not be looked at."""
    unsure = tuple(
        Gap(GapKind.NOT_RECORDED, "fracture-cause", str(f.on or ""), f.evidence.resource)
        for f in p.fractures.items
        if f.site is FractureSite.VERTEBRA and f.low_trauma is Truth.UNKNOWN
    )
    gaps = (*unsure, *p.fractures.gaps)
    return holds("vertebral-fracture-recent", Truth.UNKNOWN if gaps else Truth.NO, gaps=gaps)


# very high risk speaks first on the card
RULES: tuple[Rule, ...] = (very_high_risk_not_referred, intervention_threshold_met_untreated)
