"""OST from weight and age: the published vectors, and every way in which there is no score."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.content import thresholds
from cds_service.clinical.facts.ost import ost, score
from cds_service.kernel.dates import on_day
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of
from tests.support.results import patient, result

AS_OF = dt.date(2026, 6, 15)
T = thresholds(AS_OF)
WEIGHT = "29463-7"
# kg, years, score; whether it hints at low bone density in women, in men: 16 pairs, 32 vectors
VECTORS = (
    ("50", "70", -4, True, True),
    ("55", "65", -2, True, True),
    ("57.5", "65", -1, True, True),
    ("60", "50", 2, False, True),
    ("60", "49.9", 2, False, True),
    ("62", "52", 2, False, True),
    ("45", "80", -7, True, True),
    ("70", "55", 3, False, True),
    ("70", "62", 1, True, True),
    ("80", "60", 4, False, False),
    ("90", "70", 4, False, False),
    ("79.9", "60", 3, False, True),
    ("80", "61", 3, False, True),
    ("65", "45", 4, False, False),
    ("100", "50", 10, False, False),
    ("40", "85", -9, True, True),
)


@pytest.mark.parametrize(("kg", "years", "expected", "women", "men"), VECTORS)
def test_scr02_score_of_the_published_vectors(kg: str, years: str, expected: int, women: bool, men: bool) -> None:
    found = score(exactly(kg), exactly(years), T.number("ost.factor"))
    assert found == exactly(expected)
    assert (expected < T.number("ost.women-below"), expected < T.number("ost.men-below")) == (women, men)


def test_s7_an_interval_gives_an_interval() -> None:
    assert score(between("60", "80"), between("60", "61"), Decimal("0.2")) == between(0, 4)


def test_s7_an_open_weight_leaves_the_score_open() -> None:
    assert score(Interval(Decimal(60), None), exactly(60), Decimal("0.2")) == Interval(Decimal(0), None)


def read(*resources: str, **more: object) -> Fact[Interval]:
    return ost(chart_of(*resources, **more), T)  # type: ignore[arg-type]


def test_the_score_is_dated_like_the_weight() -> None:
    found = read(patient("1964-01-01"), result(WEIGHT, "65", "kg", "2026-05-01", "w1"))
    shown = Evidence("ost", "0", on_day(dt.date(2026, 5, 1)), "Observation/w1", "from age and weight 65 kg")
    assert found == Known(exactly(0), (shown,))


def test_weight_in_pounds() -> None:
    found = read(patient("1964-01-01"), result(WEIGHT, "165.3", "lb"))
    assert isinstance(found, Known)
    assert found.value == exactly(2)


@pytest.mark.parametrize(
    ("resources", "gap"),
    [
        ((patient("1964-01-01"),), Gap(GapKind.NOT_RECORDED, "weight")),
        ((patient(""), result(WEIGHT, "65", "kg")), Gap(GapKind.NOT_RECORDED, "age", "", "Patient/p1")),
        (
            (patient("1964-01-01"), result(WEIGHT, "65", "kg", "2025-06-14")),
            Gap(GapKind.TOO_OLD, "weight", "2025-06-14", "Observation/r1"),
        ),
        (
            (patient("1964-01-01"), result(WEIGHT, "65", "kg", "")),
            Gap(GapKind.NOT_RECORDED, "date", "", "Observation/r1"),
        ),
        (
            (patient("1964-01-01"), result(WEIGHT, "65", "stone")),
            Gap(GapKind.UNIT_UNKNOWN, "weight", "unit not known", "Observation/r1"),
        ),
        (
            (patient("1964-01-01"), result(WEIGHT, "65", "kg", status="entered-in-error")),
            Gap(GapKind.NOT_RECORDED, "weight"),
        ),
    ],
    ids=("no weight", "no birth date", "stale", "undated", "other unit", "entered in error"),
)
def test_s3_no_score_says_why(resources: tuple[str, ...], gap: Gap) -> None:
    assert read(*resources) == Unknown((gap,))


def test_s2_a_failed_look_up_leaves_the_score_open() -> None:
    assert read(patient("1964-01-01"), incomplete=[needs.LIFESTYLE]) == Unknown((Gap(GapKind.FAILED, "lifestyle"),))


def test_a_weight_of_twelve_months_ago_counts() -> None:
    assert isinstance(read(patient("1964-01-01"), result(WEIGHT, "65", "kg", "2025-06-15")), Known)
