"""Other pathways on glucocorticoids, off unless a site names their set: GC-32, GC-35, GC-36, and coverage in GC-37."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    dxa_since,
    frax_since,
    long_term_use,
    on_dose_for_months,
    on_therapy,
    prior_fracture,
    score_value,
    shown_course,
    uses_t_scores,
)
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.glucocorticoid_courses import older, three_months, three_months_on
from cds_service.clinical.rules.glucocorticoid_treatment import known_pregnant
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, none_of, not_
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Known
from cds_service.kernel.rules import Finding, Kind, Rule, Status, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

_CARD = "glucocorticoid-treatment"
_FRAGILITY_SITES = frozenset(FractureSite) - {FractureSite.ELSEWHERE}
_DRUG = ("therapies", "pregnant", "pregnancy_possible")


def _adult(p: Patient, t: Thresholds) -> Criterion:
    return at_least("adult", p.age, t["ms.adult-age"])


@rule(
    "GC-32",
    sets=("formulary_uk",),
    card=_CARD,
    check="V2",
    strength="pathway",
    source="rcp2002",
    reads=("age", "sex", "postmenopausal", "exposure", "lowest_t", *_DRUG),
    switches=("gc_entry", "gc_duration_op"),
)
def t_score_low_for_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """On long-term glucocorticoids with a T-score of -1.5 or lower, and no bone protection.

    What it looks for: long-term glucocorticoids as the site reads them, and the lowest T-score -1.5 or lower in a
    postmenopausal woman or a man from 50.

    Why it matters: bone breaks at a higher density on glucocorticoids; some UK pathways treat from there. Guidelines are
    split: three use -2.5, four -1.5.

    When it stays silent: off unless a site switches its set on; an osteoporosis drug; pregnancy; Z-scores.

    Sources: Devon formulary; a review of thresholds (J Bone Metab 2020); RCP 2002, recalled.
    """
    low = all_of(uses_t_scores(p, t), at_most("t-at-most", score_value(p.lowest_t), t["formulary_uk.treat-t"]))
    values = shown_course(p.exposure)
    if isinstance(p.lowest_t, Known):
        values |= {"t_score_lowest": str(p.lowest_t.value.value), "t_score_on": str(p.lowest_t.value.on or "")}
    applies = all_of(_adult(p, t), long_term_use(p, t).criterion, low, not_(known_pregnant(p)))
    return Finding(applies, on_therapy(p), values)


@rule(
    "GC-35",
    sets=("iof",),
    card=_CARD,
    status=Status.PREVIEW,
    check="R",
    strength="iof-framework",
    reads=("age", "sex", "postmenopausal", "exposure", "fractures", "frax", *_DRUG),
    switches=("gc_duration_op",),
)
def at_risk_by_iof_framework(p: Patient, t: Thresholds) -> Finding:
    """On glucocorticoids for three months, and the IOF-ECTS framework asks for treatment or for FRAX.

    What it looks for: a course of three months taken or ordered. Postmenopausal women and men from 50: treatment at once with
    a fragility fracture, from 70, or on 7.5 mg a day or more; else FRAX, adjusted for the dose, where there is none since the
    start. Others: a fragility fracture, for individual judgement.

    Why it matters: a framework for national guidelines, for sites whose country has none.

    When it stays silent: an osteoporosis drug; FRAX since the start of the course and none of the above; younger people
    without a fracture; pregnancy; short courses and relapse pulses.

    Sources: IOF-ECTS 2012; scope read, thresholds recalled.
    """
    group, fracture = older(p, t["iof2012.men-age"]), prior_fracture(p, _FRAGILITY_SITES)
    at_once = any_of(
        fracture,
        at_least("age-at-least", p.age, t["iof2012.treat-age"]),
        three_months_on(p, t, t["iof2012.treat-dose"], from_90=True),
    )
    frax_first = all_of(group, none_of(at_once), at_least("age-at-least", p.age, t["iof2012.frax-age"]))
    steps = {"treat": all_of(group, at_once), "judge": all_of(not_(group), fracture), "frax": frax_first}
    course = three_months(p, t)
    scored = frax_since(p, "frax-since", course.run.first if course.run else p.as_of)
    values = shown_course(p.exposure)
    if step := next((name for name, each in steps.items() if each.truth is Truth.YES), ""):
        values["step"] = step
    applies = all_of(_adult(p, t), course.criterion, any_of(*steps.values()), not_(known_pregnant(p)))
    return Finding(applies, any_of(on_therapy(p), all_of(frax_first, scored)), values)


@rule(
    "GC-36",
    sets=("formulary_uk",),
    card=_CARD,
    check="V",
    strength="pathway",
    source="ni_formulary",
    reads=("age", "sex", "exposure", *_DRUG),
)
def no_prophylaxis_on_long_high_dose(p: Patient, t: Thresholds) -> Finding:
    """7.5 mg a day or more for longer than three months, and no bone protection.

    What it looks for: an adult on 7.5 mg a day or more, prednisolone-equivalent, in a course of more than 90 days taken or
    ordered, and no osteoporosis drug.

    Why it matters: UK formularies ask for prophylaxis there.

    When it stays silent: off unless a site switches its set on; a lower dose, a shorter course, replacement therapy; pregnancy.

    Sources: Northern Ireland Formulary 6.3.2.
    """
    course = three_months_on(p, t, t["formulary_uk.prophylaxis-dose"], from_90=False)
    applies = all_of(_adult(p, t), course, not_(known_pregnant(p)))
    return Finding(applies, on_therapy(p), shown_course(p.exposure))


@rule(
    "GC-37",
    sets=("coverage_us",),
    kind=Kind.DEFINITION,
    card="glucocorticoid-assessment",
    check="V2",
    strength="coverage",
    reads=("age", "exposure", "scans"),
)
def bone_density_covered_by_medicare(p: Patient, t: Thresholds) -> Finding:
    """5 mg a day or more for three months: Medicare pays for DXA.

    What it looks for: an adult on 5 mg a day or more, prednisone-equivalent, for at least three months already.

    Why it matters: who pays is asked before a scan is ordered. It is a note on the card that asks for the scan, no clinical
    advice.

    When it stays silent: lower doses and shorter courses, which may be covered for another reason; whether the patient has
    Medicare is not looked at.

    Sources: 42 CFR 410.31 and Medicare Benefit Policy Manual 80.5.5; the dose in a restatement.
    """
    course = on_dose_for_months(
        p.exposure, "gc-dose-three-months-taken", t["coverage_us.gc-dose"], t["coverage_us.gc-months"]
    )
    since = plus_months(p.as_of, -t.days("coverage_us.interval-months"))
    lately = dxa_since(p, "dxa-recent", since).truth
    values = {"medicare_interval_passed": lately is Truth.NO} if lately is not Truth.UNKNOWN else {}
    return Finding(all_of(_adult(p, t), course.criterion), values=values)


RULES: tuple[Rule, ...] = (
    t_score_low_for_glucocorticoids,
    at_risk_by_iof_framework,
    no_prophylaxis_on_long_high_dose,
    bone_density_covered_by_medicare,
)
