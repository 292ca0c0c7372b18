"""Therapy on glucocorticoids: failing, ending, and what rules a drug out. GC-14 to GC-20 (ACR 2022)."""

from __future__ import annotations

from cds_service.clinical.concepts import (
    OSTEOPOROTIC_SITES,
    ended_long_term,
    on_therapy,
    shown_course,
    taking,
)
from cds_service.clinical.facts.fractures import FractureSite
from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.contraindications import event_within
from cds_service.clinical.rules.denosumab import denosumab_followed, denosumab_late, last_dose
from cds_service.clinical.rules.glucocorticoid_classes import (
    is_40,
    moderate_40,
    on_long_term,
    risk_class,
    very_high_40,
)
from cds_service.clinical.rules.glucocorticoid_treatment import known_pregnant
from cds_service.clinical.rules.recent_results import egfr_below
from cds_service.kernel.criteria import Criterion, all_of, any_of, holds, not_, true
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.rules import Finding, Kind, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, every, some

_CARD = "glucocorticoid-treatment"
_READS_RISK = ("age", "sex", "postmenopausal", "exposure", "fractures", "lowest_t", "frax", "therapies")
_READS_TREAT = (*_READS_RISK, "lowest_z", "scans", "pregnant", "pregnancy_possible")
_SWITCHES = ("gc_75_op", "score_40_50", "cum_op", "count_pulses")


def _any_treat(p: Patient, t: Thresholds) -> Criterion:
    """One of GC-12a, b, c, e applies and no drug is taken."""
    names = ("very_high_40", "high_40", "moderate_40", "very_high_young", "moderate_young")
    due = any_of(*(risk_class(p, t, name) for name in names))
    return all_of(on_long_term(p, t), due, not_(on_therapy(p)), not_(known_pregnant(p)))


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
    values = shown_course(p.exposure)
    for told, f, drug in pairs:
        if told is Truth.YES:
            site = f.site.value.replace("_", " ").capitalize()
            values |= {
                "fracture_site": site,
                "fracture_on": str(f.on),
                "therapy": drug.drug,
                "since": str(drug.started),
            }
    return Finding(applies, values=values, propose=(Proposal("bone-referral"),))


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
    reads=_READS_RISK,
    switches=_SWITCHES,
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
    card="drug-safety",
    check="V",
    strength="acr-strong",
    reads=("age", "exposure", "therapies"),
)
def denosumab_overdue_on_glucocorticoids(p: Patient, t: Thresholds) -> Finding:
    """Denosumab is late or stopped while glucocorticoids go on.

    What it looks for: age 40 or over, long-term glucocorticoids, the last denosumab dose seven months ago or more, and no
    antiresorptive drug or romosozumab since.

    Why it matters: vertebral fractures rebound from seven months after the last dose; the guideline asks for a bisphosphonate
    (or romosozumab, then a bisphosphonate) six to nine months after it. SAF-06 says the same about everybody; the two share
    a card.

    When it stays silent: a dose within seven months; a follow-on drug. A PTH/PTHrP analogue is no follow-on.

    Sources: ACR 2022, Recommendations, stopping denosumab (strong).
    """
    last = last_dose(p)
    values = shown_course(p.exposure) | ({"denosumab_last": str(last)} if last else {})
    applies = all_of(on_long_term(p, t), is_40(p, t), denosumab_late(p, t))
    return Finding(applies, denosumab_followed(p), values, level=Level.WARNING)


@rule(
    "GC-17",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-conditional",
    reads=_READS_TREAT,
    switches=_SWITCHES,
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
    reads=(*_READS_TREAT, "egfr"),
    switches=_SWITCHES,
)
def kidney_function_too_low_for_bisphosphonate(p: Patient, t: Thresholds) -> Finding:
    """Treatment is due and eGFR is below 35.

    What it looks for: GC-12 recommends treatment, and the latest eGFR of the last six months (three in chronic kidney
    disease of stage 4 or 5) is below 35 mL/min/1.73 m2.

    Why it matters: bisphosphonates are generally not used there; renal bone disease has to be excluded first.

    When it stays silent: eGFR 35 or more; no treatment due.

    Sources: ACR 2022, text.
    """
    return Finding(all_of(_any_treat(p, t), egfr_below(p, t, t["acr2022.bisphosphonate-egfr"])))


@rule(
    "GC-20",
    sets=("acr2022",),
    card=_CARD,
    check="V",
    strength="acr-text",
    reads=_READS_RISK,
    switches=_SWITCHES,
)
def recent_event_rules_out_romosozumab(p: Patient, t: Thresholds) -> Finding:
    """Treatment is due at very high risk, and a heart attack or stroke lies within a year.

    What it looks for: GC-12a recommends treatment, and a myocardial infarction or stroke in the last 12 months.

    Why it matters: romosozumab is not started then.

    When it stays silent: no such event on record within 12 months.

    Sources: ACR 2022, text.
    """
    treat = all_of(on_long_term(p, t), risk_class(p, t, "very_high_40"), not_(on_therapy(p)))
    return Finding(all_of(treat, event_within(p, t["acr2022.event-months"])))


RULES: tuple[Rule, ...] = (
    fracture_on_therapy,
    therapy_goes_on_after_glucocorticoids,
    denosumab_overdue_on_glucocorticoids,
    drug_choice_when_pregnancy_is_possible,
    anabolic_course_without_follow_on,
    kidney_function_too_low_for_bisphosphonate,
    recent_event_rules_out_romosozumab,
)
