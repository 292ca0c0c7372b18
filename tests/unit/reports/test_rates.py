"""Shares and their intervals, against values that others published."""

from __future__ import annotations

import pytest

from cds_service.reports.rates import Answers, Rate


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998;17:857-872, table I, method 3 (Wilson without continuity correction)
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        # by hand: centre (1 + z²/2)/(1 + z²)... for n = 1, p = 1: the lower end is 1/(1 + z²) = 1/4.8415
        (1, 1, 0.2065, 1.0),
    ],
)
def test_the_interval_is_wilsons(count: int, of: int, low: float, high: float) -> None:
    assert Rate(count, of).interval == pytest.approx((low, high), abs=5e-5)


def test_of_none_there_is_no_share() -> None:
    assert Rate(0, 0).share is None
    assert Rate(0, 0).interval is None


def test_a_card_nobody_told_of_is_in_neither_share() -> None:
    told = Answers(shown=10, accepted=3, overridden=1)
    assert (told.unanswered, told.answered) == (6, Rate(4, 10))
    assert (told.acceptance, told.override) == (Rate(3, 4), Rate(1, 4))
