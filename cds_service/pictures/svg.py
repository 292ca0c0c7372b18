"""A drawing as an element tree: escaping is the library's, numbers are short, and nothing refers to anything outside."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cds_service.pictures import palette
from cds_service.pictures.picture import Picture, Table, clean

WIDTH = 560
_NAMESPACE = "http://www.w3.org/2000/svg"
_SIZE = 11.0
_SMALL = 10.0
_LINE = 1.35

# Advance widths of Helvetica in thousandths of the font size; everything else counts as 560. DejaVu is a good tenth wider.
_NARROW, _WIDE = "ijl.,:;|!'()[]ftrI -/", "mwMW%@ABCDEGHKNOPQRSTUVXYZ&"
_WIDER = 1.13


def text_width(text: str, size: float = _SIZE) -> float:
    """About how wide a text is in any sans-serif font; on the wide side."""
    return sum(map(_advance, text)) / 1000 * size * _WIDER


def _advance(character: str) -> int:
    return 310 if character in _NARROW else 760 if character in _WIDE else 560


def fitted(text: str, width: float, size: float = _SIZE) -> str:
    """The text, cut with an ellipsis where it is wider than that."""
    text = clean(text)
    room, kept = width / size / _WIDER * 1000, 0
    cut = 0  # how much is left when room for the ellipsis is kept
    for place, character in enumerate(text):
        kept += _advance(character)
        if kept <= room - _advance("…"):
            cut = place + 1
        if kept > room:
            return f"{text[:cut].rstrip()}…"
    return text


def wrapped(text: str, width: float, size: float = _SMALL) -> list[str]:
    """The text in lines of that width; a word wider than a line is cut."""
    lines: list[str] = []
    for word in clean(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(fitted(word, width, size))
    return lines


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float

    def meets(self, other: Box) -> bool:
        """Whether the two overlap."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def inside(self, other: Box) -> bool:
        """Whether all of it lies in the other one."""
        return (
            other.x <= self.x
            and other.y <= self.y
            and self.x + self.width <= other.x + other.width
            and self.y + self.height <= other.y + other.height
        )


def number(value: float) -> str:
    """A coordinate, one decimal at most."""
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


class Canvas:
    """One picture being drawn, from the top down; its height is known when it is finished."""

    def __init__(self, kind: str, title: str, description: str, table: Table) -> None:
        """Begin with title and description.

        Args:
            kind: what picture it is, part of every id in it.
            title: accessible name, and the heading drawn at the top.
            description: accessible description.
            table: the text alternative.
        """
        self.title, self.description, self.table = clean(title), clean(description), table
        # several pictures may stand in one page: ids have to differ there, and to be the same for the same picture
        told = repr((self.title, self.description, table.headers, table.rows)).encode()
        self._ident = f"bonecds-{kind}-{zlib.crc32(told):08x}"
        names = {"title": f"{self._ident}-title", "desc": f"{self._ident}-desc"}
        self._root = ET.Element(
            "svg",
            {
                "xmlns": _NAMESPACE,
                "role": "img",
                "aria-labelledby": " ".join(names.values()),
                "font-family": palette.FONT,
                "font-size": number(_SIZE),
                "fill": palette.INK,
            },
        )
        for tag, name in names.items():
            ET.SubElement(self._root, tag, {"id": name}).text = self.title if tag == "title" else self.description
        self._defs: ET.Element | None = None
        self._patterns: dict[tuple[str, str], str] = {}
        self._paper = ET.SubElement(self._root, "rect", {"width": "100%", "height": "100%", "fill": palette.PAPER})
        self.taken: list[Box] = []
        self._part = ""
        self.y = 20.0
        self.text(8, self.y, self.title, size=13, weight="bold", width=WIDTH - 16)
        self.y += 8

    # --- shapes ------------------------------------------------------------------------------------------------------
    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Name what is drawn inside, as `data-part`: for style sheets and for tests."""
        before, self._part = self._part, name
        yield
        self._part = before

    def draw(self, tag: str, **attributes: str | float) -> ET.Element:
        """Any element; `stroke_width` stands for `stroke-width`, numbers are shortened."""
        told = {
            name.replace("_", "-"): value if isinstance(value, str) else number(value)
            for name, value in attributes.items()
        }
        if self._part:
            told["data-part"] = self._part
        return ET.SubElement(self._root, tag, told)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = _SIZE,
        anchor: str = "start",
        colour: str = palette.INK,
        weight: str = "normal",
        width: float = WIDTH,
        halo: bool = False,
    ) -> None:
        """One line of text, cut to that width; `y` is its baseline."""
        attributes: dict[str, str | float] = {"x": x, "y": y}
        if size != _SIZE:
            attributes["font_size"] = size
        if anchor != "start":
            attributes["text_anchor"] = anchor
        if colour != palette.INK:
            attributes["fill"] = colour
        if weight != "normal":
            attributes["font_weight"] = weight
        if halo:  # a rim of paper keeps it readable across lines
            attributes |= {"stroke": palette.PAPER, "stroke_width": 3, "paint_order": "stroke"}
        self.draw("text", **attributes).text = fitted(words, width, size)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = palette.INK, width: float = 1, dash: str = ""
    ) -> None:
        """A straight line."""
        dashes = {"stroke_dasharray": dash} if dash else {}
        self.draw("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, **dashes)

    def rect(self, box: Box, fill: str, stroke: str = "none", width: float = 1, dash: str = "") -> None:
        """A rectangle."""
        dashes = {"stroke_dasharray": dash} if dash else {}
        self.draw(
            "rect", x=box.x, y=box.y, width=box.width, height=box.height,
            fill=fill, stroke=stroke, stroke_width=width, **dashes,
        )  # fmt: skip

    def path(self, commands: str, stroke: str = palette.INK, width: float = 1, fill: str = "none") -> None:
        """A path in absolute coordinates."""
        self.draw("path", d=commands, fill=fill, stroke=stroke, stroke_width=width)

    def marker(self, x: float, y: float, look: palette.Look, size: float = 4.5, *, fill: str = "") -> None:
        """A marker of a series; with `fill` its inside differs from its rim."""
        self.draw(
            "path", d=palette.SHAPES[look.shape], transform=f"translate({number(x)} {number(y)}) scale({number(size)})",
            fill=fill or look.colour, stroke=look.colour if fill else palette.PAPER, stroke_width=1.4,
            vector_effect="non-scaling-stroke",
        )  # fmt: skip

    def hatch(self, colour: str, kind: str = "lines") -> str:
        """A fill of slanted lines or of dots on paper: what is not known."""
        if (colour, kind) not in self._patterns:
            name = f"{self._ident}-{kind}-{len(self._patterns)}"
            self._patterns[colour, kind] = name
            if self._defs is None:
                self._defs = ET.Element("defs")
                self._root.insert(2, self._defs)
            size = {"width": "6", "height": "6", "patternUnits": "userSpaceOnUse"}
            pattern = ET.SubElement(self._defs, "pattern", {"id": name, **size})
            ET.SubElement(pattern, "rect", {"width": "6", "height": "6", "fill": palette.PAPER})
            if kind == "dots":
                ET.SubElement(pattern, "circle", {"cx": "3", "cy": "3", "r": "1.1", "fill": colour})
            else:
                slanted = {"d": "M-1,1 L1,-1 M0,6 L6,0 M5,7 L7,5", "stroke": colour, "stroke-width": "1.3"}
                ET.SubElement(pattern, "path", slanted)
        return f"url(#{self._patterns[colour, kind]})"

    # --- words that must not lie on each other ----------------------------------------------------------------------
    def label(
        self,
        words: str,
        places: Iterable[tuple[float, float, str]],
        within: Box,
        *,
        size: float = _SMALL,
        width: float = WIDTH,
    ) -> bool:
        """Write words at the first of the places (x, baseline, anchor) where nothing else stands; false when there is none."""
        words = fitted(words, width, size)
        wide = text_width(words, size)
        for x, y, anchor in places:
            left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
            box = Box(left, y - size, wide, size + 3)
            if box.inside(within) and not any(box.meets(other) for other in self.taken):
                self.taken.append(box)
                self.text(x, y, words, size=size, anchor=anchor, halo=True)
                return True
        return False

    def notes(self, lines: Iterable[str]) -> None:
        """Small print across the picture, below what is drawn so far."""
        for line in lines:
            for part in wrapped(line, WIDTH - 16):
                self.y += _SMALL * _LINE
                self.text(8, self.y, part, size=_SMALL, colour=palette.QUIET)
        self.y += 4

    # --- the end -----------------------------------------------------------------------------------------------------
    def finish(self) -> Picture:
        """The picture, as high as what was drawn."""
        height = number(self.y + 6)
        self._root.set("viewBox", f"0 0 {WIDTH} {height}")
        self._root.set("width", str(WIDTH))
        self._root.set("height", height)
        svg = ET.tostring(self._root, encoding="unicode")
        return Picture(svg, self.title, self.description, self.table)
