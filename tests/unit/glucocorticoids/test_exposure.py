"""From medication resources to a dose for every day: nothing counted twice, nothing guessed (S7, D19, D21)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from cds_service.clinical import needs
from tests.support.courses import (
    AS_OF,
    DEXAMETHASONE,
    METHYLPREDNISOLONE_IV,
    PREDNISONE_5MG,
    RXNORM,
    dispense,
    given,
    order,
    stretches,
    timeline,
    year,
)


# --- one course ------------------------------------------------------------------------------------------------------
def test_an_order_with_dates_is_one_stretch() -> None:
    assert stretches(order("1", 10, "2026-05-01", "2026-05-31")) == [("2026-05-01", "2026-05-31", "10")]


def test_def_04_the_year_covers_today_and_the_364_days_before() -> None:
    assert year(order("1", 10, "2025-06-15", "2026-06-15")) == "3650"
    assert year(order("1", 10, "2025-06-16", "2026-06-15")) == "3650"
    assert year(order("1", 10, "2025-06-17", "2026-06-15")) == "3640"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("active", [("2026-06-01", "2026-07-31", "10")]),
        ("completed", [("2026-06-01", "2026-06-15", "10")]),
        ("stopped", [("2026-06-01", "2026-06-01", "10"), ("2026-06-02", "2026-06-15", "0 to 10")]),
        ("on-hold", [("2026-06-01", "2026-07-31", "0 to 10")]),
        ("entered-in-error", []),
        ("cancelled", []),
        ("draft", []),
    ],
)
def test_d8_the_status_decides_which_days_are_certain(status: str, expected: list[tuple[str, str, str]]) -> None:
    assert stretches(order("1", 10, "2026-06-01", "2026-07-31", status=status)) == expected


def test_an_active_order_without_an_end_is_certain_until_today() -> None:
    found = stretches(order("1", 10, "2026-06-01", None))

    assert found == [("2026-06-01", "2026-06-15", "10"), ("2026-06-16", "9999-12-31", "0 to 10")]


def test_d12_an_old_active_order_without_an_end_is_not_taken_as_current() -> None:
    found = timeline(order("1", 10, "2024-01-01", None))

    assert str(found.on(AS_OF)) == "0 to 10"
    assert [gap.detail for gap in found.doubts(AS_OF, AS_OF)] == ["no end date"]


def test_supply_times_refills_gives_the_length() -> None:
    supply = {"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": 2}

    found = stretches(order("1", 10, "2026-05-01", None, dispenseRequest=supply))

    assert found == [("2026-05-01", "2026-07-29", "10")]


def test_d14_a_month_as_start_is_an_interval() -> None:
    found = stretches(order("1", 10, "2026-05", "2026-06-15"))

    assert found == [("2026-05-01", "2026-05-30", "0 to 10"), ("2026-05-31", "2026-06-15", "10")]


def test_d19_an_unreadable_dose_is_more_than_nothing_and_has_no_upper_bound() -> None:
    found = timeline(order("1", None, "2026-06-01", "2026-06-30"))

    assert str(found.on(AS_OF)) == ">0"
    assert [gap.kind.value for gap in found.doubts(AS_OF, AS_OF)] == ["dose-unreadable"]


def test_cms249_a_course_by_bounds_alone_is_exposure_of_unknown_dose() -> None:
    """The eCQM steroid has a boundsPeriod of 90 days, no dose, no frequency, and was authored after the course."""
    resource = json.loads(order("1", None, "2026-02-01", "2026-05-01", authoredOn="2026-06-01", status="completed"))
    del resource["dosageInstruction"][0]["timing"]["repeat"]["frequency"]

    assert stretches(json.dumps(resource)) == [("2026-02-01", "2026-05-01", ">0")]


def test_an_order_without_any_date_opens_every_day() -> None:
    resource = json.loads(order("1", 10, "2026-06-01", None))
    del resource["authoredOn"]
    resource["dosageInstruction"][0]["timing"]["repeat"].pop("boundsPeriod")

    found = timeline(json.dumps(resource))

    assert str(found.on(AS_OF)) == ">=0"


# --- what is not counted ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "route",
    ["Inhalation", "Nebulised", "topical", "Ophthalmic", "in the left eye", "Rectal", "intra-articular", "nasal spray"],
)
def test_def_01_a_local_route_never_counts(route: str) -> None:
    resource = json.loads(order("1", 4, "2026-06-01", "2026-06-30", medicationCodeableConcept=DEXAMETHASONE))
    resource["dosageInstruction"][0]["route"] = {"text": route}

    assert stretches(json.dumps(resource)) == []


def test_s7_an_ingredient_without_a_route_may_or_may_not_count() -> None:
    resource = json.loads(order("1", 4, "2026-06-01", "2026-06-30", medicationCodeableConcept=DEXAMETHASONE))
    del resource["dosageInstruction"][0]["route"]

    assert stretches(json.dumps(resource)) == [("2026-06-01", "2026-06-30", "0 to 26.667")]


def test_trap_13_triamcinolone_oral_paste_is_not_systemic() -> None:
    paste = {"coding": [{"system": RXNORM, "code": "1085728"}]}

    assert stretches(order("1", 4, "2026-06-01", "2026-06-30", medicationCodeableConcept=paste)) == []


@pytest.mark.parametrize(
    ("code", "name"), [("4452", "fludrocortisone"), ("41126", "fluticasone"), ("19831", "budesonide")]
)
def test_def_03_drugs_that_never_count(code: str, name: str) -> None:
    drug = {"coding": [{"system": RXNORM, "code": code}], "text": name}

    assert stretches(order("1", 4, "2026-06-01", "2026-06-30", medicationCodeableConcept=drug)) == []


ADDISON = json.dumps(
    {
        "resourceType": "Condition",
        "id": "addison",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E271"}]},
        "subject": {"reference": "Patient/p1"},
    }
)
HYDROCORTISONE = {"coding": [{"system": RXNORM, "code": "197782"}]}


def test_def_03_hydrocortisone_in_addison_disease_is_replacement() -> None:
    assert stretches(order("1", 20, "2026-01-01", None, medicationCodeableConcept=HYDROCORTISONE), ADDISON) == []


def test_def_03_hydrocortisone_for_another_written_reason_counts() -> None:
    asthma = [{"coding": [{"system": "http://snomed.info/sct", "code": "195967001"}]}]
    resource = order("1", 20, "2026-06-01", "2026-06-30", medicationCodeableConcept=HYDROCORTISONE, reasonCode=asthma)

    assert stretches(resource, ADDISON) == [("2026-06-01", "2026-06-30", "5")]


def test_def_03_prednisone_in_addison_disease_without_a_reason_stays_open() -> None:
    assert stretches(order("1", 5, "2026-06-01", "2026-06-30"), ADDISON) == [("2026-06-01", "2026-06-30", "0 to 5")]


def test_def_03_a_written_reason_by_reference_decides() -> None:
    reason = [{"reference": "Condition/addison"}]

    assert stretches(order("1", 5, "2026-06-01", "2026-06-30", reasonReference=reason), ADDISON) == []


# --- several resources about one intake (D21) ------------------------------------------------------------------------
def test_d21_order_and_dispense_of_the_same_drug_are_one_intake() -> None:
    assert year(order("1", 10, "2026-05-01", "2026-05-30"), dispense("2", 60, 30, "2026-05-01")) == "300"


def test_d21_where_order_and_dispense_differ_the_dose_lies_between() -> None:
    found = stretches(order("1", 10, "2026-05-01", "2026-05-30"), dispense("2", 30, 30, "2026-05-01"))

    assert found == [("2026-05-01", "2026-05-30", "5 to 10")]


def test_d21_a_dispense_that_knows_the_dose_settles_an_order_that_does_not() -> None:
    found = stretches(order("1", None, "2026-05-01", "2026-05-30"), dispense("2", 60, 30, "2026-05-01"))

    assert found == [("2026-05-01", "2026-05-30", "10")]


def test_a_dispensed_taper_gives_its_average() -> None:
    """The dose pack: 21 tablets of 4 mg methylprednisolone for 6 days are 14 mg, 17.5 mg equivalent, a day."""
    pack = {"coding": [{"system": RXNORM, "code": "259966"}]}

    found = stretches(dispense("1", 21, 6, "2026-05-01", medicationCodeableConcept=pack))

    assert found == [("2026-05-01", "2026-05-06", "17.5")]


def test_d21_overlapping_orders_are_a_renewal_or_two_strengths() -> None:
    found = stretches(order("1", 10, "2026-05-01", "2026-05-20"), order("2", 10, "2026-05-16", "2026-05-31"))

    assert found == [
        ("2026-05-01", "2026-05-15", "10"),
        ("2026-05-16", "2026-05-20", "10 to 20"),
        ("2026-05-21", "2026-05-31", "10"),
    ]


def test_d21_one_order_split_in_two_leaves_the_sum() -> None:
    whole = year(order("1", 10, "2026-05-01", "2026-05-31"))

    assert year(order("1", 10, "2026-05-01", "2026-05-12"), order("2", 10, "2026-05-13", "2026-05-31")) == whole


def test_d11_the_same_order_twice_counts_once() -> None:
    assert year(order("1", 10, "2026-05-01", "2026-05-31"), order("2", 10, "2026-05-01", "2026-05-31")) == "310"


def test_different_drugs_are_added() -> None:
    other = order("2", 0.75, "2026-05-01", "2026-05-31", medicationCodeableConcept=DEXAMETHASONE)

    assert stretches(order("1", 10, "2026-05-01", "2026-05-31"), other) == [("2026-05-01", "2026-05-31", "15")]


def test_arithmetic_checks_of_the_rule_book() -> None:
    """MP 1 g x 3 = 3,750; x 4 = 5,000; x 5 = 6,250 mg prednisolone-equivalent (clinical.md 10)."""
    doses = [given(str(day), 1000, f"2026-05-0{day}") for day in range(1, 6)]

    assert [year(*doses[:days]) for days in (3, 4, 5)] == ["3750", "5000", "6250"]


def test_administrations_of_one_day_are_summed_and_replace_the_order() -> None:
    ordered = order("0", 2000, "2026-05-01", "2026-05-01", medicationCodeableConcept=METHYLPREDNISOLONE_IV)

    assert year(ordered, given("1", 500, "2026-05-01"), given("2", 500, "2026-05-01T18:00:00Z")) == "1250"


def test_a_statement_tells_of_the_same_intake_as_the_order() -> None:
    statement = json.dumps(
        {
            "resourceType": "MedicationStatement",
            "id": "s",
            "status": "active",
            "medicationCodeableConcept": PREDNISONE_5MG,
            "subject": {"reference": "Patient/p1"},
            "effectivePeriod": {"start": "2026-05-01", "end": "2026-05-31"},
            "dosage": [{"doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}], "timing": {"code": {"text": "QD"}}}],
        }
    )  # fmt: skip

    assert year(order("1", 10, "2026-05-01", "2026-05-31"), statement) == "310"


def test_dosages_without_a_sequence_hold_at_once_and_add_up() -> None:
    resource = json.loads(order("1", 10, "2026-05-01", None))
    step = resource["dosageInstruction"][0]
    step["timing"]["repeat"].pop("boundsPeriod")
    resource["dosageInstruction"] = [step, step]
    resource["dispenseRequest"] = {"expectedSupplyDuration": {"value": 2, "code": "wk"}}

    assert stretches(json.dumps(resource)) == [("2026-05-01", "2026-05-14", "20")]


def test_d20_text_and_structure_that_disagree_give_the_span_of_both_and_say_so() -> None:
    resource = json.loads(order("1", 10, "2026-05-01", "2026-05-31"))
    resource["dosageInstruction"][0]["text"] = "Take 1 tablet by mouth daily"

    found = timeline(json.dumps(resource))

    assert str(found.on(dt.date(2026, 5, 10))) == "5 to 10"
    doubts = found.doubts(dt.date(2026, 5, 10), dt.date(2026, 5, 10))
    assert [(gap.kind.value, gap.detail) for gap in doubts] == [("conflicting", "daily dose 10 or 5 mg")]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("as directed", "as directed"),
        ("taper as you feel", "free text"),
        ("2 tablets", "free text"),
        (None, "no amount"),
    ],
)
def test_d19_the_doubt_names_why_a_dose_is_not_read(text: str | None, detail: str) -> None:
    resource = json.loads(order("1", None, "2026-06-01", "2026-06-30"))
    resource["dosageInstruction"][0]["text"] = text

    assert [gap.detail for gap in timeline(json.dumps(resource)).doubts(AS_OF, AS_OF)] == [detail]


def test_a_taper_in_words_is_one_course_a_step() -> None:
    resource = json.loads(order("1", None, "2026-05-01", None))
    resource["dosageInstruction"] = [
        {"text": "Take 40 mg daily for 5 days then 20 mg daily for 5 days", "route": {"text": "Oral"}}
    ]

    assert stretches(json.dumps(resource)) == [("2026-05-01", "2026-05-05", "40"), ("2026-05-06", "2026-05-10", "20")]


def test_synthea_one_of_what_is_only_in_the_name() -> None:
    drug = {"coding": [{"system": RXNORM, "code": "312617", "display": "predniSONE 5 MG Oral Tablet"}]}
    resource = json.loads(order("1", 1, "2026-05-01", "2026-05-31", medicationCodeableConcept=drug))
    resource["dosageInstruction"][0]["doseAndRate"] = [{"doseQuantity": {"value": 1}}]

    assert stretches(json.dumps(resource)) == [("2026-05-01", "2026-05-31", "5")]


# --- look-ups that did not complete (S2) -----------------------------------------------------------------------------
@pytest.mark.parametrize("need", needs.MEDICATIONS, ids=lambda need: need.key)
def test_s2_while_a_medication_look_up_is_open_there_is_no_upper_bound(need: Any) -> None:
    found = timeline(order("1", 10, "2026-05-01", "2026-06-30"), incomplete=(need,))

    assert str(found.on(AS_OF)) == ">=10"
    assert [gap.what for gap in found.doubts(AS_OF, AS_OF)] == [need.key]
    assert str(timeline(incomplete=(need,)).on(AS_OF)) == ">=0"
