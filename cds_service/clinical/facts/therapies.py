"""Osteoporosis drugs, past and present, one entry per drug; denosumab doses; calcium and vitamin D.

Oncology strengths of the same drugs are not osteoporosis therapy: denosumab 120 mg, zoledronic acid 4 mg (trap 23).
Neither are Yorvipath, burosumab and hormone therapy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import Days, dosages_of
from cds_service.clinical.dosage.product import Product, product_of
from cds_service.clinical.dosage.structured import amount_mg
from cds_service.clinical.facts import comedication
from cds_service.clinical.facts.answers import activity, ahead, begun, newest_first
from cds_service.clinical.facts.comedication import Medication, taken_on, uses
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import codes_in, items, mapping, name_of, string, when
from cds_service.kernel.dates import DateSpan, on_day, plus_days, plus_months
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import plain
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

NEEDS = needs.MEDICATIONS


class DrugClass(Enum):
    """Classes that rules tell apart. BISPHOSPHONATE: route not stated."""

    BISPHOSPHONATE_ORAL = "oral bisphosphonate"
    BISPHOSPHONATE_IV = "intravenous bisphosphonate"
    BISPHOSPHONATE = "bisphosphonate"
    DENOSUMAB = "denosumab"
    PTH_ANALOGUE = "parathyroid hormone analogue"
    ROMOSOZUMAB = "romosozumab"
    SERM = "selective oestrogen receptor modulator"
    CALCITONIN = "calcitonin"
    STRONTIUM = "strontium"


_BISPHOSPHONATES = frozenset({DrugClass.BISPHOSPHONATE, DrugClass.BISPHOSPHONATE_ORAL, DrugClass.BISPHOSPHONATE_IV})


@dataclass(frozen=True, slots=True)
class Therapy:
    """One osteoporosis drug.

    Attributes:
        drug: its name ("zoledronic acid").
        drug_class: see `DrugClass`.
        started: first use on record.
        last: last evidence of use: a dose given, the end of a supply, the end of an order, never after today.
        current: whether it is taken, or its last dose still works, today.
        strength_mg: mg of one dose or unit, where all sources agree on one.
        evidence: what shows it.
    """

    drug: str
    drug_class: DrugClass
    started: DateSpan | None
    last: DateSpan | None
    current: Truth
    strength_mg: Decimal | None
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """A dose of an interval drug.

    Attributes:
        on: when.
        mg: how much, where that is told.
        given: yes for administrations and supplies; unknown for a finished order without either.
        evidence: what shows it.
    """

    on: DateSpan
    mg: Decimal | None
    given: Truth
    evidence: Evidence


_CLASSES = {
    "alendronate": DrugClass.BISPHOSPHONATE_ORAL,
    "risedronate": DrugClass.BISPHOSPHONATE_ORAL,
    "etidronate": DrugClass.BISPHOSPHONATE_ORAL,
    "tiludronate": DrugClass.BISPHOSPHONATE_ORAL,
    "clodronate": DrugClass.BISPHOSPHONATE,
    "ibandronate": DrugClass.BISPHOSPHONATE,
    "pamidronate": DrugClass.BISPHOSPHONATE_IV,
    "zoledronic_acid": DrugClass.BISPHOSPHONATE_IV,
    "denosumab": DrugClass.DENOSUMAB,
    "teriparatide": DrugClass.PTH_ANALOGUE,
    "abaloparatide": DrugClass.PTH_ANALOGUE,
    "romosozumab": DrugClass.ROMOSOZUMAB,
    "raloxifene": DrugClass.SERM,
    "bazedoxifene": DrugClass.SERM,
    "lasofoxifene": DrugClass.SERM,
    "calcitonin": DrugClass.CALCITONIN,
    "strontium": DrugClass.STRONTIUM,
}
_OTHER_USES = frozenset({"therapy.oncology", "therapy.not_osteoporosis", "therapy.hormone"})
_CLASS_ONLY = "therapy.class"
_STATUS = "therapy.status.bisphosphonate"
# the osteoporosis dose of drugs that are also cancer drugs (terminology.md 5.1)
_OSTEOPOROSIS_MG = {"denosumab": Decimal(60), "zoledronic_acid": Decimal(5)}
_INJECTED = frozenset({"zoledronic_acid", "pamidronate", "denosumab", "romosozumab"})
_ROMOSOZUMAB_MONTHS = 1  # rule book TX-08: monthly doses; also the shortest interval of the other injections
_ADMINISTRATION, _DISPENSE = "MedicationAdministration", "MedicationDispense"
# a supply and the injection it was for lie days or weeks apart, two doses of denosumab six months
_SAME_DOSE_DAYS = 60


@dataclass(frozen=True, slots=True)
class _Told:
    """One medication resource about one osteoporosis drug; `sure` is false when it may be for something else."""

    ingredient: str
    drug_class: DrugClass
    resource: Resource
    mg: Decimal | None
    sure: bool

    @property
    def given(self) -> bool:
        """Whether it shows a dose that reached the patient."""
        return self.resource.get("resourceType") in (_ADMINISTRATION, _DISPENSE)


def bone_therapies(chart: Chart, t: Thresholds, trusted_days: int | None = None) -> Series[Therapy]:
    """Osteoporosis drugs, newest first. Orders, supplies, doses and list entries of one drug are one therapy.

    A daily, weekly or monthly drug is current while a source covers the day. Denosumab and zoledronic acid are
    current for so many months after the last dose; with an order but no dose on record, nobody can tell.

    Args:
        chart: the chart.
        t: for how long doses and open orders count.
        trusted_days: days for which an order without an end is taken to be followed; that of all orders when `None`.
    """
    trusted = t.days("policy.open-order-trusted-days") if trusted_days is None else trusted_days
    by_drug: dict[str, list[_Told]] = {}
    for told in _told(chart):
        by_drug.setdefault(told.ingredient, []).append(told)
    found = [_therapy(chart, t, told, trusted) for told in by_drug.values()]
    if not any(each.drug_class in _BISPHOSPHONATES for each in found):
        found.extend(_status_codes(chart, trusted))
    return Series(tuple(sorted(found, key=_order)), chart.gaps(*NEEDS))


def _order(therapy: Therapy) -> tuple[int, int]:
    return newest_first(therapy.last or therapy.started)


def denosumab_doses(chart: Chart) -> Series[DoseGiven]:
    """60 mg doses of denosumab, newest first; finished orders only where no dose is on record at all."""
    told = [each for each in _told(chart) if each.ingredient == "denosumab"]
    doses = _doses(chart, told)
    if not doses:
        doses = list(_hints(chart, told))
    return Series(tuple(doses), chart.gaps(*NEEDS))


def supplements(chart: Chart, trusted_days: int) -> Series[Medication]:
    """Calcium and vitamin D taken now; tablets bought without prescription are rarely on record."""
    return comedication.current(chart, "calcium", "vitamin_d", trusted_days=trusted_days)


# --- reading ---------------------------------------------------------------------------------------------------------
def _told(chart: Chart) -> Iterator[_Told]:
    for found in chart.drugs("therapy."):
        resource = found.resource
        concepts = {entry.concept for entry in found.entries}
        product = product_of(found.entries)
        if concepts & _OTHER_USES or ahead(chart, resource, when(resource)):
            continue
        if product is None:
            if _CLASS_ONLY in concepts:
                yield _Told("bisphosphonate", DrugClass.BISPHOSPHONATE, resource, None, sure=True)
            continue
        drug_class = _CLASSES.get(product.ingredient)
        if drug_class is None:
            continue
        mg = _dose_mg(resource, product)
        usual = _OSTEOPOROSIS_MG.get(product.ingredient)
        if usual is not None and mg is not None and mg != usual:
            continue
        sure = usual is None or mg is not None or "therapy.drug" in concepts
        yield _Told(product.ingredient, _routed(drug_class, resource, chart), resource, mg, sure)


def _dose_mg(resource: Resource, product: Product) -> Decimal | None:
    """Mg of one dose: as written, else what one unit of the product holds; `None` when that is not one number."""
    written = {each for dosage in dosages_of(resource) for each in _written_mg(dosage, product)}
    if written:
        return written.pop() if len(written) == 1 else None
    return next(iter(product.strengths)) if len(product.strengths) == 1 else None


def _written_mg(dosage: object, product: Product) -> Iterator[Decimal]:
    content = mapping(dosage)
    quantities = [content.get("dose"), content.get("doseQuantity")]
    given = [mapping(each) for each in items(content.get("doseAndRate"))]
    ordered = [each for each in given if "ordered" in codes_in(each.get("type"))] or given
    quantities += [each.get("doseQuantity") for each in ordered]
    for quantity in quantities:
        amount = amount_mg(quantity, product) if isinstance(quantity, dict) else None
        if amount is not None and amount.exact and amount.low is not None:
            yield amount.low


def _routed(drug_class: DrugClass, resource: Resource, chart: Chart) -> DrugClass:
    """Ibandronate and clodronate exist as tablets and as injections: the written route, else the dose form, tells."""
    if drug_class is not DrugClass.BISPHOSPHONATE:
        return drug_class
    routes: set[str] = set()
    for dosage in dosages_of(resource):
        routes |= chart.terminology.concepts(mapping(dosage).get("route"))
    forms = {entry.form for found in chart.drugs("therapy.") if found.resource is resource for entry in found.entries}
    if "route.oral" in routes or any("oral" in form for form in forms):
        return DrugClass.BISPHOSPHONATE_ORAL
    if "route.intravenous" in routes or any("inject" in form or "syringe" in form for form in forms):
        return DrugClass.BISPHOSPHONATE_IV
    return drug_class


# --- one therapy per drug --------------------------------------------------------------------------------------------
def _therapy(chart: Chart, t: Thresholds, told: list[_Told], trusted: int) -> Therapy:
    days = {id(each): uses(each.resource, chart.as_of, trusted) for each in told}
    ingredient = told[0].ingredient
    classes = {each.drug_class for each in told} - {DrugClass.BISPHOSPHONATE}
    drug_class = classes.pop() if len(classes) == 1 else told[0].drug_class
    interval = ingredient in _INJECTED or drug_class is DrugClass.BISPHOSPHONATE_IV
    all_days = [each for found in days.values() for each in found if each.first <= chart.as_of]
    doses = _doses(chart, told) if interval else []
    if interval:
        current = _dose_works(chart, t, ingredient, told, doses)
        last = doses[0].on if doses else None
    else:
        current = taken_on([d for each in told if each.sure for d in days[id(each)]], chart.as_of)
        if current is Truth.NO and any(not days[id(each)] and _open(each) for each in told):
            current = Truth.UNKNOWN
        last = _last(all_days, chart.as_of)
    strengths = {each.mg for each in told if each.mg is not None}
    name = ingredient.replace("_", " ")
    strength = strengths.pop() if len(strengths) == 1 else None
    value = f"{name} {plain(strength)} mg" if strength is not None else name
    started = _started(all_days)
    shown = doses[0].evidence.resource if doses else name_of(_newest(told).resource)
    on = last if interval else _period(started, last, current)
    return Therapy(name, drug_class, started, last, current, strength, Evidence("therapy", value, on, shown))


def _open(told: _Told) -> bool:
    return not told.given and string(told.resource.get("status")).lower() in ("active", "on-hold")


def _newest(told: list[_Told]) -> _Told:
    return min(told, key=lambda each: newest_first(when(each.resource)))


def _started(days: list[Days]) -> DateSpan | None:
    if not days:
        return None
    first, certain = min(each.first for each in days), min(each.certain_first for each in days)
    return DateSpan(first, certain, first.isoformat() if first == certain else f"{first:%Y-%m}")


def _last(days: list[Days], as_of: dt.date) -> DateSpan | None:
    """The last day of use: certain, or as late as possible; never after today."""
    if not days:
        return None
    certain = min(as_of, max(max(each.certain_first, each.certain_last) for each in days))
    possible = max(certain, min(as_of, max(each.last for each in days)))
    return DateSpan(certain, possible, certain.isoformat())


def _period(started: DateSpan | None, last: DateSpan | None, current: Truth) -> DateSpan | None:
    if started is None or last is None or last.latest < started.earliest:
        return started
    if current is Truth.NO:
        return DateSpan(started.earliest, last.latest, f"{started} to {last}")
    return DateSpan(started.earliest, last.latest, f"since {started}")


def _dose_works(chart: Chart, t: Thresholds, ingredient: str, told: list[_Told], doses: list[DoseGiven]) -> Truth:
    """Is the last dose recent enough? Without a dated dose nobody can tell, unless the orders are too old as well."""
    if not doses:
        ordered = [_ordered(each, chart.as_of) for each in told]
        open_ = any(on is None or _within(chart, t, ingredient, on) is not Truth.NO for on in ordered)
        return Truth.UNKNOWN if open_ else Truth.NO
    sure = {id(each.resource): each.sure for each in told}
    works = [(_within(chart, t, ingredient, dose.on), dose) for dose in doses]
    best = Truth.YES if any(truth is Truth.YES for truth, _ in works) else Truth.NO
    if best is Truth.NO and any(truth is Truth.UNKNOWN for truth, _ in works):
        best = Truth.UNKNOWN
    return best if best is Truth.NO or any(sure.values()) else Truth.UNKNOWN


def _ordered(told: _Told, as_of: dt.date) -> DateSpan | None:
    """The days on which doses of an order may have been given; `None` when it has no date."""
    days = uses(told.resource, as_of, 1)
    if not days:
        return None
    first, last = min(each.first for each in days), min(as_of, max(each.last for each in days))
    return DateSpan(first, max(first, last), "")


def _within(chart: Chart, t: Thresholds, ingredient: str, on: DateSpan) -> Truth:
    if ingredient == "denosumab":
        months = t.days("acr2022.denosumab-late-months")
    elif ingredient == "zoledronic_acid":
        months = t.days("policy.zoledronate-months")
    else:
        return _other_injection(chart, t, on)
    return _after(on, plus_months(chart.as_of, -months))


def _other_injection(chart: Chart, t: Thresholds, on: DateSpan) -> Truth:
    """Their intervals differ (one to three months): sure for the shortest, possible as long as an order is trusted."""
    months = _ROMOSOZUMAB_MONTHS + t.days("policy.oral-therapy-grace-months")
    if _after(on, plus_months(chart.as_of, -months)) is Truth.YES:
        return Truth.YES
    oldest = plus_days(chart.as_of, -t.days("policy.open-order-trusted-days"))
    return Truth.NO if on.latest < oldest else Truth.UNKNOWN


def _after(on: DateSpan, limit: dt.date) -> Truth:
    if on.earliest > limit:
        return Truth.YES
    return Truth.NO if on.latest <= limit else Truth.UNKNOWN


# --- doses -----------------------------------------------------------------------------------------------------------
def _doses(chart: Chart, told: list[_Told]) -> list[DoseGiven]:
    """Doses given, newest first; a supply that an injection followed, or the same day twice, is one dose (D11)."""
    given = [
        dose for each in told if each.resource.get("resourceType") == _ADMINISTRATION for dose in _dose(chart, each)
    ]
    supplied = [dose for each in told if each.resource.get("resourceType") == _DISPENSE for dose in _dose(chart, each)]
    doses = {str(dose.on): dose for dose in given}
    for dose in supplied:
        if not any(_follows(dose.on, other.on) for other in given):
            doses.setdefault(str(dose.on), dose)
    return sorted(doses.values(), key=lambda dose: newest_first(dose.on))


def _follows(supplied: DateSpan, injected: DateSpan) -> bool:
    """Whether the injection is on the day of the supply or in the weeks after it."""
    return supplied.earliest <= injected.latest and injected.earliest <= plus_days(supplied.latest, _SAME_DOSE_DAYS)


def _dose(chart: Chart, told: _Told) -> Iterator[DoseGiven]:
    on = when(told.resource)
    if on is None:
        chart.set_unread(told.resource, "no-date")
        return
    on = on if on.latest <= chart.as_of else DateSpan(on.earliest, chart.as_of, on.text)
    yield DoseGiven(on, told.mg, Truth.YES, _dose_evidence(told, on))


def _hints(chart: Chart, told: list[_Told]) -> Iterator[DoseGiven]:
    """A finished order says that doses were given on some of its days."""
    for each in told:
        if each.given or string(each.resource.get("status")).lower() != "completed":
            continue
        for days in uses(each.resource, chart.as_of, 1):
            on = DateSpan(days.first, max(days.first, min(days.last, chart.as_of)), f"from {on_day(days.first)}")
            yield DoseGiven(on, each.mg, Truth.UNKNOWN, _dose_evidence(each, on))


def _dose_evidence(told: _Told, on: DateSpan) -> Evidence:
    name = told.ingredient.replace("_", " ")
    value = f"{name} {plain(told.mg)} mg" if told.mg is not None else name
    return Evidence("dose-given", value, on, name_of(told.resource))


def _status_codes(chart: Chart, trusted: int) -> Iterator[Therapy]:
    """ICD-10-CM Z79.83, "long term (current) use of bisphosphonates": which one is not told; trusted while recent."""
    recent = plus_days(chart.as_of, -trusted)
    for found in chart.find("Condition", _STATUS):
        on, active = begun(chart, found.resource), activity(found.resource, chart.as_of)
        if ahead(chart, found.resource, on):
            continue
        current = active if active is not Truth.YES or (on and on.latest >= recent) else Truth.UNKNOWN
        shown = Evidence("therapy", "bisphosphonate", on, name_of(found.resource))
        yield Therapy("bisphosphonate", DrugClass.BISPHOSPHONATE, on, None, current, None, shown)
