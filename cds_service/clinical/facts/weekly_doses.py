"""Drugs of which a whole week's dose is easily written as a daily one, as they are being ordered (safety D20).

Harm is documented: 50,000 IU of vitamin D a day by mistake, with hypercalcaemia and kidney injury.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cds_service.clinical.dosage.course import dosages_of
from cds_service.clinical.dosage.product import product_of
from cds_service.clinical.dosage.reading import Reading, readings_of
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import name_of
from cds_service.kernel.facts import Evidence
from cds_service.kernel.quantities import Interval

ALENDRONATE, VITAMIN_D = "alendronate", "vitamin D"
_PREFIXES = (("therapy.", ALENDRONATE), ("vitamin_d", VITAMIN_D))
_UNITS = "unit"


@dataclass(frozen=True, slots=True)
class DailyOrder:
    """What one order of such a drug comes to a day.

    Attributes:
        drug: ALENDRONATE or VITAMIN_D.
        per_day: mg of alendronate, international units of vitamin D.
        conflict: whether structure and words of the order disagree; then `per_day` is the span of both.
        order: `Type/id` of the draft.
        evidence: what shows it.
    """

    drug: str
    per_day: Interval
    conflict: bool
    order: str
    evidence: Evidence


def daily_orders(chart: Chart) -> tuple[DailyOrder, ...]:
    """The orders the call is about, of drugs that come in weekly doses; those whose dose can be read."""
    return tuple(
        each
        for prefix, drug in _PREFIXES
        for found in chart.ordered(prefix)
        if any(drug in (VITAMIN_D, entry.ingredient) for entry in found.entries)
        for each in _of(found, drug)
    )


def _of(found: Found, drug: str) -> Iterator[DailyOrder]:
    product = product_of(found.entries, unnamed=drug, medication=found.part)
    if product is None:
        return
    for dosage in dosages_of(found.resource):
        for reading in readings_of(dosage, product):
            per_day = _amount(reading, drug)
            if per_day is not None:
                value = f"{drug} {per_day} {'IU' if drug == VITAMIN_D else 'mg'} a day"
                shown = Evidence("order", value, None, name_of(found.resource))
                yield DailyOrder(drug, per_day, reading.conflict is not None, name_of(found.resource), shown)


def _amount(reading: Reading, drug: str) -> Interval | None:
    return reading.per_day.get(_UNITS) if drug == VITAMIN_D else reading.daily_mg
