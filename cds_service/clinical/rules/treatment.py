"""Whom to treat, by US specialist practice: TX-01 (BHOF), TX-02 (AACE), TX-03 (Endocrine Society)."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.concepts import long_term_use, scaled_frax, score_value, within_months
from cds_service.clinical.due import after
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.common import chosen
from cds_service.clinical.rules.treatment_criteria import (
    CARD,
    FRAGILITY,
    MAJOR,
    READS,
    fracture_at,
    fractures_counted,
    frax_from,
    population,
    recalled,
    untreated,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, holds, less_than, more_than, true
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Finding, Json, Kind, Proposal, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, every, some

_SET = ("bhof_iscd",)
# With low bone mass these fractures count as well
_MINOR = frozenset({FractureSite.HUMERUS, FractureSite.PELVIS, FractureSite.WRIST})


@shared
def us_threshold(p: Patient, t: Thresholds) -> Criterion:
    """The treatment threshold of BHOF and AACE; its FRAX part where the site takes a fixed threshold (D5)."""
    score = score_value(p.lowest_t)
    low = less_than("t-below", score, t["bhof_iscd.normal-t"])
    frax = frax_from(p, t["bhof_iscd.treat-mof"], t["bhof_iscd.treat-hip"])
    return any_of(
        fracture_at(p, "fracture-hip-or-spine", MAJOR),
        at_most("t-at-most", score, t["bhof_iscd.osteoporosis-t"]),
        all_of(chosen(p, "frax_mode", "fixed"), frax, low),
        all_of(fracture_at(p, "fracture-minor-site", _MINOR), low),
    )


@rule(
    "TX-01",
    sets=_SET,
    card=CARD,
    check="V2",
    strength="bhof-threshold",
    source="bhof2022",
    reads=(*READS, "fractures", "lowest_t", "frax"),
    switches=("frax_mode",),
)
def treatment_threshold_met_untreated(p: Patient, t: Thresholds) -> Finding:
    """The US treatment threshold is met, and no osteoporosis drug is taken.

    What it looks for: women after menopause and men from 50 with a low-trauma hip or vertebral fracture; or a T-score of -2.5
    or lower; or a T-score below -1.0 with FRAX major osteoporotic 20 % or hip 3 % and more, or with a low-trauma fracture of
    humerus, pelvis or forearm. FRAX counts as it stands on record; where the site takes thresholds by age (D5), TX-04 reads
    it. `treatment_threshold_met` says whether the threshold is met, whoever is asked about.

    Why it matters: most people who meet the threshold after a fracture are not treated.

    When it stays silent: before menopause and under 50 in men; a drug is taken, or a full course of a bisphosphonate is over
    (MON-05); under 40 on long-term glucocorticoids where ACR is followed. Where the rules on glucocorticoids recommend
    treatment, this rule stands on their card.

    Sources: BHOF 2022 and AACE 2020, as restated.
    """
    met = us_threshold(p, t)
    told = all_of(population(p, t), met).truth
    values: dict[str, Json] = {} if told is Truth.UNKNOWN else {"treatment_threshold_met": told is Truth.YES}
    return untreated(p, t, met, values, Proposal("bone-referral"))


@rule(
    "TX-02",
    sets=_SET,
    kind=Kind.DEFINITION,
    status=Status.PREVIEW,
    card=CARD,
    check="R",
    strength="definition",
    source="aace2020",
    reads=("age", "sex", "postmenopausal", "therapies", "exposure", "fractures", "lowest_t", "frax", "falls_in_year"),
    switches=("vhr_set", "gc_entry", "gc_duration_op"),
)
def very_high_risk_by_aace(p: Patient, t: Thresholds) -> Finding:
    """Very high risk by AACE.

    What it looks for: women after menopause and men from 50 with any of: a low-trauma fracture within 12 months; one while an
    osteoporosis drug is taken; more than one; one during long-term glucocorticoids; a T-score below -3.0; two falls in a year
    or repeated falls; FRAX major osteoporotic above 30 % or hip above 4.5 %. The numbers themselves do not count, unlike ACR's.

    Why it matters: an anabolic drug first, or a specialist, is considered there.

    When it stays silent: where the site reads very high risk otherwise (D6). "High falls risk" is taken as falls on record;
    injuries from falls other than fractures are not looked for.

    Sources: AACE 2020; partly restated, partly recalled, which part is not told; off unless switched on.
    """
    mof, hip = scaled_frax(p, exactly(1), exactly(1))
    counted = fractures_counted(p, FRAGILITY)
    many = counted.value.more_than(Decimal(1)) if isinstance(counted, Known) else Truth.UNKNOWN
    shown, doubts = (counted.evidence, counted.doubts) if isinstance(counted, Known) else ((), counted.gaps)
    risk = any_of(
        _recent_fracture(p, t),
        _fracture_on_drug(p),
        holds("several-fractures", many, shown, doubts),
        _fracture_on_glucocorticoids(p, t),
        less_than("t-below", score_value(p.lowest_t), t["aace2020.very-high-t"]),
        at_least("falls", p.falls_in_year, t["ms.falls"]),
        more_than("frax-mof-above", mof, t["aace2020.very-high-mof"]),
        more_than("frax-hip-above", hip, t["aace2020.very-high-hip"]),
    )
    return Finding(all_of(population(p, t), chosen(p, "vhr_set", "aace2020"), risk))


def _recent_fracture(p: Patient, t: Thresholds) -> Criterion:
    months = t.days("aace2020.recent-fracture-months")
    recent = [
        all_of(
            holds("low-trauma", f.low_trauma, gaps=(_open(f.evidence.resource, "fracture-cause"),)),
            within_months("fracture-recent", f.on, p.as_of, months, f.evidence),
        )
        for f in p.fractures.items
        if f.site is not FractureSite.ELSEWHERE
    ]
    other = holds("fracture-recent", Truth.UNKNOWN if p.fractures.gaps else Truth.NO, gaps=p.fractures.gaps)
    return any_of(*recent, other)


def _open(resource: str, what: str) -> Gap:
    return Gap(GapKind.NOT_RECORDED, what, "", resource)


def _fracture_on_drug(p: Patient) -> Criterion:
    """A low-trauma fracture after the start of a drug that is still taken."""
    told = [
        (every((fracture.low_trauma, drug.current, after(fracture.on, drug.started))), fracture)
        for fracture in p.fractures.items
        for drug in p.therapies.items
        if fracture.site is not FractureSite.ELSEWHERE and drug.current is not Truth.NO
    ]
    open_ = (*p.therapies.gaps, *p.fractures.gaps)
    truth = some([truth for truth, _ in told] + [Truth.UNKNOWN] * bool(open_))
    gaps = (*open_, *(_open(f.evidence.resource, "date") for truth, f in told if truth is Truth.UNKNOWN))
    return holds("fracture-while-treated", truth, tuple(f.evidence for truth, f in told if truth is Truth.YES), gaps)


def _fracture_on_glucocorticoids(p: Patient, t: Thresholds) -> Criterion:
    """A low-trauma fracture since the present long-term course began."""
    course = long_term_use(p, t)
    since = course.run.first if course.run else p.as_of
    after = [f for f in p.fractures.items if f.site is not FractureSite.ELSEWHERE and f.on and f.on.earliest >= since]
    undated = tuple(_open(f.evidence.resource, "date") for f in p.fractures.items if f.on is None)
    truth = some([f.low_trauma for f in after] + [Truth.UNKNOWN] * bool(undated or p.fractures.gaps))
    shown = tuple(f.evidence for f in after)
    return all_of(course.criterion, holds("fracture-in-course", truth, shown, (*undated, *p.fractures.gaps)))


@rule(
    "TX-03",
    sets=_SET,
    card=CARD,
    check="V2",
    strength="es-treat",
    source="es2020",
    reads=(*READS, "fractures", "lowest_t", "frax"),
    switches=("frax_mode",),
)
def high_risk_after_menopause_untreated(p: Patient, t: Thresholds) -> Finding:
    """A woman after menopause at high risk of fracture, and no osteoporosis drug.

    What it looks for: a woman after menopause who meets the threshold of TX-01. With T-score -2.5 or lower and a fracture, or
    with more than one vertebral fracture, `very_high` is set where the site has switched on this recalled part.

    Why it matters: the guideline recommends a drug, above all after a recent fracture, and in most people a bisphosphonate
    first; at very high risk an anabolic drug.

    When it stays silent: men; before menopause; treated.

    Sources: Endocrine Society 2019, 1.1 (strong) and 2.1; what high risk means: TX-01, as restated. Very high risk is recalled.
    """
    vertebral = fractures_counted(p, frozenset({FractureSite.VERTEBRA}))
    several = vertebral.value.more_than(Decimal(1)) if isinstance(vertebral, Known) else Truth.UNKNOWN
    low = at_most("t-at-most", score_value(p.lowest_t), t["bhof_iscd.osteoporosis-t"])
    severe = every((low.truth, fracture_at(p, "fragility-fracture", FRAGILITY).truth))
    very_high = recalled(p, "TX-03").truth is Truth.YES and some((several, severe)) is Truth.YES
    met = all_of(us_threshold(p, t), true("after-menopause", p.postmenopausal))
    return untreated(p, t, met, {"very_high": very_high})


RULES: tuple[Rule, ...] = (
    treatment_threshold_met_untreated,
    very_high_risk_by_aace,
    high_risk_after_menopause_untreated,
)
