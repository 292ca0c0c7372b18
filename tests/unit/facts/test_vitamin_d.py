"""25-OH vitamin D results: which count, in which unit, and what is reported instead."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.vitamin_d import VitaminD, vitamin_d
from cds_service.fhir.chart import Unread
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.quantities import Interval, exactly
from tests.support.charts import chart_of

TOTAL, TOTAL_MOLES, D3, D3_MOLES, D2 = "62292-8", "68438-1", "1989-3", "14635-7", "49054-0"


def result(value: str, code: str = TOTAL, on: str = "2026-05-01", ident: str = "v1", more: str = "") -> str:
    date = f'"effectiveDateTime": "{on}",' if on else ""
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", {date} {more}'
        f' "code": {{"coding": [{{"system": "http://loinc.org", "code": "{code}"}}]}}, {value}}}'
    )


def quantity(number: str, unit: str = "ng/mL", more: str = "") -> str:
    return f'"valueQuantity": {{"value": {number}, "unit": "{unit}"{more}}}'


def values(*resources: str) -> list[tuple[str, str, str]]:
    return [(str(each.value), each.unit, str(each.on)) for each in vitamin_d(chart_of(*resources)).items]


def test_a_result_keeps_the_unit_it_was_reported_in() -> None:
    found = vitamin_d(chart_of(result(quantity("19"))))
    (only,) = found.items
    assert (only.value, only.unit, str(only.on)) == (exactly(19), "ng/mL", "2026-05-01")
    assert (only.evidence.kind, only.evidence.value, only.evidence.resource) == (
        "vitamin-d",
        "19 ng/mL",
        "Observation/v1",
    )
    assert found.complete


@pytest.mark.parametrize(
    ("code", "unit"), [(TOTAL, "ng/mL"), (TOTAL_MOLES, "nmol/L"), (D3_MOLES, "nmol/L"), (D3, "ug/L")]
)
def test_every_code_of_the_analyte_counts(code: str, unit: str) -> None:
    expected = "nmol/L" if unit == "nmol/L" else "ng/mL"
    assert values(result(quantity("50", unit), code)) == [("50", expected, "2026-05-01")]


def test_newest_first_and_without_a_date_last() -> None:
    found = values(
        result(quantity("11"), on="2019-03-01", ident="a"),
        result(quantity("33"), on="", ident="b"),
        result(quantity("22"), on="2026-02-01", ident="c"),
    )
    assert found == [("22", "ng/mL", "2026-02-01"), ("11", "ng/mL", "2019-03-01"), ("33", "ng/mL", "None")]


def test_d16_comparator_is_kept_as_a_bound() -> None:
    (only,) = vitamin_d(chart_of(result(quantity("8", more=', "comparator": "<"')))).items
    assert only.value == Interval(None, Decimal(8), below_high=True)
    assert only.evidence.value == "<8 ng/mL"


def test_trap_4_d2_and_d3_of_a_day_are_added() -> None:
    (only,) = vitamin_d(chart_of(result(quantity("12"), D3, ident="a"), result(quantity("9"), D2, ident="b"))).items
    assert (only.value, only.unit, only.evidence.note) == (exactly(21), "ng/mL", "D2 and D3 added")


def test_trap_4_d2_below_its_limit_adds_an_interval() -> None:
    found = vitamin_d(
        chart_of(
            result(quantity("19"), D3, ident="a"), result(quantity("4", more=', "comparator": "<"'), D2, ident="b")
        )
    )
    assert found.items[0].value == Interval(Decimal(19), Decimal(23), below_high=True)


def test_trap_4_a_total_of_the_day_wins_over_its_parts() -> None:
    found = values(
        result(quantity("12"), D3, ident="a"),
        result(quantity("9"), D2, ident="b"),
        result(quantity("21"), TOTAL, ident="c"),
    )
    assert found == [("21", "ng/mL", "2026-05-01")]


def test_trap_4_d3_alone_is_read_and_says_so() -> None:
    (only,) = vitamin_d(chart_of(result(quantity("18"), D3))).items
    assert (only.value, only.evidence.note) == (exactly(18), "D3 only")


def test_trap_4_d2_alone_is_no_status() -> None:
    chart = chart_of(result(quantity("4"), D2))
    found = vitamin_d(chart)
    assert found.items == ()
    assert found.gaps == (Gap(GapKind.NOT_RECORDED, "vitamin-d", "only D2 was measured", "Observation/v1"),)
    assert chart.unread == [Unread("Observation/v1", "vitamin-d2-only")]


@pytest.mark.parametrize("code", ["35365-6", "49543-2", "60493-4"])
def test_trap_5_pacio_ambiguous_codes_are_reported_not_used(code: str) -> None:
    chart = chart_of(result(quantity("28"), code))
    found = vitamin_d(chart)
    assert (found.items, found.gaps) == ((), ())
    assert chart.unread == [Unread("Observation/v1", "vitamin-d-code-ambiguous")]


@pytest.mark.parametrize("code", ["1649-3", "62290-2", "1990-1", "2236-8"])
def test_trap_5_other_forms_of_vitamin_d_are_never_the_status(code: str) -> None:
    assert values(result(quantity("45", "pg/mL"), code)) == []


def test_trap_5_a_result_coded_as_both_is_not_used() -> None:
    calcitriol = '{"system": "http://loinc.org", "code": "1649-3"}'
    both = result(quantity("45")).replace('"coding": [', f'"coding": [{calcitriol}, ')
    assert values(both) == []


def test_a_panel_has_no_value_of_its_own_and_its_components_have() -> None:
    component = f'"component": [{{"code": {{"coding": [{{"system": "http://loinc.org", "code": "{TOTAL}"}}]}}, {quantity("31")}}}]'
    chart = chart_of(result(component, "49590-3"))
    assert [str(each.value) for each in vitamin_d(chart).items] == ["31"]
    assert chart.unread == []


def test_d16_unreadable_results_are_gaps_because_the_latest_is_not_certain() -> None:
    chart = chart_of(
        result(quantity("19", "pmol/L"), on="2026-06-01", ident="new"),
        result(quantity("30"), on="2026-01-01", ident="old"),
    )
    found = vitamin_d(chart)
    assert [each.evidence.resource for each in found.items] == ["Observation/old"]
    detail = "pmol/L is no unit of 25-OH vitamin D"
    assert found.gaps == (Gap(GapKind.UNIT_UNKNOWN, "vitamin-d", detail, "Observation/new"),)
    assert chart.unread == [Unread("Observation/new", "unit-unknown")]


def test_d16_an_unreadable_result_older_than_the_latest_changes_nothing() -> None:
    chart = chart_of(
        result(quantity("19", ""), on="2019-06-01", ident="old"), result(quantity("30"), on="2026-01-01", ident="new")
    )
    assert vitamin_d(chart).gaps == ()
    assert chart.unread == [Unread("Observation/old", "unit-unknown")]


def test_d16_a_result_without_a_value_is_reported() -> None:
    chart = chart_of(result('"dataAbsentReason": {"text": "specimen lost"}'))
    assert vitamin_d(chart).items == ()
    assert chart.unread == [Unread("Observation/v1", "no-value")]


def test_d15_a_result_of_the_future_is_not_used() -> None:
    chart = chart_of(result(quantity("19"), on="2027-01-01"))
    found = vitamin_d(chart)
    assert found.items == ()
    assert found.gaps == (Gap(GapKind.UNREADABLE, "vitamin-d", "dated in the future", "Observation/v1"),)
    assert chart.unread == [Unread("Observation/v1", "future-date")]


def test_d14_a_month_stays_a_month() -> None:
    assert values(result(quantity("19"), on="2026-05")) == [("19", "ng/mL", "2026-05")]


def test_d11_the_same_result_twice_counts_once() -> None:
    assert len(values(result(quantity("19"), ident="a"), result(quantity("19"), ident="b"))) == 1


def test_d10_two_values_of_one_day_are_both_kept() -> None:
    assert len(values(result(quantity("19"), ident="a"), result(quantity("27"), ident="b"))) == 2


def test_d8_entered_in_error_is_never_read() -> None:
    assert values(result(quantity("2")).replace('"final"', '"entered-in-error"')) == []


def test_s2_a_failed_look_up_is_a_gap() -> None:
    found = vitamin_d(chart_of(incomplete=[needs.VITAMIN_D]))
    assert found.gaps == (Gap(GapKind.FAILED, "vitaminD"),)
    assert vitamin_d(chart_of()).complete


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [("20", "ng/mL", "nmol/L", "50"), ("50", "nmol/L", "ng/mL", "20"), ("49", "nmol/L", "ng/mL", "19.6")],
)
def test_def_11_the_value_in_the_other_unit(value: str, unit: str, to: str, expected: str) -> None:
    (only,) = vitamin_d(chart_of(result(quantity(value, unit)))).items
    assert isinstance(only, VitaminD)
    assert str(only.in_unit(to)) == expected
