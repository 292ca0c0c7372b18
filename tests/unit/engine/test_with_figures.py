"""Figures are put on cards after everything is decided, with made-up cards about a house."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.cards.plan import CardPlan
from cds_service.engine.arrange import with_figures
from cds_service.kernel.figures import NotCalculable, Supporting
from cds_service.kernel.rules import Level

CARDS = (CardPlan("roof", Level.WARNING, also=("windows",)), CardPlan("walls", Level.INFO))


def figure(*topics: str) -> Supporting:
    return Supporting(frozenset(topics), "Made-up 1", NotCalculable(("why not",)))


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        (("roof",), [1, 0]),
        (("walls",), [0, 1]),
        (("walls", "roof"), [1, 0]),  # said once, on the first card it belongs to
        (("garden",), [0, 0]),
        ((), [0, 0]),
    ],
)
def test_a_figure_stands_on_the_first_card_of_its_topics_or_nowhere(
    topics: tuple[str, ...], expected: list[int]
) -> None:
    assert [len(card.figures) for card in with_figures(CARDS, [figure(*topics)])] == expected


def test_figures_never_make_a_card_of_their_own() -> None:
    assert with_figures((), [figure("roof")]) == ()


def test_figures_change_nothing_else_about_the_cards() -> None:
    told = with_figures(CARDS, [figure("roof"), figure("roof")])
    assert tuple(replace(card, figures=()) for card in told) == CARDS
    assert len(told[0].figures) == 2


def test_without_figures_the_cards_are_the_same() -> None:
    assert with_figures(CARDS, ()) == CARDS
