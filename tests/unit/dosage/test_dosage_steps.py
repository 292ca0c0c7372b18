"""From a medication resource to days and doses: text and structure together, sequences, lengths, drafts, packs."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dosage.course import FOREVER
from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.steps import Step, steps_of
from cds_service.formats import strict_json

Json = dict[str, Any]
AS_OF = dt.date(2026, 6, 15)
PREDNISONE_5 = Product(
    "prednisone", frozenset({Decimal(5)}), frozenset(), frozenset({"systemic"}), frozenset(), counted=True
)
UNKNOWN = Product("prednisone", frozenset(), frozenset(), frozenset({"systemic"}), frozenset())
MEDROL = Product(
    "methylprednisolone", frozenset({Decimal(4)}), frozenset(), frozenset({"systemic"}), frozenset(), counted=True
)
DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}


def mg(value: float) -> list[Json]:
    return [{"doseQuantity": {"value": value, "unit": "mg"}}]


def days(value: float, code: str = "d") -> Json:
    return {"boundsDuration": {"value": value, "code": code}}


def order(*dosages: Json, **more: Any) -> Json:
    resource = {"resourceType": "MedicationRequest", "status": "active", "authoredOn": "2026-06-01"}
    return {**resource, "dosageInstruction": list(dosages), **more}


def steps(resource: Json, product: Product = PREDNISONE_5, begins: dt.date | None = None) -> tuple[Step, ...] | None:
    return steps_of(strict_json.load(json.dumps(resource).encode()), product, AS_OF, 90, begins)


def told(resource: Json, product: Product = PREDNISONE_5, begins: dt.date | None = None) -> list[str]:
    """ "10 on 06-01..06-05" for each step; days that are only possible in brackets."""
    found = steps(resource, product, begins)
    assert found is not None
    return [f"{step.daily_mg or step.reason} on {shown(step)}" for step in found]


def shown(step: Step) -> str:
    def day(each: dt.date) -> str:
        return "ever" if each == FOREVER else each.isoformat()[5:]

    certain = f"{day(step.days.certain_first)}..{day(step.days.certain_last)}"
    if step.days.certain_last < step.days.certain_first:
        certain = "-"
    possible = f"{day(step.days.first)}..{day(step.days.last)}"
    return certain if certain == possible else f"{certain} ({possible})"


# --- text and structure ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        ({"doseAndRate": mg(10), "timing": {"repeat": DAILY}, "text": "see leaflet"}, "10"),
        ({"text": "Take 2 tablets daily"}, "10"),
        ({"patientInstruction": "Take 2 tablets daily"}, "10"),
        ({"doseAndRate": mg(10), "timing": {"repeat": DAILY}, "text": "Take 2 tablets daily"}, "10"),
        ({"doseAndRate": mg(10), "text": "twice daily"}, "20"),
        ({"timing": {"repeat": DAILY}, "text": "take 2 tablets"}, "10"),
        ({"doseAndRate": mg(10), "timing": {"repeat": DAILY}, "text": "20 mg Tablet"}, "10"),
        ({"doseAndRate": mg(10), "text": "take 2 tablets twice daily"}, "20"),
        ({"doseAndRate": mg(5), "text": "take 2 tablets twice daily"}, "conflict"),
        ({"timing": {"repeat": DAILY}, "text": "take 2 tablets twice daily"}, "conflict"),
        ({"timing": {"code": {"text": "twice a day"}}, "doseAndRate": mg(5)}, "10"),
        ({"asNeededBoolean": True, "text": "take 2 tablets daily"}, "0 to 10"),
        ({"doseAndRate": [{"doseQuantity": {"value": 2}}], "timing": {"repeat": DAILY}}, "10"),
        ({"text": "take 2 daily"}, "10"),
        ({"text": "as directed"}, "as-directed"),
        ({"text": "reduce slowly"}, "text-not-read"),
        ({"doseAndRate": mg(10)}, "no-timing"),
        ({"timing": {"repeat": DAILY}}, "no-amount"),
        (
            {"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "sticks"}}], "timing": {"repeat": DAILY}},
            "unit-unknown",
        ),
        ({}, "no-amount"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value,
)
def test_d20_structure_and_text_of_one_dosage(dosage: Json, expected: str) -> None:
    found = steps(order(dosage))

    assert found is not None
    assert [str(step.daily_mg) if step.daily_mg else step.reason for step in found] == [expected]


@pytest.mark.parametrize(
    ("text", "span", "both"),
    [
        ("Take 1 tablet daily", "5 to 10", ("10", "5")),
        ("Take 1-2 tablets daily", "5 to 10", ("10", "5 to 10")),
        ("Take 2 tablets weekly", "1.429 to 10", ("10", "1.429")),
        ("twice daily", "10 to 20", ("10", "20")),
        ("take 1 tablet", "5 to 10", ("10", "5")),
    ],
)
def test_d20_a_contradiction_is_the_span_of_both_and_is_kept(text: str, span: str, both: tuple[str, str]) -> None:
    found = steps(order({"doseAndRate": mg(10), "timing": {"repeat": DAILY}, "text": text}))

    assert found is not None
    assert str(found[0].daily_mg) == span
    assert found[0].conflict is not None
    assert tuple(map(str, found[0].conflict)) == both


def test_text_and_patient_instruction_that_differ_are_a_conflict() -> None:
    found = steps(order({"text": "Take 2 tablets daily", "patientInstruction": "Take 1 tablet daily"}))

    assert found is not None
    assert (str(found[0].daily_mg), found[0].conflict is None) == ("5 to 10", False)


def test_a_strength_that_nobody_tells_leaves_tablets_unreadable() -> None:
    assert told(order({"text": "Take 2 tablets daily for 5 days"}), UNKNOWN) == ["strength-unknown on 06-01..06-05"]
    assert told(order({"text": "Take 2 daily for 5 days"}), UNKNOWN) == ["unit-unknown on 06-01..06-05"]
    assert told(order({"text": "Take 2 tablets (10 mg total) daily for 5 days"}), UNKNOWN) == ["10 on 06-01..06-05"]


def test_two_statements_of_one_text_that_differ_by_the_strength_are_a_conflict() -> None:
    found = steps(order({"text": "Take 2 tablets (20 mg total) daily"}))

    assert found is not None
    assert (str(found[0].daily_mg), found[0].conflict is None) == ("10 to 20", False)


# --- lengths ---------------------------------------------------------------------------------------------------------
def test_hl7_medrx0303_seven_days_in_words_and_five_in_bounds() -> None:
    repeat = {**DAILY, "boundsPeriod": {"start": "2026-06-01", "end": "2026-06-05"}}
    dosage = {"text": "Take 4 tablets daily for 7 days", "timing": {"repeat": repeat}, "doseAndRate": mg(20)}

    assert told(order(dosage)) == ["20 on 06-01..06-05 (06-01..06-07)"]


def test_a_text_that_tells_only_rate_and_length_adds_the_length() -> None:
    dosage = {"text": "daily for 7 days", "timing": {"repeat": DAILY}, "doseAndRate": mg(20)}

    assert told(order(dosage)) == ["20 on 06-01..06-07"]


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        (days(5), "06-01..06-05"),
        (days(48, "h"), "06-01..06-02"),
        (days(1, "mo"), "06-01..06-28 (06-01..07-01)"),
        ({"count": 10, "frequency": 2}, "06-01..06-05"),
        ({"count": 4, "countMax": 6, "frequency": 2}, "06-01..06-02 (06-01..06-03)"),
        ({"count": 10}, "06-01..06-10"),
    ],
    ids=json.dumps,
)
def test_bounds_and_counts_end_a_course(repeat: Json, expected: str) -> None:
    found = steps(order({"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **repeat}}}))

    assert found is not None
    assert shown(found[0]) == expected


def test_a_single_dose_lasts_a_day() -> None:
    assert told(order({"doseAndRate": mg(500), "timing": {"repeat": {"count": 1}}})) == ["500 on 06-01..06-01"]
    assert told(order({"doseAndRate": mg(500), "timing": {"code": {"text": "ONCE"}}})) == ["500 on 06-01..06-01"]


@pytest.mark.parametrize(
    ("supply", "text", "expected"),
    [
        ({"quantity": {"value": 20, "unit": "tablet"}}, "2 tablets daily", "06-01..06-10"),
        ({"quantity": {"value": 20, "unit": "tablet"}, "numberOfRepeatsAllowed": 1}, "2 tablets daily", "06-01..06-20"),
        ({"quantity": {"value": 20, "unit": "tablet"}}, "1-2 tablets daily", "06-01..06-10 (06-01..06-20)"),
        ({"quantity": {"value": 20, "unit": "tablet"}}, "2 tablets daily for 5 days", "06-01..06-05"),
        ({"quantity": {"value": 20, "unit": "tablet"}}, "2 tablets daily prn", "06-01..06-15 (06-01..ever)"),
        ({"expectedSupplyDuration": {"value": 7, "code": "d"}}, "2 tablets daily", "06-01..06-07"),
    ],
)
def test_the_supply_ends_an_order_that_nothing_else_ends(supply: Json, text: str, expected: str) -> None:
    found = steps(order({"text": text}, dispenseRequest=supply))

    assert found is not None
    assert shown(found[0]) == expected


# --- several dosages -------------------------------------------------------------------------------------------------
def taper(*doses: float, **more: Any) -> list[Json]:
    return [
        {"sequence": place, "doseAndRate": mg(dose), "timing": {"repeat": {**DAILY, **days(2)}}, **more}
        for place, dose in enumerate(doses, start=1)
    ]


def test_dosages_in_sequence_follow_each_other() -> None:
    assert told(order(*taper(40, 30, 20))) == ["40 on 06-01..06-02", "30 on 06-03..06-04", "20 on 06-05..06-06"]


def test_the_order_in_the_list_does_not_matter_where_there_are_sequence_numbers() -> None:
    assert told(order(*reversed(taper(40, 30, 20)))) == told(order(*taper(40, 30, 20)))


def test_nhs_equal_sequence_numbers_hold_at_once_and_add_up() -> None:
    morning, night, after = taper(10, 5, 5)
    night["sequence"], after["sequence"] = 1, 2

    assert told(order(morning, night, after)) == ["15 on 06-01..06-02", "5 on 06-03..06-04"]


def test_parallel_dosages_of_different_length_add_up_while_both_last() -> None:
    short, long = ({"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **days(length)}}} for length in (2, 4))

    assert told(order(short, long)) == ["20 on 06-01..06-02", "10 on 06-03..06-04"]


def test_dosages_by_different_routes_are_not_added() -> None:
    oral, iv = (
        {"route": {"text": text}, "doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **days(2)}}}
        for text in ("po", "iv")
    )

    assert told(order(oral, iv)) == ["10 on 06-01..06-02", "10 on 06-01..06-02"]


def test_consecutive_periods_are_separate_days() -> None:
    periods = (("2026-06-01", "2026-06-03"), ("2026-06-04", "2026-06-06"))
    dosages = [
        {"doseAndRate": mg(dose), "timing": {"repeat": {**DAILY, "boundsPeriod": {"start": first, "end": last}}}}
        for dose, (first, last) in zip((20, 10), periods, strict=True)
    ]

    assert told(order(*dosages)) == ["20 on 06-01..06-03", "10 on 06-04..06-06"]


def test_dosages_that_say_then_follow_each_other() -> None:
    texts = ("40 mg daily for 2 days", "then 20 mg daily for 2 days")
    dosages = [
        {"text": text, "doseAndRate": mg(dose), "timing": {"repeat": {**DAILY, **days(2)}}}
        for text, dose in zip(texts, (40, 20), strict=True)
    ]

    assert told(order(*dosages)) == ["40 on 06-01..06-02", "20 on 06-03..06-04"]


def test_s7_a_sequence_without_lengths_has_no_place_in_time() -> None:
    dosages = [{"sequence": place, "doseAndRate": mg(10), "timing": {"repeat": DAILY}} for place in (1, 2)]

    assert told(order(*dosages)) == ["no-length on 06-01..06-15 (06-01..ever)"]


def test_the_last_step_of_a_sequence_may_go_on() -> None:
    first, last = taper(40, 10)
    last["timing"] = {"repeat": DAILY}

    assert told(order(first, last)) == ["40 on 06-01..06-02", "10 on 06-03..06-15 (06-03..ever)"]


def test_a_step_of_uncertain_length_makes_the_next_start_uncertain() -> None:
    first, last = taper(40, 10)
    first["timing"] = {
        "repeat": {**DAILY, "boundsRange": {"low": {"value": 2, "code": "d"}, "high": {"value": 4, "code": "d"}}}
    }

    assert told(order(first, last)) == ["40 on 06-01..06-02 (06-01..06-04)", "10 on - (06-03..06-06)"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", ["40 on 06-14..06-15", "30 on 06-16..06-17"]),
        ("stopped", ["40 on 06-14..06-14 (06-14..06-15)"]),
        ("completed", ["40 on 06-14..06-15"]),
        ("on-hold", ["40 on - (06-14..06-15)", "30 on - (06-16..06-17)"]),
        ("draft", ["40 on 06-14..06-15", "30 on 06-16..06-17"]),
    ],
)
def test_d8_the_status_of_a_taper(status: str, expected: list[str]) -> None:
    assert told(order(*taper(40, 30), status=status, authoredOn="2026-06-14")) == expected


def test_intakes_at_listed_times() -> None:
    events = ["2026-06-01T08:00:00Z", "2026-06-01T20:00:00Z", "2026-06-03"]

    assert told(order({"doseAndRate": mg(500), "timing": {"event": events}})) == [
        "1000 on 06-01..06-01",
        "500 on 06-03..06-03",
    ]


# --- drafts, dispenses, administrations ------------------------------------------------------------------------------
def test_a_draft_without_dates_begins_on_the_given_day_and_may_go_on() -> None:
    draft = order({"text": "Take 2 tablets daily"}, status="draft")
    del draft["authoredOn"]

    assert steps(draft) is None
    assert told(draft, begins=AS_OF) == ["10 on 06-15..06-15 (06-15..ever)"]
    found = steps(draft, begins=AS_OF)
    assert found is not None
    assert not found[0].days.planned


def test_a_draft_with_an_end_is_certain_to_its_end() -> None:
    draft = order({"text": "Take 2 tablets daily for 30 days"}, status="draft")
    del draft["authoredOn"]

    assert told(draft, begins=AS_OF) == ["10 on 06-15..07-14"]


def test_a_dispense_without_a_readable_dose_gives_the_average() -> None:
    dispense = {
        "resourceType": "MedicationDispense",
        "whenHandedOver": "2026-06-01",
        "quantity": {"value": 20, "unit": "tablet"},
        "daysSupply": {"value": 10, "code": "d"},
        "dosageInstruction": [{"text": "as directed"}],
    }

    assert told(dispense) == ["10 on 06-01..06-10"]
    assert told({**dispense, "daysSupply": None}) == ["as-directed on 06-01..06-01 (06-01..ever)"]


def test_an_administration_is_one_intake_whatever_its_text_says() -> None:
    given = {
        "resourceType": "MedicationAdministration",
        "effectiveDateTime": "2026-06-01",
        "dosage": {"text": "500mg IV q6h x 3 days", "dose": {"value": 500, "unit": "mg"}},
    }

    assert told(given) == ["500 on 06-01..06-01"]
    assert told({**given, "dosage": {"text": "Two tablets at once"}}) == ["no-amount on 06-01..06-01"]


def test_a_statement_with_a_course_in_words() -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "status": "active",
        "effectiveDateTime": "2026-06-01",
        "dosage": [{"text": "40 mg daily for 3 days then 20 mg daily for 3 days"}],
    }

    assert told(statement) == ["40 on 06-01..06-03", "20 on 06-04..06-06"]


# --- the dose pack ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "quantity", "product", "read"),
    [
        ("taper as directed", 21, MEDROL, True),
        ("Medrol dosepak, use as directed", 21, MEDROL, True),
        ("as directed on package", 21, MEDROL, True),
        ("as directed", 21, MEDROL, False),
        ("taper as directed", 42, MEDROL, False),
        ("taper as directed", None, MEDROL, False),
        ("taper 10 mg a week", 21, MEDROL, False),
        ("taper as directed", 21, PREDNISONE_5, False),
    ],
)
def test_the_dose_pack_is_read_only_when_it_surely_is_that_pack(
    text: str, quantity: int | None, product: Product, read: bool
) -> None:
    supply = {"quantity": {"value": quantity, "unit": "tablet"}} if quantity else {}
    found = steps(order({"text": text}, dispenseRequest=supply), product)

    assert found is not None
    doses = [str(step.daily_mg) for step in found]
    assert (doses == ["24", "20", "16", "12", "8", "4"]) is read
    assert read or doses == ["None"]


def test_the_dose_pack_comes_to_84_mg_in_six_days() -> None:
    supply = {"quantity": {"value": 21, "unit": "tablet"}, "expectedSupplyDuration": {"value": 6, "code": "d"}}
    found = steps(order({"text": "taper as directed"}, dispenseRequest=supply), MEDROL)

    assert found is not None
    assert sum(step.daily_mg.low or 0 for step in found if step.daily_mg) == 84
    assert found[-1].days.last == dt.date(2026, 6, 6)


def test_smart_a_supply_for_another_number_of_days_is_not_that_pack() -> None:
    supply = {"quantity": {"value": 21, "unit": "tablet"}, "expectedSupplyDuration": {"value": 3, "code": "d"}}

    assert told(order({"text": "taper as directed"}, dispenseRequest=supply), MEDROL) == [
        "text-not-read on 06-01..06-03"
    ]
