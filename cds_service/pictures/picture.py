"""What a picture function gives back, and the small parts that go into several of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from cds_service.kernel.dates import DateSpan
from cds_service.kernel.quantities import plain

_LONG = 1_000_000


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """The same as the picture, in words; what it holds stands in no `repr` (S8).

    Attributes:
        headers: one per column.
        rows: cells as plain text, as many as there are headers.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, repr=False)
class Picture:
    """A drawing and its text alternative; what it holds stands in no `repr` (S8).

    Attributes:
        svg: one `<svg>` element, to stand inside an HTML page; nothing in it refers to anything outside.
        title: what it shows, as a heading.
        description: what can be read off it, in a few sentences.
        table: everything that is drawn.
    """

    svg: str
    title: str
    description: str
    table: Table


@dataclass(frozen=True, slots=True)
class Line:
    """A number of a guideline that the picture shows as a line.

    Attributes:
        value: where it lies on the axis.
        label: what it is, with its number ("osteoporosis range: T-score at or below -2.5").
        short: the same in few words, for where there is little room ("7.5 mg/d, NOGG 2024").
    """

    value: Decimal
    label: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened.

    Attributes:
        label: what ("hip fracture, low trauma").
        on: when; `None` when nobody knows: then it stands in the table and in a note only.
    """

    label: str
    on: DateSpan | None


@dataclass(frozen=True, slots=True)
class Period:
    """A time of treatment.

    Attributes:
        label: what was taken.
        first: when it began; `None` when nobody knows.
        last: last evidence of it; `None` when nobody knows.
        now: "yes", "no" or "unknown": is it taken on the day of the picture?
    """

    label: str
    first: DateSpan | None
    last: DateSpan | None
    now: str


def clean(text: str) -> str:
    """The text on one line, without what XML forbids and what hides or turns text (control, format, private characters)."""
    spaced = "".join(" " if c.isspace() or unicodedata.category(c) in ("Zl", "Zp") else c for c in text)
    return " ".join("".join(c for c in spaced if unicodedata.category(c)[0] != "C").split())


def table_of(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of cleaned cells; an empty cell says so with a dash."""
    return Table(tuple(headers), tuple(tuple(clean(cell) or "-" for cell in row) for row in rows))


def counted(number: int, one: str, several: str = "") -> str:
    """Number and noun: "1 result", "3 results"."""
    return f"{number} {one if number == 1 else several or f'{one}s'}"


def grouped(number: Decimal) -> str:
    """A number for people with a thin gap between thousands: "1 250", "-2.5"."""
    if abs(number) >= _LONG:  # a slip on record, and no room for its digits
        return f"{number:.1E}"
    text = plain(number)
    whole, point, rest = text.partition(".")
    return f"{int(whole):,}".replace(",", "\u202f") + point + rest if abs(number) >= 10_000 else text


def first_to_last(spans: Iterable[DateSpan | None]) -> str:
    """When something was: "from 2021-03-01 to 2026-01-10", "on 2026-01-10", or nothing when nothing is dated."""
    dated = sorted((span for span in spans if span is not None), key=lambda span: (span.earliest, span.latest))
    if not dated:
        return ""
    first, last = dated[0], dated[-1]
    return f"on {first}" if first == last else f"from {first} to {last}"
