"""What the risk class asks for: GC-12a to GC-12e (ACR 2022)."""

from __future__ import annotations

from dataclasses import replace

from cds_service.clinical.concepts import on_therapy, shown_course
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.glucocorticoid_classes import on_long_term, risk_class
from cds_service.kernel.criteria import Criterion, all_of, any_of, holds, not_
from cds_service.kernel.facts import COULD_NOT_LOOK, Known, Unknown
from cds_service.kernel.rules import Finding, Kind, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_CARD = "glucocorticoid-treatment"
_READS_DRUG = ("therapies", "pregnant", "pregnancy_possible")
_READS_40 = ("age", "sex", "postmenopausal", "exposure", "fractures", "lowest_t", "frax")
_READS_YOUNG = ("age", "exposure", "fractures", "lowest_z", "scans")
_SWITCHES_DOSE = ("cum_op", "count_pulses")
_SWITCHES_40 = ("gc_75_op", "score_40_50", *_SWITCHES_DOSE)


# Options the guideline lists, side by side; each is offered as a draft only where nothing speaks against it (`offers.py`)
BONE_PROTECTION = (Proposal("alendronate"), Proposal("zoledronic-acid"), Proposal("denosumab"))


def _treat(p: Patient, t: Thresholds, *classes: str) -> Finding:
    chosen = [risk_class(p, t, name) for name in classes]
    applies = all_of(on_long_term(p, t), any_of(*chosen), not_(known_pregnant(p)))
    values = shown_course(p.exposure) | {"risk": classes[0].rsplit("_", 1)[0]}
    referral = (Proposal("bone-referral"),) if classes[0].startswith("very_high") else ()
    propose = (*referral, *BONE_PROTECTION)
    return Finding(applies, on_therapy(p), values, propose)


def known_pregnant(p: Patient) -> Criterion:
    """Pregnant: no drug is offered (clinical.md 15). Where it is not on record, GC-17 speaks instead."""
    match p.pregnant:
        case Known(value, evidence):
            return holds("pregnant", Truth.of(value), evidence)
        case Unknown(gaps):
            open_ = tuple(gap for gap in gaps if gap.kind in COULD_NOT_LOOK)
            impossible = isinstance(p.pregnancy_possible, Known) and not p.pregnancy_possible.value
            return holds("pregnant", Truth.UNKNOWN if open_ and not impossible else Truth.NO, gaps=open_)


@rule(
    "GC-12a",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-12a",
    reads=(*_READS_40, *_READS_DRUG),
    switches=("gc_first_drug", *_SWITCHES_40),
)
def very_high_risk_untreated(p: Patient, t: Thresholds) -> Finding:
    """Very high risk on glucocorticoids, 40 and over, and no osteoporosis drug.

    What it looks for: GC-04, and no osteoporosis drug taken now.

    Why it matters: oral bisphosphonate over no treatment is a strong recommendation; PTH/PTHrP analogues over
    antiresorptives, and IV bisphosphonate or denosumab, are conditional. Which is named first is the site's choice.

    When it stays silent: already treated; another class; class not known.

    Sources: ACR 2022, Recommendations, initial treatment.
    """
    finding = _treat(p, t, "very_high_40")
    return replace(finding, values={**finding.values, "first_drug": p.choice("gc_first_drug")})


@rule(
    "GC-12b",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-12b",
    reads=(*_READS_40, *_READS_DRUG),
    switches=_SWITCHES_40,
)
def high_risk_untreated(p: Patient, t: Thresholds) -> Finding:
    """High risk on glucocorticoids, 40 and over, and no osteoporosis drug.

    What it looks for: GC-05, and no osteoporosis drug taken now.

    Why it matters: oral bisphosphonate over no treatment is a strong recommendation; denosumab or PTH/PTHrP over
    bisphosphonates is conditional.

    When it stays silent: already treated; another class; class not known.

    Sources: ACR 2022, Recommendations, initial treatment.
    """
    return _treat(p, t, "high_40")


@rule(
    "GC-12c",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-12c",
    reads=(*_READS_40, *_READS_DRUG),
    switches=_SWITCHES_40,
)
def moderate_risk_untreated(p: Patient, t: Thresholds) -> Finding:
    """Moderate risk on glucocorticoids, 40 and over, and no osteoporosis drug.

    What it looks for: GC-06, and no osteoporosis drug taken now.

    Why it matters: treatment is offered; agents are conditional and without an order of preference. Raloxifene and
    romosozumab only when others are not tolerated.

    When it stays silent: already treated; another class; class not known; under 40 (GC-12e).

    Sources: ACR 2022, Table 1, Table 2; clinical.md 2.3 reading 9.
    """
    return _treat(p, t, "moderate_40")


@rule(
    "GC-12d",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-general",
    check="V",
    strength="acr-12d",
    reads=(*_READS_40, "lowest_z", "scans"),
    switches=_SWITCHES_40,
)
def low_risk_no_drug(p: Patient, t: Thresholds) -> Finding:
    """Low risk on glucocorticoids: no osteoporosis drug.

    What it looks for: GC-07 or GC-10.

    Why it matters: the guideline advises against adding a drug (strong). No card of its own: nothing has to be done.

    When it stays silent: any other class; class not known.

    Sources: ACR 2022, Recommendations.
    """
    return Finding(all_of(on_long_term(p, t), any_of(risk_class(p, t, "low_40"), risk_class(p, t, "low_young"))))


@rule(
    "GC-12e",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-conditional",
    reads=(*_READS_YOUNG, *_READS_DRUG),
    switches=_SWITCHES_DOSE,
)
def risk_under_40_untreated(p: Patient, t: Thresholds) -> Finding:
    """Very high or moderate risk on glucocorticoids under 40, and no osteoporosis drug.

    What it looks for: GC-08 or GC-09, and no osteoporosis drug taken now.

    Why it matters: oral or IV bisphosphonate, PTH/PTHrP or denosumab are offered (conditional); PTH/PTHrP and denosumab not
    with open growth plates; pregnancy potential comes first (GC-17).

    When it stays silent: already treated; low; class not known.

    Sources: ACR 2022, Recommendations, adults under 40.
    """
    very_high = risk_class(p, t, "very_high_young").truth is Truth.YES
    order = ("very_high_young", "moderate_young") if very_high else ("moderate_young", "very_high_young")
    return _treat(p, t, *order)


RULES: tuple[Rule, ...] = (
    very_high_risk_untreated,
    high_risk_untreated,
    moderate_risk_untreated,
    low_risk_no_drug,
    risk_under_40_untreated,
)
