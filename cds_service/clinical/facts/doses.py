"""Doses of injected osteoporosis drugs, by day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import newest_first
from cds_service.clinical.facts.bone_drugs import ADMINISTRATION, DISPENSE, BoneDrug, bone_drugs
from cds_service.clinical.facts.comedication import uses
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import name_of, string, when
from cds_service.kernel.dates import DateSpan, on_day, plus_days
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.quantities import plain
from cds_service.kernel.truth import Truth

NEEDS = needs.MEDICATIONS
# a supply and the injection it was for lie days or weeks apart, two doses longer: of romosozumab a month
_SAME_DOSE_DAYS = {"romosozumab": 28}
_USUAL_SAME_DOSE_DAYS = 60


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """A dose of an interval drug.

    Attributes:
        on: when.
        mg: how much, where that is told.
        given: yes for administrations and supplies of an injection; unknown for a finished order without either, and
            where the record does not say whether it was an injection.
        evidence: what shows it.
    """

    on: DateSpan
    mg: Decimal | None
    given: Truth
    evidence: Evidence


def doses(chart: Chart, ingredient: str) -> Series[DoseGiven]:
    """Doses of one injected drug, newest first; finished orders only where no dose is on record at all.

    Args:
        chart: the chart.
        ingredient: our name of the drug: "denosumab" (60 mg only), "zoledronic_acid" (5 mg only), "romosozumab",
            "ibandronate" (injections only, not the tablets).
    """
    told = [each for each in bone_drugs(chart) if each.ingredient == ingredient and each.injected is not Truth.NO]
    return Series(tuple(doses_given(chart, told) or _hints(chart, told)), chart.gaps(*NEEDS))


def doses_given(chart: Chart, told: list[BoneDrug]) -> list[DoseGiven]:
    """Doses of one drug, newest first; a supply and the injection it was for, or a day twice, are one dose (D11)."""
    given = [dose for each in told if _is(each, ADMINISTRATION) for dose in _dose(chart, each)]
    supplied = [(each, dose) for each in told if _is(each, DISPENSE) for dose in _dose(chart, each)]
    found = {str(dose.on): dose for dose in given}
    for drug, dose in supplied:
        within = _SAME_DOSE_DAYS.get(drug.ingredient, _USUAL_SAME_DOSE_DAYS)
        if not any(_follows(dose.on, other.on, within) for other in given):
            found.setdefault(str(dose.on), dose)
    return sorted(found.values(), key=lambda dose: newest_first(dose.on))


def _is(told: BoneDrug, resource_type: str) -> bool:
    return told.resource.get("resourceType") == resource_type


def _follows(supplied: DateSpan, injected: DateSpan, days: int) -> bool:
    """Whether the injection is on the day of the supply or in the days after it."""
    return supplied.earliest <= injected.latest and injected.earliest <= plus_days(supplied.latest, days)


def _dose(chart: Chart, told: BoneDrug) -> Iterator[DoseGiven]:
    on = when(told.resource)
    if on is None:
        chart.set_unread(told.resource, "no-date")
        return
    on = on if on.latest <= chart.as_of else DateSpan(on.earliest, chart.as_of, on.text)
    yield DoseGiven(on, told.mg, told.injected, _evidence(told, on))


def _hints(chart: Chart, told: list[BoneDrug]) -> Iterator[DoseGiven]:
    """A finished order says that doses were given on some of its days."""
    for each in told:
        if each.given or string(each.resource.get("status")).lower() != "completed":
            continue
        for days in uses(each.resource, chart.as_of, 1):
            on = DateSpan(days.first, max(days.first, min(days.last, chart.as_of)), f"from {on_day(days.first)}")
            yield DoseGiven(on, each.mg, Truth.UNKNOWN, _evidence(each, on))


def _evidence(told: BoneDrug, on: DateSpan) -> Evidence:
    name = told.ingredient.replace("_", " ")
    value = f"{name} {plain(told.mg)} mg" if told.mg is not None else name
    return Evidence("dose-given", value, on, name_of(told.resource))
