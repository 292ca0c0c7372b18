"""The latest kidney function, calcium, creatinine and albumin."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.laboratory import Lab, albumin, calcium, creatinine, egfr
from cds_service.fhir.chart import Chart
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, exactly
from tests.support.charts import chart_of

RACE_FREE, UNSTATED, OTHER_RACE, ONE_RACE = "98979-8", "69405-9", "48642-3", "48643-1"
ADJUSTED, TOTAL, TOTAL_MASS, IONISED, BY_PROTEIN = "29265-6", "2000-8", "17861-6", "1995-0", "18281-6"
ML = "mL/min/{1.73_m2}"


def result(code: str, number: str, unit: str, on: str = "2026-05-01", ident: str = "l1", more: str = "") -> str:
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", "effectiveDateTime": "{on}",'
        f' "code": {{"coding": [{{"system": "http://loinc.org", "code": "{code}"}}]}},'
        f' "valueQuantity": {{"value": {number}, "unit": "{unit}"}}{more}}}'
    )


def known(fact: Fact[Lab]) -> Lab:
    assert isinstance(fact, Known)
    return fact.value


def test_the_newest_egfr_counts() -> None:
    fact = egfr(
        chart_of(result(RACE_FREE, "61", ML, "2020-01-01", "a"), result(RACE_FREE, "34", ML, "2026-05-01", "b"))
    )
    lab = known(fact)
    assert (lab.value, lab.unit, str(lab.on)) == (exactly(34), ML, "2026-05-01")
    assert (lab.evidence.kind, lab.evidence.value, lab.evidence.resource) == (
        "egfr",
        "34 mL/min/1.73 m2",
        "Observation/b",
    )
    assert isinstance(fact, Known)
    assert fact.doubts == ()


def test_the_race_free_egfr_counts_among_several_of_a_day() -> None:
    fact = egfr(
        chart_of(
            result(ONE_RACE, "40", ML, ident="a"),
            result(UNSTATED, "36", ML, ident="b"),
            result(RACE_FREE, "34", ML, ident="c"),
        )
    )
    assert known(fact).value == exactly(34)


def test_egfr_twins_by_race_give_the_interval_between_them() -> None:
    fact = egfr(chart_of(result(OTHER_RACE, "29", ML, ident="a"), result(ONE_RACE, "34", ML, ident="b")))
    assert known(fact).value == Interval(Decimal(29), Decimal(34))
    assert isinstance(fact, Known)
    assert [gap.kind for gap in fact.doubts] == [GapKind.CONFLICTING]


def test_egfr_above_a_limit_is_a_bound() -> None:
    told = result(RACE_FREE, "60", ML).replace('"value": 60', '"value": 60, "comparator": ">"')
    assert known(egfr(chart_of(told))).value == Interval(Decimal(60), None, above_low=True)


def test_calcium_adjusted_by_the_laboratory_wins_over_the_total_of_the_day() -> None:
    lab = known(
        calcium(chart_of(result(TOTAL, "2.0", "mmol/L", ident="a"), result(ADJUSTED, "2.2", "mmol/L", ident="b")))
    )
    assert (lab.value, lab.adjusted, lab.evidence.note) == (exactly("2.2"), True, "")


def test_a_total_calcium_stays_as_it_is_and_is_marked() -> None:
    lab = known(calcium(chart_of(result(TOTAL_MASS, "7.9", "mg/dL"), result("1751-7", "2.0", "g/dL", ident="b"))))
    assert (lab.value, lab.unit, lab.adjusted) == (exactly("7.9"), "mg/dL", False)
    assert lab.evidence.note == "total, not adjusted for albumin"
    assert lab.in_unit("mmol/L") == exactly("1.97")


@pytest.mark.parametrize("code", [IONISED, BY_PROTEIN, "18488-7"])
def test_trap_6_other_calciums_are_not_read(code: str) -> None:
    assert calcium(chart_of(result(code, "1.2", "mmol/L"))) == Unknown((Gap(GapKind.NOT_RECORDED, "calcium"),))


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ('[{"low": {"value": 2.2, "unit": "mmol/L"}, "high": {"value": 2.6, "unit": "mmol/L"}}]', ("2.2", "2.6")),
        ('[{"low": {"value": 2.2}, "high": {"value": 2.6}}]', ("2.2", "2.6")),
        ('[{"low": {"value": 8.8, "unit": "mg/dL"}}]', ("2.20", None)),
        ('[{"low": {"value": 2.2}}, {"low": {"value": 2.1}}]', (None, None)),  # by age or sex: not ours to choose
        ('[{"text": "2.2 - 2.6"}]', (None, None)),
        ('"2.2 - 2.6"', (None, None)),
    ],
)
def test_reference_range_in_the_unit_of_the_value(limits: str, expected: tuple[str | None, str | None]) -> None:
    lab = known(calcium(chart_of(result(ADJUSTED, "2.3", "mmol/L", more=f', "referenceRange": {limits}'))))
    low, high = (None if each is None else Decimal(each) for each in expected)
    assert (lab.low_limit, lab.high_limit) == (low, high)


def test_creatinine_in_either_unit() -> None:
    assert known(creatinine(chart_of(result("2160-0", "1.1", "mg/dL")))).in_unit("umol/L") == exactly(97)
    assert known(creatinine(chart_of(result("14682-9", "97", "umol/L")))).value == exactly(97)


def test_albumin_unit_mix_up_is_refused() -> None:
    assert known(albumin(chart_of(result("1751-7", "4.1", "g/dL")))).in_unit("g/L") == exactly(41)
    # PACIO sends albumin in mg/dL
    refused = albumin(chart_of(result("1751-7", "4.1", "mg/dL")))
    detail = "mg/dL is no unit of albumin"
    assert refused == Unknown((Gap(GapKind.UNIT_UNKNOWN, "albumin", detail, "Observation/l1"),))


def test_d10_two_values_of_one_day_give_the_interval_and_show_both() -> None:
    fact = creatinine(
        chart_of(result("2160-0", "1.1", "mg/dL", ident="a"), result("2160-0", "1.6", "mg/dL", ident="b"))
    )
    assert known(fact).value == Interval(Decimal("1.1"), Decimal("1.6"))
    assert isinstance(fact, Known)
    assert [each.resource for each in fact.evidence] == ["Observation/a", "Observation/b"]
    assert [gap.detail for gap in fact.doubts] == ["several results of one day: 1.1 to 1.6"]


def test_d16_a_newer_result_that_cannot_be_read_is_a_doubt() -> None:
    fact = egfr(
        chart_of(result(RACE_FREE, "61", ML, "2026-01-01", "a"), result(RACE_FREE, "34", "", "2026-05-01", "b"))
    )
    assert isinstance(fact, Known)
    assert fact.doubts == (Gap(GapKind.UNIT_UNKNOWN, "egfr", "no unit", "Observation/b"),)


def test_s2_presence_may_rest_on_part_of_the_data_absence_not() -> None:
    told = chart_of(result(RACE_FREE, "25", ML), incomplete=[needs.LABORATORY])
    fact = egfr(told)
    assert known(fact).value == exactly(25)
    assert isinstance(fact, Known)
    assert fact.doubts == (Gap(GapKind.FAILED, "laboratory"),)
    assert egfr(chart_of(incomplete=[needs.LABORATORY])) == Unknown((Gap(GapKind.FAILED, "laboratory"),))


@pytest.mark.parametrize(
    ("read", "what"), [(egfr, "egfr"), (creatinine, "creatinine"), (calcium, "calcium"), (albumin, "albumin")]
)
def test_nothing_on_record(read: Callable[[Chart], Fact[Lab]], what: str) -> None:
    assert read(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, what),))
