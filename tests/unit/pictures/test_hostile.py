"""Whatever text reaches a picture, it stays text, and the picture stays XML."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.kernel.quantities import exactly
from cds_service.pictures import (
    MonthShare,
    Picture,
    Share,
    coverage,
    glucocorticoids,
    rate_bars,
    rates_over_time,
    rule_map,
    t_scores,
    vitamin_d,
)
from cds_service.pictures.picture import Line, Mark, Period
from cds_service.pictures.plot_coverage import Lookup, State
from cds_service.pictures.plot_rule_map import RECOMMENDS, RuleRow
from cds_service.pictures.plot_t_scores import TScore
from cds_service.pictures.plot_vitamin_d import Band, Result
from cds_service.pictures.svg import fitted, text_width, wrapped
from tests.support.drawn import SVG, drawn
from tests.support.hostile import CORPUS, POLYGLOT
from tests.support.pictures import AS_OF, day, dose, window

_PAYLOADS = {
    **CORPUS,
    "polyglot": POLYGLOT,
    "long": "W" * 600,
    "quotes": "\"'`<>&",
    "surrogate": "a\ud800b",
    "nothing": "",
}


def everywhere(text: str) -> list[Picture]:
    """Every picture with the text in every place that takes one."""
    on, line = day("2026-01-01"), Line(Decimal(-1), text, text)
    return [
        t_scores(
            [TScore(text, exactly(-1), on, text, None, text), TScore(text, exactly(-2), None, text)],
            [line],
            AS_OF,
            periods=[Period(text, on, on, "yes"), Period(text, None, None, "no")],
            fractures=[Mark(text, on), Mark(text, None)],
            gaps=[text],
            notes=[text],
        ),
        vitamin_d(
            [Result(exactly(9), text, on, text), Result(exactly(9), text, None)],
            [Band(text, None, Decimal(5)), Band(text, Decimal(5), None)],
            text,
            text,
            AS_OF,
            lines=[Line(Decimal(9), text)],
            gaps=[text],
        ),
        glucocorticoids(
            [dose("2026-01-01", "2026-02-01", exactly(5))],
            window(),
            lines=[Line(Decimal(2), text)],
            total_lines=[Line(Decimal(99), text)],
            gaps=[text],
            doubts=[text],
            notes=[text],
        ),
        coverage([Lookup(text, state, 1, text) for state in State]),
        rule_map(text, text, [Decimal(1), Decimal(2)], [RuleRow(text, (RECOMMENDS,) * 2)], present=exactly(1), held=text,
                 lines=[Line(Decimal(1), text)]),
        rates_over_time(text, [MonthShare(AS_OF, Share(text, 1, 2, 0.1, 0.9))]),
        rate_bars(text, [Share(text, 1, 2, 0.1, 0.9)]),
    ]  # fmt: skip


@pytest.mark.parametrize("payload", _PAYLOADS.values(), ids=list(_PAYLOADS))
def test_hostile_text_adds_no_element_and_no_attribute(payload: str) -> None:
    harmless = [({each.tag for each in drawn(one).root.iter()}, _attributes(one)) for one in everywhere("harmless")]
    hostile = [({each.tag for each in drawn(one).root.iter()}, _attributes(one)) for one in everywhere(payload)]

    assert [tags - ours for (tags, _), (ours, _) in zip(hostile, harmless, strict=True) if tags - ours] == []
    assert [names - ours for (_, names), (_, ours) in zip(hostile, harmless, strict=True) if names - ours] == []


def _attributes(picture: Picture) -> set[str]:
    return {name for each in drawn(picture).root.iter() for name in each.attrib}


@pytest.mark.parametrize("payload", _PAYLOADS.values(), ids=list(_PAYLOADS))
def test_nothing_invisible_is_left_in_a_picture_or_its_table(payload: str) -> None:
    hidden = [chr(n) for n in (0, 0x1B, 0x200B, 0x202E, 0xD800)]
    told = [
        text
        for one in everywhere(payload)
        for text in (one.svg, one.title, one.description, *(cell for row in one.table.rows for cell in row))
    ]

    assert [c for c in hidden if any(c in text for text in told)] == []


@pytest.mark.parametrize("payload", [CORPUS["script"], CORPUS["image"], POLYGLOT], ids=["script", "image", "polyglot"])
def test_a_payload_is_written_out_for_people_to_read(payload: str) -> None:
    """Escaped by the writer of the tree, and found again, unescaped, by whoever reads it."""
    words = " ".join(drawn(coverage([Lookup("x", State.FAILED, 1, payload)])).cells)

    assert "<" in words
    assert "<script" not in everywhere(payload)[0].svg
    assert "<img" not in everywhere(payload)[0].svg


@settings(deadline=None, max_examples=25)
@given(st.text(max_size=80))
def test_any_text_leaves_a_picture_that_can_be_read(text: str) -> None:
    for one in everywhere(text):
        drawn(one)


def test_a_very_long_word_is_cut_inside_the_picture() -> None:
    for one in everywhere("W" * 600):
        wide = [each.text or "" for each in drawn(one).root.iter(f"{SVG}text")]
        assert max(text_width(words, 10) for words in wide) <= 560


@settings(deadline=None)
@given(st.text(max_size=200), st.floats(30, 500))
def test_cut_and_wrapped_text_is_never_wider_than_asked(text: str, width: float) -> None:
    assert text_width(fitted(text, width)) <= width
    assert all(text_width(line, 10) <= width for line in wrapped(text, width))
