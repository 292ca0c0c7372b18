"""What was looked up for this picture of a person, and how each look-up went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from cds_service.pictures import palette
from cds_service.pictures.picture import Picture, counted, table_of
from cds_service.pictures.svg import WIDTH, Box, Canvas, number, text_width

_ROW = 21.0


class State(Enum):
    """How a look-up went; the value is its word in the picture."""

    FOUND = "complete"
    NONE_FOUND = "none found"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_PERMITTED = "not permitted"
    NOT_SUPPLIED = "not supplied"


@dataclass(frozen=True, slots=True)
class Lookup:
    """One look-up.

    Attributes:
        name: what was looked for ("DXA results").
        state: see `State`.
        count: how many resources it gave.
        detail: why it is not complete, where that is known.
    """

    name: str
    state: State
    count: int = 0
    detail: str = ""

    @property
    def words(self) -> str:
        """State and number: "complete, 3"."""
        return f"{self.state.value}, {self.count}" if self.count else self.state.value


def coverage(lookups: Sequence[Lookup]) -> Picture:
    """A strip of all look-ups: shape and word for each.

    Args:
        lookups: in the order of the picture, down the left column and then down the right one.
    """
    table = table_of(
        ("Data", "State", "Resources", "Detail"),
        [(each.name, each.state.value, str(each.count), each.detail) for each in lookups],
    )
    canvas = Canvas("coverage", "What was looked up", _description(lookups), table)
    if not lookups:
        canvas.notes(["Nothing was asked for."])
        return canvas.finish()
    rows = (len(lookups) + 1) // 2
    top, column = canvas.y + 6, WIDTH / 2
    for place, each in enumerate(lookups):
        _lookup(canvas, 8 + column * (place // rows), top + _ROW * (place % rows), column - 12, each)
    canvas.y = top + _ROW * rows
    canvas.notes(
        ["Only a complete look-up, or one that is complete and found none, can show that something is absent."]
    )
    return canvas.finish()


def _lookup(canvas: Canvas, x: float, y: float, width: float, told: Lookup) -> None:
    whole = told.state in (State.FOUND, State.NONE_FOUND)
    if not whole:
        canvas.rect(Box(x - 3, y, width + 4, _ROW - 3), palette.PALE, palette.QUIET, 0.8, "3 2")
    with canvas.part(told.state.name.lower().replace("_", "-")):
        _icon(canvas, x + 8, y + _ROW / 2 - 1.5, told.state)
    words_width = text_width(told.words, 10) + 4
    canvas.text(
        x + width - 2, y + 13, told.words, size=10, anchor="end", weight="normal" if whole else "bold", width=width
    )
    room = width - 24 - words_width * (1 if whole else 1.08)
    size = 11 if text_width(told.name) <= room else 10
    canvas.text(x + 20, y + 13, told.name, size=size, width=room)


def _icon(canvas: Canvas, x: float, y: float, state: State) -> None:
    """A shape of its own for each state, so that it reads in black and white."""
    match state:
        case State.FOUND:
            canvas.draw("circle", cx=x, cy=y, r=6.5, fill=palette.GREEN)
            tick = f"M{number(x - 3)},{number(y)} L{number(x - 0.8)},{number(y + 2.6)} L{number(x + 3.4)},{number(y - 2.8)}"
            canvas.path(tick, palette.PAPER, 1.8)
        case State.NONE_FOUND:
            canvas.draw("circle", cx=x, cy=y, r=5.8, fill=palette.PAPER, stroke=palette.GREEN, stroke_width=1.8)
        case State.PARTIAL:
            canvas.draw("circle", cx=x, cy=y, r=5.8, fill=palette.PAPER, stroke=palette.ORANGE, stroke_width=1.6)
            half = f"M{number(x)},{number(y - 5.8)} A5.8,5.8 0 0 0 {number(x)},{number(y + 5.8)} Z"
            canvas.path(half, palette.ORANGE, 0.5, palette.ORANGE)
        case State.FAILED:
            sides = f"M{number(x)},{number(y - 7)} L{number(x + 7.2)},{number(y + 5.8)} H{number(x - 7.2)} Z"
            canvas.path(sides, palette.VERMILION, 1, palette.VERMILION)
            canvas.line(x, y - 2.6, x, y + 1.6, palette.PAPER, 1.8)
            canvas.line(x, y + 3, x, y + 4.6, palette.PAPER, 1.8)
        case State.NOT_PERMITTED:
            canvas.draw("circle", cx=x, cy=y, r=5.8, fill=palette.PAPER, stroke=palette.VERMILION, stroke_width=1.8)
            canvas.line(x - 4, y - 4, x + 4, y + 4, palette.VERMILION, 1.8)
        case State.NOT_SUPPLIED:
            canvas.rect(Box(x - 5.5, y - 5.5, 11, 11), palette.PAPER, palette.INK, 1.4, "2.5 2")


def _description(lookups: Sequence[Lookup]) -> str:
    states = [each.state for each in lookups]
    told = [f"{states.count(state)} {state.value}" for state in State if state in states]
    open_ = [
        f"{each.name} ({each.state.value})" for each in lookups if each.state not in (State.FOUND, State.NONE_FOUND)
    ]
    parts = [f"{counted(len(lookups), 'look-up')}: {', '.join(told)}." if told else "Nothing was asked for."]
    if open_:
        parts.append(f"Not complete: {', '.join(open_)}.")
    return " ".join(parts)
