"""What holds for every picture, whatever it shows: it stands in a page by itself, and a reader needs neither colour nor eyes."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from cds_service.pictures import Picture
from cds_service.pictures.svg import text_width
from tests.support.drawn import SVG, drawn
from tests.support.pictures import pictures

PICTURES = pictures()
every_picture = pytest.mark.parametrize("picture", PICTURES.values(), ids=list(PICTURES))
_TAGS = {"svg", "title", "desc", "defs", "pattern", "rect", "line", "path", "circle", "text"}


@every_picture
def test_it_holds_shapes_and_words_only(picture: Picture) -> None:
    found = {each.tag.removeprefix(SVG) for each in drawn(picture).root.iter()}

    assert found <= _TAGS


@every_picture
def test_it_refers_to_nothing_outside_and_carries_no_style_and_no_script(picture: Picture) -> None:
    """A policy of `style-src 'self'` blocks style attributes; presentation attributes are none."""
    names = {name for each in drawn(picture).root.iter() for name in each.attrib}
    values = [value for each in drawn(picture).root.iter() for value in each.attrib.values()]

    assert {name for name in names if name.startswith("on") or name in ("style", "href", "src")} == set()
    assert [value for value in values if "url(" in value and not re.fullmatch(r"url\(#[a-z0-9-]+\)", value)] == []


@every_picture
def test_it_is_an_image_with_a_name_and_a_description(picture: Picture) -> None:
    root = drawn(picture).root
    told = {each.get("id"): each.text for each in root if each.tag in (f"{SVG}title", f"{SVG}desc")}

    assert root.get("role") == "img"
    assert [told[ident] for ident in root.get("aria-labelledby", "").split()] == [picture.title, picture.description]
    assert picture.title
    assert picture.description.endswith(".")


def test_ids_differ_between_the_pictures_of_a_page() -> None:
    counts = Counter(each.get("id") for one in PICTURES.values() for each in drawn(one).root.iter() if each.get("id"))

    assert [ident for ident, count in counts.items() if count > 1] == []


@every_picture
def test_every_hatch_that_is_used_is_there(picture: Picture) -> None:
    root = drawn(picture).root
    used = {value[5:-1] for each in root.iter() for value in each.attrib.values() if value.startswith("url(#")}

    assert used == {each.get("id") for each in root.iter(f"{SVG}pattern")}


@every_picture
def test_every_word_lies_inside_the_picture(picture: Picture) -> None:
    root = drawn(picture).root
    _, _, width, height = map(float, root.get("viewBox", "").split())
    outside = []
    for each in root.iter(f"{SVG}text"):
        x, y = float(each.get("x", "")), float(each.get("y", ""))
        # the estimate is a tenth on the wide side
        wide = text_width(each.text or "", float(each.get("font-size", "11"))) / 1.13
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[each.get("text-anchor", "start")]
        if left < 0 or left + wide > width or not 0 < y < height:
            outside.append(each.text)

    assert outside == []


@every_picture
def test_no_number_stands_in_the_picture_only(picture: Picture) -> None:
    """Ticks aside, what a picture writes down can be read in the table or in the description."""
    told = " ".join((picture.title, picture.description, *(cell for row in picture.table.rows for cell in row)))
    told = told.replace("\u2212", "-").replace("\u202f", " ")
    found = drawn(picture)
    ticks = {
        each.text for each in found.root.iter(f"{SVG}text") if each.get("text-anchor") and _is_tick(each.text or "")
    }
    loose = [
        words
        for words in found.words
        if re.search(r"\d", words) and words not in ticks
        and not all(number in told for number in re.findall(r"-?\d+(?:\.\d+)?", words.replace("\u2212", "-")))
    ]  # fmt: skip

    assert [words for words in loose if not words.startswith("2026-06-15")] == []


def _is_tick(words: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Z][a-z]{2} )?\u2212?[\d.\s]+", words))


@every_picture
def test_rows_are_as_wide_as_the_headers_and_no_cell_is_empty(picture: Picture) -> None:
    assert {len(row) for row in picture.table.rows} <= {len(picture.table.headers)}
    assert all(cell for row in picture.table.rows for cell in row)


@every_picture
def test_words_are_large_enough_for_a_card(picture: Picture) -> None:
    """At 480 pixels a picture is drawn at six sevenths: ten units are more than eight pixels."""
    sizes = [float(each.get("font-size", "11")) for each in drawn(picture).root.iter(f"{SVG}text")]

    assert min(sizes) >= 10
