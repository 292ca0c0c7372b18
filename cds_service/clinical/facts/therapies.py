"""Osteoporosis drugs, past and present, one entry per drug; calcium and vitamin D."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import Days
from cds_service.clinical.facts import comedication
from cds_service.clinical.facts.answers import activity, ahead, begun, newest_first
from cds_service.clinical.facts.bone_drugs import INJECTED, BoneDrug, DrugClass, bone_drugs, ordered_bone_drugs
from cds_service.clinical.facts.comedication import Medication, taken_on, uses
from cds_service.clinical.facts.doses import DoseGiven, doses_given
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import name_of, string, when
from cds_service.kernel.dates import DateSpan, plus_days, plus_months
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.quantities import plain
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

__all__ = ["DrugClass", "Therapy", "bone_therapies", "ordered_therapies", "supplements"]

NEEDS = needs.MEDICATIONS

_BISPHOSPHONATES = frozenset({DrugClass.BISPHOSPHONATE, DrugClass.BISPHOSPHONATE_ORAL, DrugClass.BISPHOSPHONATE_IV})
_STATUS = "therapy.status.bisphosphonate"
_ROMOSOZUMAB_MONTHS = 1  # rule book TX-08: monthly doses; also the shortest interval of the other injections


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
    by_drug: dict[str, list[BoneDrug]] = {}
    for told in bone_drugs(chart):
        by_drug.setdefault(told.ingredient, []).append(told)
    found = [_therapy(chart, t, told, trusted) for told in by_drug.values()]
    if not any(each.drug_class in _BISPHOSPHONATES for each in found):
        found.extend(_status_codes(chart, trusted))
    return Series(tuple(sorted(found, key=_order)), chart.gaps(*NEEDS))


def ordered_therapies(chart: Chart) -> tuple[Therapy, ...]:
    """Osteoporosis drugs among the orders the call is about, as if they were taken from today; never a past dose."""
    return tuple(
        Therapy(
            told.ingredient.replace("_", " "),
            told.drug_class,
            started=None,
            last=None,
            current=Truth.of(True) if told.sure else Truth.UNKNOWN,
            strength_mg=told.mg,
            evidence=Evidence("order", _named(told.ingredient, told.mg), None, name_of(told.resource)),
        )
        for told in ordered_bone_drugs(chart)
    )


def _named(ingredient: str, mg: Decimal | None) -> str:
    name = ingredient.replace("_", " ")
    return f"{name} {plain(mg)} mg" if mg is not None else name


def _order(therapy: Therapy) -> tuple[int, int]:
    return newest_first(therapy.last or therapy.started)


def supplements(chart: Chart, trusted_days: int) -> Series[Medication]:
    """Calcium and vitamin D taken now; tablets bought without prescription are rarely on record."""
    return comedication.current(chart, "calcium", "vitamin_d", trusted_days=trusted_days)


# --- one therapy per drug --------------------------------------------------------------------------------------------
def _therapy(chart: Chart, t: Thresholds, told: list[BoneDrug], trusted: int) -> Therapy:
    days = {id(each): uses(each.resource, chart.as_of, trusted) for each in told}
    ingredient = told[0].ingredient
    classes = {each.drug_class for each in told} - {DrugClass.BISPHOSPHONATE}
    drug_class = classes.pop() if len(classes) == 1 else told[0].drug_class
    interval = ingredient in INJECTED or drug_class is DrugClass.BISPHOSPHONATE_IV
    all_days = [each for found in days.values() for each in found if each.first <= chart.as_of]
    doses = doses_given(chart, told) if interval else []
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
    value = _named(ingredient, strength)
    started = _started(all_days)
    shown = doses[0].evidence.resource if doses else name_of(_newest(told).resource)
    on = last if interval else _period(started, last, current)
    return Therapy(name, drug_class, started, last, current, strength, Evidence("therapy", value, on, shown))


def _open(told: BoneDrug) -> bool:
    return not told.given and string(told.resource.get("status")).lower() in ("active", "on-hold")


def _newest(told: list[BoneDrug]) -> BoneDrug:
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


def _dose_works(chart: Chart, t: Thresholds, ingredient: str, told: list[BoneDrug], doses: list[DoseGiven]) -> Truth:
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


def _ordered(told: BoneDrug, as_of: dt.date) -> DateSpan | None:
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
