"""The structured elements of one FHIR `Dosage`: amount per intake, how often, as needed, and the most allowed.

Amounts are kept by unit ("mg", "mL", "tablet"), so that they can be compared with what the text says even where nobody
tells the strength; `Amounts` turns into mg with a `Product`. Every range stays a range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.timing import Rhythm, rhythm_of
from cds_service.clinical.dosage.units import (
    DAYS_IN,
    MILLIGRAM,
    TABLET,
    TIME_UNITS,
    UNIT_WORDS,
    UNNAMED,
    Often,
    capped,
    often,
    or_none,
    tidy,
)
from cds_service.fhir.read import codes_in, items, mapping, number, string
from cds_service.kernel.quantities import Interval, exactly

UNREADABLE: Final = Interval(Decimal(0), None, above_low=True)
"""A dose that is taken but cannot be read: more than nothing, nobody knows how much (D19)."""

Amounts = Mapping[str, Interval]
"""Equal statements of one amount, by unit."""


@dataclass(frozen=True, slots=True)
class Structure:
    """What the structured elements of a Dosage say.

    Attributes:
        amounts: per intake; empty when not told or not readable.
        rhythm: how often and how long.
        as_needed: whether it may also be none.
        cap: the most per day.
        reason: why `per_day` is empty, else "".
    """

    amounts: Amounts
    rhythm: Rhythm
    as_needed: bool = False
    cap: Amounts = field(default_factory=dict)
    reason: str = ""

    @property
    def per_day(self) -> Amounts:
        """Amounts per day; empty when amount or rhythm is missing."""
        rate = self.rhythm.often
        if rate is None:
            return {}
        return self.limited({unit: rate.per_day(amount) for unit, amount in self.amounts.items()})

    def limited(self, per_day: Amounts) -> Amounts:
        """The same, as needed and not above the most that is allowed; a limit in another unit may bind or not."""
        found = {}
        for unit, daily in per_day.items():
            if self.as_needed:
                daily = or_none(daily)
            limit = self.cap.get(unit)
            if limit is not None:
                daily = capped(daily, limit)
            elif any(_may_bind(daily, unit, of, each) for of, each in self.cap.items()):
                daily = or_none(daily)
            found[unit] = daily
        return found


def _may_bind(daily: Interval, unit: str, of: str, limit: Interval) -> bool:
    """Whether a limit in another unit may hold the dose back: of a bare number, unless it is no smaller than the dose."""
    if of == UNNAMED and unit == TABLET and daily.high is not None and limit.low is not None:
        return daily.high > limit.low
    return True


def structure_of(dosage: object) -> Structure:
    """The structured elements of a Dosage (also of a MedicationAdministration)."""
    content = mapping(dosage)
    rhythm = rhythm_of(content.get("timing"))
    amounts, reason = _amounts(content)
    if not amounts and (rated := _by_rate(content, rhythm)) is not None:
        amounts, rhythm = rated
        reason = ""
    if not reason and rhythm.often is None:
        reason = "no-timing"
    as_needed = _as_needed(content) or rhythm.as_needed
    return Structure(amounts, rhythm, as_needed, _cap(content), reason)


def mg_per_day(dosage: object, product: Product) -> Interval | None:
    """The daily dose in mg of the drug, `None` when the structured elements do not tell, or tell two things."""
    found = set(in_mg(structure_of(dosage).per_day, product))
    return found.pop() if len(found) == 1 else None


def in_mg(amounts: Amounts, product: Product) -> tuple[Interval, ...]:
    """What the statements come to in mg, those that can be converted; more than one where they disagree."""
    found = []
    for unit, amount in amounts.items():
        per_unit = product.mg_in(unit)
        if per_unit is not None:
            mg = amount.times(per_unit)
            found.append(Interval(None if mg.low is None else tidy(mg.low), None if mg.high is None else tidy(mg.high)))
    return _narrowest(found)


def _narrowest(statements: list[Interval]) -> tuple[Interval, ...]:
    """Statements about one amount: where one lies within all others ("2 tablets, at most 60 mg"), that one."""
    for one in statements:
        if all(_within(one, other) for other in statements):
            return (one,)
    return tuple(dict.fromkeys(statements))


def _within(one: Interval, other: Interval) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return one == other
    return other.low <= one.low and one.high <= other.high


def amount_mg(value: object, product: Product) -> Interval | None:
    """A Quantity in mg, by its unit or by the product's strength; `None` when it cannot be told."""
    found = amount_of(value)
    read = in_mg(found, product)
    return read[0] if len(read) == 1 else None


def amount_of(value: object) -> Amounts:
    """A Quantity under the name of its unit; empty when number or unit cannot be read."""
    quantity = mapping(value)
    found, unit = number(quantity.get("value")), _unit(quantity)
    if found is None or unit is None or found < 0 or quantity.get("comparator"):
        return {}
    name, factor = unit
    return {name: exactly(found * factor)}


def _unit(quantity: Mapping[str, Any]) -> tuple[str, Decimal] | None:
    """The unit and its factor, `UNNAMED` where there is none; `None` when unknown, or code and words disagree."""
    words = {string(quantity.get(name)).lower() for name in ("code", "unit")} - {"", "1"}
    if not words:
        return UNNAMED, Decimal(1)
    # UCUM annotations as senders make them up: "{tablets}" (SMART sample patients)
    read = {UNIT_WORDS.get(word) or UNIT_WORDS.get(word.strip("{}")) for word in words}
    return read.pop() if len(read) == 1 else None


def _amounts(dosage: Mapping[str, Any]) -> tuple[Amounts, str]:
    """Amounts per intake, or why there are none."""
    given = [mapping(each) for each in items(dosage.get("doseAndRate"))]
    if not given and ("doseQuantity" in dosage or "doseRange" in dosage):
        given = [dosage]
    if isinstance(dosage.get("dose"), dict):  # MedicationAdministration.dosage
        given = [{"doseQuantity": dosage["dose"]}]
    # Epic sends the ordered, the calculated and the administered amount side by side
    ordered = [each for each in given if "ordered" in codes_in(each.get("type"))] or given
    told = [each for each in ordered if "doseQuantity" in each or "doseRange" in each]
    found: dict[str, Interval] = {}
    for each in told:
        amounts = _one_amount(each)
        if not amounts:
            return {}, "unit-unknown" if _has_number(each) else "no-amount"
        for unit, amount in amounts.items():
            if found.setdefault(unit, amount) != amount:
                return {}, "conflict"
    return found, "" if found else "no-amount"


def _one_amount(given: Mapping[str, Any]) -> Amounts:
    if "doseRange" not in given:
        return amount_of(given.get("doseQuantity"))
    dose_range = mapping(given["doseRange"])
    low, high = (amount_of(dose_range.get(end)) for end in ("low", "high"))
    if low.keys() != high.keys():
        return {}
    spans = {unit: Interval(low[unit].low, high[unit].high) for unit in low}
    return spans if all(_rising(span) for span in spans.values()) else {}


def _rising(span: Interval) -> bool:
    return span.low is not None and span.high is not None and span.low <= span.high


def _has_number(given: Mapping[str, Any]) -> bool:
    return number(mapping(given.get("doseQuantity")).get("value")) is not None


def _as_needed(dosage: Mapping[str, Any]) -> bool:
    flags = ("asNeededBoolean", "asNeededCodeableConcept", "asNeeded", "asNeededFor")
    return any(dosage.get(flag) not in (None, False) for flag in flags)


def _by_rate(dosage: Mapping[str, Any], rhythm: Rhythm) -> tuple[Amounts, Rhythm] | None:
    """A rate of infusion as a dose: mg a day, or mg an hour where each intake's duration is told.

    A rate beside a dose is only how fast it runs, and a rate per hour without a duration is nobody knows how much.
    """
    given = [mapping(each) for each in items(dosage.get("doseAndRate"))] or [dosage]
    ordered = [each for each in given if "ordered" in codes_in(each.get("type"))] or given
    if any("doseQuantity" in each or "doseRange" in each for each in given) or len(ordered) != 1:
        return None
    rate = _rate(ordered[0])
    if rate is None:
        return None
    amount, period = rate
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    lasts = _hours(repeat)
    once_a_day = rhythm.often is not None and rhythm.often.same_rate(often(1))
    if period == 1 and lasts is None and (once_a_day or not rhythm.told):
        return {MILLIGRAM: exactly(amount)}, Rhythm(often(1), rhythm.length, told=True)
    if period == 1 or lasts is None or rhythm.often is None:
        return None
    return {MILLIGRAM: exactly(tidy(amount * lasts / period))}, rhythm


def _rate(given: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    """Mg, and the days in which they run."""
    if isinstance(given.get("rateRatio"), dict):
        amount = amount_of(given["rateRatio"].get("numerator")).get(MILLIGRAM)
        below = mapping(given["rateRatio"].get("denominator"))
        word, per = string(below.get("code")) or string(below.get("unit")), number(below.get("value"))
    else:
        quantity = mapping(given.get("rateQuantity"))
        words = {string(quantity.get(name)) for name in ("code", "unit")} - {""}
        mass, _, word = words.pop().partition("/") if len(words) == 1 else ("", "", "")
        amount, per = amount_of({"value": quantity.get("value"), "unit": mass}).get(MILLIGRAM), Decimal(1)
    unit = DAYS_IN.get(TIME_UNITS.get(word.lower(), ""))
    if (
        amount is None
        or amount.low is None
        or per is None
        or per <= 0
        or unit is None
        or not unit.exact
        or unit.low is None
    ):
        return None
    return amount.low, tidy(per * unit.low)


def _hours(repeat: Mapping[str, Any]) -> Decimal | None:
    """How long each intake runs, in days; `None` when not told."""
    length, unit = number(repeat.get("duration")), DAYS_IN.get(string(repeat.get("durationUnit")))
    if length is None or length <= 0 or unit is None or unit.low is None or "durationMax" in repeat:
        return None
    return length * unit.low


def _cap(dosage: Mapping[str, Any]) -> Amounts:
    """The most per day, by unit, the lowest of several; `{"?": ...}` where one is told and cannot be read."""
    limits = items(dosage.get("maxDosePerPeriod"))
    found: dict[str, Interval] = {}
    for limit in map(mapping, limits):
        most = amount_of(limit.get("numerator"))
        period = _period(mapping(limit.get("denominator")))
        if not most or period is None:
            return {"?": exactly(0)}
        for unit, amount in most.items():
            daily = Often(exactly(1), period).per_day(amount)
            found[unit] = capped(found.get(unit, daily), daily)
    return found


def _period(quantity: Mapping[str, Any]) -> Interval | None:
    word = (string(quantity.get("code")) or string(quantity.get("unit"))).lower()
    value = number(quantity.get("value"))
    unit = DAYS_IN.get(TIME_UNITS.get(word, ""))
    return None if value is None or value <= 0 or unit is None else unit.times(value)
