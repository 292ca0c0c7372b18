"""Height lost since the tallest adult height on record."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.height_loss import height_loss
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of
from tests.support.results import patient, result

TALL = ("172", "1990-01-01")


def height(value: str, on: str, unit: str = "cm", **more: str) -> str:
    return result("8302-2", value, unit, on, f"h-{on}-{len(value)}", **more)


def loss(*resources: str, born: str = "1964-01-01") -> Fact[Interval]:
    return height_loss(chart_of(patient(born), *resources))


def value(*resources: str) -> Interval:
    fact = loss(*resources)
    assert isinstance(fact, Known)
    return fact.value


def test_the_tallest_minus_the_latest() -> None:
    assert value(height("170", "1985-01-01"), height(*TALL), height("166", "2026-01-01")) == exactly(6)


def test_a_later_height_that_is_not_below_is_no_loss() -> None:
    assert value(height("170", "1985-01-01"), height("171", "2026-01-01")) == exactly(0)


def test_both_heights_are_shown_with_their_dates() -> None:
    fact = loss(height(*TALL), height("166", "2026-01-01"))
    assert isinstance(fact, Known)
    assert [(each.kind, each.value, str(each.on)) for each in fact.evidence] == [
        ("height", "172 cm", "1990-01-01"),
        ("height", "166 cm", "2026-01-01"),
    ]
    assert fact.doubts == ()


def test_units_are_converted() -> None:
    assert value(height("1.72", "1990-01-01", "m"), height("65.4", "2026-01-01", "[in_i]")) == exactly("5.9")


def test_two_latest_heights_of_one_day_give_an_interval() -> None:
    assert value(height(*TALL), height("166", "2026-01-01"), height("167.5", "2026-01-01")) == between("4.5", 6)


def test_s7_a_height_that_is_a_bound_leaves_the_loss_open() -> None:
    above = '"valueQuantity": {"value": 172, "unit": "cm", "comparator": ">"}'
    assert value(height(above, "1990-01-01"), height("166", "2026-01-01")) == Interval(Decimal(6), None)


# --- which heights count ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("on", "counts"), [("1981-12-31", False), ("1982-01-01", True), ("1982", True), ("1981", False), ("", False)]
)
def test_heights_count_from_the_18th_birthday_on_and_only_with_a_date(on: str, counts: bool) -> None:
    assert isinstance(loss(height("172", on), height("166", "2026-01-01")), Known) is counts


def test_s7_with_a_birth_year_heights_count_from_the_end_of_the_18th_year_on() -> None:
    tall, now = height("172", "1982-06-01"), height("166", "2026-01-01")
    assert isinstance(loss(tall, now, born="1964"), Unknown)
    assert isinstance(loss(tall, now, born="1963"), Known)


@pytest.mark.parametrize(
    "heights",
    [
        [],
        [height(*TALL)],
        [height(*TALL), height("168", "1990-01-01")],
        [height("172", "2026"), height("166", "2026-01-01")],  # may be the same day
        [height(*TALL), height("166", "2026-01-01", status="entered-in-error")],
        [height(*TALL, status="entered-in-error"), height("166", "2026-01-01")],
    ],
)
def test_two_heights_of_different_days_are_needed(heights: list[str]) -> None:
    assert loss(*heights) == Unknown((Gap(GapKind.NOT_RECORDED, "height-loss"),))


# --- what is missing -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("born", "kind"), [("", GapKind.NOT_RECORDED), ("01/02/64", GapKind.UNREADABLE)])
def test_without_a_birth_date_no_height_is_known_to_be_adult(born: str, kind: GapKind) -> None:
    fact = loss(height(*TALL), height("166", "2026-01-01"), born=born)
    assert fact == Unknown((Gap(kind, "birth-date"),))


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        (height("172", "1990-01-01", "furlong"), GapKind.UNIT_UNKNOWN),
        (height("1.72", "1990-01-01"), GapKind.UNREADABLE),
        (height('"valueString": "tall"', "1990-01-01"), GapKind.UNREADABLE),
        (height("172", "2027-01-01"), GapKind.UNREADABLE),
    ],
)
def test_s2_a_height_that_could_not_be_read_may_be_taller(odd: str, kind: GapKind) -> None:
    fact = loss(odd, height("170", "2000-01-01"), height("166", "2026-01-01"))
    assert isinstance(fact, Known)
    assert (fact.value, [gap.kind for gap in fact.doubts]) == (Interval(Decimal(4), None), [kind])
    alone = loss(odd, height("166", "2026-01-01"))
    assert isinstance(alone, Unknown)
    assert [gap.kind for gap in alone.gaps] == [kind]


def test_a_childhood_height_that_could_not_be_read_does_not_matter() -> None:
    assert value(height("120", "1970-01-01", ""), height(*TALL), height("166", "2026-01-01")) == exactly(6)


def test_s2_a_failed_look_up_leaves_the_loss_open() -> None:
    failed = Gap(GapKind.FAILED, "lifestyle")
    told = patient(), height(*TALL), height("166", "2026-01-01")
    assert height_loss(chart_of(patient(), incomplete=[needs.LIFESTYLE])) == Unknown((failed,))
    fact = height_loss(chart_of(*told, incomplete=[needs.LIFESTYLE]))
    assert isinstance(fact, Known)
    assert (fact.value, fact.doubts) == (Interval(Decimal(6), None), (failed,))
    no_patient = chart_of(*told[1:], incomplete=[needs.PATIENT])
    assert height_loss(no_patient) == Unknown((Gap(GapKind.FAILED, "patient"),))
