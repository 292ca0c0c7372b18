"""Rarer medication resources: two texts, halves of a dose on either side, steps beyond bounds, listed times."""

from __future__ import annotations

import json

import pytest

from tests.unit.dosage.test_dosage_steps import (
    AS_OF,
    DAILY,
    MEDROL,
    UNKNOWN,
    Json,
    days,
    mg,
    order,
    shown,
    steps,
    told,
)

FIVE_DAYS = {"boundsPeriod": {"start": "2026-06-01", "end": "2026-06-05"}}
ONCE_A_DAY = {"timing": {"repeat": DAILY}}


def tablets(value: float) -> list[Json]:
    return [{"doseQuantity": {"value": value, "unit": "tablet"}}]


def clash(resource: Json) -> tuple[str, str] | None:
    """The two sides of a conflict."""
    found = steps(resource)
    assert found is not None
    (step,) = found
    return None if step.conflict is None else (str(step.conflict[0]), str(step.conflict[1]))


# --- two texts -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "instruction", "expected", "conflict"),
    [
        ("2 tablets daily", "Take 10 mg daily", "10 on 06-01..06-15 (06-01..ever)", None),
        ("2 tablets daily", "Take 2 tablets daily", "10 on 06-01..06-15 (06-01..ever)", None),
        ("2 tablets daily for 5 days", "10 mg daily for 7 days", "10 on 06-01..06-05 (06-01..06-07)", None),
        ("2 tablets daily for 5 days", "10 mg daily", "10 on 06-01..06-05", None),
        ("2 tablets daily", "10 mg daily for 5 days", "10 on 06-01..06-05", None),
        ("2 tablets daily for 5 days", "1 tablet daily for 7 days", "5 to 10 on 06-01..06-05 (06-01..06-07)", ("10", "5")),
        ("2 tablets daily for 5 days", "2 puffs daily for 5 days", "10 on 06-01..06-05", None),
        ("2 puffs daily for 5 days", "2 tablets daily for 5 days", "10 on 06-01..06-05", None),
        ("2 puffs daily for 5 days", "1 puff daily for 5 days", "strength-unknown on 06-01..06-05", None),
        ("2 tablets daily", "4 tablets daily for 2 days then 2 daily", "conflict on 06-01..06-15 (06-01..ever)", None),
        ("2 tablets daily", "as directed by your doctor", "10 on 06-01..06-15 (06-01..ever)", None),
        ("as directed", "see leaflet", "text-not-read on 06-01..06-15 (06-01..ever)", None),
        ("as directed", "use as directed", "as-directed on 06-01..06-15 (06-01..ever)", None),
    ],
)  # fmt: skip
def test_d20_text_and_patient_instruction(
    text: str, instruction: str, expected: str, conflict: tuple[str, str] | None
) -> None:
    resource = order({"text": text, "patientInstruction": instruction})

    assert told(resource) == [expected]
    assert clash(resource) == conflict


def test_d20_two_texts_that_agree_against_the_structure() -> None:
    dosage = {"text": "2 tablets daily", "patientInstruction": "10 mg daily", "doseAndRate": mg(20), **ONCE_A_DAY}

    assert told(order(dosage)) == ["10 to 20 on 06-01..06-15 (06-01..ever)"]
    assert clash(order(dosage)) == ("20", "10")


# --- halves ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        ({"doseAndRate": mg(10), "text": "twice daily as needed for 5 days"}, "0 to 20 on 06-01..06-05"),
        ({**ONCE_A_DAY, "text": "take 2 tablets as needed for 5 days"}, "0 to 10 on 06-01..06-05"),
        ({**ONCE_A_DAY, "doseAndRate": mg(10), "text": "take 2 tablets as needed for 5 days"}, "0 to 10 on 06-01..06-05"),
        ({**ONCE_A_DAY, "doseAndRate": mg(10), "text": "daily as needed for 5 days"}, "0 to 10 on 06-01..06-05"),
        ({**ONCE_A_DAY, "doseAndRate": mg(10), "text": "1 tablet daily for 5 days"}, "5 to 10 on 06-01..06-05"),
        ({"doseAndRate": mg(10), "text": "take 2 tablets twice daily for 5 days"}, "20 on 06-01..06-05"),
        ({"doseAndRate": mg(5), "text": "take 2 tablets twice daily for 5 days"}, "conflict on 06-01..06-05"),
        ({"doseAndRate": tablets(2), "text": "take 2 tablets twice daily for 5 days"}, "20 on 06-01..06-05"),
        ({"doseAndRate": tablets(1), "text": "take 2 tablets twice daily for 5 days"}, "conflict on 06-01..06-05"),
        ({"doseAndRate": mg(10) + mg(5), "text": "take 2 tablets daily for 5 days"}, "conflict on 06-01..06-05"),
        (
            {"doseAndRate": mg(10), "text": "2 tablets (20 mg total) daily for 5 days", **ONCE_A_DAY},
            "conflict on 06-01..06-05",
        ),
        (
            {"doseAndRate": tablets(2), "text": "2 tablets (20 mg total) daily for 5 days", **ONCE_A_DAY},
            "10 to 20 on 06-01..06-05",
        ),
        ({"text": "2 tablets (20 mg total) daily for 5 days"}, "10 to 20 on 06-01..06-05"),
    ],
    ids=json.dumps,
)  # fmt: skip
def test_d20_a_half_in_words_and_a_half_in_structure(dosage: Json, expected: str) -> None:
    assert told(order(dosage)) == [expected]


@pytest.mark.parametrize(
    ("dosage", "reason"),
    [
        ({"doseAndRate": mg(10), "text": "twice daily", "patientInstruction": "once daily"}, "text-not-read"),
        ({"doseAndRate": mg(10) + mg(5), "text": "twice daily"}, "conflict"),
        ({"doseAndRate": mg(10), "timing": {"code": {"text": "when told"}}, "text": "twice daily"}, "text-not-read"),
        ({"doseAndRate": mg(10), "timing": {"code": {"text": "when told"}}}, "no-timing"),
        (
            {"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "sticks"}}], **ONCE_A_DAY, "text": "take 2 tablets"},
            "unit-unknown",
        ),
    ],
    ids=json.dumps,
)
def test_s7_halves_that_are_not_put_together(dosage: Json, reason: str) -> None:
    found = steps(order(dosage))

    assert found is not None
    assert [(step.daily_mg, step.reason) for step in found] == [(None, reason)]


@pytest.mark.parametrize(
    ("structure", "text", "expected"),
    [
        (mg(10), "take 2 tablets daily for 5 days", "10 on 06-01..06-05"),
        (tablets(2), "take 2 tablets daily for 5 days", "strength-unknown on 06-01..06-05"),
        (tablets(2), "take 1 tablet daily for 5 days", "conflict on 06-01..06-05"),
        (tablets(2), "take 10 mg daily for 5 days", "10 on 06-01..06-05"),
        (tablets(2), "take 2 tablets (10 mg total) daily for 5 days", "10 on 06-01..06-05"),
    ],
)
def test_structure_and_text_where_nobody_tells_the_strength(structure: list[Json], text: str, expected: str) -> None:
    """What both count in must be the same; mg count, whoever names them."""
    assert told(order({"doseAndRate": structure, "text": text, **ONCE_A_DAY}), UNKNOWN) == [expected]


def test_d20_which_two_doses_are_the_conflict() -> None:
    of_three = {"doseAndRate": tablets(2), "text": "2 tablets (20 mg total) daily", **ONCE_A_DAY}

    assert clash(order(of_three)) == ("10", "20")
    assert clash(order({"text": "2 tablets (20 mg total) daily"})) == ("10", "20")


# --- days ------------------------------------------------------------------------------------------------------------
def test_d14_no_step_is_certain_after_the_bounds_of_the_whole() -> None:
    long_first = "40 mg daily for 7 days then 20 mg daily for 4 days"
    three = "40 mg daily for 3 days then 20 mg daily for 4 days then 10 mg daily for 3 days"

    assert told(order({"text": long_first, "timing": {"repeat": FIVE_DAYS}})) == [
        "40 on 06-01..06-05 (06-01..06-07)",
        "20 on - (06-08..06-11)",
    ]
    assert told(order({"text": three, "timing": {"repeat": FIVE_DAYS}})) == [
        "40 on 06-01..06-03",
        "20 on 06-04..06-05 (06-04..06-07)",
        "10 on - (06-08..06-10)",
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_dosages_that_share_one_day_are_added_on_it(turned: bool) -> None:
    periods = (("2026-06-01", "2026-06-03"), ("2026-06-03", "2026-06-05"))
    dosages = [
        {"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, "boundsPeriod": {"start": first, "end": last}}}}
        for first, last in periods
    ]

    found = told(order(*(reversed(dosages) if turned else dosages)))
    assert found == ["10 on 06-01..06-02", "20 on 06-03..06-03", "10 on 06-04..06-05"]


def test_d8_dosages_side_by_side_of_an_order_on_hold_are_only_possible() -> None:
    short, long = ({"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **days(length)}}} for length in (2, 4))

    assert told(order(short, long, status="on-hold")) == ["20 on - (06-01..06-02)", "10 on - (06-03..06-04)"]


def test_d20_a_sum_keeps_the_conflict_of_its_part() -> None:
    plain = {"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **days(2)}}}
    both = order({**plain, "text": "1 tablet daily for 2 days"}, plain)

    assert told(both) == ["15 to 20 on 06-01..06-02"]
    assert clash(both) == ("10", "5")
    found = steps(both)
    assert found is not None
    assert found[0].reason == ""


def test_d8_a_finished_order_did_not_reach_listed_times_to_come() -> None:
    dosage = {"doseAndRate": mg(10), "timing": {"event": ["2026-06-01", "2026-06-20"]}}

    assert told(order(dosage)) == ["10 on 06-01..06-01", "10 on 06-20..06-20"]
    assert told(order(dosage, status="completed")) == ["10 on 06-01..06-01"]


def test_a_draft_of_a_sequence_without_lengths_begins_on_the_given_day() -> None:
    dosages = [{"sequence": place, "doseAndRate": mg(10), **ONCE_A_DAY} for place in (1, 2)]
    draft = order(*dosages, status="draft")
    del draft["authoredOn"]

    assert told(draft, begins=AS_OF) == ["no-length on 06-15..06-15 (06-15..ever)"]
    assert steps(draft) is None


def test_mimic_a_duration_longer_than_a_day_is_perhaps_the_length() -> None:
    repeat = {**DAILY, "duration": 7, "durationUnit": "d"}

    assert told(order({"doseAndRate": mg(10), "timing": {"repeat": repeat}})) == ["10 on 06-01..06-01 (06-01..06-07)"]
    hours = {**DAILY, "duration": 24, "durationUnit": "h"}
    assert told(order({"doseAndRate": mg(10), "timing": {"repeat": hours}})) == ["10 on 06-01..06-15 (06-01..ever)"]


def test_intakes_at_listed_times_that_cannot_be_read() -> None:
    events = {"timing": {"event": ["2026-06-01"]}}

    assert told(order({"doseAndRate": tablets(2), **events}), UNKNOWN) == ["strength-unknown on 06-01..06-01"]
    assert told(order({"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "sticks"}}], **events})) == [
        "unit-unknown on 06-01..06-01"
    ]
    assert told(order(events)) == ["no-amount on 06-01..06-01"]
    read = steps(order({"doseAndRate": tablets(2), **events}))
    assert read is not None
    assert [(str(step.daily_mg), step.reason) for step in read] == [("10", "")]


@pytest.mark.parametrize(
    ("quantity", "text", "expected"),
    [
        ({"value": 100, "unit": "mg"}, "2 tablets daily", "06-01..06-10"),
        ({"value": 21, "unit": "tablet"}, "2 tablets daily", "06-01..06-10 (06-01..06-11)"),
        ({"value": 2, "unit": "tablet"}, "2 tablets daily", "06-01..06-01"),
        ({"value": 3, "unit": "tablet"}, "2 tablets every other day", "06-01..06-03"),
        ({"value": 1, "unit": "tablet"}, "2 tablets daily", "06-01..06-15 (06-01..ever)"),
        ({"value": 80002, "unit": "tablet"}, "2 tablets daily", "06-01..06-15 (06-01..ever)"),
        ({"value": 20, "unit": "sticks"}, "2 tablets daily", "06-01..06-15 (06-01..ever)"),
        ({"value": 0, "unit": "tablet"}, "2 tablets daily", "06-01..06-15 (06-01..ever)"),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else value,
)
def test_a_quantity_lasts_as_long_as_its_dose_takes(quantity: Json, text: str, expected: str) -> None:
    found = steps(order({"text": text}, dispenseRequest={"quantity": quantity}))

    assert found is not None
    assert shown(found[0]) == expected


def test_a_supply_that_ends_before_the_last_step_does_not_end_it() -> None:
    supply = {"expectedSupplyDuration": {"value": 5, "code": "d"}}

    assert told(order({"text": "2 tablets daily for 10 days then 1 tablet daily"}, dispenseRequest=supply)) == [
        "10 on 06-01..06-10",
        "5 on 06-11..06-15 (06-11..ever)",
    ]


def test_a_quantity_ends_what_nobody_can_turn_into_mg() -> None:
    supply = {"quantity": {"value": 20, "unit": "tablet"}}

    assert told(order({"text": "2 tablets daily"}, dispenseRequest=supply), UNKNOWN) == [
        "strength-unknown on 06-01..06-10"
    ]


@pytest.mark.parametrize(
    "bounds",
    [{"boundsRange": {"low": {"value": 5, "code": "d"}}}, {"boundsDuration": {"value": 5, "code": "bag"}}],
    ids=json.dumps,
)
def test_s7_where_bounds_are_told_and_not_readable_the_quantity_is_no_end(bounds: Json) -> None:
    dosage = {"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **bounds}}}
    supply = {"quantity": {"value": 20, "unit": "tablet"}}

    assert told(order(dosage, dispenseRequest=supply)) == ["10 on 06-01..06-15 (06-01..ever)"]


@pytest.mark.parametrize("count", [{"count": 0}, {"count": -2}, {"count": 4, "countMax": 2}], ids=json.dumps)
def test_what_is_no_number_of_intakes_is_no_length(count: Json) -> None:
    dosage = {"doseAndRate": mg(10), "timing": {"repeat": {**DAILY, **count}}}

    assert told(order(dosage)) == ["10 on 06-01..06-15 (06-01..ever)"]


@pytest.mark.parametrize("status", ["completed", "stopped", "on-hold"])
def test_d8_a_last_step_without_an_end_is_only_possible_unless_the_order_is_active(status: str) -> None:
    first = {"sequence": 1, "doseAndRate": mg(40), "timing": {"repeat": {**DAILY, **days(2)}}}
    last = {"sequence": 2, "doseAndRate": mg(10), **ONCE_A_DAY}

    assert told(order(first, last, status=status))[1] == "10 on - (06-03..06-15)"


def test_a_dosage_without_a_number_comes_before_numbered_ones() -> None:
    dosages = [{"doseAndRate": mg(dose), "timing": {"repeat": {**DAILY, **days(2)}}} for dose in (40, 20)]
    dosages[1]["sequence"] = 1

    assert told(order(*dosages)) == ["40 on 06-01..06-02", "20 on 06-03..06-04"]


@pytest.mark.parametrize(
    ("timing", "expected"),
    [
        ({"event": ["2026-06-01"], "code": {"text": "BID"}}, "20 on 06-01..06-15 (06-01..ever)"),
        ({"event": ["2026-06-01"], "repeat": DAILY}, "10 on 06-01..06-15 (06-01..ever)"),
        ({"event": ["2026-06"]}, "no-timing on 06-01..06-15 (06-01..ever)"),
        ({"event": ["soon"]}, "no-timing on 06-01..06-15 (06-01..ever)"),
        ({"event": ["2026-06-02"], "repeat": {"boundsDuration": {"value": 5, "code": "d"}}}, "10 on 06-02..06-02"),
    ],
    ids=json.dumps,
)
def test_listed_times_count_where_they_are_days_and_nothing_else_tells_how_often(timing: Json, expected: str) -> None:
    assert told(order({"doseAndRate": mg(10), "timing": timing})) == [expected]


def test_a_dose_within_the_most_that_its_words_allow_is_that_dose() -> None:
    assert told(order({"text": "2 tablets daily, max 60 mg per day, for 5 days"})) == ["10 on 06-01..06-05"]


def test_without_any_date_there_are_no_steps() -> None:
    pack = order({"text": "taper as directed"}, dispenseRequest={"quantity": {"value": 21, "unit": "tablet"}})
    del pack["authoredOn"]

    assert steps(pack, MEDROL) is None
    assert steps({"resourceType": "MedicationAdministration", "dosage": {"dose": {"value": 5, "unit": "mg"}}}) is None


def test_the_average_of_a_dispense_needs_a_quantity_in_mg() -> None:
    dispense = {
        "resourceType": "MedicationDispense",
        "whenHandedOver": "2026-06-01",
        "quantity": {"value": 20, "unit": "sticks"},
        "daysSupply": {"value": 10, "code": "d"},
        "dosageInstruction": [{"text": "as directed"}],
    }

    assert told(dispense) == ["as-directed on 06-01..06-10"]


@pytest.mark.parametrize(
    ("second", "follows"),
    [
        ("then 20 mg daily for 2 days", True),
        (", then 20 mg daily for 2 days", True),
        ("Followed by 20 mg daily for 2 days", True),
        ("Then, 20 mg daily for 2 days", True),
        ("20 mg daily for 2 days", False),
    ],
)
def test_a_dosage_follows_where_its_words_say_so(second: str, follows: bool) -> None:
    dosages = [
        {"text": text, "doseAndRate": mg(dose), "timing": {"repeat": {**DAILY, **days(2)}}}
        for text, dose in (("40 mg daily for 2 days", 40), (second, 20))
    ]

    found = told(order(*dosages))
    assert found == (["40 on 06-01..06-02", "20 on 06-03..06-04"] if follows else ["60 on 06-01..06-02"])
