"""25-OH vitamin D over time, with the bands of one set of cut-offs, in one unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cds_service.kernel.dates import DateSpan
from cds_service.kernel.quantities import Interval, plain
from cds_service.pictures import axes, palette
from cds_service.pictures.axes import LEFT, RIGHT, Plot
from cds_service.pictures.picture import Line, Picture, Table, counted, first_to_last, table_of
from cds_service.pictures.scales import ValueScale, around, rounded_out
from cds_service.pictures.svg import Box, Canvas

_HEIGHT = 190
_LOOK = palette.LOOKS[0]
# Below, in and above range: paler and darker greys and a hatch, each with its name in it.
_TINTS = ("#e4e4e4", "#f3f3f3", "#ffffff", "#ececec", "#dddddd")


@dataclass(frozen=True, slots=True)
class Result:
    """One result.

    Attributes:
        value: in the unit of the picture; a bound where the result says "<" or ">".
        reported: as the laboratory reported it, with its unit.
        on: when; `None` when nobody knows.
        note: anything else ("D3 only").
    """

    value: Interval
    reported: str
    on: DateSpan | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A class of results.

    Attributes:
        name: what the cut-offs call it ("deficient").
        low: where it begins; `None` for no lower end.
        high: where it ends; `None` for no upper end.
    """

    name: str
    low: Decimal | None
    high: Decimal | None

    def words(self, unit: str) -> str:
        """The band with its ends."""
        match self.low, self.high:
            case None, None:
                return self.name
            case None, high:
                return f"{self.name}: below {plain(high)} {unit}"
            case low, None:
                return f"{self.name}: over {plain(low)} {unit}"
            case low, high:
                return f"{self.name}: {plain(low)} to {plain(high)} {unit}"
        raise AssertionError  # pragma: no cover


def vitamin_d(
    results: Sequence[Result],
    bands: Sequence[Band],
    unit: str,
    cut_offs: str,
    as_of: dt.date,
    *,
    lines: Sequence[Line] = (),
    gaps: Sequence[str] = (),
) -> Picture:
    """25-OH vitamin D against date.

    Args:
        results: in any order.
        bands: classes from low to high, in the unit of the picture; none where the guideline gives none.
        unit: "ng/mL" or "nmol/L".
        cut_offs: whose bands they are ("IOM 2011"); where there are none, why.
        as_of: the day of the picture.
        lines: further numbers, drawn where the results come near them.
        gaps: what could not be looked at, in words.
    """
    table = _table(results, bands, unit, lines, gaps)
    description = _description(results, bands, unit, cut_offs, gaps)
    canvas = Canvas("vitamin-d", f"25-OH vitamin D over time, {unit}", description, table)
    dated = [each for each in results if each.on is not None]
    if dated:
        wordless = _plot(canvas, dated, bands, unit, as_of, lines)
    else:
        axes.nothing_found(
            canvas, "25-OH vitamin D result", gaps, instead="No result with a date to draw." if results else ""
        )
        wordless = []
    canvas.notes([*wordless, *_notes(results, cut_offs, unit, gaps)])
    return canvas.finish()


def _plot(
    canvas: Canvas, dated: Sequence[Result], bands: Sequence[Band], unit: str, as_of: dt.date, lines: Sequence[Line]
) -> list[str]:
    top = canvas.y + 24
    limits = [float(end) for band in bands for end in (band.low, band.high) if end is not None]
    values = [float(bound) for each in dated for bound in (each.value.low, each.value.high) if bound is not None]
    _, high = rounded_out(0, max(max(values) * 1.15, max(limits, default=0) * 1.15))
    plot = Plot(around([each.on for each in dated], as_of, LEFT, RIGHT), ValueScale(0, high, top + _HEIGHT, top))
    _bands(canvas, plot, bands)
    axes.frame(canvas, plot, unit)
    _limits(canvas, plot, bands)
    canvas.taken += [Box(plot.x.place(e.on) - 6, plot.y(axes.shown_at(e.value)) - 6, 12, 12) for e in dated if e.on]
    nameless = [band.words(unit) for band in bands if not _name(canvas, plot, band, unit)]
    axes.today(canvas, plot, as_of)
    wordless = axes.guideline_lines(canvas, plot, lines)
    _results(canvas, plot, dated)
    axes.date_axis(canvas, plot)
    return [f"Bands without room for words: {'; '.join(nameless)}.", *wordless] if nameless else wordless


def _ends(plot: Plot, band: Band) -> tuple[float, float]:
    """Places of the upper and the lower end."""
    low = plot.y.low if band.low is None else float(band.low)
    high = plot.y.high if band.high is None else float(band.high)
    return plot.y(high), plot.y(low)


def _bands(canvas: Canvas, plot: Plot, bands: Sequence[Band]) -> None:
    box = plot.box
    for place, band in enumerate(bands):
        upper, lower = _ends(plot, band)
        if lower > upper:
            with canvas.part("band"):
                canvas.rect(Box(box.x, upper, box.width, lower - upper), _TINTS[place % len(_TINTS)])


def _limits(canvas: Canvas, plot: Plot, bands: Sequence[Band]) -> None:
    """Lines between the bands, over the grid."""
    box = plot.box
    for band in bands:
        if band.low is not None and float(band.low) <= plot.y.high:
            canvas.line(box.x, plot.y(band.low), box.x + box.width, plot.y(band.low), palette.INK, 1.1, "7 3")


def _name(canvas: Canvas, plot: Plot, band: Band, unit: str) -> bool:
    """The name of a band: inside it, where it is high enough, else just over its lower end."""
    upper, lower = _ends(plot, band)
    box = plot.box
    right, left = box.x + box.width - 5, box.x + 5
    places = [(x, y, anchor) for y in (upper + 12, lower - 4, (upper + lower) / 2 + 3.5)
              if upper <= y - 9 and y <= lower + 1 for x, anchor in ((left, "start"), (right, "end"))]  # fmt: skip
    return canvas.label(band.words(unit), places, box, width=box.width / 2)


def _results(canvas: Canvas, plot: Plot, dated: Sequence[Result]) -> None:
    for each in dated:
        if each.on is not None:
            axes.reading(canvas, plot, each.on, each.value, _LOOK, "" if each.value.exact else palette.PAPER)


# --- words -----------------------------------------------------------------------------------------------------------
def _notes(results: Sequence[Result], cut_offs: str, unit: str, gaps: Sequence[str]) -> Iterator[str]:
    yield from axes.not_looked_at(gaps)
    if loose := [each.reported for each in results if each.on is None]:
        yield f"Results without a date, not drawn: {', '.join(loose)}."
    yield f"Cut-offs: {cut_offs}."
    if any(each.value.low is None or each.value.high is None for each in results):
        yield "An arrow: the laboratory gave a bound only; the value lies in the direction of the arrow."
    if any(not each.reported.endswith(unit) for each in results):
        yield "Some results were reported in another unit and are converted for drawing; rules compare them as reported."


def _table(
    results: Sequence[Result], bands: Sequence[Band], unit: str, lines: Sequence[Line], gaps: Sequence[str]
) -> Table:
    rows = [("Result", f"{each.value} {unit}", each.reported, str(each.on or "no date"), each.note) for each in results]
    rows += [("Band", each.words(unit), "", "", "") for each in bands]
    rows += [("Line", each.label, "", "", "") for each in lines]
    rows += [("Not looked at", each, "", "", "") for each in gaps]
    return table_of(("What", f"As drawn, {unit}", "As reported", "When", "Note"), rows)


def _description(
    results: Sequence[Result], bands: Sequence[Band], unit: str, cut_offs: str, gaps: Sequence[str]
) -> str:
    if results:
        parts = [f"{counted(len(results), 'result')} {first_to_last(each.on for each in results)}".strip() + "."]
        dated = [(each.on.latest, each) for each in results if each.on]
        if dated:
            _, newest = max(dated, key=lambda pair: pair[0])
            parts.append(f"Newest: {newest.value} {unit}, reported as {newest.reported}.")
    else:
        parts = ["No result seen." if gaps else "No result found."]
    if results and bands:
        parts.append(f"Bands: {'; '.join(each.words(unit) for each in bands)}.")
    return " ".join([*parts, f"Cut-offs: {cut_offs}.", *axes.not_looked_at(gaps)])
