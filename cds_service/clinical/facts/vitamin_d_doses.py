"""Single doses of vitamin D, as ordered, handed out, taken or given, where the record tells international units.

A dose in tablets or capsules is not read: the value sets hold no strengths of vitamin D. Nor is one in micrograms.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import dosages_of
from cds_service.clinical.facts.answers import newest_first
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import items, mapping, name_of, number, string, when
from cds_service.kernel.dates import DateSpan, parse_date
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval, exactly

NEEDS = needs.MEDICATIONS
_UNITS = frozenset(
    {"[iu]", "iu", "i.u.", "unt", "unit", "units", "{unit}", "international unit", "international units"}
)


@dataclass(frozen=True, slots=True)
class VitaminDDose:
    """What is taken at once.

    Attributes:
        units: international units.
        on: when it was given, or the order written; `None` when the record does not say.
        evidence: what shows it.
    """

    units: Interval
    on: DateSpan | None
    evidence: Evidence


def vitamin_d_doses(chart: Chart) -> Series[VitaminDDose]:
    """Every dose in international units, also of an order being written, newest first.

    The same one of the same day counts once (D11).
    """
    found: dict[tuple[str, str], VitaminDDose] = {}
    for each in (*chart.ordered("vitamin_d"), *chart.drugs("vitamin_d")):
        on = when(each.resource) or parse_date(each.resource.get("authoredOn"))
        for units in _taken_at_once(each.resource):
            shown = Evidence("vitamin-d-dose", f"{units} IU", on, name_of(each.resource))
            found.setdefault((str(units), str(on)), VitaminDDose(units, on, shown))
    return Series(tuple(sorted(found.values(), key=lambda dose: newest_first(dose.on))), chart.gaps(*NEEDS))


def _taken_at_once(resource: Resource) -> Iterator[Interval]:
    for dosage in map(mapping, dosages_of(resource)):
        told = [mapping(each) for each in items(dosage.get("doseAndRate"))] or [dosage]
        for each in told:
            exact = _units(each.get("doseQuantity") or each.get("dose"))
            limits = mapping(each.get("doseRange"))
            low, high = _units(limits.get("low")), _units(limits.get("high"))
            if exact is not None:
                yield exactly(exact)
            elif low is not None and high is not None:
                yield Interval(low, high)


def _units(value: object) -> Decimal | None:
    """The number of a Quantity in international units; nothing where code and unit disagree."""
    quantity = mapping(value)
    said = {string(quantity.get(name)).lower() for name in ("code", "unit")} - {""}
    amount = number(quantity.get("value"))
    if not said or not said <= _UNITS or amount is None or amount < 0 or quantity.get("comparator"):
        return None
    return amount
