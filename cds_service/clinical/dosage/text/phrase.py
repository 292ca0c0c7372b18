"""What the tables of phrases share: the item a phrase becomes, and the pieces of the patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.dosage.units import TABLET, TIME_UNITS, UNIT_WORDS, UNNAMED, Often
from cds_service.kernel.quantities import Interval


@dataclass(frozen=True, slots=True)
class Item:
    """One phrase.

    Attributes:
        kind: what it is:

            * amounts: "amount", "total" (the same in another unit), "bracket" (the same, or what one unit holds)
            * how often: "rate", "slot" (a time of the day), "clock", "weekday", "divided", "single", "meals"
            * either: "amount-or-rate" ("2 two times a day"), "amount-or-cap" ("up to 8 a day")
            * how long: "length", "doses" (a number of intakes), "span" (days by their numbers)
            * conditions: "cap", "prn", "upto", "directed"
            * what comes next: "then", "by" (the step of a taper), "to" (its end), "stop"
            * the rest: "and", "sep", "verb", "noise"
        amount: its number or numbers, where it has any.
        unit: unit of the amount.
        rate: how often.
        label: which time of day or day of the week; which separator or verb.
        more: a second number: mg beside tablets, days of each step of a taper.
    """

    kind: str
    amount: Interval | None = None
    unit: str = UNNAMED
    rate: Often | None = None
    label: str = ""
    more: Interval | None = None


Builder = Callable[["re.Match[str]"], Item | None]
"""From a matched phrase to its item; `None` where its numbers make no sense, which ends the reading."""
Rule = tuple[str, Builder]


def either(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first."""
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"


NUMBER = r"(?:\d+(?:\.\d+)?|(?<![a-z0-9.)])\.\d+)"
RANGE = rf"(?:{NUMBER} ?(?:-|to|or) ?{NUMBER}|between {NUMBER} and {NUMBER}|{NUMBER})"
UNIT = either(word for word in UNIT_WORDS if word[0].isalpha()) + r"(?:\(s\))?"
COUNTED = either(word for word, (unit, _) in UNIT_WORDS.items() if unit == TABLET and word[0].isalpha()) + r"(?:\(s\))?"
MASS = r"(?:milligrams?|micrograms?|grams?|mgs?|mcgs?|gm|g)"
TIME = either(word for word in TIME_UNITS if word not in ("a", "s", "y")) + r"(?:\(s\))?"
LONG_TIME = r"(?:days?|d|weeks?|wks?|w|months?|mths?|mo|years?|yrs?)"
PER_DAY = r"(?:day|24 ?h(?:ou)?rs?|24 hour period)"


def numbers(text: str) -> Interval | None:
    """One number, or a range that rises; `None` for a range that falls."""
    found = [Decimal(each) for each in re.findall(r"\d*\.?\d+", text)]
    low, high = found[0], found[-1]
    return Interval(low, high) if low < high or len(found) == 1 else None


def unit_of(word: str | None) -> tuple[str, Decimal]:
    """Unit and factor of a unit word; of no word, a bare count."""
    return UNIT_WORDS[word.removesuffix("(s)")] if word else (UNNAMED, Decimal(1))


def always(kind: str, label: str = "") -> Builder:
    """The builder of a phrase that is the same item whatever it matched."""
    item = Item(kind, label=label)
    return lambda _: item
