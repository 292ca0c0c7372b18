"""Shares over the months and as bars."""

from __future__ import annotations

import re

from tests.support.drawn import SVG, drawn
from tests.support.pictures import pictures

PICTURES = pictures()


def parts(name: str, part: str) -> int:
    return sum(each.get("data-part") == part for each in drawn(PICTURES[name]).root.iter())


def test_every_month_has_a_point_and_an_interval() -> None:
    assert (parts("rates", "share"), parts("rates", "interval")) == (5, 5)
    assert len(PICTURES["rates"].table.rows) == 5


def test_no_line_goes_across_months_of_which_nothing_is_known() -> None:
    """November, December, January; then April and May."""
    paths = [
        each.get("d", "") for each in drawn(PICTURES["rates"]).root.iter(f"{SVG}path") if not each.get("data-part")
    ]
    assert [re.sub(r"[^ML]", "", path) for path in paths] == ["MLLML"]


def test_a_bar_is_as_long_as_its_share() -> None:
    rects = [each for each in drawn(PICTURES["bars"]).root.iter(f"{SVG}rect") if each.get("data-part") == "share"]
    widths = [float(each.get("width", "")) for each in rects]
    assert [round(width / widths[2], 2) for width in widths] == [0.08, 0.75, 1, 0]


def test_what_is_not_drawn_stands_in_the_table() -> None:
    assert (parts("bars-many", "share"), len(PICTURES["bars-many"].table.rows)) == (20, 25)
    assert (parts("rates-many", "share"), len(PICTURES["rates-many"].table.rows)) == (60, 70)
    assert "the first 20 of 25 rows" in PICTURES["bars-many"].description
