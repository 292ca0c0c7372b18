"""Mg per day from one FHIR `Dosage`.

The algorithm: amount per intake (`doseAndRate`, the one typed *ordered* when several) in mg, by unit or by the product's
strength; times intakes per day from `timing.repeat` or, where that says nothing, from `timing.code`; an
as-needed dose may also be none. Every range stays a range. What cannot be read gives a reason, never a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from cds_service.clinical.dosage.product import Product
from cds_service.fhir.read import codes_in, items, mapping, number, string
from cds_service.kernel.quantities import Interval, exactly

UNREADABLE: Final = Interval(Decimal(0), None, above_low=True)
"""A dose that is taken but cannot be read: more than nothing, nobody knows how much (D19)."""

_MG_PER_UNIT = {
    "mg": Decimal(1),
    "g": Decimal(1000),
    "ug": Decimal("0.001"),
    "mcg": Decimal("0.001"),
    "µg": Decimal("0.001"),
}
_COUNTED = frozenset(
    [
        "tablet",
        "tablets",
        "tab",
        "tabs",
        "{tbl}",
        "{tablet}",
        "{tab}",
        "{pill}",
        "pill",
        "capsule",
        "capsules",
        "cap",
        "{capsule}",
        "vial",
    ]
)
_VOLUME = frozenset({"ml", "millilitre", "milliliter"})

# v3-GTSAbbreviation and the codes EHRs write beside it: intakes per day
_TIMING_CODES = {
    **dict.fromkeys(("qd", "od", "am", "pm", "qam", "qpm", "qhs"), Decimal(1)),
    "bid": Decimal(2),
    "tid": Decimal(3),
    "qid": Decimal(4),
    "qod": Decimal("0.5"),
    "wk": Decimal(1) / 7,
    **{f"q{hours}h": Decimal(24) / hours for hours in (1, 2, 3, 4, 6, 8, 12, 24)},
}
# days in one period unit, shortest and longest
_DAYS = {
    "min": (Decimal(1) / 1440, Decimal(1) / 1440),
    "h": (Decimal(1) / 24, Decimal(1) / 24),
    "d": (Decimal(1), Decimal(1)),
    "wk": (Decimal(7), Decimal(7)),
    "mo": (Decimal(28), Decimal(31)),
    "a": (Decimal(365), Decimal(366)),
}


def mg_per_day(dosage: object, product: Product) -> Interval | None:
    """The daily dose in mg of the drug, `None` when the structured elements do not tell."""
    content = mapping(dosage)
    amount = _amount(content, product)
    rate = _intakes_per_day(mapping(content.get("timing")))
    if amount is None or rate is None or amount.low is None or rate.low is None:
        return None
    high = None if amount.high is None or rate.high is None else amount.high * rate.high
    low = Decimal(0) if _as_needed(content) else amount.low * rate.low
    return Interval(low, high)


def amount_mg(value: object, product: Product) -> Interval | None:
    """A Quantity in mg, by its unit or by the product's strength; `None` when it cannot be told."""
    quantity = mapping(value)
    found, unit = number(quantity.get("value")), _unit(quantity)
    if found is None or unit is None or found < 0 or quantity.get("comparator"):
        return None
    if unit in _MG_PER_UNIT:
        return exactly(found * _MG_PER_UNIT[unit])
    strengths = product.strengths if unit == "tablet" else product.strengths_per_ml
    if len(strengths) != 1:
        return None
    return exactly(found * next(iter(strengths)))


def _unit(quantity: Mapping[str, Any]) -> str | None:
    """The unit as "mg", "g", ..., "tablet" or "mL"; `None` when missing, unknown, or code and words disagree."""
    read = {_unit_word(string(quantity.get(name))) for name in ("code", "unit")} - {""}
    return read.pop() if len(read) == 1 and None not in read else None


def _unit_word(text: str) -> str | None:
    word = text.lower()
    if word in ("", "1"):
        return ""
    if word in _COUNTED:
        return "tablet"
    if word in _VOLUME:
        return "mL"
    return word if word in _MG_PER_UNIT else None


def _amount(dosage: Mapping[str, Any], product: Product) -> Interval | None:
    """Mg per intake."""
    given = [mapping(each) for each in items(dosage.get("doseAndRate"))]
    if not given and ("doseQuantity" in dosage or "doseRange" in dosage):
        given = [dosage]
    if isinstance(dosage.get("dose"), dict):  # MedicationAdministration.dosage
        given = [{"doseQuantity": dosage["dose"]}]
    # Epic sends the ordered, the calculated and the administered amount side by side
    ordered = [each for each in given if "ordered" in codes_in(each.get("type"))] or given
    amounts = {_one_amount(each, product) for each in ordered}
    return amounts.pop() if len(amounts) == 1 else None


def _one_amount(given: Mapping[str, Any], product: Product) -> Interval | None:
    if "doseRange" in given:
        dose_range = mapping(given["doseRange"])
        low, high = (amount_mg(dose_range.get(end), product) for end in ("low", "high"))
        return Interval(low.low, high.high) if low and high else None
    return amount_mg(given.get("doseQuantity"), product)


def _as_needed(dosage: Mapping[str, Any]) -> bool:
    flags = ("asNeededBoolean", "asNeededCodeableConcept", "asNeeded")
    return any(dosage.get(flag) not in (None, False) for flag in flags)


def _intakes_per_day(timing: Mapping[str, Any]) -> Interval | None:
    by_code = {rate for code in _timing_codes(timing) if (rate := _TIMING_CODES.get(code)) is not None}
    repeat = mapping(timing.get("repeat"))
    told = {"frequency", "period", "periodUnit", "timeOfDay", "when", "dayOfWeek"} & repeat.keys()
    by_repeat = _repeat_per_day(repeat) if told else None
    if told and by_repeat is None:
        return None
    if not by_code:
        return by_repeat
    if len(by_code) > 1:
        return None
    coded = exactly(by_code.pop())
    return coded if by_repeat in (None, coded) else None  # code and repeat disagree: a conflict, not a choice


def _timing_codes(timing: Mapping[str, Any]) -> frozenset[str]:
    code = timing.get("code")
    words = string(mapping(code).get("text")).lower() if isinstance(code, dict) else ""
    return codes_in(code) | ({words} if words else frozenset())


def _repeat_per_day(repeat: Mapping[str, Any]) -> Interval | None:
    at_times = items(repeat.get("timeOfDay")) or items(repeat.get("when"))
    days = items(repeat.get("dayOfWeek"))
    period, unit = number(repeat.get("period")), string(repeat.get("periodUnit"))
    if period is None and not unit and (at_times or days):
        frequency = number(repeat.get("frequency")) or Decimal(1)
        per_day = Decimal(len(at_times)) if at_times else frequency
        return exactly(per_day * len(days) / 7 if days else per_day)
    # French tapers code `frequency 1, periodUnit wk` without a period: not readable
    if period is None or period <= 0 or unit not in _DAYS or days:
        return None
    longest_period = number(repeat.get("periodMax")) or period
    frequency = number(repeat.get("frequency")) or Decimal(len(at_times) or 1)
    most = number(repeat.get("frequencyMax")) or frequency
    shortest_unit, longest_unit = _DAYS[unit]
    return Interval(_ratio(frequency, longest_period * longest_unit), _ratio(most, period * shortest_unit))


def _ratio(times: Decimal, days: Decimal) -> Decimal:
    """Times per day, free of the last-digit noise of a division (2 every 12 h is 4, not 3.999...)."""
    return (times / days).quantize(Decimal("1e-12")).normalize() + 0
