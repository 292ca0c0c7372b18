"""Rarer structured elements: rates of infusion, the most allowed, days of the week, times of the day (S7, D19)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.structured import mg_per_day
from cds_service.formats import strict_json
from tests.unit.dosage.test_dosage_steps import told

Json = dict[str, Any]
PREDNISONE_5 = Product("prednisone", frozenset({Decimal(5)}), frozenset(), frozenset({"systemic"}), frozenset())
DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
MG_A_DAY, MG_AN_HOUR = {"value": 500, "unit": "mg/d"}, {"value": 10, "unit": "mg/h"}


def read(dosage: Json) -> str | None:
    """The dose as text, after a round trip through the JSON reader of the service."""
    found = mg_per_day(strict_json.load(json.dumps(dosage).encode()), PREDNISONE_5)
    return None if found is None else str(found)


def ratio(amount: Json | None, time: Json | None) -> Json:
    return {"rateRatio": {key: value for key, value in (("numerator", amount), ("denominator", time)) if value}}


def mg(value: float, unit: str = "mg") -> Json:
    return {"value": value, "unit": unit}


def dose(value: float, unit: str = "mg") -> Json:
    return {"doseQuantity": mg(value, unit)}


# --- rates of infusion -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ({"rateQuantity": MG_A_DAY}, "500"),
        ({"rateQuantity": {"value": 500, "code": "mg/d"}}, "500"),
        ({"rateQuantity": {"value": 500, "unit": "mg/Day"}}, "500"),
        ({"rateQuantity": {"value": 0.5, "unit": "g/d"}}, "500"),
        (ratio(mg(500), {"value": 1, "unit": "d"}), "500"),
        (ratio(mg(500), {"value": 1, "unit": "Day"}), "500"),
        (ratio(mg(0.5, "g"), {"value": 24, "code": "h"}), "500"),
        (ratio(mg(500), {"value": 1, "code": "d", "unit": "of days"}), "500"),
        ({"rateQuantity": {"value": 500, "code": "mg/d", "unit": "mg/h"}}, None),
        ({"rateQuantity": {"value": 500}}, None),
        ({"rateQuantity": {"value": 500, "unit": "mg"}}, None),
        ({"rateQuantity": {"value": 500, "unit": "mL/d"}}, None),
        ({"rateQuantity": {"value": 500, "unit": "mg/mo"}}, None),
        ({"rateQuantity": {"unit": "mg/d"}}, None),
        ({"rateQuantity": MG_AN_HOUR}, None),
        (ratio(mg(500), None), None),
        (ratio(mg(500), {"unit": "d"}), None),
        (ratio(mg(500), {"value": 0, "unit": "d"}), None),
        (ratio(mg(500), {"value": -1, "unit": "d"}), None),
        (ratio(mg(500), {"value": 2, "unit": "d"}), None),
        (ratio(mg(500), {"value": 1, "unit": "bag"}), None),
        (ratio(mg(500), {"value": 1, "unit": "mo"}), None),
        (ratio(mg(500, "mL"), {"value": 1, "unit": "d"}), None),
        (ratio(None, {"value": 1, "unit": "d"}), None),
    ],
    ids=json.dumps,
)
def test_an_infusion_of_so_much_a_day(rate: Json, expected: str | None) -> None:
    """A rate by the hour says nothing, while nobody tells for how many hours."""
    assert read({"doseAndRate": [rate]}) == expected
    assert read(rate) == expected, "STU3 has the rate beside the timing"


@pytest.mark.parametrize(
    ("rate", "repeat", "expected"),
    [
        (MG_AN_HOUR, {**DAILY, "duration": 4, "durationUnit": "h"}, "40"),
        (MG_AN_HOUR, {**DAILY, "duration": 30, "durationUnit": "min"}, "5"),
        (MG_AN_HOUR, {**DAILY, "frequency": 2, "duration": 2, "durationUnit": "h"}, "40"),
        ({"value": 240, "unit": "mg/d"}, DAILY, "240"),
        ({"value": 240, "unit": "mg/d"}, {"period": 24, "periodUnit": "h"}, "240"),
        ({"value": 240, "unit": "mg/d"}, {**DAILY, "frequency": 2}, None),
        ({"value": 240, "unit": "mg/d"}, {"period": 1}, None),
        ({"value": 240, "unit": "mg/d"}, {**DAILY, "duration": 12, "durationUnit": "h"}, None),
        (MG_AN_HOUR, {"duration": 4, "durationUnit": "h"}, None),
        (MG_AN_HOUR, {**DAILY, "duration": 4}, None),
        (MG_AN_HOUR, {**DAILY, "durationUnit": "h"}, None),
        (MG_AN_HOUR, {**DAILY, "duration": 0, "durationUnit": "h"}, None),
        (MG_AN_HOUR, {**DAILY, "duration": -4, "durationUnit": "h"}, None),
        (MG_AN_HOUR, {**DAILY, "duration": 4, "durationMax": 6, "durationUnit": "h"}, None),
    ],
)
def test_an_infusion_that_runs_for_some_hours(rate: Json, repeat: Json, expected: str | None) -> None:
    assert read({"doseAndRate": [{"rateQuantity": rate}], "timing": {"repeat": repeat}}) == expected


def test_an_infusion_over_part_of_its_own_period() -> None:
    two_hours = ratio(mg(10), {"value": 2, "unit": "h"})
    repeat = {**DAILY, "duration": 4, "durationUnit": "h"}

    assert read({"doseAndRate": [two_hours], "timing": {"repeat": repeat}}) == "20"


def test_a_rate_beside_a_dose_is_only_how_fast_it_runs() -> None:
    both = {**dose(10), "rateQuantity": MG_A_DAY}

    assert read({"doseAndRate": [both], "timing": {"repeat": DAILY}}) == "10"
    assert read({"doseAndRate": [dose(10), {"rateQuantity": MG_A_DAY}], "timing": {"repeat": DAILY}}) == "10"
    assert read({"doseAndRate": [dose(10, "bags"), {"rateQuantity": MG_A_DAY}]}) is None
    low_only = {"doseRange": {"low": mg(10)}}
    assert read({"doseAndRate": [low_only, {"rateQuantity": MG_A_DAY}]}) is None


def test_epic_of_two_rates_the_ordered_one_counts() -> None:
    calculated = {"type": {"coding": [{"code": "calculated"}]}, "rateQuantity": {"value": 480, "unit": "mg/d"}}
    ordered = {"type": {"coding": [{"code": "ordered"}]}, "rateQuantity": MG_A_DAY}

    assert read({"doseAndRate": [calculated, ordered]}) == "500"
    assert read({"doseAndRate": [calculated, {"rateQuantity": MG_A_DAY}]}) is None


def test_an_infusion_lasts_as_long_as_its_bounds() -> None:
    dosage = {
        "doseAndRate": [{"rateQuantity": MG_A_DAY}],
        "timing": {"repeat": {"boundsDuration": {"value": 3, "code": "d"}}},
    }
    draft = {"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2026-06-01"}

    assert told({**draft, "dosageInstruction": [dosage]}) == ["500 on 06-01..06-03"]


# --- the most that is allowed ----------------------------------------------------------------------------------------
def most(value: float, unit: str, per: Json) -> Json:
    return {"numerator": mg(value, unit), "denominator": per}


ONE_DAY = {"value": 1, "unit": "d"}


@pytest.mark.parametrize(
    ("given", "limit", "expected"),
    [
        (dose(10), most(30, "mg", ONE_DAY), "30"),
        (dose(10), most(50, "mg", ONE_DAY), "40"),
        (dose(10), most(0.03, "g", {"value": 24, "unit": "hours"}), "30"),
        (dose(10), most(30, "mg", {"value": 1, "code": "d", "unit": "calendar day"}), "30"),
        (dose(10), most(30, "mg", {"value": 1, "unit": "Day"}), "30"),
        (dose(10), most(70, "mg", {"value": 1, "unit": "wk"}), "10"),
        (dose(10), most(140, "mg", {"value": 2, "unit": "wk"}), "10"),
        (dose(10), most(310, "mg", {"value": 1, "unit": "mo"}), "10 to 11.071"),
        (dose(10), most(6, "tablet", ONE_DAY), "0 to 40"),
        (dose(2, "tablet"), most(30, "mg", ONE_DAY), "0 to 40"),
        (dose(2, "tablet"), most(6, "", ONE_DAY), "0 to 40"),
        (dose(2, "tablet"), most(8, "", ONE_DAY), "40"),
        (dose(2, "tablet"), most(6, "tablet", ONE_DAY), "30"),
        (dose(10), most(30, "", ONE_DAY), "0 to 40"),
        (dose(10), most(50, "sticks", ONE_DAY), "0 to 40"),
        (dose(10), most(50, "mg", {"value": 1, "unit": "bag"}), "0 to 40"),
        (dose(10), most(50, "mg", {"unit": "d"}), "0 to 40"),
        (dose(10), most(50, "mg", {"value": 0, "unit": "d"}), "0 to 40"),
        (dose(10), {"numerator": mg(50)}, "0 to 40"),
    ],
    ids=json.dumps,
)
def test_a_dose_is_not_above_the_most_that_is_allowed(given: Json, limit: Json, expected: str) -> None:
    """Where it cannot be compared with the dose it may hold it back by any amount."""
    dosage = {"doseAndRate": [given], "timing": {"repeat": {**DAILY, "frequency": 4}}}

    assert read({**dosage, "maxDosePerPeriod": limit}) == expected
    assert read({**dosage, "maxDosePerPeriod": [limit]}) == expected


def test_as_needed_and_at_most() -> None:
    dosage = {"doseAndRate": [dose(10)], "timing": {"repeat": {**DAILY, "frequency": 4}}, "asNeededBoolean": True}

    assert read({**dosage, "maxDosePerPeriod": [most(30, "mg", ONE_DAY)]}) == "0 to 30"


def test_r5_of_several_limits_each_holds() -> None:
    dosage = {"doseAndRate": [dose(10)], "timing": {"repeat": {**DAILY, "frequency": 4}}}
    a_day, a_week = most(30, "mg", ONE_DAY), most(140, "mg", {"value": 1, "unit": "wk"})

    assert read({**dosage, "maxDosePerPeriod": [a_day, a_week]}) == "20"
    assert read({**dosage, "maxDosePerPeriod": [a_week, a_day]}) == "20"


# --- how often -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ({**DAILY, "frequency": -1}, None),
        ({**DAILY, "frequency": 0}, "0"),
        ({**DAILY, "frequency": 2, "frequencyMax": 1}, None),
        ({**DAILY, "frequency": 2, "frequencyMax": 2}, "10"),
        ({**DAILY, "periodMax": 0.5}, None),
        ({**DAILY, "periodMax": 1}, "5"),
        ({**DAILY, "period": -1}, None),
        ({"timeOfDay": ["08:00:00", "20:00:00", "20:00:00"]}, "10"),
        ({**DAILY, "frequency": 2, "timeOfDay": ["08:00:00", "20:00:00"]}, "10"),
        ({**DAILY, "frequency": 0, "timeOfDay": ["08:00:00", "20:00:00"]}, "10"),
        ({**DAILY, "frequency": 3, "timeOfDay": ["08:00:00", "20:00:00"]}, None),
        ({**DAILY, "frequency": 2, "frequencyMax": 3, "timeOfDay": ["08:00:00", "20:00:00"]}, None),
        ({"timeOfDay": ["08:00:00"], "when": ["MORN"]}, "5"),
        ({"timeOfDay": ["08:00:00", "20:00:00"], "when": ["MORN"]}, None),
        ({"when": ["MORN", "NIGHT", "NIGHT"]}, "10"),
        ({"when": ["AC"]}, None),
        ({"when": ["C"]}, None),
        ({**DAILY, "frequency": 3, "when": ["PC"]}, "15"),
        ({**DAILY, "when": ["PC"], "timeOfDay": ["08:00:00"]}, None),
        ({"dayOfWeek": ["mon", "mon", "thu"]}, "1.429"),
        ({"dayOfWeek": ["mon", "thu"], "frequency": 2}, "2.857"),
        ({"dayOfWeek": ["mon", "thu"], **DAILY}, "1.429"),
        ({"dayOfWeek": ["mon", "thu"], **DAILY, "frequencyMax": 2}, "1.429 to 2.857"),
        ({"dayOfWeek": ["mon", "thu"], "period": 1, "periodUnit": "d"}, "1.429"),
        ({"dayOfWeek": ["mon", "thu"], "period": 1, "periodUnit": "wk"}, "1.429"),
        ({"dayOfWeek": ["mon", "thu"], "frequency": 2, "period": 1, "periodUnit": "wk"}, "1.429"),
        ({"dayOfWeek": ["mon", "thu"], "frequency": 1, "period": 1, "periodUnit": "wk"}, None),
        ({"dayOfWeek": ["mon", "thu"], "frequency": 2, "frequencyMax": 3, "period": 1, "periodUnit": "wk"}, None),
        ({"dayOfWeek": ["mon", "thu"], "frequency": 2, "period": 2, "periodUnit": "wk"}, None),
        ({"dayOfWeek": ["mon", "thu"], "frequency": 2, "period": 1, "periodUnit": "mo"}, None),
        ({"dayOfWeek": ["mon"], "timeOfDay": ["08:00:00", "20:00:00"]}, "1.429"),
    ],
    ids=json.dumps,
)
def test_rarer_repeats(repeat: Json, expected: str | None) -> None:
    assert read({"doseAndRate": [dose(5)], "timing": {"repeat": repeat}}) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ({"text": "three times weekly"}, "2.143"),
        ({"text": "twice a day as needed"}, "0 to 10"),
        ({"text": "Daily", "coding": [{"code": "QD"}]}, "5"),
        ({"text": "once a day", "coding": [{"code": "BID"}]}, None),
        ({"text": "when told"}, None),
        ({"text": "Once"}, "5"),
        ("BID", "10"),
        ({"coding": [{"code": "Q8H", "display": "every 8 hours"}]}, "15"),
    ],
    ids=json.dumps,
)
def test_a_code_of_timing_and_its_words(code: object, expected: str | None) -> None:
    assert read({"doseAndRate": [dose(5)], "timing": {"code": code}}) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (mg(5), mg(10), "5 to 10"),
        (mg(10), mg(10), "10"),
        (mg(10), mg(5), None),
        (mg(5), mg(2, "tablet"), None),
        (mg(5), mg(2, "sticks"), None),
    ],
)
def test_the_ends_of_a_dose_range(low: Json, high: Json, expected: str | None) -> None:
    assert read({"doseAndRate": [{"doseRange": {"low": low, "high": high}}], "timing": {"repeat": DAILY}}) == expected


@pytest.mark.parametrize("unit", ["{tablets}", "{Tablets}", "tablets", "{tbl}"])
def test_smart_a_unit_in_braces_of_the_sender(unit: str) -> None:
    assert read({"doseAndRate": [dose(2, unit)], "timing": {"repeat": DAILY}}) == "10"


def test_one_dose_in_two_units() -> None:
    """2 tablets of 5 mg are 10 mg; 20 mg would be another dose."""
    timing = {"timing": {"repeat": DAILY}}

    assert read({"doseAndRate": [dose(2, "tablet"), dose(10)], **timing}) == "10"
    assert read({"doseAndRate": [dose(2, "tablet"), dose(20)], **timing}) is None
