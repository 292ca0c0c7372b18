"""How long a drug is taken, and what follows it: TX-07 (bisphosphonates), TX-08 (anabolic drugs)."""

from __future__ import annotations

from cds_service.clinical import due
from cds_service.clinical.concepts import score_value
from cds_service.clinical.facts.therapies import DrugClass, Therapy
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.rules.glucocorticoid_classes import on_long_term
from cds_service.clinical.rules.glucocorticoid_therapy import therapy_goes_on_after_glucocorticoids
from cds_service.clinical.rules.treatment_criteria import (
    MAJOR,
    fracture_at,
    known_or_not_looked_at,
    population,
    recalled,
)
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, at_most, holds, not_
from cds_service.kernel.facts import Gap, GapKind, Known
from cds_service.kernel.rules import Finding, Json, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth, some

_SET = ("monitoring",)
_ANABOLIC = frozenset({DrugClass.ROMOSOZUMAB, DrugClass.PTH_ANALOGUE})


@shared
def followed_by_acr(p: Patient, t: Thresholds) -> Criterion:
    """On long-term glucocorticoids, or just off them and still at risk, where the site follows ACR: its rules look after that."""
    if "acr2022" not in p.profile.sets:
        return holds("acr-looks-after", Truth.NO)
    after = therapy_goes_on_after_glucocorticoids.decide(p, t).applies
    return known_or_not_looked_at("acr-looks-after", any_of(on_long_term(p, t), after))


@rule(
    "TX-07",
    sets=_SET,
    card="plan",
    check="V2",
    strength="es-review",
    source="es2020",
    reads=("age", "sex", "postmenopausal", "therapies", "exposure", "fractures", "lowest_t", "frax", "scans"),
    switches=("gc_75_op", "cum_op", "count_pulses", "score_40_50"),
)
def bisphosphonate_not_reviewed(p: Patient, t: Thresholds) -> Finding:
    """A bisphosphonate has reached its usual length, and risk was not looked at again.

    What it looks for: tablets for 5 years or zoledronate for 3 years since the first use on record, and again after 10 and 6
    years; and no DXA and no FRAX result since a year before that day. `due_on` is the day of the next review; `still_high`
    says that a T-score of -2.5 or lower or a hip or spine fracture is on record.

    Why it matters: after the usual course most of the gain is there; at low to moderate risk a break can be considered, at
    high risk the drug goes on.

    When it stays silent: before that day (`satisfied`, with `due_on`); on long-term glucocorticoids, and after them at
    moderate risk or more, where ACR is followed. Other bisphosphonates, and two of them one after the other, are not added up.

    Sources: Endocrine Society 2019, 2.2 (3 to 5 years, 3 years of zoledronate, breaks); 10 and 6 years as restated; what counts
    as having looked again: project policy, as in GC-01.
    """
    review = due.treatment_review(p, t)
    taken = [each for each in due.reviewed_bisphosphonates(p) if each.current is not Truth.NO]
    certain = tuple(each.evidence for each in taken if each.current is Truth.YES)
    doubts = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource)
        for each in taken
        if each.current is not Truth.YES
    )
    unnamed = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-which", each.drug, each.evidence.resource)
        for each in p.therapies.items
        if each.drug_class is DrugClass.BISPHOSPHONATE and each.current is not Truth.NO
    )
    gaps = (*doubts, *unnamed, *p.therapies.gaps)
    on_drug = holds("bisphosphonate-now", Truth.YES if certain else Truth.UNKNOWN if gaps else Truth.NO, certain, gaps)
    values = due.values(review)
    if isinstance(review, Known):
        high = all_of(population(p, t), _still_high(p, t)).truth is Truth.YES
        values |= {"due_months": int(review.value.threshold.value), "still_high": high}
        told = next((each for each in taken if each.evidence in review.value.evidence), taken[0])
        values |= {"drug": told.drug.capitalize(), "since": str(told.started or "")}
    applies = all_of(at_least("adult", p.age, t["ms.adult-age"]), not_(followed_by_acr(p, t)), on_drug)
    return Finding(applies, not_(due.is_due("review-due", review)), values)


def _still_high(p: Patient, t: Thresholds) -> Criterion:
    return any_of(
        fracture_at(p, "fracture-hip-or-spine", MAJOR),
        at_most("t-at-most", score_value(p.lowest_t), t["bhof_iscd.osteoporosis-t"]),
    )


@rule(
    "TX-08",
    sets=_SET,
    card="treatment-sequence",
    check="V2",
    strength="sequence",
    source="es2020",
    reads=("age", "therapies"),
)
def anabolic_drug_not_followed(p: Patient, t: Thresholds) -> Finding:
    """An anabolic course is over, or has reached its length, and no antiresorptive drug has followed.

    What it looks for: teriparatide, abaloparatide or romosozumab that is not taken any more, with no other osteoporosis drug
    now or since: a warning. Or teriparatide for two years (its label allows more only at still or again high risk): the next
    drug is due. Where the site has switched on the recalled parts (TX-08 under `preview`), also abaloparatide for two years
    and romosozumab for 12 months. `due_on` is the end of a running course. A dose of romosozumab counts for two months.

    Why it matters: what was gained is lost without an antiresorptive after it.

    When it stays silent: another drug has followed; the course goes on (`satisfied`, with `due_on`). Denosumab has no break
    either: SAF-06 and GC-16 say when it is late. On the card of glucocorticoid treatment where there is one.

    Sources: sequence: Endocrine Society 2020 and ACR 2022; teriparatide: US label 2020, as restated; the rest is recalled.
    """
    courses = [each for each in p.therapies.items if each.drug_class in _ANABOLIC]
    had = holds(
        "anabolic-course",
        Truth.YES if courses else Truth.UNKNOWN if p.therapies.gaps else Truth.NO,
        tuple(each.evidence for each in courses),
        p.therapies.gaps,
    )
    running = some([_running(p, t, each) for each in courses])
    end = due.anabolic_end(p, t)
    doubts = tuple(Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource) for each in courses)
    goes_on = all_of(
        holds("anabolic-course-runs", running, tuple(each.evidence for each in courses), doubts),
        not_(all_of(_length_known(p, courses), due.is_due("anabolic-course-end", end))),
    )
    over = running is Truth.NO
    values: dict[str, Json] = {} if over else due.values(end)
    if courses:
        values |= {"drug": courses[0].drug.capitalize(), "last": str(courses[0].last or ""), "over": over}
    applies = all_of(at_least("adult", p.age, t["ms.adult-age"]), had)
    level = Level.WARNING if over else Level.INFO
    return Finding(applies, any_of(_followed(p, courses), goes_on), values, (Proposal("bone-referral"),), level)


def _running(p: Patient, t: Thresholds, course: Therapy) -> Truth:
    """Is the course going on? Romosozumab: the last dose was given in the last two months."""
    if course.drug_class is not DrugClass.ROMOSOZUMAB or course.last is None:
        return course.current
    ended = due.later(course.last, months=t.days("monitoring.romosozumab-works-months"))
    if p.as_of < ended.earliest:
        return Truth.YES
    return Truth.NO if p.as_of >= ended.latest else Truth.UNKNOWN


def _length_known(p: Patient, courses: list[Therapy]) -> Criterion:
    """The length of the course was read, or the site takes the recalled ones as well."""
    read = any(each.drug == "teriparatide" for each in courses)
    return any_of(holds("course-length-read", Truth.of(read)), recalled(p, "TX-08"))


def _followed(p: Patient, courses: list[Therapy]) -> Criterion:
    """Another osteoporosis drug is taken, or was taken after the course."""
    ended = due.newest(each.last for each in courses if each.last) if any(each.last for each in courses) else None
    others = [each for each in p.therapies.items if each not in courses]
    told = [some((each.current, due.after(each.last, ended))) for each in others]
    truth = some(told + [Truth.UNKNOWN] * bool(p.therapies.gaps))
    shown = tuple(each.evidence for each, truth in zip(others, told, strict=True) if truth is Truth.YES)
    doubts = tuple(
        Gap(GapKind.NOT_RECORDED, "therapy-current", each.drug, each.evidence.resource)
        for each, truth in zip(others, told, strict=True)
        if truth is Truth.UNKNOWN
    )
    return holds("followed-by-another-drug", truth, shown, (*doubts, *p.therapies.gaps))


RULES: tuple[Rule, ...] = (bisphosphonate_not_reviewed, anabolic_drug_not_followed)
