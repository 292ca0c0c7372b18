"""Which days one medication resource tells of: each day certain, possible or neither (S7, D8, D12, D14)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from cds_service.clinical.dosage.course import FOREVER, days_of, dosages_of, supplied_amount
from cds_service.formats import strict_json

AS_OF = dt.date(2026, 6, 15)
TRUSTED = 90
ENDS = {True: "planned", False: "open"}
Json = dict[str, Any]


def told(resource: Json, dosage: object = None) -> str | None:
    """First possible, first certain, last certain and last possible day, and whether somebody planned the end."""
    days = days_of(strict_json.load(json.dumps(resource).encode()), dosage, AS_OF, TRUSTED)
    if days is None:
        return None
    written = (days.first, days.certain_first, days.certain_last, days.last)
    return " ".join([*("ever" if day == FOREVER else day.isoformat() for day in written), ENDS[days.planned]])


def order(authored: str, status: str = "active", **more: Any) -> Json:
    return {"resourceType": "MedicationRequest", "status": status, "authoredOn": authored, **more}


def bounded(**bounds: Any) -> Json:
    return {"timing": {"repeat": bounds}}


def period(start: str = "", end: str = "") -> Json:
    return bounded(boundsPeriod={key: value for key, value in (("start", start), ("end", end)) if value})


def length(value: object, code: str) -> Json:
    return {"value": value, "code": code}


# --- orders ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        (period("2026-05-01", "2026-05-31"), "2026-05-01 2026-05-01 2026-05-31 2026-05-31 planned"),
        (period("2026-05-01", "2026-05-01"), "2026-05-01 2026-05-01 2026-05-01 2026-05-01 planned"),
        (period(end="2026-05-31"), "2026-04-30 2026-04-30 2026-05-31 2026-05-31 planned"),
        (period("2026-05", "2026-06"), "2026-05-01 2026-05-31 2026-06-01 2026-06-30 planned"),
        (bounded(boundsDuration=length(10, "d")), "2026-04-30 2026-04-30 2026-05-09 2026-05-09 planned"),
        (bounded(boundsRange={"low": length(5, "d"), "high": length(10, "d")}),
         "2026-04-30 2026-04-30 2026-05-04 2026-05-09 planned"),
    ],
    ids=["period", "one day", "from the day it was written", "months", "length", "range of lengths"],
)  # fmt: skip
def test_d14_the_days_an_order_names(dosage: Json, expected: str) -> None:
    assert told(order("2026-04-30"), dosage) == expected


def test_an_end_that_is_named_counts_before_a_length() -> None:
    dosage = bounded(boundsPeriod={"start": "2026-05-01", "end": "2026-05-31"}, boundsDuration=length(10, "d"))
    assert told(order("2026-04-30"), dosage) == "2026-05-01 2026-05-01 2026-05-31 2026-05-31 planned"


def test_d14_a_length_from_some_day_of_a_month_leaves_no_day_certain() -> None:
    dosage = bounded(boundsDuration=length(10, "d"))
    assert told(order("2026-05"), dosage) == "2026-05-01 2026-05-31 2026-05-10 2026-06-09 planned"


@pytest.mark.parametrize(
    "dosage", [period("2026-05-02", "2026-05-01"), period("2026-06", "2026-05")], ids=["by a day", "by a month"]
)
def test_an_order_that_ends_before_it_starts_tells_nothing(dosage: Json) -> None:
    assert told(order("2026-04-30"), dosage) is None


def test_an_order_without_a_date_tells_nothing() -> None:
    assert told({"resourceType": "MedicationRequest", "status": "active"}, period(end="2026-05-31")) is None


@pytest.mark.parametrize(
    ("supply", "last"),
    [
        ({"expectedSupplyDuration": length(30, "d")}, "2026-05-30"),
        ({"expectedSupplyDuration": length(30, "d"), "numberOfRepeatsAllowed": 0}, "2026-05-30"),
        ({"expectedSupplyDuration": length(30, "d"), "numberOfRepeatsAllowed": 1}, "2026-06-29"),
        ({"expectedSupplyDuration": length(30, "d"), "numberOfRepeatsAllowed": 2}, "2026-07-29"),
        ({"expectedSupplyDuration": length(30, "d"), "numberOfRepeatsAllowed": -1}, "2026-05-30"),
    ],
)
def test_a_supply_lasts_once_and_once_more_per_refill(supply: Json, last: str) -> None:
    assert told(order("2026-05-01", dispenseRequest=supply)) == f"2026-05-01 2026-05-01 {last} {last} planned"


def test_bounds_count_before_the_supply() -> None:
    supply = {"expectedSupplyDuration": length(30, "d")}
    found = told(order("2026-05-01", dispenseRequest=supply), bounded(boundsDuration=length(10, "d")))
    assert found == "2026-05-01 2026-05-01 2026-05-10 2026-05-10 planned"


@pytest.mark.parametrize("end", ["low", "high"])
def test_s7_a_range_of_lengths_with_one_end_is_no_length(end: str) -> None:
    supply = {"expectedSupplyDuration": length(30, "d")}
    found = told(order("2026-06-01", dispenseRequest=supply), bounded(boundsRange={end: length(10, "d")}))
    assert found == "2026-06-01 2026-06-01 2026-06-15 ever open"


@pytest.mark.parametrize(
    ("status", "start", "end", "expected"),
    [
        ("active", "2026-06-01", "2026-07-31", "2026-06-01 2026-06-01 2026-07-31 2026-07-31"),
        ("stopped", "2026-06-01", "2026-07-31", "2026-06-01 2026-06-01 2026-06-01 2026-06-15"),
        ("stopped", "2026-06-01", "2026-06-10", "2026-06-01 2026-06-01 2026-06-01 2026-06-10"),
        ("stopped", "2026-07-01", "2026-07-31", "2026-07-01 2026-07-01 2026-07-01 2026-07-01"),
        ("stopped", "2026-05", "2026-07-31", "2026-05-01 2026-05-31 2026-05-31 2026-06-15"),
        ("Stopped", "2026-06-01", "2026-07-31", "2026-06-01 2026-06-01 2026-06-01 2026-06-15"),
        ("completed", "2026-06-01", "2026-07-31", "2026-06-01 2026-06-01 2026-06-15 2026-06-15"),
        ("completed", "2026-06-01", "2026-06-10", "2026-06-01 2026-06-01 2026-06-10 2026-06-10"),
        ("completed", "2026-05-01", "2026-06", "2026-05-01 2026-05-01 2026-06-01 2026-06-15"),
        ("completed", "2026-07-01", "2026-07-31", "2026-07-01 2026-07-01 2026-07-01 2026-07-01"),
        ("on-hold", "2026-06-01", "2026-07-31", "2026-06-01 2026-06-01 2026-05-31 2026-07-31"),
    ],
)
def test_d8_what_the_status_says_about_the_days(status: str, start: str, end: str, expected: str) -> None:
    assert told(order("2026-01-01", status), period(start, end)) == f"{expected} planned"


@pytest.mark.parametrize(
    ("status", "start", "expected"),
    [
        ("active", "2026-06-01", "2026-06-01 2026-06-01 2026-06-15 ever"),
        ("active", "2026-03-17", "2026-03-17 2026-03-17 2026-06-14 ever"),
        ("active", "2026-03-18", "2026-03-18 2026-03-18 2026-06-15 ever"),
        ("active", "2026-07-01", "2026-07-01 2026-07-01 2026-07-01 ever"),
        ("active", "2026-05", "2026-05-01 2026-05-31 2026-06-15 ever"),
        ("completed", "2026-05-01", "2026-05-01 2026-05-01 2026-05-01 2026-06-15"),
        ("completed", "2026-05", "2026-05-01 2026-05-31 2026-05-31 2026-06-15"),
        ("stopped", "2026-07-01", "2026-07-01 2026-07-01 2026-07-01 2026-07-01"),
    ],
)
def test_d12_without_an_end_an_active_order_is_trusted_for_90_days_and_any_other_for_its_first_day(
    status: str, start: str, expected: str
) -> None:
    assert told(order(start, status)) == f"{expected} open"


# --- lengths ---------------------------------------------------------------------------------------------------------
def dispense(days: object, on: str = "2026-05-01") -> Json:
    return {"resourceType": "MedicationDispense", "whenHandedOver": on, "daysSupply": days}


@pytest.mark.parametrize(
    ("said", "last"),
    [
        ({"value": 10, "code": "d"}, "2026-05-10"),
        ({"value": 10, "unit": "Days"}, "2026-05-10"),
        ({"value": 10, "unit": "pills", "code": "d"}, "2026-05-10"),
        ({"value": 2, "code": "wk"}, "2026-05-14"),
        ({"value": 1.5, "code": "wk"}, "2026-05-11"),
        ({"value": 0.5, "code": "d"}, "2026-05-01"),
        ({"value": 1, "code": "d"}, "2026-05-01"),
        ({"value": 10, "code": "h"}, "2026-05-01"),
        ({"value": 48, "code": "h"}, "2026-05-02"),
        ({"value": 40000, "code": "d"}, "2135-11-05"),
    ],
    ids=lambda said: json.dumps(said) if isinstance(said, dict) else said,
)
def test_a_length_in_days_or_weeks_is_that_many_days_begun(said: Json, last: str) -> None:
    assert told(dispense(said)) == f"2026-05-01 2026-05-01 {last} {last} planned"


@pytest.mark.parametrize(
    ("said", "first_end", "last_end"),
    [
        ({"value": 2, "code": "mo"}, "2026-06-28", "2026-07-01"),
        ({"value": 1, "unit": "month"}, "2026-05-28", "2026-05-31"),
        ({"value": 1, "code": "a"}, "2027-04-30", "2027-05-01"),
    ],
)
def test_s7_months_and_years_are_as_long_as_the_shortest_and_the_longest(
    said: Json, first_end: str, last_end: str
) -> None:
    assert told(dispense(said)) == f"2026-05-01 2026-05-01 {first_end} {last_end} planned"


@pytest.mark.parametrize(
    "said",
    [
        {"value": 10, "unit": "doses"},
        {"value": 10},
        {"value": 0, "code": "d"},
        {"value": -10, "code": "d"},
        {"value": 40001, "code": "d"},
        {"value": "10", "code": "d"},
        {"code": "d"},
        10,
        None,
    ],
    ids=json.dumps,
)
def test_s7_what_is_no_number_of_days_leaves_the_end_open(said: object) -> None:
    assert told(dispense(said)) == "2026-05-01 2026-05-01 2026-05-01 ever open"


# --- dispenses, administrations, statements --------------------------------------------------------------------------
def test_a_dispense_counts_from_the_day_it_was_handed_over_else_prepared() -> None:
    prepared = {"resourceType": "MedicationDispense", "whenPrepared": "2026-05-03", "daysSupply": length(10, "d")}

    assert told(prepared) == "2026-05-03 2026-05-03 2026-05-12 2026-05-12 planned"
    assert told(prepared | {"whenHandedOver": "2026-05-05"}) == "2026-05-05 2026-05-05 2026-05-14 2026-05-14 planned"
    assert told({"resourceType": "MedicationDispense", "daysSupply": length(10, "d")}) is None


def test_d14_a_dispense_on_some_day_of_a_month() -> None:
    assert told(dispense(length(40, "d"), "2026-05")) == "2026-05-01 2026-05-31 2026-06-09 2026-07-09 planned"
    assert told(dispense(None, "2026-05")) == "2026-05-01 2026-05-31 2026-05-31 ever open"


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        ({"effectiveDateTime": "2026-05-01T09:30:00Z"}, "2026-05-01 2026-05-01 2026-05-01 2026-05-01 planned"),
        ({"effectivePeriod": {"start": "2026-05-01"}}, "2026-05-01 2026-05-01 2026-05-01 2026-05-01 planned"),
        ({"effectivePeriod": {"start": "2026-05-01", "end": "2026-05-03"}}, "2026-05-01 2026-05-01 2026-05-03 2026-05-03 planned"),
        ({"effectivePeriod": {"start": "2026-05-01", "end": "2026-05"}}, "2026-05-01 2026-05-01 2026-05-01 2026-05-31 planned"),
        ({"effectivePeriod": {"start": "2026-05", "end": "2026-05-10"}}, "2026-05-01 2026-05-31 2026-05-10 2026-05-31 planned"),
        ({"effectivePeriod": {"end": "2026-05-03"}}, None),
        ({}, None),
    ],
    ids=json.dumps,
)  # fmt: skip
def test_the_days_of_an_administration(effective: Json, expected: str | None) -> None:
    assert told({"resourceType": "MedicationAdministration", **effective}) == expected


def statement(status: str = "active", **more: Any) -> Json:
    return {"resourceType": "MedicationStatement", "status": status, **more}


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        ({"effectivePeriod": {"start": "2026-06-01"}}, "2026-06-01"),
        ({"effectivePeriod": {"start": "2026-06-01"}, "effectiveDateTime": "2026-06-02"}, "2026-06-01"),
        ({"effectiveDateTime": "2026-06-02"}, "2026-06-02"),
        ({"effectiveDateTime": "2026-06-02", "dateAsserted": "2026-06-03"}, "2026-06-02"),
        ({"dateAsserted": "2026-06-03"}, "2026-06-03"),
    ],
    ids=json.dumps,
)
def test_a_statement_without_an_end_goes_on_from_the_first_date_it_has(dates: Json, first: str) -> None:
    assert told(statement(**dates)) == f"{first} {first} 2026-06-15 ever open"


def test_a_statement_without_a_date_tells_nothing() -> None:
    assert told(statement(effectivePeriod={"end": "2026-05-31"})) is None


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2026-05-01", "2026-05-31", "2026-05-01 2026-05-01 2026-05-31 2026-05-31"),
        ("2026-05-01", "2026-05", "2026-05-01 2026-05-01 2026-05-01 2026-05-31"),
        ("2026-05", "2026-05-10", "2026-05-01 2026-05-31 2026-05-31 2026-05-31"),
        ("2026-05", "2026-06", "2026-05-01 2026-05-31 2026-06-01 2026-06-30"),
    ],
)
def test_d14_a_statement_with_an_end(start: str, end: str, expected: str) -> None:
    assert told(statement(effectivePeriod={"start": start, "end": end})) == f"{expected} planned"


@pytest.mark.parametrize(
    ("asserted", "certain_last"),
    [
        ("", "2026-03-31"),
        ("2026-01-01", "2026-03-31"),
        ("2026-02-01", "2026-05-01"),
        ("2026-05-01", "2026-06-15"),
        ("2026-06-15", "2026-06-15"),
        ("2026-06-16", "2026-03-31"),
        ("2025-12-01", "2026-03-31"),
    ],
)
def test_d12_somebody_who_said_later_that_it_goes_on_renews_the_trust(asserted: str, certain_last: str) -> None:
    more = {"dateAsserted": asserted} if asserted else {}
    found = told(statement(effectivePeriod={"start": "2026-01-01"}, **more))
    assert found == f"2026-01-01 2026-01-01 {certain_last} ever open"


@pytest.mark.parametrize("status", ["completed", "Completed", "unknown"])
def test_d8_a_statement_that_is_not_active_is_certain_until_it_was_made(status: str) -> None:
    found = told(statement(status, effectivePeriod={"start": "2026-01-01"}, dateAsserted="2026-05-01"))
    assert found == "2026-01-01 2026-01-01 2026-05-01 2026-06-15 open"


def test_d8_the_status_of_a_statement_is_read_in_any_case() -> None:
    assert told(statement("Active", dateAsserted="2026-06-01")) == "2026-06-01 2026-06-01 2026-06-15 ever open"


@pytest.mark.parametrize("resource_type", ["Medication", "Observation", ""])
def test_other_resources_tell_no_days(resource_type: str) -> None:
    assert told({"resourceType": resource_type, "authoredOn": "2026-05-01", "effectiveDateTime": "2026-05-01"}) is None


# --- amounts and dosages ---------------------------------------------------------------------------------------------
TABLETS = {"value": 60, "unit": "tablet"}


@pytest.mark.parametrize(
    ("days", "quantity", "expected"),
    [
        (length(30, "d"), TABLETS, (TABLETS, 30)),
        (length(2, "mo"), TABLETS, None),
        (None, TABLETS, None),
        (length(30, "d"), None, None),
        (length(30, "d"), 60, None),
    ],
    ids=["both", "months", "no days", "no quantity", "a bare number"],
)
def test_the_average_of_a_dispense_needs_its_quantity_and_its_days(
    days: object, quantity: object, expected: Any
) -> None:
    assert supplied_amount({"daysSupply": days, "quantity": quantity}) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "MedicationRequest", "dosageInstruction": [{"text": "a"}, {"text": "b"}]}, ["a", "b"]),
        ({"resourceType": "MedicationStatement", "dosage": [{"text": "a"}]}, ["a"]),
        ({"resourceType": "MedicationStatement", "dosageInstruction": [], "dosage": [{"text": "a"}]}, ["a"]),
        ({"resourceType": "MedicationAdministration", "dosage": {"text": "a"}}, ["a"]),
        ({"resourceType": "MedicationAdministration", "dosageInstruction": [{"text": "a"}]}, []),
        ({"resourceType": "MedicationDispense"}, []),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_dosages_under_the_name_each_resource_gives_them(resource: Json, expected: list[str]) -> None:
    dosages: list[Any] = dosages_of(resource)
    assert [each["text"] for each in dosages] == expected
