"""T-scores over time, by site: never joined across sites or scanners."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from cds_service.kernel.dates import DateSpan
from cds_service.kernel.quantities import Interval, plain
from cds_service.pictures import axes, palette
from cds_service.pictures.axes import LEFT, RIGHT, Plot
from cds_service.pictures.palette import LOOKS, Look
from cds_service.pictures.picture import (
    Line,
    Mark,
    Period,
    Picture,
    Table,
    clean,
    counted,
    first_to_last,
    table_of,
)
from cds_service.pictures.scales import ValueScale, around, rounded_out
from cds_service.pictures.svg import WIDTH, Box, Canvas, text_width

_HEIGHT = 190
# The usual sites look the same in every picture; others take what is left.
_USUAL = {
    "lumbar spine": LOOKS[0],
    "total hip": LOOKS[1],
    "femoral neck": LOOKS[2],
    "proximal femur": LOOKS[3],
    "forearm": LOOKS[4],
    "spine": LOOKS[5],
}
_OTHERS = (LOOKS[6], LOOKS[7])
_NO_DATE = "No T-score with a date to draw."


@dataclass(frozen=True, slots=True)
class TScore:
    """One T-score.

    Attributes:
        site: where it was measured.
        value: the score; a bound where the result says "<" or ">".
        on: when; `None` when nobody knows.
        scanner: a name of the device that is the same for the same device; empty when nobody knows which it was.
        least_change: least significant change of that scanner and site, as a T-score; `None` when it is not on record.
        note: anything else ("from the words of the report").
    """

    site: str
    value: Interval
    on: DateSpan | None
    scanner: str = ""
    least_change: Decimal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Series:
    """Scores of one site on one scanner, oldest first."""

    site: str
    scanner: str
    look: Look
    fill: str
    scores: tuple[TScore, ...]

    @property
    def name(self) -> str:
        return f"{self.site}, {self.scanner}" if self.scanner else self.site


def t_scores(
    scores: Sequence[TScore],
    lines: Sequence[Line],
    as_of: dt.date,
    *,
    periods: Sequence[Period] = (),
    fractures: Sequence[Mark] = (),
    gaps: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Picture:
    """T-score against date, one series per site and scanner, with treatment and fractures below.

    Args:
        scores: in any order; those without a date stand in the table and a note only.
        lines: numbers of the guideline to draw across.
        as_of: the day of the picture.
        periods: times of treatment.
        fractures: fractures on record.
        gaps: what could not be looked at for T-scores, in words; the picture says so.
        notes: what a reader has to know besides.
    """
    table = _table(scores, lines, periods, fractures, gaps, notes)
    canvas = Canvas("t-scores", "T-scores over time", _description(scores, lines, periods, fractures, gaps), table)
    dated = [score for score in scores if score.on is not None]
    if not dated and not fractures and not periods:
        axes.nothing_found(canvas, "T-score", gaps, instead=_NO_DATE if scores else "")
        wordless: list[str] = []
    else:
        nothing = "" if dated else _NO_DATE if scores else axes.nothing_words("T-score", gaps)
        wordless = _plot(canvas, dated, lines, as_of, periods, fractures, nothing)
    canvas.notes([*wordless, *_notes(scores, periods, fractures, gaps), *notes])
    return canvas.finish()


def _plot(
    canvas: Canvas,
    dated: Sequence[TScore],
    lines: Sequence[Line],
    as_of: dt.date,
    periods: Sequence[Period],
    fractures: Sequence[Mark],
    nothing: str,
) -> list[str]:
    series = _series(dated)
    _legend(canvas, series)
    spans = [*(each.on for each in dated), *(each.on for each in fractures)] + [
        span for each in periods for span in (each.first, each.last)
    ]
    top = canvas.y + 26
    plot = Plot(around(spans, as_of, LEFT, RIGHT), _value_scale(dated, lines, top))
    axes.frame(canvas, plot, "T-score")
    for each in series:
        _reserve(canvas, plot, each)
    axes.today(canvas, plot, as_of)
    wordless = axes.guideline_lines(canvas, plot, lines)
    for each in series:
        _draw(canvas, plot, each)
    canvas.text(plot.box.x + plot.box.width / 2, top + _HEIGHT / 2, nothing, anchor="middle", halo=True)
    axes.date_axis(canvas, plot)
    axes.lanes(canvas, plot, fractures, periods, as_of)
    return wordless


def _value_scale(dated: Sequence[TScore], lines: Sequence[Line], top: float) -> ValueScale:
    values = [float(line.value) for line in lines]
    for score in dated:
        change = float(score.least_change or 0)
        values += [float(bound) + sign * change for bound in (score.value.low, score.value.high)
                   if bound is not None for sign in (-1, 1)]  # fmt: skip
    low, high = rounded_out(min(values, default=-3) - 0.4, max(values, default=0) + 0.4)
    return ValueScale(low, high, top + _HEIGHT, top)


def _series(dated: Sequence[TScore]) -> list[_Series]:
    sites = list(dict.fromkeys(score.site for score in dated))
    sites.sort(key=lambda site: (list(_USUAL).index(site) if site in _USUAL else len(_USUAL), site))
    others = [site for site in sites if site not in _USUAL]
    found = []
    for site in sites:
        look = _USUAL.get(site) or _OTHERS[others.index(site) % len(_OTHERS)]
        scanners = sorted({score.scanner for score in dated if score.site == site})
        for place, scanner in enumerate(scanners):
            own = [score for score in dated if score.site == site and score.scanner == scanner]
            own.sort(key=lambda score: (score.on.latest, score.on.earliest, str(score.value)) if score.on else ())
            # inside of the marker: full, empty, pale: scanners of one site differ without colour
            fill = ("", palette.PAPER, palette.GRID)[place % 3]
            found.append(_Series(site, scanner, look, fill, tuple(own)))
    return found


def _legend(canvas: Canvas, series: Sequence[_Series]) -> None:
    x, y = 14.0, canvas.y + 12
    for each in series:
        words = clean(each.name)
        wide = min(text_width(words), WIDTH - 40) + 30
        if x + wide > WIDTH and x > 14:
            x, y = 14.0, y + 16
        canvas.marker(x, y - 4, each.look, 5, fill=each.fill)
        canvas.text(x + 9, y, words, width=WIDTH - x - 12)
        x += wide
    canvas.y = y if series else canvas.y


def _reserve(canvas: Canvas, plot: Plot, series: _Series) -> None:
    """Keep words off the markers."""
    for score in series.scores:
        if score.on is not None:
            x, middle = plot.x.place(score.on), axes.shown_at(score.value)
            reach, change = 5, score.least_change or Decimal(0)
            top, bottom = plot.y(middle + change) - reach, plot.y(middle - change) + reach
            canvas.taken.append(Box(x - reach, top, 2 * reach, bottom - top))


def _draw(canvas: Canvas, plot: Plot, series: _Series) -> None:
    with canvas.part("joined"):
        for (on, value), (later, other) in _joined(series):
            canvas.line(plot.x(on.latest), plot.y(value), plot.x(later.latest), plot.y(other), series.look.colour, 1.4)
    for score in series.scores:
        if score.on is not None:
            _score(canvas, plot, series, score, score.on)


def _joined(series: _Series) -> Iterator[tuple[tuple[DateSpan, Decimal], tuple[DateSpan, Decimal]]]:
    """What may be joined: exact scores of different, known days on one known scanner."""
    if not series.scanner:
        return
    points = [
        (s.on, s.value.low) for s in series.scores if s.on and s.on.exact and s.value.exact and s.value.low is not None
    ]
    days = [on for on, _ in points]
    if len(set(days)) < len(days):  # two values of one day: which of them goes on is not known (D10)
        return
    yield from pairwise(points)


def _score(canvas: Canvas, plot: Plot, series: _Series, score: TScore, on: DateSpan) -> None:
    x, colour = plot.x.place(on), series.look.colour
    if score.least_change is not None:
        middle = axes.shown_at(score.value)
        with canvas.part("whisker"):
            _whisker(canvas, x, plot.y(middle + score.least_change), plot.y(middle - score.least_change), colour)
    axes.reading(canvas, plot, on, score.value, series.look, series.fill)


def _whisker(canvas: Canvas, x: float, top: float, bottom: float, colour: str) -> None:
    canvas.line(x, top, x, bottom, colour, 1)
    for y in (top, bottom):
        canvas.line(x - 4, y, x + 4, y, colour, 1)


# --- words -----------------------------------------------------------------------------------------------------------
def _notes(
    scores: Sequence[TScore], periods: Sequence[Period], fractures: Sequence[Mark], gaps: Sequence[str]
) -> Iterator[str]:
    yield from axes.not_looked_at(gaps)
    loose = [f"{each.site} {each.value}" for each in scores if each.on is None]
    if loose:
        yield f"T-scores without a date, not drawn: {', '.join(loose)}."
    yield from axes.undated(fractures, periods)
    if len([each for each in scores if each.on]) > 1:
        if any(not each.scanner for each in scores):
            yield "Points are joined only where the record says that the same scanner measured them."
        if all(each.least_change is None for each in scores):
            yield "Least significant change not on record: no difference between two scans is called a change."
        else:
            yield "Whiskers: least significant change of the scanner; a smaller difference says nothing."


def _table(
    scores: Sequence[TScore],
    lines: Sequence[Line],
    periods: Sequence[Period],
    fractures: Sequence[Mark],
    gaps: Sequence[str],
    notes: Sequence[str],
) -> Table:
    rows: list[tuple[str, str, str, str]] = []
    for each in scores:
        more = [each.scanner or "scanner not stated", each.note]
        if each.least_change is not None:
            more.append(f"least significant change {plain(each.least_change)}")
        rows.append(("T-score", f"{each.site}: {each.value}", _when(each.on), "; ".join(filter(None, more))))
    rows += [("Fracture", each.label, _when(each.on), "") for each in fractures]
    rows += [("Treatment", each.label, *axes.period_words(each)) for each in periods]
    rows += [("Line", each.label, "", "") for each in lines]
    rows += [("Not looked at", each, "", "") for each in gaps]
    rows += [("Note", each, "", "") for each in notes]
    return table_of(("What", "Value", "When", "More"), rows)


def _when(on: DateSpan | None) -> str:
    return str(on) if on else "no date"


def _description(
    scores: Sequence[TScore],
    lines: Sequence[Line],
    periods: Sequence[Period],
    fractures: Sequence[Mark],
    gaps: Sequence[str],
) -> str:
    parts = []
    if scores:
        sites = ", ".join(dict.fromkeys(each.site for each in scores))
        when = first_to_last(each.on for each in scores)
        parts.append(f"{counted(len(scores), 'T-score')} ({sites}) {when}.".replace(" .", "."))
    else:
        parts.append("No T-score seen." if gaps else "No T-score found.")
    parts += [f"Line: {each.label}." for each in lines] if scores else []
    parts += [f"Treatment: {each.label}." for each in periods]
    parts += [f"Fracture: {each.label}, {_when(each.on)}." for each in fractures]
    parts += axes.not_looked_at(gaps)
    return " ".join(parts)
