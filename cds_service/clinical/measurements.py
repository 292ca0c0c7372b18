"""The value of a result, in the unit it was reported in; or the reason why it cannot be used.

Nothing is guessed (S7): a unit must be one of those listed for the analyte in `analytes.toml`, `unit` and `code` must not
contradict each other, and the value must be possible. 75 is a plausible 25-OH vitamin D in ng/mL and in nmol/L, so no
window can stand in for a missing unit (`safety.md` D16). Values stay as reported and are compared in that unit: 20 ng/mL is
49.92 nmol/L, and converting it would move it over a limit (rule book DEF-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TypeAlias

from cds_service.fhir.read import mapping, number, string
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import GapKind
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval, exactly

# the URI in all its spellings (PACIO sends it with a slash at the end), and the OID
_UCUM = ("unitsofmeasure.org", "2.16.840.1.113883.6.8")
_LARGEST_EXPONENT = 9

_CHECK = {"enum": ["V", "V2", "R", "P"]}
_UNIT_SCHEMA = {
    "type": "object",
    "required": ["names", "factor", "decimals", "source", "check"],
    "additionalProperties": False,
    "properties": {
        "names": {"type": "array", "items": {"type": "string", "minLength": 1}},
        "factor": {"type": "number", "exclusiveMinimum": 0},
        "shown": {"type": "string"},
        "decimals": {"type": "integer", "minimum": 0},
        "source": {"type": "string", "minLength": 1},
        "check": _CHECK,
    },
}
_SCHEMA = {
    "type": "object",
    "required": ["elsewhere"],
    "properties": {
        "elsewhere": {
            "type": "object",
            "required": ["units"],
            "additionalProperties": False,
            "properties": {"units": {"type": "array", "items": {"type": "string"}}},
        }
    },
    "additionalProperties": {
        "type": "object",
        "required": ["label", "unit", "low", "high", "source", "check", "units"],
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string"},
            "unit": {"type": "string"},
            "low": {"type": "number"},
            "high": {"type": "number"},
            "bare": {"type": "boolean"},
            "source": {"type": "string", "minLength": 1},
            "check": _CHECK,
            "units": {"type": "object", "minProperties": 1, "additionalProperties": _UNIT_SCHEMA},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit an analyte is reported in.

    Attributes:
        name: UCUM code, as it is kept.
        shown: the same for people.
        factor: so many of it make one of the analyte's own unit.
        decimals: precision of a value that is converted into it.
        source: where the factor comes from.
        check: V, V2, R or P.
    """

    name: str
    shown: str
    factor: Decimal
    decimals: int
    source: str
    check: str


@dataclass(frozen=True, slots=True)
class Analyte:
    """What may stand as the value of one measurement; see `analytes.toml`."""

    name: str
    label: str
    unit: str
    low: Decimal
    high: Decimal
    bare: bool
    spellings: Mapping[str, Unit]
    units: Mapping[str, Unit]


@dataclass(frozen=True, slots=True)
class Measured:
    """A usable value.

    Attributes:
        value: as reported; a bound where the result says "<" or ">".
        unit: the unit it was reported in, as a UCUM code.
    """

    value: Interval
    unit: str

    def __str__(self) -> str:
        return shown(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class NotRead:
    """No usable value: why, and more words that hold nothing from the record but numbers and known units."""

    kind: GapKind
    detail: str


Reading: TypeAlias = Measured | NotRead


def shown(value: Interval, unit: str) -> str:
    """A value with its unit, for evidence: "19 ng/mL", "55 mL/min/1.73 m2"; a score stands alone."""
    return f"{value} {_shown_units().get(unit, unit)}".rstrip()


@lru_cache(maxsize=1)
def analytes() -> Mapping[str, Analyte]:
    """Every analyte of `analytes.toml` by name."""
    return MappingProxyType({name: _analyte(name, each) for name, each in _content().items() if name != "elsewhere"})


@lru_cache(maxsize=1)
def _content() -> Mapping[str, Mapping[str, object]]:
    text = resources.files("cds_service.clinical").joinpath("analytes.toml").read_text(encoding="utf-8")
    return MappingProxyType(strict_toml.load(text, "analytes.toml", _SCHEMA))


@lru_cache(maxsize=1)
def _known_units() -> frozenset[str]:
    """Every spelling of every unit: what is among these and not the analyte's own means something else."""
    known = {spelling for each in analytes().values() for spelling in each.spellings}
    return frozenset(known | {_key(str(name)) for name in _list(_content()["elsewhere"]["units"])})


@lru_cache(maxsize=1)
def _shown_units() -> Mapping[str, str]:
    return {unit.name: unit.shown for each in analytes().values() for unit in each.units.values()}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _analyte(name: str, each: Mapping[str, object]) -> Analyte:
    units: dict[str, Unit] = {}
    spellings: dict[str, Unit] = {}
    for unit_name, told in mapping(each["units"]).items():
        words, factor = told.get("shown", unit_name), Decimal(told["factor"])
        unit = Unit(unit_name, words, factor, int(told["decimals"]), told["source"], told["check"])
        units[unit_name] = unit
        for spelling in (unit_name, *told["names"]):
            if spellings.setdefault(_key(spelling), unit) is not unit:
                raise ContentError("analytes.toml", name, f"{spelling!r} is a spelling of two units")
    if str(each["unit"]) not in units:
        raise ContentError("analytes.toml", name, "its own unit is not among `units`")
    low, high = Decimal(str(each["low"])), Decimal(str(each["high"]))
    bare = each.get("bare") is True
    return Analyte(name, str(each["label"]), str(each["unit"]), low, high, bare, spellings, units)


# "NMOL/L", "µg/l", "mL/min/{1.73_m2}", "mL/min/1.73 m²", "g/cm^2": spelling differs, meaning does not
_SAME = str.maketrans({"µ": "u", "μ": "u", "²": "2", "³": "3", "−": "-", "·": ""} | dict.fromkeys(" {}()[]_.^*'", ""))


def _key(unit: str) -> str:
    return unit.lower().translate(_SAME)


def measure(part: Resource, analyte: str) -> Reading:
    """Read the value of an Observation or of one of its components.

    Args:
        part: where `value[x]` stands.
        analyte: name in `analytes.toml`.

    Returns:
        The value in the unit reported; else why not: NOT_RECORDED (no value, `dataAbsentReason`), UNIT_UNKNOWN
        (none, or one this analyte is not measured in), CONFLICTING (`code` and `unit` disagree), UNREADABLE.
    """
    told = analytes()[analyte]
    values = {name: value for name, value in part.items() if name.startswith("value") and value is not None}
    if part.get("dataAbsentReason"):
        # a value beside "there is no value": one of the two is wrong (FHIR rule obs-6)
        kind = GapKind.CONFLICTING if values else GapKind.NOT_RECORDED
        return NotRead(kind, "reported without a value")
    if not values:
        return NotRead(GapKind.NOT_RECORDED, "no value")
    if len(values) > 1:
        return NotRead(GapKind.CONFLICTING, "more than one value")
    (name, value), *_ = values.items()
    match name:
        case "valueQuantity":
            return _quantity(mapping(value), told) if isinstance(value, dict) else _no_number()
        case "valueString":
            return _text(value, told)
        case "valueCodeableConcept":
            return _text(mapping(value).get("text"), told)
        case "valueInteger" | "valueDecimal":
            amount = number(value)
            return _no_number() if amount is None else _in_units(exactly(amount), (), told)
    return _no_number()


def measure_quantity(quantity: object, analyte: str) -> Reading:
    """Read a Quantity that stands somewhere else than in `value[x]`."""
    return _quantity(mapping(quantity), analytes()[analyte])


def convert(value: Interval, analyte: str, unit: str, to: str) -> Interval:
    """A value in another unit of the same analyte.

    A converted value is rounded to the precision of its new unit, whole nmol/L for 25-OH vitamin D, so that exactly
    20 ng/mL and exactly 50 nmol/L stay on the same side of a limit (DEF-11). In its own unit a value is left as it is.
    """
    if unit == to:
        return value
    units = analytes()[analyte].units
    source, target = units[unit], units[to]
    step = Decimal(1).scaleb(-target.decimals)

    def bound(limit: Decimal | None) -> Decimal | None:
        if limit is None:
            return None
        return (limit / source.factor * target.factor).quantize(step, ROUND_HALF_UP)

    return Interval(bound(value.low), bound(value.high), value.above_low, value.below_high)


def _no_number() -> NotRead:
    return NotRead(GapKind.UNREADABLE, "not a number")


_COMPARATORS = {"<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">="}


def _compared(comparator: str, amount: Decimal) -> Interval:
    match comparator:
        case "<" | "<=":
            return Interval(None, amount, below_high=comparator == "<")
        case ">" | ">=":
            return Interval(amount, None, above_low=comparator == ">")
    return exactly(amount)


def _quantity(quantity: Resource, analyte: Analyte) -> Reading:
    amount = number(quantity.get("value"))
    if amount is None:
        return _no_number() if quantity.get("value") is not None else NotRead(GapKind.NOT_RECORDED, "no value")
    comparator = quantity.get("comparator")
    if comparator is not None and string(comparator) not in _COMPARATORS:
        return NotRead(GapKind.UNREADABLE, "comparator not known")
    value = _compared(_COMPARATORS.get(string(comparator), ""), amount)
    return _in_units(value, _units_of(quantity), analyte)


def _units_of(quantity: Resource) -> tuple[str, ...]:
    """What the Quantity says about its unit; a code of another system than UCUM (SNOMED CT ids) says nothing to us."""
    system = string(quantity.get("system")).lower()
    ucum = not system or any(name in system for name in _UCUM)
    code = string(quantity.get("code")) if ucum else ""
    return tuple(unit for unit in (code, string(quantity.get("unit"))) if unit)


# A number, what it is compared with, and a unit; nothing else. The comma is a decimal one only before one or two digits:
# "1,250" may be a thousand and more.
_RESULT = re.compile(
    r"(?P<comparator><=|>=|[<>≤≥])?\s*(?P<sign>[+\-−–]?)(?P<number>\d+(?:\.\d+|,\d{1,2})?)"
    r"\s*(?P<unit>[^\d\s<>=+\-.,].*)?"
)


def _text(value: object, analyte: Analyte) -> Reading:
    match = _RESULT.fullmatch(string(value))
    if match is None:
        return NotRead(GapKind.UNREADABLE, "text is not a single result")
    amount = Decimal(match["number"].replace(",", "."))
    amount = -amount if match["sign"] not in ("", "+") else amount
    value_read = _compared(_COMPARATORS.get(match["comparator"] or "", ""), amount)
    return _in_units(value_read, (match["unit"],) if match["unit"] else (), analyte)


def _in_units(value: Interval, said: tuple[str, ...], analyte: Analyte) -> Reading:
    unit = _unit(said, analyte)
    if isinstance(unit, NotRead):
        return unit
    if any(limit is not None and limit.adjusted() > _LARGEST_EXPONENT for limit in (value.low, value.high)):
        return NotRead(GapKind.UNREADABLE, "a value that is not possible")
    if not _plausible(value, unit, analyte):
        return NotRead(GapKind.UNREADABLE, f"{shown(value, unit.name)} is not possible")
    return Measured(value, unit.name)


def _unit(said: tuple[str, ...], analyte: Analyte) -> Unit | NotRead:
    own = [analyte.spellings[_key(each)] for each in said if _key(each) in analyte.spellings]
    foreign = [each for each in said if _key(each) not in analyte.spellings and _key(each) in _known_units()]
    if not said:
        return analyte.units[analyte.unit] if analyte.bare else NotRead(GapKind.UNIT_UNKNOWN, "no unit")
    if own and (foreign or len({unit.name for unit in own}) > 1):
        return NotRead(GapKind.CONFLICTING, "unit and unit code disagree")
    if foreign:
        return NotRead(GapKind.UNIT_UNKNOWN, f"{foreign[0]} is no unit of {analyte.label}")
    if not own:
        return NotRead(GapKind.UNIT_UNKNOWN, "unit not known")
    return own[0]


def _plausible(value: Interval, unit: Unit, analyte: Analyte) -> bool:
    """Every bound lies in the window; "<0.5" may lie below it, since it says no more than "very low"."""
    low, high = analyte.low * unit.factor, analyte.high * unit.factor
    if value.low is not None and not low <= value.low <= high:
        return False
    lowest = low if value.low is not None else min(low, Decimal(0))
    return value.high is None or lowest <= value.high <= high
