"""Numbers as they are known: exactly, or between two bounds (S7).

All arithmetic is decimal: 20 ng/mL and 2.5 mg meet their thresholds exactly, which binary fractions do not.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.kernel.truth import Truth


@dataclass(frozen=True, slots=True)
class Interval:
    """A number known to lie between two bounds; `None` is an open end.

    Attributes:
        low: the smallest value possible, `None` when there is no lower bound.
        high: the largest value possible, `None` when there is no upper bound.
        above_low: true when the value is greater than `low`, never equal to it (a result ">150").
        below_high: true when the value is less than `high`, never equal to it (a result "<8").
    """

    low: Decimal | None
    high: Decimal | None
    above_low: bool = False
    below_high: bool = False

    @property
    def exact(self) -> bool:
        """Whether the value is known exactly."""
        return self.low is not None and self.low == self.high

    def __add__(self, other: Interval) -> Interval:
        low = None if self.low is None or other.low is None else self.low + other.low
        high = None if self.high is None or other.high is None else self.high + other.high
        return Interval(low, high, self.above_low or other.above_low, self.below_high or other.below_high)

    def times(self, factor: Decimal | int) -> Interval:
        """Multiplied by a number that is not negative."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        return Interval(low, high, self.above_low, self.below_high)

    def at_least(self, limit: Decimal) -> Truth:
        """Is the value `>= limit`?"""
        if self.low is not None and self.low >= limit:
            return Truth.YES
        if self.high is not None and (self.high < limit or (self.high == limit and self.below_high)):
            return Truth.NO
        return Truth.UNKNOWN

    def more_than(self, limit: Decimal) -> Truth:
        """Is the value `> limit`?"""
        if self.low is not None and (self.low > limit or (self.low == limit and self.above_low)):
            return Truth.YES
        if self.high is not None and self.high <= limit:
            return Truth.NO
        return Truth.UNKNOWN

    def less_than(self, limit: Decimal) -> Truth:
        """Is the value `< limit`?"""
        return ~self.at_least(limit)

    def at_most(self, limit: Decimal) -> Truth:
        """Is the value `<= limit`?"""
        return ~self.more_than(limit)

    def __str__(self) -> str:
        match self.low, self.high:
            case None, None:
                return "not known"
            case None, high:
                return f"{'<' if self.below_high else '<='}{plain(high)}"
            case low, None:
                return f"{'>' if self.above_low else '>='}{plain(low)}"
            case low, high if low == high:
                return plain(low)
            case low, high:
                return f"{plain(low)} to {plain(high)}"


def exactly(value: Decimal | int | str) -> Interval:
    """The interval of one exact number."""
    number = Decimal(value)
    return Interval(number, number)


def between(low: Decimal | int | str, high: Decimal | int | str | None) -> Interval:
    """The interval from low to high; `None` for no upper bound."""
    return Interval(Decimal(low), None if high is None else Decimal(high))


ZERO = exactly(0)


def plain(number: Decimal | int | None) -> str:
    """A number for people: no exponent, no trailing zeros, at most three decimals ("2.5", "-2", "0.833")."""
    if number is None:
        return "not known"
    text = f"{Decimal(number):.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def as_number(number: Decimal) -> int | float:
    """A number for JSON output."""
    return int(number) if number == number.to_integral_value() else float(number)
