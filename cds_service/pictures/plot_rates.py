"""Shares with their intervals: over the months, and one bar for each of several things."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cds_service.kernel.dates import plus_months
from cds_service.pictures import palette
from cds_service.pictures.axes import LEFT, RIGHT, Plot, date_axis, frame
from cds_service.pictures.picture import Picture, Table, counted, table_of
from cds_service.pictures.scales import DateScale, ValueScale
from cds_service.pictures.svg import Box, Canvas, number

_HEIGHT, _ROW = 150.0, 22.0
# A picture stays a picture: what is over stands in its table.
_MOST_MONTHS, _MOST_BARS = 60, 20
_NAMES = 170.0
_BARS = Box(LEFT + _NAMES, 0, RIGHT - LEFT - _NAMES - 122, 0)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of something.

    Attributes:
        name: of what.
        count: so many,
        of: of so many; more than none.
        low: lower end of its interval, 0 to 1.
        high: upper end.
    """

    name: str
    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.count / self.of

    @property
    def words(self) -> str:
        """Such as: 3 of 4."""
        return f"{self.count} of {self.of}"


@dataclass(frozen=True, slots=True)
class MonthShare:
    """A share in one month.

    Attributes:
        month: its first day.
        share: the share.
    """

    month: dt.date
    share: Share


def rates_over_time(title: str, months: Sequence[MonthShare]) -> Picture:
    """A point with its interval for each month.

    Args:
        title: what it is a share of.
        months: those with anything to have a share of, in their order.
    """
    table = _table("Month", [each.share for each in months])
    over = _over(len(months), _MOST_MONTHS, "months", "the newest")
    described = _described(title, "month", [each.share for each in months], over)
    canvas = Canvas("rates", title, described, table)
    if not months:
        canvas.notes(["Nothing was answered in this period."])
        return canvas.finish()
    drawn = months[-_MOST_MONTHS:]
    top = canvas.y + 22
    # a point stands in the middle of its month
    x = DateScale(drawn[0].month, plus_months(drawn[-1].month, 1), LEFT, RIGHT)
    plot = Plot(x, ValueScale(0, 100, top + _HEIGHT, top))
    frame(canvas, plot, "percent, with 95 % interval", most=5)
    date_axis(canvas, plot)
    places = [(plot.x(each.month + dt.timedelta(days=14)), each.share) for each in drawn]
    # no line across months of which nothing is known
    begins = [True, *(after.month != plus_months(before.month, 1) for before, after in pairwise(drawn))]
    line = " ".join(
        f"{'M' if begin else 'L'}{number(x_)},{number(plot.y(100 * share.share))}"
        for begin, (x_, share) in zip(begins, places, strict=True)
    )
    canvas.path(line, palette.BLUE, 1.2)
    for x_, share in places:
        with canvas.part("interval"):
            canvas.line(x_, plot.y(100 * share.low), x_, plot.y(100 * share.high), palette.QUIET, 1.2)
        with canvas.part("share"):
            canvas.marker(x_, plot.y(100 * share.share), palette.LOOKS[0])
    canvas.notes(over)
    return canvas.finish()


def rate_bars(title: str, shares: Sequence[Share]) -> Picture:
    """A bar with its interval for each of several things.

    Args:
        title: what it is a share of.
        shares: from the top down.
    """
    over = _over(len(shares), _MOST_BARS, "rows", "the first")
    canvas = Canvas("bars", title, _described(title, "row", shares, over), _table("Name", shares))
    if not shares:
        canvas.notes(["Nothing was answered in this period."])
        return canvas.finish()
    for each in shares[:_MOST_BARS]:
        _bar(canvas, each)
    canvas.notes(["Bars end at the share; thin lines are 95 % intervals.", *over])
    return canvas.finish()


def _bar(canvas: Canvas, share: Share) -> None:
    y = canvas.y + _ROW / 2
    left, width = _BARS.x, _BARS.width
    canvas.text(LEFT + _NAMES - 6, y + 3.5, share.name, size=10, anchor="end", width=LEFT + _NAMES - 14)
    canvas.rect(Box(left, y - 7, width, 14), palette.PALE)
    with canvas.part("share"):
        canvas.rect(Box(left, y - 7, width * share.share, 14), palette.SKY)
    with canvas.part("interval"):
        canvas.line(left + width * share.low, y, left + width * share.high, y, palette.INK, 1.2)
    words = f"{100 * share.share:.0f} % ({share.count}/{share.of})"
    canvas.text(RIGHT + 6, y + 3.5, words, size=10, anchor="end", width=RIGHT + 2 - left - width)
    canvas.y += _ROW


def _over(given: int, most: int, what: str, which: str) -> list[str]:
    return [f"Drawn are {which} {most} of {given} {what}; the table has all."] if given > most else []


def _described(title: str, one: str, shares: Sequence[Share], over: Sequence[str]) -> str:
    if not shares:
        return f"{title}: nothing was answered in this period."
    low, high = min(shares, key=_share), max(shares, key=_share)
    told = f"{title}, {counted(len(shares), one)} with 95 % intervals. Lowest: {_told(low)}; highest: {_told(high)}."
    return " ".join((told, *over))


def _share(told: Share) -> float:
    return told.share


def _told(share: Share) -> str:
    return f"{share.name}, {100 * share.share:.0f} % ({share.words})"


def _table(name: str, shares: Sequence[Share]) -> Table:
    return table_of(
        (name, "Share", "Count", "95 % interval"),
        [
            (each.name, f"{100 * each.share:.0f} %", each.words, f"{100 * each.low:.0f} to {100 * each.high:.0f} %")
            for each in shares
        ],
    )
