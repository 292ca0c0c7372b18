"""Which rules turn on where, when one number of a patient is varied and everything else stays as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from cds_service.kernel.quantities import Interval, plain
from cds_service.pictures import palette
from cds_service.pictures.picture import Line, Picture, Table, counted, table_of
from cds_service.pictures.scales import ValueScale
from cds_service.pictures.svg import WIDTH, Box, Canvas, text_width

RECOMMENDS, SATISFIED, CANNOT_TELL, NOT_APPLICABLE = "recommends", "already done", "cannot tell", "does not apply"
_NAMES = 236.0
_ROW = 19.0
_FEW = 9


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule over all values.

    Attributes:
        name: what people read ("GC-01: fracture risk not assessed").
        answers: one per value: RECOMMENDS, SATISFIED, CANNOT_TELL or NOT_APPLICABLE.
    """

    name: str
    answers: tuple[str, ...]


def rule_map(
    quantity: str,
    unit: str,
    values: Sequence[Decimal],
    rows: Sequence[RuleRow],
    *,
    present: Interval | None = None,
    held: str = "",
    lines: Sequence[Line] = (),
) -> Picture:
    """A row per rule over the values that were tried, with a mark at the patient's own value.

    Args:
        quantity: what was varied ("age").
        unit: its unit; empty where it has none.
        values: what was tried, in rising order.
        rows: rules; each with one answer per value.
        present: the patient's value; `None` when it is not known.
        held: what was taken for granted, as a sentence.
        lines: numbers of guidelines on this quantity, marked on the axis.
    """
    scale_name = f"{quantity}, {unit}" if unit else quantity
    table = _table(unit, values, rows, present, held, lines)
    canvas = Canvas(
        "rule-map", f"Rules by {quantity}", _description(quantity, unit, values, rows, present, held), table
    )
    if rows and values:
        _map(canvas, scale_name, values, rows, present, lines)
        _legend(canvas, rows)
    else:
        canvas.notes(["No rule recommends anything at any of the values that were tried."])
    canvas.notes(_notes(values, unit, present, held, lines))
    return canvas.finish()


def _map(
    canvas: Canvas,
    scale_name: str,
    values: Sequence[Decimal],
    rows: Sequence[RuleRow],
    present: Interval | None,
    lines: Sequence[Line],
) -> None:
    left, right = _NAMES + 14, WIDTH - 16.0
    half = _half_step(values)
    # the scale of values, laid on its side
    scale = ValueScale(float(values[0]) - half, float(values[-1]) + half, left, right)
    top = canvas.y + 16
    bottom = top + _ROW * len(rows)
    for place, row in enumerate(rows):
        y = top + _ROW * place
        canvas.text(8, y + 13, row.name, size=10, width=_NAMES)
        canvas.line(left, y + _ROW, right, y + _ROW, palette.GRID, 0.7)
        for start, end, answer in _runs(row.answers):
            _run(canvas, scale, values, half, (start, end), answer, y)
    canvas.rect(Box(left, top, right - left, bottom - top), "none", palette.QUIET, 0.8)
    ticks = list(values) if len(values) <= _FEW else scale.ticks(8)
    _axis(canvas, scale, bottom, scale_name, ticks, lines)
    if present is not None:
        _present(canvas, scale, present, top, bottom)
    canvas.y = bottom + 30


def _half_step(values: Sequence[Decimal]) -> float:
    """Half of the smallest distance: as far as a tried value speaks for its neighbourhood in the picture."""
    steps = [float(b - a) for a, b in pairwise(values) if b > a]
    return min(steps) / 2 if steps else 0.5


def _runs(answers: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """Neighbouring values with the same answer: first, last, answer."""
    start = 0
    for place in range(1, len(answers) + 1):
        if place == len(answers) or answers[place] != answers[start]:
            yield start, place - 1, answers[start]
            start = place


def _run(
    canvas: Canvas,
    scale: ValueScale,
    values: Sequence[Decimal],
    half: float,
    run: tuple[int, int],
    answer: str,
    y: float,
) -> None:
    first, last = scale(float(values[run[0]]) - half), scale(float(values[run[1]]) + half)
    box = Box(first, y + 4, last - first, _ROW - 8)
    if answer == RECOMMENDS:
        with canvas.part("recommends"):
            canvas.rect(box, palette.BLUE)
        for value in values[run[0] : run[1] + 1]:
            canvas.draw("circle", cx=scale(value), cy=y + _ROW / 2, r=1.3, fill=palette.PAPER)
    elif answer == CANNOT_TELL:
        with canvas.part("cannot-tell"):
            canvas.rect(box, canvas.hatch(palette.ORANGE), palette.ORANGE, 0.8)
    elif answer == SATISFIED:
        canvas.rect(Box(first, y + _ROW / 2 - 1.5, last - first, 3), palette.PAPER, palette.GREEN, 1.2)


def _axis(
    canvas: Canvas, scale: ValueScale, bottom: float, name: str, ticks: Sequence[Decimal], lines: Sequence[Line]
) -> None:
    for value in ticks:
        x = scale(value)
        canvas.line(x, bottom, x, bottom + 4, palette.QUIET)
        canvas.text(x, bottom + 15, plain(value).replace("-", "\u2212"), size=10, anchor="middle")
    canvas.text(8, bottom + 15, name, size=10, weight="bold", width=_NAMES)
    for line in lines:
        if scale.low <= float(line.value) <= scale.high:
            canvas.line(scale(line.value), bottom - 4, scale(line.value), bottom + 4, palette.VERMILION, 1.6)


def _present(canvas: Canvas, scale: ValueScale, present: Interval, top: float, bottom: float) -> None:
    """The patient's own value: a line with a flag; a band where it is known between two bounds only."""
    low = scale.low if present.low is None else float(present.low)
    high = scale.high if present.high is None else float(present.high)
    if high < scale.low or low > scale.high:
        return
    first, last = scale(low), scale(high)
    if last - first > 1:
        canvas.rect(Box(first, top - 5, last - first, 4), canvas.hatch(palette.VERMILION), palette.VERMILION, 0.8)
    with canvas.part("present"):
        for x in dict.fromkeys((first, last)):
            canvas.line(x, top - 5, x, bottom, palette.VERMILION, 1.4, "4 2")
    middle, words = (first + last) / 2, f"this patient: {present}".replace("-", "\u2212")
    half = text_width(words, 10) / 2
    middle = min(max(middle, half + 4), WIDTH - half - 4)
    canvas.text(middle, top - 8, words, size=10, anchor="middle", weight="bold")


def _legend(canvas: Canvas, rows: Sequence[RuleRow]) -> None:
    seen = {answer for row in rows for answer in row.answers}
    x, y = 8.0, canvas.y + 8
    for answer in (RECOMMENDS, CANNOT_TELL, SATISFIED):
        if answer not in seen:
            continue
        box = Box(x, y - 8, 22, 9)
        if answer == RECOMMENDS:
            canvas.rect(box, palette.BLUE)
        elif answer == CANNOT_TELL:
            canvas.rect(box, canvas.hatch(palette.ORANGE), palette.ORANGE, 0.8)
        else:
            canvas.rect(Box(x, y - 5, 22, 3), palette.PAPER, palette.GREEN, 1.2)
        canvas.text(x + 27, y, answer, size=10)
        x += text_width(answer, 10) + 44
    canvas.text(x, y, "empty: does not apply", size=10)
    canvas.y = y + 2


def _notes(
    values: Sequence[Decimal], unit: str, present: Interval | None, held: str, lines: Sequence[Line]
) -> Iterator[str]:
    if len(values) > 1:
        tried = f"{counted(len(values), 'value')} from {plain(values[0])} to {plain(values[-1])} {unit}".strip()
        yield f"Tried: {tried}; nothing is known between two of them."
    if present is None:
        yield "The patient's own value is not known."
    elif values and not _within(present, values):
        yield f"The patient's own value, {present} {unit}".strip() + ", lies outside of what was tried."
    if lines:
        yield f"Marks on the axis: {'; '.join(line.label for line in lines)}."
    if held:
        yield held


def _within(present: Interval, values: Sequence[Decimal]) -> bool:
    below = present.high is not None and present.high < values[0]
    above = present.low is not None and present.low > values[-1]
    return not below and not above


def _span(values: Sequence[Decimal], first: int, last: int, unit: str) -> str:
    low, high = plain(values[first]), plain(values[last])
    return f"{low if first == last else f'{low} to {high}'} {unit}".strip()


def _table(
    unit: str,
    values: Sequence[Decimal],
    rows: Sequence[RuleRow],
    present: Interval | None,
    held: str,
    lines: Sequence[Line],
) -> Table:
    """A row per rule and run of values with the same answer."""
    told = [(row.name, answer, _span(values, a, b, unit)) for row in rows for a, b, answer in _runs(row.answers)]
    told.append(("This patient", "", f"{present} {unit}".strip() if present is not None else "not known"))
    told += [("Mark", line.label, "") for line in lines]
    told += [("Held", held, "")] if held else []
    return table_of(("Rule", "Answer", "At"), told)


def _description(
    quantity: str,
    unit: str,
    values: Sequence[Decimal],
    rows: Sequence[RuleRow],
    present: Interval | None,
    held: str,
) -> str:
    parts = [f"{counted(len(rows), 'rule')} by {quantity}, {counted(len(values), 'value')} tried."]
    for row in rows:
        told = [_span(values, a, b, unit) for a, b, answer in _runs(row.answers) if answer == RECOMMENDS]
        if told:
            parts.append(f"{row.name}: recommends at {', '.join(told)}.")
    own = f"This patient: {present} {unit}".strip() if present is not None else "The patient's own value is not known"
    return " ".join([*parts, f"{own}.", *([held] if held else [])])
