"""What guidelines beside ACR 2022 make of a glucocorticoid course: three months of it, its dose, and FRAX adjusted for it."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical.concepts import LongTerm, daily_now, latest_frax, long_term, scaled_frax, taking
from cds_service.clinical.patient import Patient, shared
from cds_service.clinical.pulses import total_without_pulses
from cds_service.clinical.rules.common import man, woman
from cds_service.kernel.criteria import Criterion, all_of, any_of, at_least, holds, less_than, true
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.kernel.truth import Truth


def older(p: Patient, men_from: Threshold) -> Criterion:
    """Postmenopausal women, and men from that age."""
    return any_of(
        all_of(man(p), at_least("age-at-least", p.age, men_from)),
        all_of(woman(p), true("postmenopausal", p.postmenopausal)),
    )


@shared
def three_months(p: Patient, t: Thresholds) -> LongTerm:
    """On a systemic glucocorticoid now, at any dose, in a course of three months taken or ordered.

    Relapse pulses and other short courses are none, so that no rule on such courses offers a drug for them.
    """
    from_90 = p.choice("gc_duration_op") == "at_least"
    return long_term(p.exposure, "gc-three-months", None, t["policy.long-term-days"], from_days=from_90)


def three_months_on(p: Patient, t: Thresholds, dose: Threshold, *, from_90: bool) -> Criterion:
    """The same on at least that dose; whether exactly 90 days are enough is the guideline's own reading."""
    course = long_term(p.exposure, "gc-dose-three-months", dose, t["policy.long-term-days"], from_days=from_90)
    return course.criterion


def nogg_course_total(p: Patient, t: Thresholds) -> Criterion:
    """As much in three months as 30 mg a day for four weeks, and a glucocorticoid now; relapse pulses do not count (P09)."""
    dose = t["nogg2024.gc-course-dose"]
    first = plus_months(p.as_of, -t.days("nogg2024.gc-course-months"))
    total = total_without_pulses(p.exposure, t, first, p.as_of)
    truth = total.at_least(dose.value * t.number("nogg2024.gc-course-days"))
    shown, doubts = p.exposure.shown_by(first, p.as_of), p.exposure.doubts(first, p.as_of)
    enough = Criterion("gc-course-total", truth, shown, dose, f"{total} mg", doubts if truth is Truth.UNKNOWN else ())
    return all_of(taking(p.exposure), enough)


# --- FRAX ------------------------------------------------------------------------------------------------------------
@shared
def nogg_lowers_frax(p: Patient, t: Thresholds) -> Criterion:
    """A low dose, and a FRAX that was worked out with glucocorticoids ticked: only then is there something to take back.

    Where FRAX does not say that they were ticked, nothing is lowered: a risk is never made smaller on a guess (S1).
    """
    frax = latest_frax(p)
    ticked = isinstance(frax, Known) and "glucocorticoids" in frax.value.ticked
    low = less_than("gc-dose-below", daily_now(p.exposure), t["nogg2024.frax-lower-below"])
    return all_of(three_months(p, t).criterion, holds("frax-with-glucocorticoids", Truth.of(ticked)), low)


@shared
def nogg_raises_frax(p: Patient, t: Thresholds) -> Criterion:
    """A high dose in a course of three months."""
    high = at_least("gc-dose-from", daily_now(p.exposure), t["nogg2024.frax-raise-from"])
    return all_of(three_months(p, t).criterion, high)


@shared
def nogg_frax(p: Patient, t: Thresholds) -> tuple[Fact[Interval], Fact[Interval]]:
    """Major osteoporotic and hip probability, in percent, adjusted for the dose as NOGG does it (GC-31)."""
    return scaled_frax(p, _factor(p, t, "mof"), _factor(p, t, "hip"))


def _factor(p: Patient, t: Thresholds, site: str) -> Interval:
    """The factor; between two bounds while the dose or the course is not known."""
    lowers, raises = nogg_lowers_frax(p, t).truth, nogg_raises_frax(p, t).truth
    possible = [Decimal(1)] if Truth.YES not in (lowers, raises) else []
    if lowers is not Truth.NO:
        possible.append(t.number(f"nogg2024.frax-lower-{site}"))
    if raises is not Truth.NO:
        possible.append(t.number(f"nogg2024.frax-raise-{site}"))
    return Interval(min(possible), max(possible))
