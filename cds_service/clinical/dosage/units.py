"""Units of amounts, under one name each, and how often something is taken, as a fraction that loses nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from cds_service.kernel.quantities import Interval

MILLIGRAM, MILLILITRE, TABLET = "mg", "mL", "tablet"
UNNAMED: Final = ""
"""The unit of a count that names none ("take one twice daily")."""

_ONE = Decimal(1)
_NAMES: Mapping[str, tuple[Decimal, str]] = {
    "mg": (_ONE, "mg mgs milligram milligrams milligramme milligrammes 258684004"),
    "g": (Decimal(1000), "g gm gms gram grams gramme grammes 258682000"),
    "mcg": (Decimal("0.001"), "mcg mcgs ug µg μg microgram micrograms microgramme microgrammes 258685003"),
    "mL": (_ONE, "ml mls millilitre millilitres milliliter milliliters 258773002"),
    "L": (Decimal(1000), "litre litres liter liters"),
    TABLET: (
        _ONE,
        "tablet tablets tab tabs tablt tbl {tbl} {tablet} {tab} {pill} pill pills capsule capsules cap caps {capsule} "
        "caplet caplets gelcap gelcaps 428673006 385055001 428641000 385049006",
    ),
    "vial": (_ONE, "vial vials {vial}"),
    "ampoule": (_ONE, "ampoule ampoules ampule ampules amp amps {ampule}"),
    "puff": (_ONE, "puff puffs {puff} inhalation inhalations"),
    "spray": (_ONE, "spray sprays {spray}"),
    "drop": (_ONE, "drop drops gtt gtts [drp] opdrop"),
    "unit": (_ONE, "unit units iu [iu] [iu'u] international-unit"),
    "patch": (_ONE, "patch patches {patch}"),
    "sachet": (_ONE, "sachet sachets packet packets pkt {sachet}"),
    "suppository": (_ONE, "suppository suppositories supp {suppository}"),
    "pessary": (_ONE, "pessary pessaries"),
    "lozenge": (_ONE, "lozenge lozenges"),
    "teaspoon": (_ONE, "teaspoon teaspoons teaspoonful teaspoonfuls tsp [tsp_us]"),
    "tablespoon": (_ONE, "tablespoon tablespoons tablespoonful tablespoonfuls tbsp [tbs_us]"),
    "spoonful": (_ONE, "spoonful spoonfuls"),
    "application": (_ONE, "application applications appl"),
    "dose": (_ONE, "dose doses {dose}"),
}
_MILLI = {"g": MILLIGRAM, "mcg": MILLIGRAM, "L": MILLILITRE}
UNIT_WORDS: Mapping[str, tuple[str, Decimal]] = {
    word: (_MILLI.get(name, name), factor) for name, (factor, words) in _NAMES.items() for word in words.split()
}
"""Word to unit and what one of it is in that unit: gram to ("mg", 1000)."""

PER_UNIT_OF_PRODUCT = frozenset({TABLET, "vial", "ampoule"})
"""Units of which the strength of a product is told."""

_FINEST = Decimal("1e-12")
_LARGEST = Decimal(10) ** 12


def tidy(number: Decimal) -> Decimal:
    """Free of the last-digit noise of a division (2 every 12 h is 4, not 3.999...)."""
    if abs(number) >= _LARGEST:
        return number
    return number.quantize(_FINEST).normalize() + 0


def hull(intervals: Iterable[Interval]) -> Interval:
    """The smallest interval that holds all of them; at least one is needed."""
    each = list(intervals)
    lows, highs = [one.low for one in each], [one.high for one in each]
    low = None if None in lows else min(low for low in lows if low is not None)
    high = None if None in highs else max(high for high in highs if high is not None)
    above = low is not None and all(one.above_low for one in each if one.low == low)
    return Interval(low, high, above)


def or_none(interval: Interval) -> Interval:
    """The same, or nothing at all: as needed, up to."""
    return Interval(Decimal(0), interval.high)


def capped(interval: Interval, cap: Interval) -> Interval:
    """Not more than the cap, at neither end; an unclear cap holds back no further than its own high end."""
    if cap.high is None or cap.low is None:
        return interval
    high = cap.high if interval.high is None else min(interval.high, cap.high)
    low = interval.low if interval.low is None else min(interval.low, cap.low)
    return Interval(low, high)


@dataclass(frozen=True, slots=True)
class Often:
    """Intakes in a period.

    Attributes:
        times: intakes in each period.
        period: days in a period, more than 0; less than 1 for hours.
    """

    times: Interval
    period: Interval

    def per_day(self, amount: Interval) -> Interval:
        """Of that amount each time, what is taken per day: the mean over the period."""
        low = self._ratio(amount.low, self.times.low, self.period.high)
        high = self._ratio(amount.high, self.times.high, self.period.low)
        return Interval(low, high)

    def same_rate(self, other: Often) -> bool:
        """Whether both come to the same intakes per day."""
        one = Interval(_ONE, _ONE)
        return self.per_day(one) == other.per_day(one)

    @staticmethod
    def _ratio(amount: Decimal | None, times: Decimal | None, days: Decimal | None) -> Decimal | None:
        if amount is None or times is None or days is None:
            return None
        return tidy(amount * times / days)


def often(times: Decimal | int, days: Decimal | int = 1, most: Decimal | int | None = None) -> Often:
    """So many times in so many days; `most`: and up to that many times."""
    low, period = Decimal(times), Decimal(days)
    return Often(Interval(low, low if most is None else Decimal(most)), Interval(period, period))


DAYS_IN: Mapping[str, Interval] = {
    "s": Interval(_ONE / 86400, _ONE / 86400),
    "min": Interval(_ONE / 1440, _ONE / 1440),
    "h": Interval(_ONE / 24, _ONE / 24),
    "d": Interval(_ONE, _ONE),
    "wk": Interval(Decimal(7), Decimal(7)),
    "mo": Interval(Decimal(28), Decimal(31)),
    "a": Interval(Decimal(365), Decimal(366)),
}
"""Days in a unit of time, shortest and longest."""
_TIME_WORDS = {
    "s": "s sec secs second seconds",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "d day days",
    "wk": "w wk wks week weeks",
    "mo": "mo mth mths month months",
    "a": "a y yr yrs year years",
}
TIME_UNITS: Mapping[str, str] = {word: unit for unit, words in _TIME_WORDS.items() for word in words.split()}
"""Word to UCUM unit of time."""


def period_of(value: Interval, unit: str) -> Interval | None:
    """That many of a unit of time in days, not rounded; `None` for an unknown unit or no number."""
    ucum = TIME_UNITS.get(unit, "")
    per_unit = DAYS_IN.get(ucum)
    if per_unit is None or value.low is None or value.high is None or per_unit.low is None or per_unit.high is None:
        return None
    if (
        ucum in _CALENDAR
        and _whole(value.low) == value.low
        and _whole(value.high) == value.high
        and value.high <= _MOST
    ):
        lows, highs = calendar_days(int(value.low), ucum), calendar_days(int(value.high), ucum)
        return Interval(Decimal(lows[0]), Decimal(highs[1]))
    return Interval(value.low * per_unit.low, value.high * per_unit.high)


def days_in(value: Interval, unit: str) -> Interval | None:
    """The same in whole days, the last one begun counts."""
    period = period_of(value, unit)
    if period is None or period.low is None or period.high is None or period.high > _LONGEST_DAYS:
        return None
    return Interval(_whole(tidy(period.low)), _whole(tidy(period.high)))


_CALENDAR = {"mo": 1, "a": 12}
_MOST = 1200
_LONGEST_DAYS = 40_000  # longer than a life: not a length that somebody meant
_MONTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=256)
def calendar_days(count: int, unit: str) -> tuple[int, int]:
    """Fewest and most days in that many calendar months ("mo") or years ("a") that follow each other."""
    four_years = [days + (month == 1 and year == 0) for year in range(4) for month, days in enumerate(_MONTHS)]
    months = count * _CALENDAR[unit]
    rounds, rest = divmod(months, len(four_years))
    twice = four_years + four_years
    sums = [sum(twice[start : start + rest]) for start in range(len(four_years))]
    return rounds * sum(four_years) + min(sums), rounds * sum(four_years) + max(sums)


def _whole(days: Decimal) -> Decimal:
    return days.to_integral_value(rounding="ROUND_CEILING")
