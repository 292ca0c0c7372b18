"""Mg per day from one structured Dosage: every way to say it, and every way not to be readable (S7, D19)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dosage.product import Product, product_of
from cds_service.clinical.dosage.structured import mg_per_day
from cds_service.clinical.terminology import terminology
from cds_service.fhir.codes import Entry
from cds_service.formats import strict_json

PREDNISONE_5 = Product("prednisone", frozenset({Decimal(5)}), frozenset(), frozenset({"systemic"}), frozenset())
SOLUTION_1 = Product("prednisone", frozenset(), frozenset({Decimal(1)}), frozenset({"systemic"}), frozenset())
NO_STRENGTH = Product("prednisone", frozenset(), frozenset(), frozenset(), frozenset())
DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}


def read(dosage: dict[str, Any], product: Product = PREDNISONE_5) -> str | None:
    """The dose as text, after a round trip through the JSON reader of the service."""
    found = mg_per_day(strict_json.load(json.dumps(dosage).encode()), product)
    return None if found is None else str(found)


def dose(value: object, unit: str, **more: Any) -> dict[str, Any]:
    return {"doseAndRate": [{"doseQuantity": {"value": value, "unit": unit, **more}}], "timing": DAILY}


@pytest.mark.parametrize(
    ("value", "unit", "product", "expected"),
    [
        (10, "mg", PREDNISONE_5, "10"),
        (0.01, "g", PREDNISONE_5, "10"),
        (10000, "ug", PREDNISONE_5, "10"),
        (10000, "mcg", PREDNISONE_5, "10"),
        (2, "tablet", PREDNISONE_5, "10"),
        (0.5, "{tbl}", PREDNISONE_5, "2.5"),
        (2, "{pill}", PREDNISONE_5, "10"),
        (2, "TAB", PREDNISONE_5, "10"),
        (10, "mL", SOLUTION_1, "10"),
        (0, "mg", PREDNISONE_5, "0"),
    ],
)
def test_d19_units_are_converted_exactly(value: object, unit: str, product: Product, expected: str) -> None:
    assert read(dose(value, unit), product) == expected


@pytest.mark.parametrize(
    ("dosage", "product", "why"),
    [
        ({"text": "taper as directed"}, PREDNISONE_5, "SMART patients: no dose anywhere"),
        (dose(1, ""), PREDNISONE_5, "Synthea: 1 of what is only in the name"),
        (dose(1, "1"), PREDNISONE_5, "UCUM 1 says nothing about mg"),
        (dose(2, "tablet"), NO_STRENGTH, "tablets of unknown strength"),
        (dose(5, "mL"), PREDNISONE_5, "millilitres of a tablet"),
        (dose(5, "sachet"), SOLUTION_1, "a unit we do not know"),
        (dose(5, "mg", code="sachet"), PREDNISONE_5, "a code we do not know beside a unit"),
        (dose(5, "mg", code="g"), PREDNISONE_5, "code and unit disagree"),
        (dose("5", "mg"), PREDNISONE_5, "a number written as text"),
        (dose(True, "mg"), PREDNISONE_5, "C7: true is not a number"),
        (dose(-5, "mg"), PREDNISONE_5, "a negative dose"),
        (dose(5, "mg", comparator="<"), PREDNISONE_5, "a bound is not a dose"),
        ({**dose(5, "mg"), "timing": {}}, PREDNISONE_5, "how often is not said"),
        ({**dose(60, "mg"), "timing": {"repeat": {"frequency": 1, "periodUnit": "wk"}}}, PREDNISONE_5, "French taper"),
        ({**dose(5, "mg"), "timing": {"repeat": {"frequency": 1, "period": 0, "periodUnit": "d"}}}, PREDNISONE_5, "0 days"),
        (
            {**dose(5, "mg"), "timing": {"code": {"text": "BID"}, "repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}},
            PREDNISONE_5,
            "code says twice, repeat says once",
        ),
        ({**dose(5, "mg"), "timing": {"code": {"coding": [{"code": "QD"}, {"code": "BID"}]}}}, PREDNISONE_5, "two codes"),
        (
            {"doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}} for mg in (5, 4)], "timing": DAILY},
            PREDNISONE_5,
            "two amounts, neither called ordered",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_d19_what_cannot_be_read_is_never_a_number(dosage: dict[str, Any], product: Product, why: str) -> None:
    assert read(dosage, product) is None, why


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, "10"),
        ({"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}}, "10"),
        ({"repeat": {"frequency": 14, "period": 1, "periodUnit": "wk"}}, "10"),
        ({"repeat": {"period": 2, "periodUnit": "d"}}, "2.5"),
        ({"repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodUnit": "d"}}, "5 to 10"),
        ({"repeat": {"frequency": 1, "period": 1, "periodMax": 2, "periodUnit": "d"}}, "2.5 to 5"),
        ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"]}}, "10"),
        ({"repeat": {"when": ["MORN"]}}, "5"),
        ({"repeat": {"dayOfWeek": ["mon"], "frequency": 7}}, "5"),
        ({"repeat": {"dayOfWeek": ["mon", "thu"]}}, "1.429"),
        ({"repeat": {"timeOfDay": ["08:00:00", "20:00:00"], "period": 2, "periodUnit": "d"}}, "5"),
        ({"code": {"text": "BID"}}, "10"),
        ({"code": {"coding": [{"code": "QOD"}]}}, "2.5"),
        ({"code": {"coding": [{"code": "Q6H"}]}}, "20"),
        ({"code": {"text": "BID"}, "repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, "10"),
    ],
)
def test_the_same_timing_said_in_other_ways(timing: dict[str, Any], expected: str) -> None:
    assert read({**dose(5, "mg"), "timing": timing}) == expected


@pytest.mark.parametrize(
    "repeat",
    [
        {"frequency": 2},
        {"period": 1},
        {"periodUnit": "d"},
        {"dayOfWeek": ["mon"]},
        {"frequency": 2, "period": 1, "periodUnit": "fortnight"},
        {"frequency": 2, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon"]},
    ],
    ids=json.dumps,
)
def test_s7_a_repeat_that_cannot_be_read_is_not_passed_over_for_the_code_beside_it(repeat: dict[str, Any]) -> None:
    assert read({**dose(5, "mg"), "timing": {"code": {"text": "BID"}, "repeat": repeat}}) is None


def test_s7_a_dose_range_stays_a_range() -> None:
    given = {"doseRange": {"low": {"value": 1, "unit": "tablet"}, "high": {"value": 2, "unit": "tablet"}}}

    assert read({"doseAndRate": [given], "timing": DAILY}) == "5 to 10"


def test_s7_a_range_with_one_unreadable_end_is_unreadable() -> None:
    given = {"doseRange": {"low": {"value": 1, "unit": "tablet"}}}

    assert read({"doseAndRate": [given], "timing": DAILY}) is None


def test_a_unit_of_one_beside_a_unit_says_nothing_against_it() -> None:
    assert read(dose(10, "mg", code="1")) == "10"


@pytest.mark.parametrize(
    ("flag", "expected"),
    [
        ({"asNeededBoolean": True}, "0 to 5"),
        ({"asNeededBoolean": False}, "5"),
        ({"asNeededCodeableConcept": {"text": "pain"}}, "0 to 5"),
        ({"asNeeded": True}, "0 to 5"),
    ],
    ids=json.dumps,
)
def test_as_needed_may_also_be_none(flag: dict[str, Any], expected: str) -> None:
    assert read({**dose(5, "mg"), **flag}) == expected


def test_epic_several_amounts_the_ordered_one_counts() -> None:
    amounts = [
        {
            "type": {"text": "calculated", "coding": [{"code": "calculated"}]},
            "doseQuantity": {"value": 4, "unit": "mL"},
        },
        {"type": {"text": "ordered", "coding": [{"code": "ordered"}]}, "doseQuantity": {"value": 10, "unit": "mg"}},
    ]

    assert read({"doseAndRate": amounts, "timing": DAILY}) == "10"


def test_stu3_dose_without_dose_and_rate_is_read() -> None:
    ends = {"low": {"value": 5, "unit": "mg"}, "high": {"value": 10, "unit": "mg"}}

    assert read({"doseQuantity": {"value": 10, "unit": "mg"}, "timing": DAILY}) == "10"
    assert read({"doseRange": ends, "timing": DAILY}) == "5 to 10"
    assert read({"doseQuantity": {"value": 7, "unit": "mg"}, **dose(10, "mg")}) == "10"


def test_the_dose_of_an_administration_is_read_where_a_dosage_is_wanted() -> None:
    assert read({"dose": {"value": 10, "unit": "mg"}, "timing": DAILY}) == "10"


def test_the_strengths_of_a_product_by_the_tablet_and_by_the_millilitre() -> None:
    """Rows without a strength say nothing about it; several strengths stay several."""

    def row(code: str, strength: str | None, per: str = "") -> Entry:
        mg = None if strength is None else Decimal(strength)
        return Entry("glucocorticoid.drug", "rxnorm", code, ingredient="prednisone", strength_mg=mg, per=per)

    assert product_of((row("1", "5"), row("2", None), row("3", "1", "mL"), row("4", "2.5"))) == Product(
        "prednisone", frozenset({Decimal(5), Decimal("2.5")}), frozenset({Decimal(1)}), frozenset(), frozenset("1234")
    )


def test_a_drug_coded_as_two_drugs_has_no_product_unless_it_may_stay_unnamed() -> None:
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    both = terminology().entries(rxnorm, "8640") + terminology().entries(rxnorm, "3264")

    assert product_of(both) is None
    assert product_of(both, unnamed="glucocorticoid") == Product(
        "glucocorticoid", frozenset(), frozenset(), frozenset({"depends"}), frozenset({"8640", "3264"})
    )
