"""The frame of a plot over time: grid, ticks, guideline lines, today, and what happened below the axis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cds_service.kernel.dates import DateSpan
from cds_service.kernel.quantities import Interval
from cds_service.pictures import palette
from cds_service.pictures.picture import Line, Mark, Period, grouped
from cds_service.pictures.scales import DateScale, ValueScale
from cds_service.pictures.svg import WIDTH, Box, Canvas, number, text_width

LEFT, RIGHT = 46.0, WIDTH - 14.0
_LANE = 19.0


@dataclass(frozen=True, slots=True)
class Plot:
    """One panel: a date scale across, a value scale upwards."""

    x: DateScale
    y: ValueScale

    @property
    def box(self) -> Box:
        """The panel."""
        return Box(self.x.left, self.y.top, self.x.right - self.x.left, self.y.bottom - self.y.top)


def frame(canvas: Canvas, plot: Plot, unit: str, *, most: int = 6) -> None:
    """Grid, value axis and its unit, which stands over it."""
    box = plot.box
    if unit:
        canvas.text(8, box.y - 9, unit, size=10, colour=palette.QUIET)
    for value in plot.y.ticks(most):
        y = plot.y(value)
        canvas.line(box.x, y, box.x + box.width, y, palette.GRID, 0.7)
        canvas.text(box.x - 5, y + 3.5, grouped(value).replace("-", "\u2212"), size=10, anchor="end")
    canvas.rect(box, "none", palette.QUIET, 0.8)


def date_axis(canvas: Canvas, plot: Plot) -> None:
    """Dates under the panel."""
    bottom = plot.y.bottom
    for day, words in plot.x.ticks():
        x = plot.x(day)
        canvas.line(x, bottom, x, bottom + 4, palette.QUIET)
        if x + text_width(words, 10) / 2 <= WIDTH:
            canvas.text(x, bottom + 15, words, size=10, anchor="middle")
    canvas.y = bottom + 18


def today(canvas: Canvas, plot: Plot, as_of: dt.date, *, over: float = 0) -> None:
    """A dashed line at the day of the picture, with the day over it.

    Args:
        canvas: where to draw.
        plot: the panel.
        as_of: the day.
        over: how much stands between the panel and the place for the words.
    """
    x, top = plot.x(as_of), plot.y.top - over
    with canvas.part("today"):
        canvas.line(x, top, x, plot.y.bottom, palette.QUIET, 1, "2 3")
    words = as_of.isoformat()
    canvas.text(min(x + text_width(words, 10) / 2, RIGHT), top - 4, words, size=10, anchor="end", colour=palette.QUIET)


def guideline_lines(canvas: Canvas, plot: Plot, lines: Sequence[Line]) -> list[str]:
    """Lines of guidelines inside the panel, each with its words; what has no room for them comes back as a note."""
    box = plot.box
    shown = [line for line in lines if plot.y.low <= float(line.value) <= plot.y.high]
    for line in shown:
        y = plot.y(line.value)
        with canvas.part("guideline"):
            canvas.line(box.x, y, box.x + box.width, y, palette.INK, 1.2, "7 3")
        canvas.taken.append(Box(box.x, y - 0.8, box.width, 1.6))
    wordless = []
    for line in shown:
        y, left, right = plot.y(line.value), box.x + 4, box.x + box.width - 4
        places = [
            (x, baseline, anchor) for baseline in (y - 4.5, y + 11.5) for x, anchor in ((left, "start"), (right, "end"))
        ]
        tried = [words for words in (line.label, line.short) if words and text_width(words, 10) <= box.width - 8]
        if not any(canvas.label(words, places, box) for words in tried or [line.label]):
            wordless.append(line.label)
    return [f"Lines without room for words: {'; '.join(wordless)}."] if wordless else []


def ranged(canvas: Canvas, plot: Plot, on: DateSpan, y: float, colour: str) -> None:
    """A bar over the days on which it may have been, where the day is not known."""
    if on.exact:
        return
    first, last = plot.x(on.earliest), plot.x(on.latest)
    canvas.line(first, y, last, y, colour, 1.2)
    for x in (first, last):
        canvas.line(x, y - 3, x, y + 3, colour, 1.2)


def arrow(canvas: Canvas, x: float, y: float, direction: int, colour: str) -> None:
    """An arrow away from a point: the value is at most (down, 1) or at least (up, -1) this."""
    tip = y + direction * 17
    barb = number(tip - direction * 6)
    head = f"M{number(x - 4)},{barb} L{number(x)},{number(tip)} L{number(x + 4)},{barb}"
    with canvas.part("arrow"):
        canvas.line(x, y, x, tip - direction * 3, colour, 1.6)
        canvas.path(head, colour, 1.6)


def shown_at(value: Interval) -> Decimal:
    """Where the marker of a value stands: at it, at its only bound, or half-way between two."""
    if value.low is None or value.high is None:
        return value.low if value.low is not None else value.high or Decimal(0)
    return (value.low + value.high) / 2


def reading(canvas: Canvas, plot: Plot, on: DateSpan, value: Interval, look: palette.Look, fill: str) -> None:
    """One result: its marker, an arrow where it is only a bound, a bar where it is a range, and its number beside it."""
    x, y = plot.x.place(on), plot.y(shown_at(value))
    ranged(canvas, plot, on, y, look.colour)
    if value.low is None:
        arrow(canvas, x, y, 1, look.colour)
    elif value.high is None:
        arrow(canvas, x, y, -1, look.colour)
    elif not value.exact:
        canvas.line(x, plot.y(value.low), x, plot.y(value.high), look.colour, 2.5)
    with canvas.part("reading"):
        canvas.marker(x, y, look, fill=fill)
    places = ((x + 8, y + 3.5, "start"), (x, y - 9, "middle"), (x, y + 17, "middle"), (x - 8, y + 3.5, "end"))
    canvas.label(str(value).replace("-", "\u2212"), places, plot.box)


# --- below the axis --------------------------------------------------------------------------------------------------
def lanes(canvas: Canvas, plot: Plot, marks: Sequence[Mark], periods: Sequence[Period], as_of: dt.date) -> None:
    """What happened and what was taken, one lane each: fractures as crosses, treatment as bars with their names."""
    for mark in marks:
        if mark.on is not None:
            _mark(canvas, plot, mark.label, mark.on)
    for period in periods:
        if period.first is not None or period.last is not None:
            _period(canvas, plot, period, as_of)


def undated(marks: Iterable[Mark], periods: Iterable[Period]) -> list[str]:
    """What has no place on the axis, in words."""
    names = [each.label for each in marks if each.on is None]
    names += [each.label for each in periods if each.first is None and each.last is None]
    return [f"Without a date, not drawn: {', '.join(names)}."] if names else []


def _mark(canvas: Canvas, plot: Plot, label: str, on: DateSpan) -> None:
    y = canvas.y + _LANE / 2
    x = plot.x.place(on)
    ranged(canvas, plot, on, y, palette.VERMILION)
    canvas.line(x, plot.y.top, x, y, palette.VERMILION, 0.8, "1 3")
    with canvas.part("event"):
        canvas.marker(x, y, palette.Look("cross", palette.VERMILION), 5)
    right = max(x, plot.x(on.latest)) + 9
    words = f"{label}, {on}"
    _beside(canvas, words, right, min(x, plot.x(on.earliest)) - 9, y)
    canvas.y += _LANE


def _beside(canvas: Canvas, words: str, right: float, left: float, y: float) -> None:
    """Words to the right of something, or to its left where there is more room."""
    if text_width(words, 10) <= RIGHT - right or RIGHT - right >= left - 8:
        canvas.text(right, y + 3.5, words, size=10, width=RIGHT + 10 - right)
    else:
        canvas.text(left, y + 3.5, words, size=10, anchor="end", width=left - 8)


def _period(canvas: Canvas, plot: Plot, period: Period, as_of: dt.date) -> None:
    """A bar: solid where use is certain, hatched where it may have begun later or may go on."""
    first, last = period.first or period.last, period.last or period.first
    if first is None or last is None:
        return
    y, colour = canvas.y + _LANE / 2, palette.BLUE
    begins, certain = plot.x(first.earliest), plot.x(first.latest)
    ends = plot.x(as_of if period.now == "yes" else last.earliest)
    possible = plot.x(as_of if period.now != "no" else last.latest)
    end = max(possible, ends, certain, begins + 3)
    with canvas.part("treatment-possible"):
        canvas.rect(Box(begins, y - 6.5, end - begins, 13), canvas.hatch(colour), colour, 0.8)
    if ends >= certain:
        with canvas.part("treatment"):
            canvas.rect(Box(certain, y - 6.5, max(ends - certain, 3), 13), palette.TINT, colour, 0.8)
    if period.now == "yes":
        canvas.path(f"M{number(end)},{number(y - 7)} l7,7 l-7,7 Z", colour, 0.8, palette.TINT)
    if text_width(period.label, 10) + 8 <= ends - certain:
        canvas.text(certain + 4, y + 3.5, period.label, size=10)
    else:
        _beside(canvas, period.label, end + 11, begins - 6, y)
    canvas.y += _LANE


def period_words(period: Period) -> tuple[str, str]:
    """When, and whether it goes on, for a table."""
    began = f"from {period.first}" if period.first else "start not on record"
    last = f"last evidence {period.last}" if period.last else "no end on record"
    now = {"yes": "taken now", "no": "not taken now", "unknown": "not known whether it is taken now"}[period.now]
    return began, f"{last}; {now}"


def not_looked_at(gaps: Sequence[str]) -> list[str]:
    """What could not be looked at, as a note; nothing when everything was."""
    return [f"Not everything could be looked at: {'; '.join(gaps)}."] if gaps else []


def nothing_found(canvas: Canvas, what: str, gaps: Sequence[str], *, instead: str = "") -> None:
    """An empty panel that says what it means.

    Args:
        canvas: where to draw.
        what: the thing, in the singular.
        gaps: what could not be looked at.
        instead: other words, where there are some that cannot be drawn.
    """
    box = Box(LEFT, canvas.y + 8, RIGHT - LEFT, 64)
    canvas.rect(box, canvas.hatch(palette.GRID) if gaps else palette.PALE, palette.QUIET, 0.8, "4 3" if gaps else "")
    words = instead or nothing_words(what, gaps)
    canvas.text(box.x + box.width / 2, box.y + 36, words, anchor="middle", halo=True, width=box.width - 12)
    canvas.y = box.y + box.height


def nothing_words(what: str, gaps: Sequence[str]) -> str:
    """Looked and found none, or could not look: never the same words (S2)."""
    return (
        f"No {what} seen, but not everything could be looked at."
        if gaps
        else f"No {what} found; everything was looked at."
    )
