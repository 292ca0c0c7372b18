"""How long the tablets last that were handed out: supplies of oral bisphosphonates, one entry per drug."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import Days
from cds_service.clinical.facts.answers import newest_first
from cds_service.clinical.facts.bone_drugs import DISPENSE, BoneDrug, DrugClass, bone_drugs
from cds_service.clinical.facts.comedication import uses
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import name_of
from cds_service.kernel.dates import DateSpan, on_day, plus_days
from cds_service.kernel.facts import Evidence, Series

NEEDS = (needs.MEDICATION_DISPENSES,)


@dataclass(frozen=True, slots=True)
class Supply:
    """What was handed out of one drug.

    Attributes:
        drug: its name ("alendronate").
        until: the last day it reaches: at least the end of the supply that ends last, at most the end when what was left
            over each time was used up first; `None` where the newest supply does not say how many days it is for.
        evidence: the newest supply.
    """

    drug: str
    until: DateSpan | None
    evidence: Evidence


def supplies(chart: Chart) -> Series[Supply]:
    """Supplies of oral bisphosphonates, by drug, the one that lasts longest first."""
    told: dict[str, list[tuple[BoneDrug, Days]]] = {}
    for each in bone_drugs(chart):
        if each.resource.get("resourceType") != DISPENSE or each.drug_class is not DrugClass.BISPHOSPHONATE_ORAL:
            continue
        days = uses(each.resource, chart.as_of, 1)
        if not days:
            chart.set_unread(each.resource, "no-date")
        for one in days[:1]:  # several dosage lines are still one supply
            told.setdefault(each.ingredient, []).append((each, one))
    found = [_supply(drug, handed_out) for drug, handed_out in told.items()]
    return Series(tuple(sorted(found, key=lambda each: newest_first(each.until))), chart.gaps(*NEEDS))


def _supply(ingredient: str, handed_out: list[tuple[BoneDrug, Days]]) -> Supply:
    drug = ingredient.replace("_", " ")
    newest, last = max(handed_out, key=lambda pair: (pair[1].certain_first, pair[1].first))
    exact = last.first == last.certain_first
    on = DateSpan(last.first, last.certain_first, last.first.isoformat() if exact else f"{last.first:%Y-%m}")
    until = _until(days for _, days in handed_out) if last.planned else None
    shown = Evidence("supply", f"{drug}, lasts until {until}" if until else drug, on, name_of(newest.resource))
    return Supply(drug, until, shown)


def _until(supplied: Iterable[Days]) -> DateSpan:
    """The last day covered, without and with what was left over; the same supply told twice counts once (D11)."""
    planned = sorted({each for each in supplied if each.planned}, key=lambda each: (each.certain_first, each.last))
    least = max(each.certain_last for each in planned)
    most = dt.date.min
    for each in planned:
        length = each.last.toordinal() - each.certain_first.toordinal() + 1
        most = plus_days(max(most, plus_days(each.certain_first, -1)), length)
    return on_day(least) if least == most else DateSpan(least, most, f"{least.isoformat()} to {most.isoformat()}")
