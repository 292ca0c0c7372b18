"""Each picture is drawn as it was when somebody last looked at it. To write them anew: python -m tests.support.pictures --write"""

from __future__ import annotations

import pytest

from tests.support.pictures import GOLDEN, IMAGES, SHOWN, as_file, pictures

PICTURES = pictures()


@pytest.mark.parametrize("name", PICTURES)
def test_s6_a_picture_is_drawn_as_its_golden_file(name: str) -> None:
    assert (GOLDEN / f"{name}.svg").read_text("utf-8") == as_file(PICTURES[name])


def test_every_golden_file_belongs_to_a_picture() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(PICTURES)


@pytest.mark.parametrize("name", SHOWN)
def test_the_documentation_shows_what_is_drawn_today(name: str) -> None:
    assert (IMAGES / f"{name}.svg").read_text("utf-8") == as_file(PICTURES[name])


def test_s6_drawing_twice_gives_the_same_text() -> None:
    assert {name: each.svg for name, each in pictures().items()} == {name: each.svg for name, each in PICTURES.items()}
