"""The days on which a medication resource says the drug was, or may have been, taken."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from cds_service.fhir.read import items, mapping, number, string
from cds_service.kernel.dates import DateSpan, parse_date, plus_days
from cds_service.kernel.needs import Resource

_DAYS_PER_UNIT = {
    "d": 1,
    "day": 1,
    "days": 1,
    "wk": 7,
    "week": 7,
    "weeks": 7,
    "h": 0,
    "mo": 0,
    "month": 0,
    "months": 0,
}
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


def days_of(resource: Resource, dosage: object, as_of: dt.date, trusted_days: int) -> Days | None:
    """The days of one dosage of a medication resource.

    Args:
        resource: MedicationRequest, -Dispense, -Administration or -Statement.
        dosage: the Dosage in question (bounds differ between dosages).
        as_of: the day of the evaluation.
        trusted_days: days for which an order without an end is taken to be followed.

    Returns:
        The days, or `None` when not even the start can be told.
    """
    match resource.get("resourceType"):
        case "MedicationRequest":
            return _ordered(resource, dosage, as_of, trusted_days)
        case "MedicationDispense":
            return _dispensed(resource)
        case "MedicationAdministration":
            return _administered(resource)
        case "MedicationStatement":
            return _stated(resource, as_of, trusted_days)
    return None


def _ordered(resource: Resource, dosage: object, as_of: dt.date, trusted_days: int) -> Days | None:
    bounds = mapping(mapping(mapping(dosage).get("timing")).get("repeat"))
    period = mapping(bounds.get("boundsPeriod"))
    start = parse_date(period.get("start")) or parse_date(resource.get("authoredOn"))
    if start is None:
        return None
    shortest, longest = _length(bounds, mapping(resource.get("dispenseRequest")))
    end = parse_date(period.get("end"))
    if end is not None and end.latest < start.earliest:
        return None
    status = string(resource.get("status")).lower()
    if end is None and shortest is not None and longest is not None:
        end = DateSpan(plus_days(start.earliest, shortest - 1), plus_days(start.latest, longest - 1), "")
    if end is None:
        return _open_ended(start, status, as_of, trusted_days)
    certain_last = end.earliest
    last = end.latest
    if status == "stopped":
        certain_last, last = start.latest, min(last, max(as_of, start.latest))
    elif status == "completed":
        certain_last, last = min(certain_last, max(as_of, start.latest)), min(last, max(as_of, start.latest))
    elif status == "on-hold":
        certain_last = plus_days(start.latest, -1)
    return Days(start.earliest, start.latest, certain_last, last, planned=True)


def _open_ended(start: DateSpan, status: str, as_of: dt.date, trusted_days: int) -> Days:
    """No end on the order: followed until today while active, at most as long as an order is trusted (D12)."""
    if status == "active":
        certain_last = min(as_of, plus_days(start.latest, trusted_days - 1))
        return Days(start.earliest, start.latest, max(certain_last, start.latest), FOREVER, planned=False)
    return Days(start.earliest, start.latest, start.latest, max(as_of, start.latest), planned=False)


def _length(bounds: Resource, supply: Resource) -> tuple[int | None, int | None]:
    """Shortest and longest length in days: bounds first, else supply times (1 + refills)."""
    if exact := _duration(bounds.get("boundsDuration")):
        return exact, exact
    if isinstance(bounds.get("boundsRange"), dict):
        low, high = (_duration(bounds["boundsRange"].get(end)) for end in ("low", "high"))
        return (low, high) if low and high else (None, None)
    supplied = _duration(supply.get("expectedSupplyDuration"))
    if supplied is None:
        return None, None
    repeats = number(supply.get("numberOfRepeatsAllowed")) or Decimal(0)
    days = supplied * (1 + int(max(repeats, Decimal(0))))
    return days, days


def _duration(value: object) -> int | None:
    """Whole days of a Duration in days or weeks; months are not a number of days."""
    quantity = mapping(value)
    length = number(quantity.get("value"))
    unit = string(quantity.get("code")) or string(quantity.get("unit"))
    per_unit = _DAYS_PER_UNIT.get(unit.lower(), 0)
    if length is None or per_unit == 0 or length <= 0 or length > 40_000:
        return None
    days = length * per_unit
    return int(days) if days == days.to_integral_value() else int(days.to_integral_value(rounding="ROUND_CEILING"))


def _dispensed(resource: Resource) -> Days | None:
    start = parse_date(resource.get("whenHandedOver")) or parse_date(resource.get("whenPrepared"))
    if start is None:
        return None
    days = _duration(resource.get("daysSupply"))
    if days is None:
        return Days(start.earliest, start.latest, start.latest, FOREVER, planned=False)
    first_end, last_end = plus_days(start.earliest, days - 1), plus_days(start.latest, days - 1)
    return Days(start.earliest, start.latest, first_end, last_end, planned=True)


def _administered(resource: Resource) -> Days | None:
    period = mapping(resource.get("effectivePeriod"))
    start = parse_date(resource.get("effectiveDateTime")) or parse_date(period.get("start"))
    if start is None:
        return None
    end = parse_date(period.get("end")) or start
    return Days(start.earliest, start.latest, end.earliest, max(end.latest, start.latest), planned=True)


def _stated(resource: Resource, as_of: dt.date, trusted_days: int) -> Days | None:
    period = mapping(resource.get("effectivePeriod"))
    start = (
        parse_date(period.get("start"))
        or parse_date(resource.get("effectiveDateTime"))
        or parse_date(resource.get("dateAsserted"))
    )
    if start is None:
        return None
    end = parse_date(period.get("end"))
    status = string(resource.get("status")).lower()
    if end is None:
        asserted = parse_date(resource.get("dateAsserted"))
        told = asserted if asserted and start.latest < asserted.latest <= as_of else start
        days = _open_ended(told, status, as_of, trusted_days)
        # somebody said later that it goes on: certain from the start until that trust runs out
        return Days(start.earliest, start.latest, days.certain_last, days.last, planned=False)
    return Days(
        start.earliest,
        start.latest,
        max(end.earliest, start.latest),
        max(end.latest, start.latest),
        planned=True,
    )


def supplied_amount(resource: Resource) -> tuple[object, int] | None:
    """Quantity and days of a dispense: their ratio is the average daily amount, also of a taper."""
    days = _duration(resource.get("daysSupply"))
    quantity = resource.get("quantity")
    return (quantity, days) if days and isinstance(quantity, dict) else None


def dosages_of(resource: Resource) -> list[object]:
    """The Dosage elements, whatever the resource type calls them."""
    if resource.get("resourceType") == "MedicationAdministration":
        return list(items(resource.get("dosage")))
    return list(items(resource.get("dosageInstruction")) or items(resource.get("dosage")))
