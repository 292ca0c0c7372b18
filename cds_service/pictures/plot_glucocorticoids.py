"""Systemic glucocorticoids day by day in prednisolone-equivalents, and their sum, with what is not known kept visible."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cds_service.kernel.dates import plus_days
from cds_service.kernel.quantities import ZERO, Interval, plain
from cds_service.pictures import axes, palette
from cds_service.pictures.axes import LEFT, RIGHT, Plot
from cds_service.pictures.picture import Line, Picture, Table, counted, grouped, table_of
from cds_service.pictures.scales import DateScale, ValueScale, rounded_out
from cds_service.pictures.svg import Box, Canvas, number

_DAILY, _TOTAL, _PULSES = 130.0, 84.0, 40.0
_FILL, _RANGE = palette.TINT, palette.BLUE


@dataclass(frozen=True, slots=True)
class Dose:
    """Days in a row with one daily dose.

    Attributes:
        first: first day.
        last: last day, included.
        daily: mg of prednisolone a day; without upper end where the dose is not known.
        pulse: whether it is a short course of a very high dose, drawn on a broken axis.
    """

    first: dt.date
    last: dt.date
    daily: Interval
    pulse: bool = False

    @property
    def days(self) -> int:
        """How many days."""
        return self.last.toordinal() - self.first.toordinal() + 1

    @property
    def known(self) -> bool:
        """Whether there is an upper end to the dose."""
        return self.daily.high is not None


@dataclass(frozen=True, slots=True)
class Window:
    """The days that are drawn, and those that are summed.

    Attributes:
        first: first day drawn.
        last: last day drawn.
        summed_from: first day of the sum.
        as_of: the day of the picture, last day of the sum.
    """

    first: dt.date
    last: dt.date
    summed_from: dt.date
    as_of: dt.date


def glucocorticoids(
    doses: Sequence[Dose],
    window: Window,
    *,
    lines: Sequence[Line] = (),
    total_lines: Sequence[Line] = (),
    gaps: Sequence[str] = (),
    doubts: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Picture:
    """Daily dose as steps with its range, pulses over a break in the axis, and the running sum below.

    Args:
        doses: in order, without overlaps; what lies outside of the window is left out.
        window: what is drawn and summed.
        lines: daily doses that guidelines name.
        total_lines: sums that guidelines name.
        gaps: what could not be looked at: then any day may hold more than is drawn.
        doubts: why a dose is only a range, or not known.
        notes: what a reader has to know besides.
    """
    drawn = [_clipped(each, window.first, window.last) for each in doses
             if each.first <= window.last and each.last >= window.first]  # fmt: skip
    sums = list(_sums(drawn, window))
    total = _open(sums[-1][1] if sums else ZERO, gaps)
    table = _table(drawn, window, total, lines, total_lines, gaps, [*_outside(doses, window), *doubts, *notes])
    description = _description(drawn, window, total, lines, total_lines, gaps)
    canvas = Canvas("glucocorticoids", "Systemic glucocorticoids, prednisolone-equivalent", description, table)
    if drawn:
        wordless = _plots(canvas, drawn, window, sums, total, lines, total_lines, gaps)
    else:
        earlier = "No systemic glucocorticoid in the days that are drawn." if doses else ""
        axes.nothing_found(canvas, "systemic glucocorticoid", gaps, instead=earlier)
        wordless = []
    canvas.notes([*wordless, *_outside(doses, window), *_notes(drawn, gaps, doubts), *notes])
    return canvas.finish()


def _clipped(dose: Dose, first: dt.date, last: dt.date) -> Dose:
    return Dose(max(dose.first, first), min(dose.last, last), dose.daily, dose.pulse)


def _open(total: Interval, gaps: Sequence[str]) -> Interval:
    return Interval(total.low, None, total.above_low) if gaps else total


def _sums(doses: Sequence[Dose], window: Window) -> Iterator[tuple[dt.date, Interval]]:
    """The running sum at the corners of its curve: a day, and mg up to its evening."""
    total = ZERO
    yield plus_days(window.summed_from, -1), total
    for dose in doses:
        first, last = max(dose.first, window.summed_from), min(dose.last, window.as_of)
        if first > last:
            continue
        yield plus_days(first, -1), total
        total = total + dose.daily.times(last.toordinal() - first.toordinal() + 1)
        yield last, total
    yield window.as_of, total


def _plots(
    canvas: Canvas,
    doses: Sequence[Dose],
    window: Window,
    sums: Sequence[tuple[dt.date, Interval]],
    total: Interval,
    lines: Sequence[Line],
    total_lines: Sequence[Line],
    gaps: Sequence[str],
) -> list[str]:
    scale = DateScale(window.first, plus_days(window.last, 1), LEFT, RIGHT)
    pulses = [each for each in doses if each.pulse]
    top = canvas.y + 24 + (_PULSES if pulses else 0)
    daily = Plot(scale, _daily_scale(doses, lines, top))
    if gaps:  # any day may hold more
        with canvas.part("not-looked-at"):
            canvas.rect(daily.box, canvas.hatch(palette.GRID))
    axes.frame(canvas, daily, "" if pulses else "mg a day", most=5)
    for each in doses:
        if not each.pulse:
            _steps(canvas, daily, each)
    if pulses:
        _broken(canvas, daily, pulses)
    _ahead(canvas, daily, doses, window)
    axes.today(canvas, daily, window.as_of, over=_PULSES if pulses else 0)
    wordless = axes.guideline_lines(canvas, daily, lines)
    _unknown(canvas, daily, doses, window)
    axes.date_axis(canvas, daily)
    canvas.y += 10
    return [*wordless, *_total(canvas, scale, window, sums, total, total_lines, gaps)]


def _daily_scale(doses: Sequence[Dose], lines: Sequence[Line], top: float) -> ValueScale:
    tops = [float(bound) for each in doses if not each.pulse for bound in (each.daily.low, each.daily.high) if bound]
    highest = max(tops, default=0)
    # a line is shown where a dose comes near it; the lowest one always
    near = [float(line.value) for line in lines if float(line.value) <= highest * 1.5]
    least = min((float(line.value) for line in lines), default=1)
    _, high = rounded_out(0, max(highest, least, *near, 1) * 1.25, 5)
    return ValueScale(0, high, top + _DAILY, top)


def _edges(plot: Plot, dose: Dose) -> tuple[float, float]:
    left, right = plot.x(dose.first), plot.x(plus_days(dose.last, 1))
    return left, max(right, left + 2.4)


def _steps(canvas: Canvas, plot: Plot, dose: Dose) -> None:
    """Solid up to what is certain, a dotted band up to what is possible, hatched to the top where nobody knows."""
    left, right = _edges(plot, dose)
    zero, low = plot.y(0), plot.y(dose.daily.low or 0)
    if low < zero:
        with canvas.part("certain"):
            canvas.rect(Box(left, low, right - left, zero - low), _FILL, _RANGE, 0.5)
    if dose.daily.high is None:
        with canvas.part("unknown"):
            box = Box(left, plot.y.top, right - left, low - plot.y.top)
            canvas.rect(box, canvas.hatch(palette.ORANGE), palette.ORANGE, 0.8)
    elif dose.daily.high > (dose.daily.low or 0):
        high = plot.y(dose.daily.high)
        with canvas.part("possible"):
            canvas.rect(Box(left, high, right - left, low - high), canvas.hatch(_RANGE, "dots"), _RANGE, 0.6)
    canvas.line(left, low, right, low, palette.BLUE, 1.6)
    canvas.taken.append(Box(left, low - 1, right - left, 2))


def _broken(canvas: Canvas, plot: Plot, pulses: Sequence[Dose]) -> None:
    """Pulses in a strip of their own above a zigzag: one gram a day would flatten everything else."""
    box = plot.box
    strip = Box(box.x, box.y - _PULSES, box.width, _PULSES)
    canvas.rect(strip, palette.PALE, palette.QUIET, 0.8)
    canvas.text(8, strip.y - 9, "mg a day", size=10, colour=palette.QUIET)
    canvas.text(box.x - 5, strip.y + 16, "pulses", size=10, anchor="end")
    foot = box.y - 4
    for dose in pulses:
        left, right = _edges(plot, dose)
        x = (left + right) / 2
        width = max(right - left, 2.4)
        with canvas.part("pulse"):
            canvas.rect(Box(x - width / 2, strip.y + 16, width, plot.y(0) - strip.y - 16), palette.VERMILION)
        canvas.path(f"M{number(x)},{number(strip.y + 16)} V{number(strip.y + 5)} L{number(x + 8)},{number(strip.y + 8.5)} "
                    f"L{number(x)},{number(strip.y + 12)}", palette.VERMILION, 1.2, palette.VERMILION)  # fmt: skip
        words = f"{_pulse_dose(dose.daily)} mg \u00d7 {dose.days} d"
        places = [(x + 11, strip.y + 13, "start"), (x - 4, strip.y + 13, "end"),
                  (x + 4, strip.y + 26, "start"), (x - 4, strip.y + 26, "end")]  # fmt: skip
        canvas.label(words, places, strip)
    with canvas.part("break"):
        canvas.path(_zigzag(box, foot), palette.PAPER, 5)
        for shift in (-2.5, 2.5):
            canvas.path(_zigzag(box, foot + shift), palette.QUIET, 0.8)


def _zigzag(box: Box, y: float) -> str:
    teeth = [(box.x + step, y + (3 if step // 8 % 2 else -3)) for step in range(0, int(box.width) + 1, 8)]
    return "M" + " L".join(f"{number(x)},{number(up)}" for x, up in teeth)


def _pulse_dose(daily: Interval) -> str:
    if daily.high is None:
        return f"at least {plain(daily.low)}"
    return str(daily)


def _unknown(canvas: Canvas, plot: Plot, doses: Sequence[Dose], window: Window) -> None:
    """Words on the hatched days that have been."""
    for dose in doses:
        if dose.daily.high is None and dose.first <= window.as_of:
            left, right = plot.x(dose.first), plot.x(plus_days(min(dose.last, window.as_of), 1))
            places = [(x, plot.y.top + depth, anchor) for depth in (14.0, 28.0, 42.0, 56.0)
                      for x, anchor in (((left + right) / 2, "middle"), (right - 3, "end"), (left + 3, "start"))]  # fmt: skip
            canvas.label("dose not known", places, plot.box)


def _ahead(canvas: Canvas, plot: Plot, doses: Sequence[Dose], window: Window) -> None:
    """What lies after the day of the picture is ordered, not taken: paled."""
    if not any(dose.last > window.as_of for dose in doses):
        return
    left = plot.x(plus_days(window.as_of, 1))
    box = plot.box
    canvas.draw(
        "rect",
        x=left,
        y=box.y,
        width=box.x + box.width - left,
        height=box.height,
        fill=palette.PAPER,
        fill_opacity="0.6",
    )
    canvas.label("ordered", [(left + 4, box.y + 12, "start"), (box.x + box.width - 3, box.y + 12, "end")], box)


def _total(
    canvas: Canvas,
    scale: DateScale,
    window: Window,
    sums: Sequence[tuple[dt.date, Interval]],
    total: Interval,
    lines: Sequence[Line],
    gaps: Sequence[str],
) -> list[str]:
    """The running sum: certain up to the lower edge, possible up to the upper one."""
    top = canvas.y + 20
    highest = max([float(total.low or 0), float(sums[-1][1].high or 0), 1])
    _, high = rounded_out(0, max([highest * 1.25, *(float(line.value) * 1.2 for line in lines)]), 4)
    plot = Plot(scale, ValueScale(0, high, top + _TOTAL, top))
    if gaps:
        canvas.rect(plot.box, canvas.hatch(palette.GRID))
    canvas.text(8, top - 9, f"mg, sum from {window.summed_from.isoformat()}", size=10, colour=palette.QUIET)
    axes.frame(canvas, plot, "", most=4)
    _sum_range(canvas, plot, sums)
    lows = [(scale(plus_days(day, 1)), plot.y(value.low or 0)) for day, value in sums]
    zero = plot.y(0)
    corners = " L".join(f"{number(x)},{number(y)}" for x, y in lows)
    canvas.path(
        f"M{number(lows[0][0])},{number(zero)} L{corners} L{number(lows[-1][0])},{number(zero)} Z", "none", 0, _FILL
    )
    canvas.path(f"M{corners}", palette.BLUE, 1.6)
    wordless = axes.guideline_lines(canvas, plot, lines)
    x, y = lows[-1]
    places = [(x - 5, y - 5, "end"), (x - 5, y - 18, "end"), (x - 5, y + 14, "end"), (x + 5, y - 3, "start")]
    canvas.label(f"{_total_words(total)} mg", places, plot.box)
    canvas.line(x, plot.y.top, x, plot.y.bottom, palette.QUIET, 1, "2 3")
    axes.date_axis(canvas, plot)
    return wordless


def _sum_range(canvas: Canvas, plot: Plot, sums: Sequence[tuple[dt.date, Interval]]) -> None:
    """Dotted from the certain to the largest possible sum; hatched to the top from where that has no end."""
    bounded = [(day, value) for day, value in sums if value.high is not None]
    if any(value.high != value.low for _, value in bounded):
        upper = [f"{number(plot.x(plus_days(day, 1)))},{number(plot.y(value.high or 0))}" for day, value in bounded]
        lower = [
            f"{number(plot.x(plus_days(day, 1)))},{number(plot.y(value.low or 0))}" for day, value in reversed(bounded)
        ]
        canvas.path(f"M{' L'.join([*upper, *lower])} Z", _RANGE, 0.6, canvas.hatch(_RANGE, "dots"))
    if len(bounded) < len(sums):
        left = plot.x(plus_days(bounded[-1][0], 1)) if bounded else plot.x.left
        right = plot.x(plus_days(sums[-1][0], 1))
        with canvas.part("sum-unknown"):
            canvas.rect(Box(left, plot.y.top, right - left, plot.y.bottom - plot.y.top), canvas.hatch(palette.ORANGE))


def _total_words(total: Interval) -> str:
    if total.high is None:
        return f"at least {grouped(total.low or Decimal(0))}"
    if total.exact:
        return grouped(total.high)
    return f"{grouped(total.low or Decimal(0))} to {grouped(total.high)}"


# --- words -----------------------------------------------------------------------------------------------------------
def _daily_words(daily: Interval) -> str:
    if daily.high is None:
        return f"at least {plain(daily.low)} mg a day, upper end not known" if daily.low else "not known"
    return f"{daily} mg a day"


def _outside(doses: Sequence[Dose], window: Window) -> list[str]:
    """Doses on record before the picture begins; what lies behind its end is ordered and needs no word."""
    first = min((each.first for each in doses if each.first < window.first), default=None)
    since = (
        f"Drawn from {window.first.isoformat()} on; doses are on record from {first.isoformat()} on." if first else ""
    )
    return [since] if since else []


def _notes(doses: Sequence[Dose], gaps: Sequence[str], doubts: Sequence[str]) -> Iterator[str]:
    yield from axes.not_looked_at(gaps)
    if gaps and doses:
        yield "Any day may hold more than is drawn."
    regular = [each for each in doses if not each.pulse]
    if any(not each.known for each in regular):
        yield "Hatched: taken, but the dose cannot be told; the sum is then only a lower bound."
    if any(each.known and not each.daily.exact for each in regular):
        yield "Dotted: the dose is known as a range; solid up to what is certain, dotted up to what is possible."
    if any(each.pulse for each in doses):
        yield "Flags over the zigzag: pulses, not to scale; they are part of the sum."
    if doubts:
        yield f"Why a dose is not exact: {'; '.join(doubts)}."
    if doses or not gaps:
        yield "Systemic drugs only: inhaled, topical and replacement doses are not part of it."


def _table(
    doses: Sequence[Dose],
    window: Window,
    total: Interval,
    lines: Sequence[Line],
    total_lines: Sequence[Line],
    gaps: Sequence[str],
    doubts: Sequence[str],
) -> Table:
    rows = [("Pulse" if each.pulse else "Ordered" if each.first > window.as_of else "Dose", each.first.isoformat(),
             each.last.isoformat(), _daily_words(each.daily)) for each in doses]  # fmt: skip
    if doses or gaps:
        words = f"{_total_words(total)} mg"
        rows.append(("Sum", window.summed_from.isoformat(), window.as_of.isoformat(), words))
    rows += [("Line", "", "", each.label) for each in (*lines, *total_lines)]
    rows += [("Note", "", "", each) for each in doubts]
    rows += [("Not looked at", "", "", each) for each in gaps]
    return table_of(("What", "From", "To", "Prednisolone-equivalent"), rows)


def _description(
    doses: Sequence[Dose],
    window: Window,
    total: Interval,
    lines: Sequence[Line],
    total_lines: Sequence[Line],
    gaps: Sequence[str],
) -> str:
    pulses = [each for each in doses if each.pulse]
    now = next((each.daily for each in doses if each.first <= window.as_of <= each.last), None)
    if not doses:
        parts = ["No systemic glucocorticoid seen." if gaps else "No systemic glucocorticoid found."]
    else:
        parts = [f"On {window.as_of.isoformat()}: {_daily_words(now) if now else 'no recorded dose'}."]
        parts.append(f"Sum from {window.summed_from.isoformat()}: {_total_words(total)} mg.")
        if pulses:
            parts.append(f"{counted(len(pulses), 'pulse')}.")
        if any(not each.known for each in doses):
            parts.append("On some days the dose is not known.")
        parts += [f"Line: {each.label}." for each in (*lines, *total_lines)]
    return " ".join([*parts, *axes.not_looked_at(gaps)])
