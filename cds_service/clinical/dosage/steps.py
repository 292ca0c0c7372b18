"""The steps of one medication resource: stretches of days with one daily dose each.

1. Each Dosage is read (`reading`) into one or more consecutive readings.
2. Dosages with different `sequence` numbers follow one another; those with equal or no numbers hold at the same time.
3. Days are laid out from the start of the order: each reading lasts as long as its text or its bounds tell; the last one
   up to the end of the bounds, else of the supply, else of the quantity at that dose, else it is open. Where text
   and bounds name different lengths, the days between are possible.
4. What status and day of evaluation leave of these days is decided in `course` (D8, D12).
5. Doses that hold at the same time, by the same route, are added day by day (`parallel`).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from cds_service.clinical.dosage.course import (
    Days,
    after,
    dosages_of,
    fixed_end,
    own_end,
    own_start,
    settled,
    start_of,
    supplied_amount,
    supplies,
    supply_length,
)
from cds_service.clinical.dosage.layout import Laid, clipped, lay_out
from cds_service.clinical.dosage.packs import PACK_MG, is_dose_pack
from cds_service.clinical.dosage.parallel import side_by_side
from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.reading import Reading, readings_of, texts_of
from cds_service.clinical.dosage.step import Step
from cds_service.clinical.dosage.structured import Amounts, amount_mg, amount_of, in_mg, structure_of
from cds_service.clinical.dosage.timing import Rhythm, rhythm_of
from cds_service.clinical.dosage.units import tidy
from cds_service.fhir.read import items, mapping, number, string
from cds_service.kernel.dates import DateSpan, on_day, parse_date, plus_days
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval, exactly

__all__ = ["Step", "steps_of"]

_DISPENSE, _ADMINISTRATION = "MedicationDispense", "MedicationAdministration"
_MOST_EVENTS = 400
_LONGEST_SUPPLY = 40_000


def steps_of(
    resource: Resource, product: Product, as_of: dt.date, trusted_days: int, begins: dt.date | None = None
) -> tuple[Step, ...] | None:
    """The steps of a medication resource, in order of their first day.

    Args:
        resource: MedicationRequest, -Dispense, -Administration or -Statement.
        product: the drug it names.
        as_of: the day of the evaluation.
        trusted_days: days for which an order without an end is taken to be followed.
        begins: the first day of an order that states none (a draft).

    Returns:
        The steps; `None` when the resource has no date at all.
    """
    dosages = [mapping(each) for each in dosages_of(resource)] or [{}]
    context = _Context(resource, product, as_of, trusted_days, begins)
    if resource.get("resourceType") == _ADMINISTRATION:
        steps = [step for dosage in dosages for step in context.administered(dosage)]
    elif is_dose_pack(resource, product, tuple(text for dosage in dosages for text in texts_of(dosage))):
        steps = context.pack(dosages[0])
    else:
        steps = context.ordered(dosages)
    return tuple(sorted(steps, key=lambda step: step.days.first)) or None


@dataclass(frozen=True, slots=True)
class _Context:
    """What all steps of a resource share."""

    resource: Resource
    product: Product
    as_of: dt.date
    trusted_days: int
    begins: dt.date | None

    def administered(self, dosage: Resource) -> Iterator[Step]:
        """One intake on its day, whatever the order behind it said."""
        start = start_of(self.resource, dosage)
        if start is None:
            return
        days = self._settled(start, fixed_end(self.resource, dosage))
        structure = structure_of({"dose": dosage.get("dose")})
        found = set(in_mg(structure.amounts, self.product))
        if days is not None:
            reason = "" if found else structure.reason if not structure.amounts else "strength-unknown"
            yield Step(days, found.pop() if found else None, dosage, reason)

    def pack(self, dosage: Resource) -> list[Step]:
        """The six days of the methylprednisolone dose pack."""
        readings = tuple(Reading(exactly(mg), length=exactly(1)) for mg in PACK_MG)
        start = start_of(self.resource, dosage, self.begins)
        if start is None:
            return []
        return list(self._steps(dosage, lay_out(readings, start, None, None), start))

    def ordered(self, dosages: Sequence[Resource]) -> list[Step]:
        """The steps of an order, a supply or a list entry."""
        groups = _in_sequence(dosages)
        found: list[tuple[Step, int]] = []
        start: DateSpan | None = None
        for place, group in enumerate(groups):
            ends: list[DateSpan | None] = []
            for dosage in group:
                begins = start_of(self.resource, dosage, self.begins) if place == 0 else own_start(dosage) or start
                if begins is None:
                    continue
                steps, end = self._of_dosage(dosage, begins, len(dosages) == 1, place, len(groups))
                ends.append(end)
                found += [(step, place) for step in steps]
            if place < len(groups) - 1 and None in ends:
                return self._without_length(dosages[0])
            start = _next(ends, start)
        return [step for group in range(len(groups)) for step in side_by_side(s for s, of in found if of == group)]

    def _without_length(self, dosage: Resource) -> list[Step]:
        """One dose after the other, and nobody says when the next begins."""
        start = start_of(self.resource, dosage, self.begins)
        days = None if start is None else self._settled(start, after(start, supply_length(self.resource, dosage)))
        return [] if days is None else [Step(days, None, dosage, "no-length")]

    def _of_dosage(
        self, dosage: Resource, begins: DateSpan, alone: bool, place: int, groups: int
    ) -> tuple[list[Step], DateSpan | None]:
        if events := _events(dosage):
            return self._on_events(dosage, events), on_day(max(events))
        readings, rhythm = self._readings(dosage, alone), rhythm_of(dosage.get("timing"))
        if not alone:
            begins = own_start(dosage) or begins
        bound = fixed_end(self.resource, dosage) or own_end(dosage) or after(begins, rhythm.length)
        supplied = self._supplied_end(dosage, readings, rhythm, begins, alone) if place == groups - 1 else None
        laid = lay_out(readings, begins, bound, supplied)
        first = start_of(self.resource, dosage, self.begins) if place else None
        return list(self._steps(dosage, laid, begins, first)), laid[-1].end

    def _readings(self, dosage: Resource, alone: bool) -> tuple[Reading, ...]:
        readings = readings_of(dosage, self.product)
        if alone and len(readings) == 1 and readings[0].daily_mg is None:
            average = self._average()
            if average is not None:
                return (replace(readings[0], daily_mg=average, reason=""),)
        return readings

    def _average(self) -> Interval | None:
        """What was handed out, over the days it is for: the mean dose, also of a taper."""
        supplied = supplied_amount(self.resource) if self.resource.get("resourceType") == _DISPENSE else None
        if supplied is None:
            return None
        quantity, days = supplied
        amount = amount_mg(quantity, self.product)
        if amount is None or amount.low is None:
            return None
        return exactly(tidy(amount.low / days))  # a quantity is one number

    def _supplied_end(
        self, dosage: Resource, readings: Sequence[Reading], rhythm: Rhythm, start: DateSpan, alone: bool
    ) -> DateSpan | None:
        """The end of the supply: by its days, else by the quantity at the dose that is read."""
        end = after(start, supply_length(self.resource, dosage))
        if end is None and alone and rhythm.perhaps is not None:
            return after(start, rhythm.perhaps)
        repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
        if end is not None or not alone or len(readings) != 1 or {"boundsDuration", "boundsRange"} & repeat.keys():
            return end
        order = self.resource.get("resourceType") == "MedicationRequest"
        supply = mapping(self.resource.get("dispenseRequest")) if order else self.resource
        days = _lasting(amount_of(supply.get("quantity")), readings[0], self.product)
        return after(start, None if days is None else days.times(supplies(self.resource) if order else 1))

    def _steps(
        self, dosage: Resource, laid: Sequence[Laid], start: DateSpan, first: DateSpan | None = None
    ) -> Iterator[Step]:
        """What is left of the laid-out readings under status and day of evaluation."""
        for place, each in enumerate(laid):
            later = first or start if place or first else None
            days = self._settled(each.start, each.end, later)
            if days is None or days.last < days.first:
                continue
            days = days if later is None and len(laid) == 1 else clipped(days, each)
            yield Step(days, each.reading.daily_mg, dosage, each.reading.reason, each.reading.conflict)

    def _settled(self, start: DateSpan, end: DateSpan | None, trusted_from: DateSpan | None = None) -> Days | None:
        return settled(self.resource, start, end, self.as_of, self.trusted_days, trusted_from)

    def _on_events(self, dosage: Resource, events: Counter[dt.date]) -> list[Step]:
        """Intakes at the times that `timing.event` lists."""
        structure = structure_of(dosage)
        found = set(in_mg(structure.amounts, self.product))
        daily = found.pop() if len(found) == 1 else None
        steps = []
        for day, times in sorted(events.items()):
            days = self._settled(on_day(day), on_day(day), on_day(min(events)) if day != min(events) else None)
            if days is not None:
                reason = "" if daily else "strength-unknown" if structure.amounts else structure.reason
                steps.append(Step(days, daily.times(times) if daily else None, dosage, reason))
        return steps


def _in_sequence(dosages: Sequence[Resource]) -> list[list[Resource]]:
    """Dosages that hold together, in the order in which the groups follow."""
    if len(dosages) > 1 and all("sequence" not in each for each in dosages) and _say_then(dosages[1:]):
        return [[each] for each in dosages]
    numbered = sorted(
        ((number(each.get("sequence")) or Decimal(0), each) for each in dosages), key=lambda pair: pair[0]
    )
    return [[each for _, each in group] for _, group in groupby(numbered, key=lambda pair: pair[0])]


def _say_then(dosages: Iterable[Resource]) -> bool:
    """Whether each of them says in words that it follows the one before."""
    return all(
        string(each.get("text")).lower().lstrip(", .;").startswith(("then ", "then,", "followed by"))
        for each in dosages
    )


def _next(ends: Sequence[DateSpan | None], start: DateSpan | None) -> DateSpan | None:
    """The first day after dosages that hold together: the day after the last of them."""
    known = [end for end in ends if end is not None]
    if not known:
        return start
    return DateSpan(
        plus_days(max(end.earliest for end in known), 1), plus_days(max(end.latest for end in known), 1), ""
    )


def _events(dosage: Resource) -> Counter[dt.date]:
    """The days that `timing.event` lists, with the number of intakes; nothing where a pattern stands beside it."""
    timing = mapping(dosage.get("timing"))
    if timing.get("code") or any(not name.startswith("bounds") for name in mapping(timing.get("repeat"))):
        return Counter()
    dates = [parse_date(each) for each in items(timing.get("event"))]
    exact = [each.earliest for each in dates if each is not None and each.exact]
    return Counter(exact) if len(exact) == len(dates) <= _MOST_EVENTS else Counter()


def _lasting(told: Amounts, reading: Reading, product: Product) -> Interval | None:
    """Days that a quantity lasts at the dose that was read, in a unit that both name, else in mg."""
    unit = next((each for each in told if each in reading.per_day), None)
    if unit is not None:
        return _days_of(told[unit], reading.per_day[unit])
    amount = in_mg(told, product)
    if len(amount) != 1 or reading.daily_mg is None:
        return None
    return _days_of(amount[0], reading.daily_mg)


def _days_of(amount: Interval, daily: Interval) -> Interval | None:
    if not amount.low or not amount.high or not daily.low or not daily.high:
        return None
    low, high = amount.low / daily.high, amount.high / daily.low
    if high > _LONGEST_SUPPLY or high < 1:
        return None
    shortest = max(Decimal(1), low.to_integral_value(rounding="ROUND_FLOOR"))
    return Interval(shortest, high.to_integral_value(rounding="ROUND_CEILING"))
