"""From dates and values to places on a picture, with ticks at round numbers."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.kernel.dates import DateSpan, plus_days, plus_months

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000)
_MOST_TICKS = 8
_LEAST_DAYS = 300
_LONGEST = 3 * 366


@dataclass(frozen=True, slots=True)
class DateScale:
    """Days from left to right.

    Attributes:
        first: day at `left`.
        last: day at `right`, later than `first`.
        left: place of the first day.
        right: place of the last day.
    """

    first: dt.date
    last: dt.date
    left: float
    right: float

    def __call__(self, day: dt.date) -> float:
        """Where a day lies; days before or after the picture lie on its edge."""
        days = min(max(day.toordinal(), self.first.toordinal()), self.last.toordinal()) - self.first.toordinal()
        return self.left + (self.right - self.left) * days / (self.last.toordinal() - self.first.toordinal())

    def place(self, span: DateSpan) -> float:
        """Where a date is drawn: a month or a year in the middle of it, "by then" at its end."""
        if _open(span):
            return self(span.latest)
        return (self(span.earliest) + self(span.latest)) / 2

    def ticks(self) -> Iterator[tuple[dt.date, str]]:
        """Days to mark, with their words: years, or months where the picture is short."""
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        step = next((each for each in _STEPS if months / each <= _MOST_TICKS), _STEPS[-1])
        count = (self.first.year * 12 + self.first.month - 1) // step * step
        while count // 12 <= dt.MAXYEAR:
            day = dt.date(max(count // 12, dt.MINYEAR), count % 12 + 1, 1)
            if day > self.last:
                return
            if day >= self.first:
                yield day, f"{day.year}" if step >= 12 else f"{_MONTHS[day.month - 1]} {day.year}"
            count += step


def _open(span: DateSpan) -> bool:
    """Whether it says little more than "by that day": its first day may be that of a birth."""
    return span.latest.toordinal() - span.earliest.toordinal() > _LONGEST


def around(spans: Iterable[DateSpan | None], as_of: dt.date, left: float, right: float) -> DateScale:
    """A scale that holds those dates and today with some room at both ends."""
    days = [as_of]
    for span in spans:
        if span is not None:
            days += [span.latest if _open(span) else span.earliest, min(span.latest, as_of)]
    first, last = min(days), max(days)
    room = max((last.toordinal() - first.toordinal()) // 20, 10)
    first, last = plus_days(first, -room), plus_days(last, room)
    if last.toordinal() - first.toordinal() < _LEAST_DAYS:
        first = plus_months(last, -12)
    return DateScale(first, last, left, right)


@dataclass(frozen=True, slots=True)
class ValueScale:
    """Values from bottom to top.

    Attributes:
        low: value at `bottom`.
        high: value at `top`, more than `low`.
        bottom: place of the lowest value; larger than `top`, as places are counted from above.
        top: place of the highest value.
    """

    low: float
    high: float
    bottom: float
    top: float

    def __call__(self, value: Decimal | float) -> float:
        """Where a value lies; values outside lie on the edge."""
        inside = min(max(float(value), self.low), self.high)
        return self.bottom + (self.top - self.bottom) * (inside - self.low) / (self.high - self.low)

    def ticks(self, most: int = 6) -> list[Decimal]:
        """Round numbers inside, at most about that many."""
        step = _round_step((self.high - self.low) / most)
        count = math.ceil(Decimal(str(self.low)) / step)
        found = []
        while count * step <= Decimal(str(self.high)):
            found.append(count * step)
            count += 1
        return found


def _round_step(least: float) -> Decimal:
    power = math.floor(math.log10(least))
    for factor in (1, 2, 5, 10):
        step = Decimal(factor).scaleb(power)
        if float(step) >= least:
            return step
    return Decimal(1).scaleb(power + 1)


def rounded_out(low: float, high: float, most: int = 6) -> tuple[float, float]:
    """The same range from a round number to a round number."""
    if high <= low:
        high = low + 1
    step = float(_round_step((high - low) / most))
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
