"""Systemic glucocorticoids: from medication resources to one exposure timeline.

Counted: systemic routes only (DEF-01). Not counted: local products, fludrocortisone, replacement therapy (DEF-03). A
course whose route or purpose is not clear is possible, not certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import FOREVER, Days, days_of, dosages_of, supplied_amount
from cds_service.clinical.dosage.product import Product, product_of
from cds_service.clinical.dosage.structured import UNREADABLE, amount_mg, mg_per_day
from cds_service.clinical.exposure import ADMINISTERED, Course, Exposure, timeline
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import code_text, items, mapping, name_of
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

NEEDS = (*needs.MEDICATIONS, needs.CONDITIONS)
WHAT = "glucocorticoids"

_LOCAL_ROUTE = re.compile(
    r"inhal|nebul|nasal|nostril|topical|cutaneous|skin|ophthal|eye|otic|\bear\b|auric|rectal|rectum|enema|vaginal"
    r"|intra-?articular|intra-?lesional|intrathecal|epidural|dental|buccal|oromucosal|scalp",
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


def exposure(chart: Chart, t: Thresholds, table_of: Callable[[str], str]) -> Exposure:
    """The timeline of systemic glucocorticoids, in prednisolone-equivalent mg per day.

    Args:
        chart: the chart.
        t: equivalences, and for how long an open order counts.
        table_of: where published tables disagree about an ingredient, the name of the one the site takes.
    """
    equal_mg = _Equivalence(t, table_of)
    gaps = list(chart.gaps(*needs.MEDICATIONS))
    adrenal = Truth.of(any(True for _ in chart.find("Condition", *_ADRENAL)))
    if adrenal is Truth.NO and chart.gaps(needs.CONDITIONS):
        adrenal = Truth.UNKNOWN  # nobody could look (S2)
    courses: list[Course] = []
    for found in chart.drugs("glucocorticoid."):
        counted = tuple(entry for entry in found.entries if entry.concept.startswith(_DRUG_CONCEPTS))
        product = product_of(counted, unnamed="glucocorticoid")
        if product is None or not counted or product.route_classes == {"mineralocorticoid"}:
            continue
        if not _dated(chart, found, product, adrenal, equal_mg, courses):
            gaps.append(Gap(GapKind.UNREADABLE, WHAT, "a course without a date", name_of(found.resource)))
            chart.set_unread(found.resource, "no-date")
    return timeline(courses, gaps, chart.as_of)


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


def _dated(
    chart: Chart, found: Found, product: Product, adrenal: Truth, equal_mg: _Equivalence, courses: list[Course]
) -> bool:
    """Add the courses of one resource; false when it counts but has no date."""
    trusted = equal_mg.numbers.days("policy.open-order-trusted-days")
    dosages = dosages_of(found.resource) or [{}]
    for dosage in dosages:
        systemic = _systemic(chart, product, dosage)
        purpose = _replacement(chart, found.resource, product, adrenal)
        if systemic is Truth.NO or purpose is Truth.YES:
            continue
        days = days_of(found.resource, dosage, chart.as_of, trusted)
        if days is None:
            return False
        daily = _daily(found.resource, dosage, product, len(dosages), equal_mg)
        doubts = tuple(_doubts(found.resource, systemic, purpose, daily, days))
        sure = systemic is Truth.YES and purpose is Truth.NO
        shown = _evidence(found.resource, product, dosage, daily, days)
        told_by = str(found.resource["resourceType"])
        courses.append(Course(product.ingredient, told_by, product.codes, days, daily, sure, shown, doubts))
    return True


def _daily(resource: Resource, dosage: object, product: Product, dosages: int, equal_mg: _Equivalence) -> Interval:
    """Prednisolone-equivalent mg per day; UNREADABLE when it cannot be told."""
    read: list[Interval] = []
    if resource.get("resourceType") == ADMINISTERED:
        # an administration is one intake on one day; several on a day are summed by the timeline
        given = mapping(mapping(dosage).get("dose"))
        if (amount := amount_mg(given, product)) is not None:
            read.append(amount)
    elif (told := mg_per_day(dosage, product)) is not None:
        # several dosage steps without days of their own: which dose holds when is for the full dose reader
        if dosages == 1 or mapping(mapping(mapping(dosage).get("timing")).get("repeat")).get("boundsPeriod"):
            read.append(told)
    elif (supplied := supplied_amount(resource)) is not None:
        quantity, days = supplied
        if (amount := amount_mg(quantity, product)) is not None:
            read.append(amount.times(Decimal(1) / days))
    factor = equal_mg.factor(product.ingredient)
    if not read or factor is None:
        return UNREADABLE
    reference, equal = factor
    return _exact(read[0].times(reference), equal)


def _exact(daily: Interval, divisor: Decimal) -> Interval:
    def divided(bound: Decimal | None) -> Decimal | None:
        return None if bound is None else (bound / divisor).quantize(Decimal("1e-9")).normalize() + 0

    return Interval(divided(daily.low), divided(daily.high))


def _systemic(chart: Chart, product: Product, dosage: object) -> Truth:
    """Does this course act on the whole body? The written route decides where it is known."""
    route = mapping(dosage).get("route")
    concepts = chart.terminology.concepts(route)
    if concepts & {"route.topical"} or _LOCAL_ROUTE.search(code_text(route)):
        return Truth.NO
    if product.route_classes == {"local"} or "not-convertible" in product.route_classes:
        return Truth.NO
    if "systemic" in product.route_classes:
        return Truth.YES
    if concepts or _SYSTEMIC_ROUTE.search(code_text(route)):
        return Truth.YES
    return Truth.UNKNOWN


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


def _doubts(resource: Resource, systemic: Truth, purpose: Truth, daily: Interval, days: Days) -> Iterator[Gap]:
    name = name_of(resource)
    if systemic is Truth.UNKNOWN:
        yield Gap(GapKind.DOSE_UNREADABLE, WHAT, "route not stated", name)
    if purpose is Truth.UNKNOWN:
        yield Gap(GapKind.CONFLICTING, WHAT, "may be replacement therapy", name)
    if daily == UNREADABLE:
        yield Gap(GapKind.DOSE_UNREADABLE, WHAT, "", name)
    elif not daily.exact:
        yield Gap(GapKind.DOSE_UNREADABLE, WHAT, f"dose range {daily} mg/day", name)
    if not days.planned:
        yield Gap(GapKind.NOT_RECORDED, WHAT, "no end date", name)
    elif days.first != days.certain_first or days.last > days.certain_last:
        yield Gap(GapKind.NOT_RECORDED, WHAT, "exact dates", name)


def _evidence(resource: Resource, product: Product, dosage: object, daily: Interval, days: Days) -> Evidence:
    drug = product.ingredient.replace("_", " ")
    single = resource.get("resourceType") == ADMINISTERED
    told = amount_mg(mapping(dosage).get("dose"), product) if single else mg_per_day(dosage, product)
    unit = "mg" if single else "mg/day"
    if daily == UNREADABLE:
        value = f"{drug}, dose not readable"
    elif told is None or told == daily:
        value = f"{drug} {daily} {unit}"
    else:
        value = f"{drug} {told} {unit} (prednisolone-equivalent {daily} {unit})"
    return Evidence("glucocorticoid", value, _shown_days(days), name_of(resource))


def _shown_days(days: Days) -> DateSpan:
    if days.first == days.last:
        return DateSpan(days.first, days.last, days.first.isoformat())
    ends = "" if days.last == FOREVER else f" to {days.last.isoformat()}"
    return DateSpan(days.first, days.last, f"from {days.first.isoformat()}{ends}")
