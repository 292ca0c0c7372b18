"""Body mass index, weight and height."""

from __future__ import annotations

import pytest

from cds_service.clinical.facts.body import bmi, height, weight
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, exactly
from tests.support.charts import chart_of

BMI, WEIGHT, HEIGHT = "39156-5", "29463-7", "8302-2"


def result(code: str, number: str, unit: str, on: str = "2026-05-01", ident: str = "b1") -> str:
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", "effectiveDateTime": "{on}",'
        f' "code": {{"coding": [{{"system": "http://loinc.org", "code": "{code}"}}]}},'
        f' "valueQuantity": {{"value": {number}, "unit": "{unit}"}}}}'
    )


def value(fact: Fact[Interval]) -> Interval:
    assert isinstance(fact, Known)
    return fact.value


def test_recorded_bmi() -> None:
    assert value(bmi(chart_of(result(BMI, "18.4", "kg/m2")))) == exactly("18.4")


def test_bmi_from_weight_and_height_where_none_is_recorded() -> None:
    fact = bmi(chart_of(result(WEIGHT, "52.2", "kg", ident="w"), result(HEIGHT, "168", "cm", "2020-01-01", "h")))
    assert value(fact) == exactly("18.5")
    assert isinstance(fact, Known)
    assert (fact.evidence[0].note, fact.evidence[0].resource) == ("from weight and height", "Observation/w")


@pytest.mark.parametrize(
    ("weighed_on", "expected"), [("2026-06-01", "18.5"), ("2026-05-01", "26"), ("2020-01-01", "26")]
)
def test_a_newer_weight_replaces_an_older_bmi(weighed_on: str, expected: str) -> None:
    chart = chart_of(
        result(BMI, "26", "kg/m2", "2026-05-01"),
        result(WEIGHT, "52.2", "kg", weighed_on, "w"),
        result(HEIGHT, "168", "cm", "2020-01-01", "h"),
    )
    assert value(bmi(chart)) == exactly(expected)


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [("159", "lb", "72.1"), ("159", "[lb_av]", "72.1"), ("72100", "g", "72.1"), ("72.1", "kg", "72.1")],
)
def test_weight_in_kg(number: str, unit: str, expected: str) -> None:
    assert value(weight(chart_of(result(WEIGHT, number, unit)))) == exactly(expected)


@pytest.mark.parametrize(
    ("number", "unit", "expected"), [("63", "[in_i]", "160.0"), ("1.6", "m", "160.0"), ("160", "cm", "160")]
)
def test_height_in_cm(number: str, unit: str, expected: str) -> None:
    assert value(height(chart_of(result(HEIGHT, number, unit)))) == exactly(expected)


def test_d18_metres_written_as_centimetres_are_refused() -> None:
    refused = Unknown((Gap(GapKind.UNREADABLE, "height", "1.68 cm is not possible", "Observation/b1"),))
    assert height(chart_of(result(HEIGHT, "1.68", "cm"))) == refused


def test_s7_no_bmi_from_a_weight_that_is_only_a_bound() -> None:
    heavy = result(WEIGHT, "200", "kg", ident="w").replace('"value": 200', '"value": 200, "comparator": ">"')
    assert bmi(chart_of(heavy, result(HEIGHT, "168", "cm", ident="h"))) == Unknown((Gap(GapKind.NOT_RECORDED, "bmi"),))


def test_nothing_on_record() -> None:
    assert bmi(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, "bmi"),))
    assert bmi(chart_of(result(WEIGHT, "60", "kg"))) == Unknown((Gap(GapKind.NOT_RECORDED, "bmi"),))
