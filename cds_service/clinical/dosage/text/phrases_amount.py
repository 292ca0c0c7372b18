"""Phrases that tell an amount: "1-2 tablets", "two 5 mg tablets", "(10 mg total)"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from cds_service.clinical.dosage.text.harmless import ADJECTIVES, DRUGS
from cds_service.clinical.dosage.text.phrase import (
    COUNTED,
    MASS,
    NUMBER,
    RANGE,
    UNIT,
    Item,
    Rule,
    always,
    numbers,
    unit_of,
)
from cds_service.clinical.dosage.units import MILLILITRE, TABLET
from cds_service.kernel.quantities import Interval


def _of(text: str, word: str, kind: str = "amount") -> Item | None:
    value = numbers(text)
    unit, factor = unit_of(word)
    return None if value is None else Item(kind, value.times(factor), unit)


def _amount(m: re.Match[str]) -> Item | None:
    return _of(m[1], m[2])


def _bare(m: re.Match[str]) -> Item | None:
    value = numbers(m[1])
    return None if value is None else Item("amount", value)


def _article(m: re.Match[str]) -> Item | None:
    return _of("1", m[1])


def _two_sided(m: re.Match[str]) -> Item | None:
    """Both ends with a unit: "5 mg to 10 mg"."""
    (unit, factor), (other, its_factor) = unit_of(m[2]), unit_of(m[4])
    low, high = Decimal(m[1]) * factor, Decimal(m[3]) * its_factor
    return Item("amount", Interval(low, high), unit) if unit == other and low < high else None


def _two_numbers(m: re.Match[str]) -> Item | None:
    """A range whose dash was lost, "1 2 tablets"; only where the numbers follow each other."""
    low, high = Decimal(m[1]), Decimal(m[2])
    return Item("amount", Interval(low, high), TABLET) if high == low + 1 else None


def _of_strength(m: re.Match[str]) -> Item | None:
    """A number of tablets and what one holds: "two 5 mg tablets"."""
    count, strength = numbers(m[1]), Decimal(m[2]) * unit_of(m[3])[1]
    return None if count is None else Item("amount", count, TABLET, more=count.times(strength))


def _times_strength(m: re.Match[str]) -> Item | None:
    """So many times a mass or volume: "2 x 5 mg"."""
    count, (unit, factor) = numbers(m[1]), unit_of(m[3])
    return None if count is None else Item("amount", count.times(Decimal(m[2]) * factor), unit)


def _spoonfuls(m: re.Match[str]) -> Item | None:
    count = numbers(m[1])
    return None if count is None else Item("amount", count.times(Decimal(m[2])), MILLILITRE)


def _total(m: re.Match[str]) -> Item | None:
    return _of(m[1], m[2], "total")


def _in_brackets(m: re.Match[str]) -> Item | None:
    return _of(m[1], m[2], "bracket")


def _count_in_brackets(m: re.Match[str]) -> Item | None:
    """The total said as tablets of a strength: "10 mg (2 x 5 mg tablets)"."""
    count, (unit, factor) = numbers(m[1]), unit_of(m[3])
    return None if count is None else Item("total", count.times(Decimal(m[2]) * factor), unit)


_CONCENTRATION = (
    rf"\(?{NUMBER} ?{MASS} ?(?:/|per|in) ?(?:{NUMBER})? ?(?:ml|tablet|tab|capsule|cap)\)?(?! ?(?:/|per|kg))"
)

AMOUNTS: Final[tuple[Rule, ...]] = (
    (rf"\((?:=|total(?: of| dose)?:?)? ?({RANGE}) ?({UNIT}) (?:total dose|total|in total)\)", _total),
    (rf"\((?:=|total(?: of| dose)?:?) ?({RANGE}) ?({UNIT})\)", _total),
    (rf"= ?({RANGE}) ?({UNIT})", _total),
    (rf"({RANGE}) ?({MASS}) total(?: dose)?", _total),
    (rf"\(({RANGE}) ?({UNIT})\)", _in_brackets),
    (rf"\(({RANGE})(?: ?x ?| of | )({NUMBER}) ?({MASS})(?: ?{COUNTED})?\)", _count_in_brackets),
    (_CONCENTRATION, always("noise")),
    (rf"\({NUMBER} ?{MASS} (?:each|tablets?|tabs?|capsules?|caps?|strength)\)", always("noise")),
    (rf"({NUMBER}) ?({UNIT}) ?(?:-|to|or) ?({NUMBER}) ?({UNIT})", _two_sided),
    (
        rf"({RANGE})(?: ?x ?| of the | of | ?\(| )(?:{DRUGS} )?({NUMBER}) ?-?({MASS}) ?\)? ?(?:{ADJECTIVES} )*{COUNTED}",
        _of_strength,
    ),
    (rf"({RANGE}) ?(?:x ?| )({NUMBER}) ?ml spoon(?:s|fuls?|sful)?", _spoonfuls),
    (rf"({RANGE}) ?x ?({NUMBER}) ?(mg|mcg|g|ml)", _times_strength),
    (rf"({RANGE}) ?{COUNTED} (?:of|at) ({NUMBER}) ?({MASS})(?: each)?", _of_strength),
    (rf"(?P<same_count>\d) (?P=same_count) ({COUNTED})", _amount),
    (rf"(\d) (\d) ?({COUNTED})", _two_numbers),
    (rf"(0\.\d+) an? ({COUNTED})", _amount),
    (rf"(?:an? )?({RANGE}) ?-?(?:(?:{ADJECTIVES}|{DRUGS}) )*({UNIT})", _amount),
    (rf"an? ({COUNTED}|puff|drop|patch|sachet|dose)", _article),
)
BARE_AMOUNT: Final[Rule] = (rf"({RANGE})", _bare)
