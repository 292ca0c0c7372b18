"""A picture as a test looks at it: its elements by the name of the part they belong to, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cds_service.pictures import Picture

SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture, parsed."""

    picture: Picture
    root: ET.Element

    def part(self, name: str) -> list[ET.Element]:
        """The elements of that part, in drawing order."""
        return [each for each in self.root.iter() if each.get("data-part") == name]

    @property
    def words(self) -> list[str]:
        """Every text in drawing order."""
        return [each.text or "" for each in self.root.iter(f"{SVG}text")]

    def y_of(self, words: str) -> float:
        """The baseline of the text that says this."""
        return next(float(each.get("y", "")) for each in self.root.iter(f"{SVG}text") if each.text == words)

    def x_of(self, words: str) -> float:
        """Where that text stands."""
        return next(float(each.get("x", "")) for each in self.root.iter(f"{SVG}text") if each.text == words)

    @property
    def cells(self) -> list[str]:
        """Every cell of the table."""
        return [cell for row in self.picture.table.rows for cell in row]


def drawn(picture: Picture) -> Drawn:
    """Read a picture; fails where it is not XML."""
    return Drawn(picture, ET.fromstring(picture.svg))  # noqa: S314 - our own text


def at(element: ET.Element) -> tuple[float, float]:
    """Where a marker stands: the first numbers of its transform."""
    x, y = element.get("transform", "").removeprefix("translate(").split(")")[0].split()
    return float(x), float(y)
