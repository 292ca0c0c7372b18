"""A glucocorticoid while it is being ordered: GC-02 (ACR 2022)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

from cds_service.clinical.concepts import (
    as_json,
    long_term,
    shown_course,
    year_total,
)
from cds_service.clinical.exposure import Course, Exposure
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.glucocorticoid_assessment import assessed_since
from cds_service.clinical.rules.glucocorticoid_classes import is_40
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.quantities import Interval, plain
from cds_service.kernel.rules import Finding, Json, Level, Proposal, Rule, rule
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth


@rule(
    "GC-02",
    sets=("acr2022",),
    card="glucocorticoid-assessment",
    check="V",
    strength="acr-strong",
    reads=("age", "exposure", "ordered_exposure", "scans", "frax"),
    switches=("count_pulses",),
)
def no_assessment_as_glucocorticoid_is_ordered(p: Patient, t: Thresholds) -> Finding:
    """A long-term glucocorticoid is being ordered, and there is no fracture-risk assessment.

    What it looks for: an order of a systemic glucocorticoid of 2.5 mg a day or more, prednisolone-equivalent, that makes a
    course of more than 90 days together with what is taken already, and no DXA and no FRAX result in the 12 months before
    that course or since. An order without an end is not taken for a long one: the card asks how long it is meant to last.

    Why it matters: bone is lost fastest in the first months; the guideline asks for the assessment as soon as possible,
    within six months of starting. While the prescription is written is the time to think of it.

    When it stays silent: courses of 90 days or fewer, relapse pulses, local steroids, replacement therapy; an assessment is
    on record. A dose that cannot be read is named on the card as not read.

    Sources: ACR 2022, Recommendations, initial assessment (strong); how an order makes a course: project policy.
    """
    order = p.ordered_exposure
    begins = _begins(order, p.as_of)
    after = replace(p.exposure, as_of=begins)
    dose, days = t["acr2022.gc-entry-dose"], t["acr2022.gc-entry-days"]
    course = long_term(after, "gc-order-long-term", dose, days)
    open_end = _without_end(order, begins, dose.value)
    start = course.run.first if course.run else begins
    done = assessed_since(p, t, start)
    ordered = holds("gc-ordered", Truth.of(bool(order.courses)), tuple(each.evidence for each in order.courses))
    applies = all_of(at_least("adult", p.age, t["acr2022.adult-age"]), ordered, any_of(course.criterion, open_end))
    asks = course.criterion.truth is not Truth.YES
    level = Level.INFO if asks else Level.WARNING
    return Finding(applies, done, _values(p, t, order, done, asks=asks), (Proposal("dxa-with-vfa"),), level)


def _begins(order: Exposure, as_of: dt.date) -> dt.date:
    """The first day of the order that is certain; today, or later where it says so."""
    return min((each.days.certain_first for each in order.courses), default=as_of)


def _without_end(order: Exposure, begins: dt.date, dose: Decimal) -> Criterion:
    """The dose is met on the first day, and nothing says for how long."""
    courses = [each for each in order.courses if not each.days.planned]
    met = order.on(begins).at_least(dose) if courses else Truth.NO
    gaps = tuple(doubt for each in courses for doubt in each.doubts if doubt.kind is GapKind.DOSE_UNREADABLE)
    return holds("gc-order-without-end", met, gaps=gaps or (Gap(GapKind.NOT_RECORDED, "glucocorticoids"),))


def _values(p: Patient, t: Thresholds, order: Exposure, done: Criterion, *, asks: bool) -> dict[str, Json]:
    if not order.courses:
        return {}
    missing = done.truth is not Truth.YES
    values: dict[str, Json] = {**shown_course(replace(order, as_of=_begins(order, p.as_of)))}
    values |= {"bmd_vfa_requested": missing, "asks_duration": asks, "arithmetic": list(_arithmetic(p, t, order))}
    if (forty := is_40(p, t).truth) is not Truth.UNKNOWN:
        values["frax_requested"] = forty is Truth.YES and missing
    daily, total = as_json(order.on(_begins(order, p.as_of))), as_json(_total(order))
    if daily is not None:
        values["pred_eq_mg_per_day"] = daily
    if total is not None:
        values["pred_eq_total_mg"] = total
    return values


def _total(order: Exposure) -> Interval:
    """Prednisolone-equivalent mg of the whole order; without upper bound where it has no end."""
    if any(not course.days.planned for course in order.courses):
        return Interval(order.on(_begins(order, order.as_of)).low, None)
    return order.total(dt.date.min, dt.date.max)


def _arithmetic(p: Patient, t: Thresholds, order: Exposure) -> list[str]:
    """The sums a pharmacist can check: each course of the order, then the trailing year with it."""
    lines = [_line(course) for course in order.courses]
    total = _total(order)
    if len(order.courses) > 1 and total.exact:
        lines.append(f"{total} mg prednisolone-equivalent in all")
    year = year_total(p, t)
    if year.value.exact and year.value.low:
        lines.append(f"{plain(year.value.low)} mg prednisolone-equivalent in the last 365 days, today included")
    return lines


def _line(course: Course) -> str:
    if not course.days.planned or course.daily.high is None:
        return course.evidence.value
    days = course.days.certain_last.toordinal() - course.days.certain_first.toordinal() + 1
    return f"{course.evidence.value}, {days} days: {course.daily.times(days)} mg prednisolone-equivalent"


RULES: tuple[Rule, ...] = (no_assessment_as_glucocorticoid_is_ordered,)
