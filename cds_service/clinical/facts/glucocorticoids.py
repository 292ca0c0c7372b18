"""Systemic glucocorticoids: from medication resources to one exposure timeline.

Counted: systemic routes only (DEF-01). Not counted: local products, fludrocortisone, replacement therapy (DEF-03). A
course whose route or purpose is not clear is possible, not certain.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import FOREVER, Days, dosages_of
from cds_service.clinical.dosage.product import Product, product_of
from cds_service.clinical.dosage.steps import Step, steps_of
from cds_service.clinical.dosage.structured import UNREADABLE
from cds_service.clinical.exposure import ADMINISTERED, Course, Exposure, timeline
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import code_text, items, mapping, name_of, string
from cds_service.kernel.dates import DateSpan, plus_days
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

NEEDS = (*needs.MEDICATIONS, needs.CONDITIONS)
WHAT = "glucocorticoids"

_LOCAL_ROUTE = re.compile(
    r"inhal|nebul|nasal|nostril|topical|cutaneous|skin|ophthal|eye|otic|\bear\b|auric|rectal|rectum|enema|vaginal"
    r"|intra-?articular|intra-?lesional|intrathecal|epidural|dental|buccal|oromucosal|scalp"
    r"|\beyes\b|\bneb\b|\bih\b|\btp\b|\bpr\b",
    re.I,
)
_SYSTEMIC_ROUTE = re.compile(
    r"\boral|mouth|\bpo\b|\bp\.o|intravenous|\biv\b|\bi\.v|infusion|intramuscular|\bim\b|subcutaneous|\bsc\b",
    re.I,
)
_DRUG_CONCEPTS = tuple(
    f"glucocorticoid.{kind}"
    for kind in ("drug", "ingredient", "atc", "class", "hcpcs", "text", "nonsystemic", "mineralocorticoid")
)
_REPLACEMENT_DRUGS = frozenset({"hydrocortisone", "cortisone"})
_SOMETIMES_REPLACEMENT = frozenset({"prednisolone", "prednisone"})
_ADRENAL = ("cond.adrenal_insufficiency", "cond.hypopituitarism")


@dataclass(frozen=True, slots=True)
class Told:
    """What one medication resource tells: its courses; `None` when it counts but has no date."""

    found: Found
    courses: tuple[Course, ...] | None


def told(chart: Chart, t: Thresholds, table_of: Callable[[str], str]) -> tuple[Told, ...]:
    """Every resource about a glucocorticoid, read: orders being written first, then the record.

    Args:
        chart: the chart.
        t: equivalences, and for how long an open order counts.
        table_of: where published tables disagree about an ingredient, the name of the one the site takes.
    """
    equal_mg, adrenal = _Equivalence(t, table_of), _adrenal(chart)
    found = (*chart.in_basket("glucocorticoid."), *chart.drugs("glucocorticoid."))
    products = ((each, _counted(each)) for each in found)
    return tuple(
        Told(each, _courses(chart, each, product, adrenal, equal_mg))
        for each, product in products
        if product is not None
    )


def exposure(chart: Chart, told: Iterable[Told]) -> Exposure:
    """The timeline of systemic glucocorticoids, in prednisolone-equivalent mg per day."""
    return _timeline(chart, told, chart.gaps(*needs.MEDICATIONS))


def ordered_exposure(chart: Chart, told: Iterable[Told]) -> Exposure:
    """The timeline of the orders the call is about alone; empty when a chart is opened."""
    ordered = {id(each.resource) for each in chart.ordered("glucocorticoid.")}
    return _timeline(chart, (each for each in told if id(each.found.resource) in ordered), ())


def ordered_systemic(chart: Chart) -> bool:
    """Whether one of the orders the call is about is, or may be, a systemic glucocorticoid."""
    products = ((found, _counted(found)) for found in chart.ordered("glucocorticoid."))
    return any(
        _systemic(chart, product, dosage) is not Truth.NO
        for found, product in products
        if product is not None
        for dosage in dosages_of(found.resource) or [{}]
    )


def _adrenal(chart: Chart) -> Truth:
    """Is there a reason for replacement therapy on record?"""
    adrenal = Truth.of(any(True for _ in chart.find("Condition", *_ADRENAL)))
    if adrenal is Truth.NO and chart.gaps(needs.CONDITIONS):
        return Truth.UNKNOWN  # nobody could look (S2)
    return adrenal


def _timeline(chart: Chart, told: Iterable[Told], open_: Iterable[Gap]) -> Exposure:
    gaps, courses = list(open_), list[Course]()
    for each in told:
        courses += each.courses or ()
        if each.courses is None:
            gaps.append(Gap(GapKind.UNREADABLE, WHAT, "a course without a date", name_of(each.found.resource)))
            chart.set_unread(each.found.resource, "no-date")
    return timeline(_without_replaced(chart, courses), gaps, chart.as_of)


def _without_replaced(chart: Chart, courses: list[Course]) -> list[Course]:
    """Courses of orders that one being written replaces (`priorPrescription`) end on the day before it begins."""
    begins: dict[str, dt.date] = {}
    for found in chart.in_basket("glucocorticoid."):
        prior = string(mapping(found.resource.get("priorPrescription")).get("reference"))
        replaced = chart.resolve(prior, "MedicationRequest") if prior else None
        starts = [each.days.first for each in courses if each.evidence.resource == name_of(found.resource)]
        if replaced is not None and starts:
            begins[name_of(replaced)] = min(starts)
    cut = [_until(each, begins.get(each.evidence.resource)) for each in courses]
    return [each for each in cut if each is not None]


def _until(course: Course, begins: dt.date | None) -> Course | None:
    if begins is None:
        return course
    last, days = plus_days(begins, -1), course.days
    if last < days.first:
        return None
    cut = replace(days, certain_last=min(days.certain_last, last), last=min(days.last, last), planned=True)
    return replace(course, days=cut)


def _counted(found: Found) -> Product | None:
    """The glucocorticoid; `None` for what is none, or a mineralocorticoid."""
    counted = tuple(entry for entry in found.entries if entry.concept.startswith(_DRUG_CONCEPTS))
    product = product_of(counted, unnamed="glucocorticoid", medication=found.part)
    return None if product is None or not counted or product.route_classes == {"mineralocorticoid"} else product


@dataclass(frozen=True, slots=True)
class _Equivalence:
    """The equivalence table of the site (clinical.md 10)."""

    numbers: Thresholds
    table_of: Callable[[str], str]

    def factor(self, ingredient: str) -> tuple[Decimal, Decimal] | None:
        """Mg of prednisolone, and mg of the ingredient that equal them; `None` where nobody gives a number."""
        table = self.table_of(ingredient)
        equal = self.numbers.optional(f"equivalence.{ingredient}.{table}" if table else f"equivalence.{ingredient}")
        return None if equal is None else (self.numbers.number("equivalence.reference"), equal.value)


def _courses(
    chart: Chart, found: Found, product: Product, adrenal: Truth, equal_mg: _Equivalence
) -> tuple[Course, ...] | None:
    """The courses of one resource; `None` when it counts but has no date."""
    purpose = _replacement(chart, found.resource, product, adrenal)
    routes = [_systemic(chart, product, dosage) for dosage in dosages_of(found.resource) or [{}]]
    if purpose is Truth.YES or all(systemic is Truth.NO for systemic in routes):
        return ()
    trusted = equal_mg.numbers.days("policy.open-order-trusted-days")
    # a draft begins, unless it says otherwise, on the day it is written
    begins = chart.as_of if string(found.resource.get("status")).lower() == "draft" else None
    steps = steps_of(found.resource, product, chart.as_of, trusted, begins)
    if steps is None:
        return None
    counted = ((step, _systemic(chart, product, step.dosage)) for step in steps)
    return tuple(
        _course(found.resource, product, step, systemic, purpose, equal_mg)
        for step, systemic in counted
        if systemic is not Truth.NO
    )


def _course(
    resource: Resource, product: Product, step: Step, systemic: Truth, purpose: Truth, equal_mg: _Equivalence
) -> Course:
    daily = _equivalent(step.daily_mg, product, equal_mg)
    doubts = tuple(_doubts(resource, systemic, purpose, daily, step))
    sure = systemic is Truth.YES and purpose is Truth.NO
    shown, told_by = _evidence(resource, product, step, daily), str(resource["resourceType"])
    return Course(product.ingredient, told_by, product.codes, step.days, daily, sure, shown, doubts)


def _equivalent(daily_mg: Interval | None, product: Product, equal_mg: _Equivalence) -> Interval:
    """Prednisolone-equivalent mg per day; UNREADABLE when it cannot be told."""
    factor = equal_mg.factor(product.ingredient)
    if daily_mg is None or factor is None:
        return UNREADABLE
    reference, equal = factor
    return _exact(daily_mg.times(reference), equal)


def _exact(daily: Interval, divisor: Decimal) -> Interval:
    def divided(bound: Decimal | None) -> Decimal | None:
        return None if bound is None else (bound / divisor).quantize(Decimal("1e-9")).normalize() + 0

    return Interval(divided(daily.low), divided(daily.high))


def _systemic(chart: Chart, product: Product, dosage: object) -> Truth:
    """Does this course act on the whole body? The written route decides where it is known."""
    route = mapping(dosage).get("route")
    concepts = chart.terminology.concepts(route)
    words = _words_of(route)
    if concepts & {"route.topical"} or _LOCAL_ROUTE.search(words):
        return Truth.NO
    if product.route_classes == {"local"} or "not-convertible" in product.route_classes:
        return Truth.NO
    if "systemic" in product.route_classes:
        return Truth.YES
    if concepts or _SYSTEMIC_ROUTE.search(words):
        return Truth.YES
    return Truth.UNKNOWN


def _words_of(route: object) -> str:
    """All that a route says in words; the codes of MIMIC are such words (IV, PO/NG, IH)."""
    codings = [mapping(each) for each in items(mapping(route).get("coding"))]
    return " ".join((code_text(route), *(f"{string(c.get('display'))} {string(c.get('code'))}" for c in codings)))


def _replacement(chart: Chart, resource: Resource, product: Product, adrenal: Truth) -> Truth:
    """Is it replacement therapy (DEF-03)? A written reason decides; else the drug and the diagnosis."""
    if product.ingredient not in _REPLACEMENT_DRUGS | _SOMETIMES_REPLACEMENT:
        return Truth.NO
    reasons = list(_reasons(chart, resource))
    if reasons:
        return Truth.of(any(reason & set(_ADRENAL) for reason in reasons))
    if product.ingredient in _REPLACEMENT_DRUGS:
        return adrenal
    # prednisone is replacement by exception only: an open look-up must not silence everything about it (decision 12)
    return Truth.UNKNOWN if adrenal is Truth.YES else Truth.NO


def _reasons(chart: Chart, resource: Resource) -> Iterator[frozenset[str]]:
    """The concepts of each written reason."""
    for code in items(resource.get("reasonCode")):
        yield chart.terminology.concepts(code)
    for reference in items(resource.get("reasonReference")):
        condition = chart.resolve(mapping(reference).get("reference"), "Condition")
        if condition is not None:
            yield chart.terminology.concepts(condition.get("code"))


_WHY_NOT_READ = {
    "no-amount": "no amount",
    "no-timing": "how often is not stated",
    "unit-unknown": "unit not known",
    "strength-unknown": "strength not known",
    "text-not-read": "free text",
    "as-directed": "as directed",
    "no-length": "when the next dose begins is not stated",
    "conflict": "text and structured dose disagree",
}


def _doubts(resource: Resource, systemic: Truth, purpose: Truth, daily: Interval, step: Step) -> Iterator[Gap]:
    name, days = name_of(resource), step.days
    if systemic is Truth.UNKNOWN:
        yield Gap(GapKind.DOSE_UNREADABLE, WHAT, "route not stated", name)
    if purpose is Truth.UNKNOWN:
        yield Gap(GapKind.CONFLICTING, WHAT, "may be replacement therapy", name)
    if daily == UNREADABLE:
        yield Gap(GapKind.DOSE_UNREADABLE, WHAT, _WHY_NOT_READ.get(step.reason, ""), name)
    elif step.conflict is not None:
        yield Gap(GapKind.CONFLICTING, WHAT, f"daily dose {step.conflict[0]} or {step.conflict[1]} mg", name)
    elif not daily.exact:
        yield Gap(GapKind.DOSE_UNREADABLE, WHAT, f"dose range {daily} mg/day", name)
    if not days.planned:
        yield Gap(GapKind.NOT_RECORDED, WHAT, "no end date", name)
    elif days.first != days.certain_first or days.last > days.certain_last:
        yield Gap(GapKind.NOT_RECORDED, WHAT, "exact dates", name)


def _evidence(resource: Resource, product: Product, step: Step, daily: Interval) -> Evidence:
    drug = product.ingredient.replace("_", " ")
    unit = "mg" if resource.get("resourceType") == ADMINISTERED else "mg/day"
    if daily == UNREADABLE:
        value = f"{drug}, dose not readable"
    elif step.daily_mg is None or step.daily_mg == daily:
        value = f"{drug} {daily} {unit}"
    else:
        value = f"{drug} {step.daily_mg} {unit} (prednisolone-equivalent {daily} {unit})"
    return Evidence("glucocorticoid", value, _shown_days(step.days), name_of(resource))


def _shown_days(days: Days) -> DateSpan:
    if days.first == days.last:
        return DateSpan(days.first, days.last, days.first.isoformat())
    ends = "" if days.last == FOREVER else f" to {days.last.isoformat()}"
    return DateSpan(days.first, days.last, f"from {days.first.isoformat()}{ends}")
