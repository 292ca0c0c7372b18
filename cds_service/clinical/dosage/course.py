"""The days on which a medication resource says the drug was, or may have been, taken."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.dosage.timing import bounds_length, duration
from cds_service.fhir.read import items, mapping, number, string
from cds_service.kernel.dates import DateSpan, parse_date, plus_days
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval

FOREVER = dt.date.max


@dataclass(frozen=True, slots=True)
class Days:
    """The days of one course; a day can be certain, possible or neither.

    Attributes:
        first: first possible day.
        certain_first: first certain day.
        certain_last: last certain day; before `certain_first` when no day is certain.
        last: last possible day, `FOREVER` when open-ended.
        planned: whether an end was given by whoever ordered it.
    """

    first: dt.date
    certain_first: dt.date
    certain_last: dt.date
    last: dt.date
    planned: bool

    def edges(self) -> Iterator[dt.date]:
        """Days on which something changes: a certain or possible stretch begins, or the day after it ended."""
        yield self.first
        if self.certain_first <= self.certain_last:
            yield self.certain_first
            yield from _day_after(self.certain_last)
        yield from _day_after(self.last)


def _day_after(day: dt.date) -> Iterator[dt.date]:
    if day < FOREVER:
        yield plus_days(day, 1)


def days_of(
    resource: Resource, dosage: object, as_of: dt.date, trusted_days: int, begins: dt.date | None = None
) -> Days | None:
    """The days of one dosage of a medication resource, by its structured elements.

    Args:
        resource: MedicationRequest, -Dispense, -Administration or -Statement.
        dosage: the Dosage in question (bounds differ between dosages).
        as_of: the day of the evaluation.
        trusted_days: days for which an order without an end is taken to be followed.
        begins: the first day of an order that states none.

    Returns:
        The days, or `None` when not even the start can be told.
    """
    start = start_of(resource, dosage, begins)
    if start is None:
        return None
    end = fixed_end(resource, dosage) or after(start, bounds_length(dosage) if _ordered(resource) else None)
    return settled(resource, start, end or after(start, supply_length(resource, dosage)), as_of, trusted_days)


def start_of(resource: Resource, dosage: object, begins: dt.date | None = None) -> DateSpan | None:
    """The first day: of the dosage where it has one of its own, else of the resource; `begins` where an order has none."""
    period = mapping(resource.get("effectivePeriod"))
    match resource.get("resourceType"):
        case "MedicationRequest":
            drafted = DateSpan(begins, begins, begins.isoformat()) if begins else None
            return own_start(dosage) or parse_date(resource.get("authoredOn")) or drafted
        case "MedicationDispense":
            return parse_date(resource.get("whenHandedOver")) or parse_date(resource.get("whenPrepared"))
        case "MedicationAdministration":
            return parse_date(resource.get("effectiveDateTime")) or parse_date(period.get("start"))
        case "MedicationStatement":
            told = parse_date(period.get("start")) or parse_date(resource.get("effectiveDateTime"))
            return told or parse_date(resource.get("dateAsserted"))
    return None


def own_start(dosage: object) -> DateSpan | None:
    """The first day that the dosage itself names."""
    return parse_date(_bounds(dosage).get("start"))


def own_end(dosage: object) -> DateSpan | None:
    """The last day that the dosage itself names."""
    return parse_date(_bounds(dosage).get("end"))


def fixed_end(resource: Resource, dosage: object) -> DateSpan | None:
    """The last day where a date names it."""
    period = mapping(resource.get("effectivePeriod"))
    match resource.get("resourceType"):
        case "MedicationRequest":
            return own_end(dosage)
        case "MedicationAdministration" | "MedicationStatement":
            return parse_date(period.get("end"))
    return None


def after(start: DateSpan, length: Interval | None) -> DateSpan | None:
    """The last day of so many days from the start on; `None` without a length."""
    if length is None or length.low is None:
        return None
    last = FOREVER if length.high is None else plus_days(start.latest, int(length.high) - 1)
    return DateSpan(plus_days(start.earliest, int(length.low) - 1), last, "")


def supply_length(resource: Resource, dosage: object) -> Interval | None:
    """Days that the supply is for: of an order times (1 + refills), unless unreadable bounds say something else."""
    match resource.get("resourceType"):
        case "MedicationRequest":
            if isinstance(mapping(mapping(mapping(dosage).get("timing")).get("repeat")).get("boundsRange"), dict):
                return None
            supply = mapping(resource.get("dispenseRequest"))
            days = duration(supply.get("expectedSupplyDuration"))
            return None if days is None else days.times(supplies(resource))
        case "MedicationDispense":
            return duration(resource.get("daysSupply"))
    return None


def supplies(resource: Resource) -> int:
    """How often an order may be supplied: once, and once more for each refill."""
    repeats = number(mapping(resource.get("dispenseRequest")).get("numberOfRepeatsAllowed")) or Decimal(0)
    return 1 + int(min(max(repeats, Decimal(0)), Decimal(_MOST_REPEATS)))


_MOST_REPEATS = 1000


def settled(
    resource: Resource,
    start: DateSpan,
    end: DateSpan | None,
    as_of: dt.date,
    trusted_days: int,
    trusted_from: DateSpan | None = None,
) -> Days | None:
    """Which days of a stretch are certain, by the kind and the status of the resource (D8, D12).

    Args:
        resource: the resource.
        start: first day of the stretch.
        end: last day, `None` when not told.
        as_of: the day of the evaluation.
        trusted_days: days for which an order without an end is taken to be followed.
        trusted_from: where these days begin, for a stretch that is not the first of its resource.

    Returns:
        The days; `None` when the stretch ends before it starts, or did not come about.
    """
    match resource.get("resourceType"):
        case "MedicationRequest":
            return _of_order(resource, start, end, as_of, trusted_days, trusted_from)
        case "MedicationDispense":
            if end is None:
                return Days(start.earliest, start.latest, start.latest, FOREVER, planned=False)
            return Days(start.earliest, start.latest, end.earliest, max(end.latest, start.earliest), planned=True)
        case "MedicationAdministration":
            last = end or start
            return Days(start.earliest, start.latest, last.earliest, max(last.latest, start.latest), planned=True)
        case _:
            return _of_statement(resource, start, end, as_of, trusted_days, trusted_from)


def _ordered(resource: Resource) -> bool:
    return resource.get("resourceType") == "MedicationRequest"


def _bounds(dosage: object) -> Resource:
    return mapping(mapping(mapping(mapping(dosage).get("timing")).get("repeat")).get("boundsPeriod"))


def _of_order(
    resource: Resource,
    start: DateSpan,
    end: DateSpan | None,
    as_of: dt.date,
    trusted_days: int,
    trusted_from: DateSpan | None,
) -> Days | None:
    if end is not None and end.latest < start.earliest:
        return None
    status = string(resource.get("status")).lower()
    over = status in ("stopped", "completed")
    if trusted_from is not None and over and start.earliest > as_of:
        return None  # a later step of a finished order, which it did not reach
    if end is None:
        return _open_ended(start, status, as_of, trusted_days, trusted_from)
    certain_last, last = end.earliest, end.latest
    reached = as_of if trusted_from is not None else max(as_of, start.latest)
    if status == "stopped":
        certain_last = plus_days(start.latest, -1) if trusted_from is not None else start.latest
        last = min(last, reached)
    elif status == "completed":
        certain_last, last = min(certain_last, reached), min(last, reached)
    elif status == "on-hold":
        certain_last = plus_days(start.latest, -1)
    return Days(start.earliest, start.latest, certain_last, last, planned=True)


def _open_ended(start: DateSpan, status: str, as_of: dt.date, trusted_days: int, trusted_from: DateSpan | None) -> Days:
    """No end on the order: followed until today while active, at most as long as an order is trusted (D12).

    A draft is certain on its first day only: nobody has ordered yet for how long.
    """
    later = trusted_from is not None
    if status == "active":
        certain_last = min(as_of, plus_days((trusted_from or start).latest, trusted_days - 1))
        return Days(
            start.earliest,
            start.latest,
            certain_last if later else max(certain_last, start.latest),
            FOREVER,
            planned=False,
        )
    if status == "draft":
        return Days(start.earliest, start.latest, start.latest, FOREVER, planned=False)
    certain_last = plus_days(start.latest, -1) if later else start.latest
    return Days(start.earliest, start.latest, certain_last, max(as_of, start.latest), planned=False)


def _of_statement(
    resource: Resource,
    start: DateSpan,
    end: DateSpan | None,
    as_of: dt.date,
    trusted_days: int,
    trusted_from: DateSpan | None,
) -> Days | None:
    status = string(resource.get("status")).lower()
    if end is None:
        asserted = parse_date(resource.get("dateAsserted"))
        told = asserted if asserted and start.latest < asserted.latest <= as_of else start
        days = _open_ended(told, status, as_of, trusted_days, trusted_from)
        # somebody said later that it goes on: certain from the start until that trust runs out
        return Days(start.earliest, start.latest, days.certain_last, days.last, planned=False)
    if trusted_from is not None:
        return Days(start.earliest, start.latest, end.earliest, max(end.latest, start.earliest), planned=True)
    return Days(
        start.earliest,
        start.latest,
        max(end.earliest, start.latest),
        max(end.latest, start.latest),
        planned=True,
    )


def supplied_amount(resource: Resource) -> tuple[object, int] | None:
    """Quantity and days of a dispense: their ratio is the average daily amount, also of a taper."""
    days = duration(resource.get("daysSupply"))
    quantity = resource.get("quantity")
    exact = int(days.low) if days and days.exact and days.low else None
    return (quantity, exact) if exact and isinstance(quantity, dict) else None


def dosages_of(resource: Resource) -> list[object]:
    """The Dosage elements, whatever the resource type calls them."""
    if resource.get("resourceType") == "MedicationAdministration":
        return list(items(resource.get("dosage")))
    return list(items(resource.get("dosageInstruction")) or items(resource.get("dosage")))
