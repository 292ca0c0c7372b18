"""From medication resources to a dose for every day: nothing counted twice, nothing guessed (S7, D19, D21)."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from cds_service.clinical import content, needs, profiles
from cds_service.clinical.exposure import Exposure
from cds_service.clinical.facts.glucocorticoids import exposure
from tests.support.charts import chart_of

AS_OF = dt.date(2026, 6, 15)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PREDNISONE_5MG = {"coding": [{"system": RXNORM, "code": "312617"}]}
PREDNISONE_1MG = {"coding": [{"system": RXNORM, "code": "198144"}]}
DEXAMETHASONE = {"coding": [{"system": RXNORM, "code": "3264"}], "text": "dexamethasone"}
METHYLPREDNISOLONE_IV = {"coding": [{"system": RXNORM, "code": "1743726"}]}


def order(ident: str, mg: float | None, first: str, last: str | None, **more: Any) -> str:
    period = {"start": first} | ({"end": last} if last else {})
    dosage: dict[str, Any] = {
        "text": "as written",
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": period}},
        "route": {"text": "Oral"},
    }
    if mg is not None:
        dosage["doseAndRate"] = [{"doseQuantity": {"value": mg, "unit": "mg"}}]
    return json.dumps(
        {
            "resourceType": "MedicationRequest",
            "id": ident,
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": PREDNISONE_5MG,
            "subject": {"reference": "Patient/p1"},
            "authoredOn": first,
            "dosageInstruction": [dosage],
            **more,
        }
    )


def dispense(ident: str, tablets: float, days: int, on: str, **more: Any) -> str:
    return json.dumps(
        {
            "resourceType": "MedicationDispense",
            "id": ident,
            "status": "completed",
            "medicationCodeableConcept": PREDNISONE_5MG,
            "subject": {"reference": "Patient/p1"},
            "whenHandedOver": on,
            "quantity": {"value": tablets, "unit": "tablet"},
            "daysSupply": {"value": days, "unit": "days", "code": "d"},
            **more,
        }
    )


def given(ident: str, mg: float, on: str, **more: Any) -> str:
    return json.dumps(
        {
            "resourceType": "MedicationAdministration",
            "id": ident,
            "status": "completed",
            "medicationCodeableConcept": METHYLPREDNISOLONE_IV,
            "subject": {"reference": "Patient/p1"},
            "effectiveDateTime": on,
            "dosage": {"dose": {"value": mg, "unit": "mg"}, "route": {"text": "Intravenous"}},
            **more,
        }
    )


def timeline(*resources: str, incomplete: tuple[Any, ...] = ()) -> Exposure:
    return exposure(
        chart_of(*resources, incomplete=incomplete), content.thresholds(AS_OF), profiles.profile("us").equal
    )


def stretches(*resources: str) -> list[tuple[str, str, str]]:
    return [(str(s.first), str(s.last), str(s.daily)) for s in timeline(*resources).stretches]


def year(*resources: str) -> str:
    return str(timeline(*resources).total(AS_OF - dt.timedelta(days=364), AS_OF))


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


def test_several_dosage_steps_without_days_of_their_own_are_unreadable_for_now() -> None:
    resource = json.loads(order("1", 10, "2026-05-01", None))
    step = resource["dosageInstruction"][0]
    step["timing"]["repeat"].pop("boundsPeriod")
    resource["dosageInstruction"] = [step, step]
    resource["dispenseRequest"] = {"expectedSupplyDuration": {"value": 2, "code": "wk"}}

    assert stretches(json.dumps(resource)) == [("2026-05-01", "2026-05-14", ">0")]


# --- where the drug stands -------------------------------------------------------------------------------------------
def test_mimic_the_drug_is_named_only_in_an_identifier() -> None:
    medication = {"resourceType": "Medication", "id": "m", "identifier": [{"value": "PredniSONE"}]}
    resource = json.loads(order("1", 10, "2026-05-01", "2026-05-31"))
    del resource["medicationCodeableConcept"]
    resource["medicationReference"] = {"reference": "Medication/m"}

    assert stretches(json.dumps(resource), json.dumps(medication)) == [("2026-05-01", "2026-05-31", "10")]


def test_epic_a_reference_that_was_not_supplied_opens_every_day() -> None:
    resource = json.loads(order("1", 10, "2026-05-01", "2026-05-31"))
    del resource["medicationCodeableConcept"]
    resource["medicationReference"] = {"reference": "Medication/elsewhere"}

    found = timeline(json.dumps(resource))

    assert [(gap.kind.value, gap.what) for gap in found.gaps] == [("not-supplied", "medication-names")]


def test_a_drug_known_only_by_its_class_is_exposure_of_unknown_dose() -> None:
    """H02AB alone: a systemic glucocorticoid, nobody knows which (S3)."""
    drug = {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB"}]}

    assert stretches(order("1", 10, "2026-05-01", "2026-05-31", medicationCodeableConcept=drug)) == [
        ("2026-05-01", "2026-05-31", ">0")
    ]


# --- look-ups that did not complete (S2) -----------------------------------------------------------------------------
@pytest.mark.parametrize("need", needs.MEDICATIONS, ids=lambda need: need.key)
def test_s2_while_a_medication_look_up_is_open_there_is_no_upper_bound(need: Any) -> None:
    found = timeline(order("1", 10, "2026-05-01", "2026-06-30"), incomplete=(need,))

    assert str(found.on(AS_OF)) == ">=10"
    assert [gap.what for gap in found.doubts(AS_OF, AS_OF)] == [need.key]
    assert str(timeline(incomplete=(need,)).on(AS_OF)) == ">=0"
