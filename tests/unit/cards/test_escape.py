"""Text on one line, cut without losing a sign, a digit or a unit (E1, E2, C11)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.cards.escape import MAX_LENGTH, cut, markdown, plain_line, unescaped


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Prednisone 5 mg", "Prednisone 5 mg"),
        ("  Prednisone \t 5\n\nmg\r\n", "Prednisone 5 mg"),
        ("one\u2028two\u2029three", "one two three"),
        ("a\u00a0b\u3000c", "a b c"),
        ("gm\u202e01", "gm01"),
        ("\u2067left\u2069 \u200fright", "left right"),
        ("pre\u200bdni\u2060sone\ufeff", "prednisone"),
        ("nul\x00 bell\x07 esc\x1b[31m", "nul bell esc[31m"),
        ("private\ue000 lone\ud800", "private lone"),
        ("Größe ≤ 5 µg, 😀", "Größe ≤ 5 µg, 😀"),
        ("", ""),
        ("\u200b\n", ""),
    ],
)
def test_c11_one_line_without_characters_that_cannot_be_seen(text: str, line: str) -> None:
    assert plain_line(text) == line


def test_e1_a_line_is_capped() -> None:
    assert MAX_LENGTH == 120
    assert plain_line("word " * 24 + "end") == "word " * 22 + "word…"
    assert plain_line("x" * 121) == "x" * 119 + "…"
    assert plain_line("x" * 120) == "x" * 120
    assert plain_line("one two three", limit=9) == "one two…"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<b>", r"\<b\>"),
        ("[a](b)", r"\[a\]\(b\)"),
        ("T-score -2.5", r"T\-score \-2\.5"),
        ("a\nb|c", r"a b\|c"),
        ("back\\slash", r"back\\slash"),
        ("&lt;", r"\&lt\;"),
        ("Größe", "Größe"),
    ],
)
def test_e1_every_punctuation_mark_of_a_line_is_escaped(text: str, escaped: str) -> None:
    assert markdown(text) == escaped
    assert unescaped(escaped) == plain_line(text)


@settings(deadline=None)
@given(st.text(max_size=150))
def test_e1_no_mark_stays_unescaped_and_a_terminal_gets_the_line_back(text: str) -> None:
    pairs_removed = re.sub(r"\\[!-/:-@\[-`{-~]", "", markdown(text))
    assert re.search(r"[!-/:-@\[-`{-~]", pairs_removed) is None
    assert unescaped(markdown(text)) == plain_line(text)


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Walls are damp", 14, "Walls are damp"),
        ("Walls are damp", 13, "Walls are…"),
        ("Walls are damp", 10, "Walls…"),
        ("Walls, damp", 10, "Walls…"),
        ("Walls (damp)", 9, "Walls…"),
        ("Unbreakable", 5, "Unbr…"),
        ("😀😀😀😀", 3, "😀😀…"),
        ("", 0, ""),
    ],
)
def test_e2_cut_at_a_word(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short


@pytest.mark.parametrize("limit", range(1, 47))
@pytest.mark.parametrize(
    "sentence",
    [
        "25-OH vitamin D 19.5 ng/mL on the record, low",
        "Lowest T-score of the spine -2.5 SD and falls",
        "Between 30 to 50 mg/day of it since last May",
        "Level (< 8 ng/mL) in May, > 150 ng/mL in June",
        "Dose 1,250.5 mg every -3 days of 12345678901",
    ],
)
def test_e2_no_number_loses_its_sign_its_digits_or_its_unit(sentence: str, limit: int) -> None:
    """Whatever is left is the beginning of the sentence, and every number in it still has the word behind it."""
    short = cut(sentence, limit)
    assert len(short) <= limit
    if short != sentence:
        head = short.removesuffix("…")
        assert sentence.startswith(head)
        assert sentence[len(head) : len(head) + 1] in (" ", ",", ")", "(") or " " not in head
        assert re.search(r"\d$", head) is None


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("Vitamin D 19 ng/mL", 16, "Vitamin D…"),
        ("Vitamin D < 8 ng/mL", 17, "Vitamin D…"),
        ("Vitamin D 30 to 50 ng/mL", 20, "Vitamin D…"),
        ("Calcium 1000-1200 mg/day", 19, "Calcium…"),
        ("T-score -2.5 SD", 14, "T-score…"),
        ("Vitamin B12 and more", 13, "Vitamin B12…"),
        ("-2.5 ng/mL", 6, "…"),
    ],
)
def test_e2_a_number_whose_unit_is_cut_off_goes_too(text: str, limit: int, short: str) -> None:
    assert cut(text, limit) == short
