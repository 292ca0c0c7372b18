"""What the risk class asks for: GC-12a to GC-12e, and therapy on glucocorticoids: GC-14 to GC-20 (ACR 2022)."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    OSTEOPOROTIC_SITES,
    ended_long_term,
    on_therapy,
    shown_course,
    taking,
    tentative,
    within_months,
)
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.laboratory import Lab
from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.glucocorticoid_risk import (
    class_criteria,
    is_40,
    moderate_40,
    on_long_term,
    very_high_40,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, holds, less_than, not_, true
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Fact, Gap, GapKind, Known
from cds_service.kernel.quantities import Interval
from cds_service.kernel.rules import Finding, Kind, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, every, some

_CARD = "glucocorticoid-treatment"
_READS = ("age", "exposure", "fractures", "lowest_t", "frax", "therapies", "pregnant")
_READS_YOUNG = ("age", "exposure", "fractures", "lowest_z", "scans", "therapies", "pregnant")


def _treat(p: Patient, t: Thresholds, *classes: str) -> Finding:
    by_class = class_criteria(p, t)
    chosen = [by_class[name] for name in classes]
    applies = all_of(on_long_term(p, t), any_of(*chosen), not_(_known_pregnant(p)))
    values = shown_course(p.exposure) | {"risk": classes[0].rsplit("_", 1)[0]}
    propose = (Proposal("bone-referral"),) if classes[0].startswith("very_high") else ()
    return Finding(applies, on_therapy(p), values, propose)


def _known_pregnant(p: Patient) -> Criterion:
    """Known to be pregnant: no drug is offered (clinical.md 15). Where nobody knows, GC-17 speaks instead."""
    known = isinstance(p.pregnant, Known) and p.pregnant.value
    return holds("pregnant", Truth.of(known), p.pregnant.evidence if isinstance(p.pregnant, Known) and known else ())


@rule("GC-12a", sets=("acr2022",), card=_CARD, check="V", strength="acr-12a", reads=_READS)
def very_high_risk_untreated(p: Patient, t: Thresholds) -> Finding:
    """Very high risk on glucocorticoids, 40 and over, and no osteoporosis drug.

    What it looks for: GC-04, and no osteoporosis drug taken now.

    Why it matters: oral bisphosphonate over no treatment is a strong recommendation; PTH/PTHrP analogues over
    antiresorptives, and IV bisphosphonate or denosumab, are conditional.

    When it stays silent: already treated; another class; class not known.

    Sources: ACR 2022, Recommendations, initial treatment.
    """
    return _treat(p, t, "very_high_40")


@rule("GC-12b", sets=("acr2022",), card=_CARD, check="V", strength="acr-12b", reads=_READS)
def high_risk_untreated(p: Patient, t: Thresholds) -> Finding:
    """High risk on glucocorticoids, 40 and over, and no osteoporosis drug.

    What it looks for: GC-05, and no osteoporosis drug taken now.

    Why it matters: oral bisphosphonate over no treatment is a strong recommendation; denosumab or PTH/PTHrP over
    bisphosphonates is conditional.

    When it stays silent: already treated; another class; class not known.

    Sources: ACR 2022, Recommendations, initial treatment.
    """
    return _treat(p, t, "high_40")


@rule("GC-12c", sets=("acr2022",), card=_CARD, check="V", strength="acr-12c", reads=_READS)
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
    card=_CARD,
    check="V",
    strength="acr-12d",
    reads=(*_READS, "lowest_z", "scans"),
)
def low_risk_no_drug(p: Patient, t: Thresholds) -> Finding:
    """Low risk on glucocorticoids: no osteoporosis drug.

    What it looks for: GC-07 or GC-10.

    Why it matters: the guideline advises against adding a drug (strong). No card: nothing has to be done.

    When it stays silent: any other class; class not known.

    Sources: ACR 2022, Recommendations.
    """
    by_class = class_criteria(p, t)
    return Finding(all_of(on_long_term(p, t), any_of(by_class["low_40"], by_class["low_young"])))


@rule("GC-12e", sets=("acr2022",), card=_CARD, check="V", strength="acr-conditional", reads=_READS_YOUNG)
def risk_under_40_untreated(p: Patient, t: Thresholds) -> Finding:
    """Very high or moderate risk on glucocorticoids under 40, and no osteoporosis drug.

    What it looks for: GC-08 or GC-09, and no osteoporosis drug taken now.

    Why it matters: oral or IV bisphosphonate, PTH/PTHrP or denosumab are offered (conditional); PTH/PTHrP and denosumab not
    with open growth plates; pregnancy potential comes first (GC-17).

    When it stays silent: already treated; low; class not known.

    Sources: ACR 2022, Recommendations, adults under 40.
    """
    very_high = class_criteria(p, t)["very_high_young"].truth is Truth.YES
    order = ("very_high_young", "moderate_young") if very_high else ("moderate_young", "very_high_young")
    return _treat(p, t, *order)


def _any_treat(p: Patient, t: Thresholds) -> Criterion:
    """One of GC-12a, b, c, e applies and no drug is taken."""
    by_class = class_criteria(p, t)
    names = ("very_high_40", "high_40", "moderate_40", "very_high_young", "moderate_young")
    due = any_of(*(by_class[name] for name in names))
    return all_of(on_long_term(p, t), due, not_(on_therapy(p)), not_(_known_pregnant(p)))


@rule(
    "GC-14",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-conditional",
    reads=("age", "exposure", "fractures", "therapies"),
)
def fracture_on_therapy(p: Patient, t: Thresholds) -> Finding:
    """A fracture a year or more into osteoporosis therapy, and glucocorticoids go on.

    What it looks for: an osteoporotic fracture at least 12 months after the start of a drug that is still taken.

    Why it matters: the guideline suggests another class of drug (after a bisphosphonate: denosumab, PTH/PTHrP or romosozumab).

    When it stays silent: fracture earlier; start of the therapy not on record. Loss of bone density beyond the least
    significant change is not computed: the centre's change is not on record (MON-02).

    Sources: ACR 2022, Recommendations, sequential treatment (conditional).
    """
    months = t.days("acr2022.failure-months")
    pairs = [
        (every((_fracture_after(fracture.on, therapy, months), fracture.low_trauma)), fracture, therapy)
        for therapy in p.therapies.items
        if therapy.current is not Truth.NO
        for fracture in p.fractures.items
        if fracture.site in OSTEOPOROTIC_SITES | {FractureSite.OTHER}
    ]
    truth = some([pair[0] for pair in pairs] + [Truth.UNKNOWN] * bool(p.therapies.gaps or p.fractures.gaps))
    shown = tuple(dict.fromkeys(e for told, f, drug in pairs if told is Truth.YES for e in (f.evidence, drug.evidence)))
    causes = tuple(
        Gap(GapKind.NOT_RECORDED, "fracture-cause", str(f.on or ""), f.evidence.resource)
        for told, f, _ in pairs
        if told is Truth.UNKNOWN and f.low_trauma is Truth.UNKNOWN
    )
    starts = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-start", drug.drug, drug.evidence.resource)
        for told, f, drug in pairs
        if told is Truth.UNKNOWN and f.low_trauma is Truth.YES
    )
    gaps = (*p.therapies.gaps, *p.fractures.gaps, *causes, *starts)
    applies = all_of(on_long_term(p, t), holds("fracture-on-therapy", truth, shown, gaps))
    return Finding(applies, values=shown_course(p.exposure), propose=(Proposal("bone-referral"),))


def _fracture_after(on: DateSpan | None, therapy: Therapy, months: int) -> Truth:
    if on is None or therapy.started is None:
        return Truth.UNKNOWN
    if therapy.current is not Truth.YES:
        return Truth.UNKNOWN
    if on.earliest >= plus_months(therapy.started.latest, months):
        return Truth.YES
    return Truth.NO if on.latest < plus_months(therapy.started.earliest, months) else Truth.UNKNOWN


@rule(
    "GC-15",
    sets=("acr2022",),
    kind=Kind.DEFINITION,
    card=_CARD,
    check="V",
    strength="acr-strong",
    reads=_READS,
)
def therapy_goes_on_after_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """Glucocorticoids have stopped, risk is still moderate or higher: the osteoporosis drug goes on.

    What it looks for: a long course that is over, an osteoporosis drug taken now, and a T-score, FRAX or fracture that
    still means moderate or higher risk.

    Why it matters: risk does not end with the steroid. A definition: nothing new has to be ordered.

    When it stays silent: glucocorticoids go on; no drug taken; risk low or not known.

    Sources: ACR 2022, Recommendations, stopping glucocorticoids (strong).
    """
    ended = all_of(
        not_(taking(p.exposure)),
        ended_long_term(p.exposure, t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"]),
    )
    risk = any_of(very_high_40(p, t), moderate_40(p, t))
    return Finding(all_of(is_40(p, t), ended, on_therapy(p), risk))


@rule(
    "GC-16",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-strong",
    reads=("age", "exposure", "therapies"),
)
def denosumab_overdue_on_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """Denosumab is late or stopped while glucocorticoids go on.

    What it looks for: age 40 or over, long-term glucocorticoids, the last denosumab dose seven months ago or more, and no
    other osteoporosis drug since.

    Why it matters: vertebral fractures rebound from seven months after the last dose; the guideline asks for a bisphosphonate
    (or romosozumab, then a bisphosphonate) six to nine months after it.

    When it stays silent: a dose within seven months; another drug has followed.

    Sources: ACR 2022, Recommendations, stopping denosumab (strong).
    """
    given = [each for each in p.therapies.items if each.drug_class is DrugClass.DENOSUMAB]
    truths = [_late(each, p, t) for each in given]
    truth = some(truths + [Truth.UNKNOWN] * bool(p.therapies.gaps and not given))
    shown = tuple(each.evidence for each in given)
    gaps = (*p.therapies.gaps, Gap(GapKind.NOT_RECORDED, "denosumab-last-dose"))
    others = [e for e in p.therapies.items if e.drug_class is not DrugClass.DENOSUMAB and e.current is not Truth.NO]
    followed = holds(
        "followed-by-another-drug",
        some([e.current for e in others] + [Truth.UNKNOWN] * bool(p.therapies.gaps)),
        tuple(e.evidence for e in others),
        p.therapies.gaps,
    )
    applies = all_of(on_long_term(p, t), is_40(p, t), holds("denosumab-late", truth, shown, gaps))
    last = [each.last for each in given if each.last]
    values = shown_course(p.exposure) | ({"denosumab_last": str(last[0])} if last else {})
    return Finding(applies, followed, values, level=Level.WARNING)


def _late(given: Therapy, p: Patient, t: Thresholds) -> Truth:
    if given.last is None:
        return Truth.UNKNOWN
    limit = plus_months(p.as_of, -t.days("acr2022.denosumab-late-months"))
    if given.last.latest <= limit:
        return Truth.YES
    return Truth.NO if given.last.earliest > limit else Truth.UNKNOWN


@rule(
    "GC-17",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-conditional",
    reads=(*_READS_YOUNG, "lowest_t", "frax", "sex", "postmenopausal", "pregnancy_possible"),
)
def drug_choice_when_pregnancy_is_possible(p: Patient, t: Thresholds) -> Finding:
    """Treatment is due in a person who may become pregnant.

    What it looks for: GC-12 recommends treatment, and pregnancy is possible as far as the record tells.

    Why it matters: denosumab needs contraception and no pregnancy until more than five months after the last dose;
    bisphosphonates stay in bone for long and are used with caution.

    When it stays silent: no treatment due; pregnancy not possible.

    Sources: ACR 2022, footnotes to the recommendations (conditional).
    """
    return Finding(all_of(_any_treat(p, t), true("pregnancy-possible", p.pregnancy_possible)))


@rule(
    "GC-18",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-conditional",
    reads=("age", "exposure", "therapies"),
)
def anabolic_course_without_follow_on(p: Patient, t: Thresholds) -> Finding:
    """A PTH/PTHrP course has ended, glucocorticoids have stopped, and nothing has followed.

    What it looks for: age 40 or over, a long course of glucocorticoids that is over, a PTH/PTHrP analogue that was taken and is not
    taken now, and no osteoporosis drug now.

    Why it matters: gains are lost without a bisphosphonate after it.

    When it stays silent: another drug has followed; the course goes on.

    Sources: ACR 2022, Recommendations, sequential treatment (conditional).
    """
    past = [e for e in p.therapies.items if e.drug_class is DrugClass.PTH_ANALOGUE]
    truth = some([~e.current for e in past] + [Truth.UNKNOWN] * bool(p.therapies.gaps and not past))
    finished = holds("anabolic-finished", truth, tuple(e.evidence for e in past), p.therapies.gaps)
    ended = all_of(
        not_(taking(p.exposure)),
        ended_long_term(p.exposure, t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"]),
    )
    return Finding(all_of(is_40(p, t), ended, finished), on_therapy(p))


@rule(
    "GC-19",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-text",
    reads=(*_READS, "lowest_z", "scans", "egfr"),
)
def kidney_function_too_low_for_bisphosphonate(p: Patient, t: Thresholds) -> Finding:
    """Treatment is due and eGFR is below 35.

    What it looks for: GC-12 recommends treatment, and the latest eGFR is below 35 mL/min/1.73 m2.

    Why it matters: bisphosphonates are generally not used there; renal bone disease has to be excluded first.

    When it stays silent: eGFR 35 or more; no treatment due.

    Sources: ACR 2022, text.
    """
    egfr = lab_value(p.egfr)
    doubts = egfr.doubts if isinstance(egfr, Known) else ()
    low = tentative(less_than("egfr-below", egfr, t["acr2022.bisphosphonate-egfr"]), doubts)
    return Finding(all_of(_any_treat(p, t), low))


@rule("GC-20", sets=("acr2022",), card=_CARD, check="V", strength="acr-text", reads=_READS)
def recent_event_rules_out_romosozumab(p: Patient, t: Thresholds) -> Finding:
    """Treatment is due at very high risk, and a heart attack or stroke lies within a year.

    What it looks for: GC-12a recommends treatment, and a myocardial infarction or stroke in the last 12 months.

    Why it matters: romosozumab is not started then.

    When it stays silent: no such event on record within 12 months.

    Sources: ACR 2022, text.
    """
    events = p.diagnoses("cond.mi", "cond.stroke")
    months = t.days("acr2022.event-months")
    recent = [within_months("mi-or-stroke-recent", e.on, p.as_of, months, e.evidence) for e in events.items]
    criterion = any_of(
        *recent, holds("mi-or-stroke-other", Truth.UNKNOWN if events.gaps else Truth.NO, gaps=events.gaps)
    )
    treat = all_of(on_long_term(p, t), class_criteria(p, t)["very_high_40"], not_(on_therapy(p)))
    return Finding(all_of(treat, criterion))


def lab_value(lab: Fact[Lab]) -> Fact[Interval]:
    """The number of a laboratory result."""
    match lab:
        case Known(value, evidence, doubts):
            return Known(value.value, evidence, doubts)
        case unknown:
            return unknown


RULES: tuple[Rule, ...] = (
    very_high_risk_untreated,
    high_risk_untreated,
    moderate_risk_untreated,
    low_risk_no_drug,
    risk_under_40_untreated,
    fracture_on_therapy,
    therapy_goes_on_after_glucocorticoids,
    denosumab_overdue_on_glucocorticoids,
    drug_choice_when_pregnancy_is_possible,
    anabolic_course_without_follow_on,
    kidney_function_too_low_for_bisphosphonate,
    recent_event_rules_out_romosozumab,
)
