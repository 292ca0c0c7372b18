"""Creatinine clearance by Cockcroft-Gault with the actual weight (LAB-03)."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.clinical import needs
from cds_service.clinical.content import thresholds
from cds_service.clinical.facts.kidney import clearance
from cds_service.fhir.chart import Chart
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of
from tests.support.resources import condition
from tests.support.results import patient, result

CREATININE, MOLAR, WEIGHT = "2160-0", "14682-9", "29463-7"
WOMAN, MAN, NOT_SAID = patient(), patient(gender="male"), patient(gender="")
STAGE_4, STAGE_3 = condition("431857002"), condition("433144002")
LIMITS = thresholds(dt.date(2026, 6, 15))


def creatinine(value: str = "1.0", unit: str = "mg/dL", on: str = "2026-05-01", **more: str) -> str:
    return result(more.pop("code", CREATININE), value, unit, on, "cr", **more)


def weight(value: str = "60", unit: str = "kg", on: str = "2026-04-01", **more: str) -> str:
    return result(WEIGHT, value, unit, on, "w", **more)


def found(*resources: str) -> Fact[Interval]:
    return clearance(chart_of(*resources), LIMITS)


def value(*resources: str) -> Interval:
    fact = found(*resources)
    assert isinstance(fact, Known)
    return fact.value


def gaps(*resources: str) -> list[tuple[str, str]]:
    fact = found(*resources)
    assert isinstance(fact, Unknown)
    return [(gap.kind.value, gap.what) for gap in fact.gaps]


# --- the formula -----------------------------------------------------------------------------------------------------
def test_lab_03_age_62_weight_60_kg_creatinine_1() -> None:
    """(140 - 62) x 60 / (72 x 1.0) = 65; in women x 0.85."""
    assert value(MAN, weight(), creatinine()) == exactly("65.0")
    assert value(WOMAN, weight(), creatinine()) == exactly("55.3")


def test_lab_03_without_a_recorded_sex_it_lies_between_the_two() -> None:
    fact = found(NOT_SAID, weight(), creatinine())
    assert isinstance(fact, Known)
    assert fact.value == between("55.3", "65.0")
    assert [(gap.kind, gap.what) for gap in fact.doubts] == [(GapKind.NOT_RECORDED, "sex")]


def test_s7_a_birth_year_gives_an_interval() -> None:
    fact = found(patient("1964", "male"), weight(), creatinine())
    assert isinstance(fact, Known)
    assert fact.value == between("65.0", "65.8")  # 62 or 61 years
    assert [gap.what for gap in fact.doubts] == ["birth-date"]


@pytest.mark.parametrize(
    ("weighed", "measured", "expected"),
    [
        (weight("132.3", "[lb_av]"), creatinine(), "65.0"),  # 60.0 kg
        (weight(), creatinine("88.42", "umol/L", code=MOLAR), "65.0"),
        (weight("90"), creatinine("0.5"), "195.0"),
    ],
)
def test_units_are_converted(weighed: str, measured: str, expected: str) -> None:
    assert value(MAN, weighed, measured) == exactly(expected)


def test_s7_bounds_stay_bounds() -> None:
    below = '"valueQuantity": {"value": 0.5, "unit": "mg/dL", "comparator": "<"}'
    above = '"valueQuantity": {"value": 120, "unit": "kg", "comparator": ">"}'
    assert value(MAN, weight(), creatinine(below)) == Interval(exactly("130.0").low, None, above_low=True)
    assert value(MAN, weight(above), creatinine()) == Interval(exactly("130.0").low, None, above_low=True)


def test_two_creatinines_of_one_day_give_the_interval_between_them() -> None:
    other = creatinine("2.0").replace('"id": "cr"', '"id": "cr2"')
    assert value(MAN, weight(), creatinine(), other) == between("32.5", "65.0")


def test_it_shows_what_it_is_made_of() -> None:
    fact = found(MAN, weight(), creatinine())
    assert isinstance(fact, Known)
    assert [(each.kind, each.value, str(each.on), each.resource) for each in fact.evidence] == [
        ("clearance", "65 mL/min", "2026-05-01", "Observation/cr"),
        ("creatinine", "1 mg/dL", "2026-05-01", "Observation/cr"),
        ("weight", "60 kg", "2026-04-01", "Observation/w"),
    ]
    assert fact.doubts == ()


# --- too old ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("weighed_on", "measured_on", "expected"),
    [
        ("2025-06-15", "2025-12-15", []),
        ("2025-06-14", "2025-12-15", [("too-old", "weight")]),
        ("2025-06-15", "2025-12-14", [("too-old", "creatinine")]),
        ("2025-06-14", "2025-12-14", [("too-old", "weight"), ("too-old", "creatinine")]),
        ("2025", "2026-05-01", [("not-recorded", "date")]),  # may be older than twelve months
        ("2026", "2025-12", [("not-recorded", "date")]),
        ("", "2026-05-01", [("not-recorded", "date")]),
        ("2026", "", [("not-recorded", "date")]),
    ],
)
def test_weight_counts_for_12_months_and_creatinine_for_6(
    weighed_on: str, measured_on: str, expected: list[tuple[str, str]]
) -> None:
    fact = found(MAN, weight(on=weighed_on), creatinine(on=measured_on))
    assert [(gap.kind.value, gap.what) for gap in fact.gaps] == expected if isinstance(fact, Unknown) else not expected


@pytest.mark.parametrize(
    ("disease", "measured_on", "known"),
    [
        (STAGE_4, "2026-03-15", True),
        (STAGE_4, "2026-03-14", False),
        (STAGE_3, "2026-03-14", True),
        (STAGE_3, "2025-12-14", False),
    ],
)
def test_in_kidney_disease_of_stage_4_or_5_creatinine_counts_for_3_months(
    disease: str, measured_on: str, known: bool
) -> None:
    assert isinstance(found(MAN, weight(), creatinine(on=measured_on), disease), Known) is known


def test_s2_whether_4_months_are_too_old_cannot_be_told_without_the_diagnoses() -> None:
    def chart(on: str) -> Chart:
        return chart_of(MAN, weight(), creatinine(on=on), incomplete=[needs.CONDITIONS])

    assert clearance(chart("2026-02-15"), LIMITS) == Unknown((Gap(GapKind.FAILED, "conditions"),))
    assert isinstance(clearance(chart("2026-03-15"), LIMITS), Known)


# --- what is missing -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([MAN], [("not-recorded", "weight"), ("not-recorded", "creatinine")]),
        ([MAN, weight()], [("not-recorded", "creatinine")]),
        ([MAN, creatinine()], [("not-recorded", "weight")]),
        ([patient("", "male"), weight(), creatinine()], [("not-recorded", "age")]),
        ([MAN, weight(), creatinine(unit="mmol/L")], [("unit-unknown", "creatinine")]),
        ([MAN, weight(unit=""), creatinine()], [("unit-unknown", "weight")]),
        ([MAN, weight(), creatinine('"valueString": "see note"')], [("unreadable", "creatinine")]),
        ([MAN, weight(), creatinine(status="entered-in-error")], [("not-recorded", "creatinine")]),
        ([MAN, weight(on="2026-07-01"), creatinine()], [("unreadable", "weight")]),
        ([MAN, weight(), creatinine(on="2026-07-01")], [("unreadable", "creatinine")]),
        ([MAN, weight(), creatinine("300")], [("unreadable", "creatinine")]),
    ],
)
def test_s3_what_is_missing_has_a_name_and_a_reason(resources: list[str], expected: list[tuple[str, str]]) -> None:
    assert gaps(*resources) == expected


def test_s2_a_look_up_that_failed_is_a_doubt_or_the_reason() -> None:
    failed = Gap(GapKind.FAILED, "laboratory")
    assert clearance(chart_of(MAN, weight(), incomplete=[needs.LABORATORY]), LIMITS) == Unknown((failed,))
    fact = clearance(chart_of(MAN, weight(), creatinine(), incomplete=[needs.LABORATORY]), LIMITS)
    assert isinstance(fact, Known)
    assert fact.doubts == (failed,)
