"""Places of dates and values, and their ticks."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.kernel.dates import DateSpan, on_day
from cds_service.pictures.scales import DateScale, ValueScale, around, rounded_out
from tests.support.pictures import AS_OF

days = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))


@settings(deadline=None)
@given(st.lists(days, max_size=5), days)
def test_every_day_lies_inside_and_in_order(found: list[dt.date], as_of: dt.date) -> None:
    past = [min(day, as_of) for day in found]
    scale = around([on_day(day) for day in past], as_of, 0, 100)
    places = [scale(day) for day in sorted([*past, as_of])]

    assert places == sorted(places)
    assert all(0 <= place <= 100 for place in places)


@settings(deadline=None)
@given(st.lists(days, min_size=1, max_size=5), days)
def test_ticks_are_few_and_lie_inside(found: list[dt.date], as_of: dt.date) -> None:
    ticks = list(around([on_day(min(day, as_of)) for day in found], as_of, 0, 100).ticks())

    assert 1 <= len(ticks) <= 10
    assert len({words for _, words in ticks}) == len(ticks)


def test_short_pictures_have_months_and_long_ones_years() -> None:
    short = DateScale(dt.date(2026, 1, 1), dt.date(2026, 6, 1), 0, 100)
    long = DateScale(dt.date(2010, 1, 1), dt.date(2026, 1, 1), 0, 100)

    assert [words for _, words in short.ticks()][:2] == ["Jan 2026", "Feb 2026"]
    assert [words for _, words in long.ticks()][:2] == ["2010", "2012"]


def test_a_month_is_placed_in_its_middle_and_by_then_at_its_end() -> None:
    scale = DateScale(dt.date(2020, 1, 1), dt.date(2026, 1, 1), 0, 100)
    month = DateSpan(dt.date(2024, 5, 1), dt.date(2024, 5, 31), "2024-05")
    by_then = DateSpan(dt.date(1950, 1, 1), dt.date(2024, 5, 31), "by 2024-05")

    assert scale(month.earliest) < scale.place(month) < scale(month.latest)
    assert scale.place(by_then) == scale(by_then.latest)


def test_a_single_day_has_most_of_a_year_around_it() -> None:
    scale = around([on_day(AS_OF)], AS_OF, 0, 100)

    assert (scale.last - scale.first).days >= 300


def test_the_ends_of_the_calendar_do_no_harm() -> None:
    scale = around([on_day(dt.date.min)], dt.date.max, 0, 100)

    assert (scale(dt.date.min), scale(dt.date.max)) == (0, 100)
    assert len(list(scale.ticks())) < 20


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6))
def test_values_lie_from_bottom_to_top_with_round_ticks(low: float, width: float) -> None:
    low, high = rounded_out(low, low + width)
    scale = ValueScale(low, high, 200, 10)

    assert (scale(low), scale(high)) == (pytest.approx(200), pytest.approx(10))
    assert 1 <= len(scale.ticks()) <= 9


def test_ticks_are_decimal_numbers_that_people_count_in() -> None:
    assert ValueScale(-3.5, 0, 200, 10).ticks() == [Decimal(n) for n in (-3, -2, -1, 0)]
    assert ValueScale(0, 0.4, 200, 10).ticks()[:2] == [Decimal(0), Decimal("0.1")]
