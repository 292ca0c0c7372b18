"""Clinical numbers: the newest in force on the day asked about."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.kernel.errors import ContentError
from cds_service.kernel.thresholds import Source, Threshold, Thresholds

SOURCE = Source("g", "Guideline", "A guideline", "https://example.org", 2020)


def number(key: str, value: str, since: str) -> Threshold:
    return Threshold(key, key, Decimal(value), "mg/d", dt.date.fromisoformat(since), SOURCE, "Table 1", "V")


# In no particular order, as files come
VALUES = (
    number("g.dose", "7.5", "2022-03-01"),
    number("g.dose", "5", "2010-01-01"),
    number("g.days", "90", "2010-01-01"),
    number("g.new", "1", "2030-01-01"),
)


def on(day: str) -> Thresholds:
    return Thresholds(VALUES, dt.date.fromisoformat(day))


@pytest.mark.parametrize(
    ("day", "value"), [("2010-01-01", "5"), ("2022-02-28", "5"), ("2022-03-01", "7.5"), ("2026-06-15", "7.5")]
)
def test_s6_the_value_in_force_on_that_day(day: str, value: str) -> None:
    assert on(day)["g.dose"].value == Decimal(value)


def test_a_number_not_yet_in_force_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(ContentError) as problem:
        on("2026-06-15")["g.new"]
    assert str(problem.value) == "guidelines/: g.new: no value in force. Add it with a date and a source."


def test_an_optional_number_may_be_absent() -> None:
    assert on("2026-06-15").optional("g.new") is None
    assert on("2026-06-15").optional("g.days") == VALUES[2]


def test_bare_numbers_for_arithmetic() -> None:
    numbers = on("2026-06-15")
    assert (numbers.number("g.dose"), numbers.days("g.days")) == (Decimal("7.5"), 90)


def test_iteration_names_every_number_in_force_once() -> None:
    numbers = on("2026-06-15")
    assert (sorted(numbers), len(numbers)) == (["g.days", "g.dose"], 2)


def test_before_any_date_nothing_is_in_force() -> None:
    assert list(on("2009-12-31")) == []


def test_a_nudged_copy_has_one_other_number_and_leaves_the_original_alone() -> None:
    numbers = on("2026-06-15")
    nudged = numbers.nudged("g.dose", Decimal("-0.1"))
    assert (nudged.number("g.dose"), nudged.number("g.days")) == (Decimal("7.4"), Decimal(90))
    assert nudged["g.dose"].where == "Table 1"
    assert numbers.number("g.dose") == Decimal("7.5")


def test_a_number_that_does_not_exist_cannot_be_nudged() -> None:
    with pytest.raises(ContentError, match=r"guidelines/: g\.other: no value in force"):
        on("2026-06-15").nudged("g.other", Decimal(1))
