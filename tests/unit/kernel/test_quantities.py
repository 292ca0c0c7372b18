"""Numbers as they are known: comparisons decide only what every possible value agrees on (S7)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.kernel.quantities import ZERO, Interval, as_number, between, exactly, plain
from cds_service.kernel.truth import Truth

LIMIT = Decimal("7.5")
# a value as a person would write it
VALUES = {
    "7.4": exactly("7.4"),
    "7.5": exactly("7.5"),
    "7.6": exactly("7.6"),
    "5 to 7.4": between(5, "7.4"),
    "5 to 7.5": between(5, "7.5"),
    "5 to 10": between(5, 10),
    "7.5 to 10": between("7.5", 10),
    "7.6 to 10": between("7.6", 10),
    ">=7.5": between("7.5", None),
    ">7.5": Interval(LIMIT, None, above_low=True),
    ">7.4": Interval(Decimal("7.4"), None, above_low=True),
    "<=7.5": Interval(None, LIMIT),
    "<7.5": Interval(None, LIMIT, below_high=True),
    "<7.6": Interval(None, Decimal("7.6"), below_high=True),
    "not known": Interval(None, None),
}
# value, then >= 7.5, > 7.5, < 7.5, <= 7.5
COMPARED = [
    ("7.4", "n n y y"),
    ("7.5", "y n n y"),
    ("7.6", "y y n n"),
    ("5 to 7.4", "n n y y"),
    ("5 to 7.5", "? n ? y"),
    ("5 to 10", "? ? ? ?"),
    ("7.5 to 10", "y ? n ?"),
    ("7.6 to 10", "y y n n"),
    (">=7.5", "y ? n ?"),
    (">7.5", "y y n n"),
    (">7.4", "? ? ? ?"),
    ("<=7.5", "? n ? y"),
    ("<7.5", "n n y y"),
    ("<7.6", "? ? ? ?"),
    ("not known", "? ? ? ?"),
]
MEANING = {"y": Truth.YES, "n": Truth.NO, "?": Truth.UNKNOWN}


def test_every_value_is_compared() -> None:
    assert [name for name, _ in COMPARED] == list(VALUES)


@pytest.mark.parametrize(("value", "answers"), COMPARED, ids=[name for name, _ in COMPARED])
def test_s7_compared_with_seven_and_a_half(value: str, answers: str) -> None:
    number = VALUES[value]
    seen = [number.at_least(LIMIT), number.more_than(LIMIT), number.less_than(LIMIT), number.at_most(LIMIT)]
    assert seen == [MEANING[letter] for letter in answers.split()]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_reads_as_a_person_would_write_it(value: str) -> None:
    assert str(VALUES[value]) == value


@pytest.mark.parametrize(
    ("value", "exact"), [("7.5", True), ("5 to 10", False), (">=7.5", False), ("<7.5", False), ("not known", False)]
)
def test_exact(value: str, exact: bool) -> None:
    assert VALUES[value].exact is exact


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("7.4", "7.6", "15"),
        ("7.5", "5 to 10", "12.5 to 17.5"),
        ("5 to 10", "5 to 7.5", "10 to 17.5"),
        ("7.5", ">7.5", ">15"),
        ("7.5", ">=7.5", ">=15"),
        ("<7.5", "7.5", "<15"),
        ("<7.5", "<=7.5", "<15"),
        ("<7.5", ">7.5", "not known"),
        ("7.5", "not known", "not known"),
    ],
)
def test_adding_two_values(one: str, other: str, together: str) -> None:
    assert str(VALUES[one] + VALUES[other]) == together
    assert str(VALUES[other] + VALUES[one]) == together


def test_adding_nothing_changes_nothing() -> None:
    assert [value + ZERO for value in VALUES.values()] == list(VALUES.values())


@pytest.mark.parametrize(
    ("value", "factor", "expected"),
    [
        ("7.5", 2, "15"),
        ("5 to 10", Decimal("0.8"), "4 to 8"),
        (">7.5", 2, ">15"),
        ("<7.5", 2, "<15"),
        ("not known", 2, "not known"),
    ],
)
def test_multiplying(value: str, factor: Decimal | int, expected: str) -> None:
    assert str(VALUES[value].times(factor)) == expected


def test_a_tenth_twice_and_a_tenth_are_three_tenths() -> None:
    """Binary fractions would make 0.30000000000000004 of it and step over the threshold."""
    assert (exactly("0.1").times(2) + exactly("0.1")).at_most(Decimal("0.3")) is Truth.YES


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("2.50"), "2.5"),
        (Decimal("-2.0"), "-2"),
        (Decimal("0.8333333"), "0.833"),
        (Decimal("-0.0001"), "0"),
        (Decimal("-0"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-7"), "0"),
        (Decimal("100"), "100"),
        (1200, "1200"),
        (0, "0"),
        (None, "not known"),
    ],
)
def test_a_number_for_people(number: Decimal | int | None, text: str) -> None:
    assert plain(number) == text


@pytest.mark.parametrize(
    ("number", "text"), [("7.0", "7"), ("7.5", "7.5"), ("-2.5", "-2.5"), ("1E+3", "1000"), ("0.10", "0.1")]
)
def test_a_number_for_json(number: str, text: str) -> None:
    """`repr` tells a whole number from a fraction."""
    assert repr(as_number(Decimal(number))) == text
