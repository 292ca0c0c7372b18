"""Records that are allowed and rare: two types of a dose, a reason for no value, words without a code, both ends of a list entry.

Each test says what is at stake; all that is read of its record stands in `read/test_rarer_records.txt`.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from cds_service.clinical import profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.facts.comedication import current
from cds_service.clinical.patient import Patient
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of
from tests.support.drugs import ALENDRONATE, RXNORM
from tests.support.dxa import codeable, report

NUMBERS = CLINIC.thresholds(dt.date(2026, 6, 15))
US = profiles.profile("us")
LOINC, SCT = "http://loinc.org", "http://snomed.info/sct"
PHENYTOIN, PREDNISONE, WHEELCHAIR = (RXNORM, "8183"), (RXNORM, "312617"), "129857008"
WOMAN = '{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-01-01"}'


def patient(*resources: dict[str, Any], who: str = WOMAN) -> Patient:
    return Patient(chart_of(who, *map(json.dumps, resources)), NUMBERS, US)


def drug(kind: str, code: tuple[str, str], ident: str = "m1", **more: Any) -> dict[str, Any]:
    coded = {"coding": [{"system": code[0], "code": code[1]}]}
    return {"resourceType": kind, "id": ident, "medicationCodeableConcept": coded, **more}


def observed(system: str, code: str, on: str = "2026-05-01", ident: str = "o1", **more: Any) -> dict[str, Any]:
    coded = {"coding": [{"system": system, "code": code}]}
    return {
        "resourceType": "Observation", "id": ident, "status": "final", "effectiveDateTime": on, "code": coded, **more,
    }  # fmt: skip


# --- drugs -----------------------------------------------------------------------------------------------------------
def dose(mg: int, kind: str) -> dict[str, Any]:
    return {"type": {"coding": [{"code": kind}]}, "doseQuantity": {"value": mg, "unit": "mg"}}


def test_of_a_dose_ordered_and_a_dose_worked_out_the_one_ordered_counts() -> None:
    told = drug(
        "MedicationRequest", ALENDRONATE, status="active", intent="order", authoredOn="2026-01-01",
        dosageInstruction=[{"doseAndRate": [dose(10, "calculated"), dose(70, "ordered")]}],
    )  # fmt: skip
    (therapy,) = patient(told).therapies.items
    assert therapy.strength_mg == 70


def test_a_drug_given_today_is_taken_today_though_its_record_is_completed() -> None:
    given = drug("MedicationAdministration", PHENYTOIN, status="completed", effectiveDateTime="2026-06-15")
    (found,) = current(patient(given).chart, "comed.", trusted_days=365).items
    assert found.current is Truth.YES


@pytest.mark.parametrize(("end", "truth"), [("2026-03-01", Truth.NO), ("2026-12-31", Truth.YES), (None, Truth.YES)])
def test_a_list_entry_with_an_end_is_not_carried_on_by_the_day_it_was_confirmed(end: str | None, truth: Truth) -> None:
    period = {"start": "2026-01-01", **({"end": end} if end else {})}
    told = drug(
        "MedicationStatement", PHENYTOIN, status="active", effectivePeriod=period, dateAsserted="2026-06-01",
    )  # fmt: skip
    found = current(patient(told).chart, "comed.", trusted_days=365).items
    assert [each.current for each in found] == ([] if truth is Truth.NO else [truth])


def by(route: str, mg: int) -> dict[str, Any]:
    daily = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": "2026-06-01"}}}
    return {"route": {"text": route}, "timing": daily, "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}]}


def test_a_local_dosage_does_not_hide_the_oral_one_behind_it() -> None:
    told = drug(
        "MedicationRequest", PREDNISONE, status="active", intent="order", authoredOn="2026-06-01",
        dosageInstruction=[by("inhalation", 5), by("oral", 10)],
    )  # fmt: skip
    assert str(patient(told).exposure.on(dt.date(2026, 6, 10))) == "10"


def test_each_of_two_steps_with_days_of_its_own_has_its_dose() -> None:
    def step(mg: int, first: str, last: str) -> dict[str, Any]:
        told = by("oral", mg)
        told["timing"]["repeat"]["boundsPeriod"] = {"start": first, "end": last}
        return told

    told = drug(
        "MedicationRequest", PREDNISONE, status="active", intent="order", authoredOn="2026-06-01",
        dosageInstruction=[step(20, "2026-06-01", "2026-06-07"), step(10, "2026-06-08", "2026-06-14")],
    )  # fmt: skip
    doses = [str(patient(told).exposure.on(dt.date(2026, 6, day))) for day in (7, 8)]
    assert doses == ["20", "10"]


def test_a_glucocorticoid_given_is_shown_with_the_dose_given() -> None:
    given = drug(
        "MedicationAdministration", PREDNISONE, status="completed", effectiveDateTime="2026-06-10",
        dosage={"route": {"text": "oral"}, "dose": {"value": 2, "unit": "tablet"}},
    )  # fmt: skip
    day = dt.date(2026, 6, 10)
    assert [each.value for each in patient(given).exposure.shown_by(day, day)] == ["prednisone 10 mg"]


# --- results ---------------------------------------------------------------------------------------------------------
def test_a_site_may_stand_in_the_display_of_a_code_alone() -> None:
    told = observed(LOINC, "38263-0", valueQuantity={"value": -2.1, "unit": "{T-score}"})
    told["code"]["coding"][0]["display"] = "DXA Femur - left femoral neck [T-score]"
    (score,) = patient(told).scores.items
    assert score.site.value == "femoral neck"


def test_a_bmi_from_weight_and_height_is_rounded_half_up_and_says_where_it_is_from() -> None:
    weight = observed(LOINC, "29463-7", valueQuantity={"value": 61.25, "unit": "kg"})
    height = observed(LOINC, "8302-2", ident="o2", valueQuantity={"value": 175, "unit": "cm"})
    found = patient(weight, height).bmi
    assert isinstance(found, Known)
    assert (str(found.value), found.evidence[0].note) == ("20", "from weight and height")


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        ({"valueString": "pregnant"}, True),
        ({"valueString": "not pregnant"}, False),
        ({"valueString": "possibly pregnant"}, None),
        ({"valueString": "pregnant", "dataAbsentReason": {"coding": [{"code": "asked-declined"}]}}, None),
    ],
)
def test_a_reason_for_no_value_is_no_answer_about_pregnancy(value: dict[str, Any], answer: bool | None) -> None:
    found = patient(observed(LOINC, "82810-3", **value)).pregnant
    assert (found.value if isinstance(found, Known) else None) is answer


def test_two_statuses_of_one_day_that_differ_conflict_and_both_are_named() -> None:
    told = [
        observed(LOINC, "82810-3", ident=ident, valueString=words)
        for ident, words in (("o1", "pregnant"), ("o2", "no"))
    ]
    found = patient(*told).pregnant
    assert isinstance(found, Unknown)
    assert set(found.gaps) == {
        Gap(GapKind.CONFLICTING, "pregnancy", "", f"Observation/{each}") for each in ("o1", "o2")
    }


def test_two_courses_of_ms_of_which_one_is_primary_progressive_conflict() -> None:
    ms = [
        {
            "resourceType": "Condition", "id": ident, "code": {"coding": [{"system": SCT, "code": code}]},
            "clinicalStatus": {"coding": [{"code": "active"}]},
        }
        for ident, code in (("c1", "428700003"), ("c2", "426373005"))
    ]  # fmt: skip
    found = patient(*ms).ms_type
    assert isinstance(found, Unknown)
    assert {each.what for each in found.gaps} == {"ms-type"}
    assert {each.kind for each in found.gaps} == {GapKind.CONFLICTING}


def test_two_edss_of_one_day_conflict_and_both_are_named() -> None:
    told = [
        observed(SCT, "273554001", ident=ident, valueQuantity={"value": value, "unit": "{score}"})
        for ident, value in (("o1", 2), ("o2", 6))
    ]
    found = patient(*told).edss
    assert isinstance(found, Known)
    assert {(each.kind, each.what) for each in found.doubts} == {(GapKind.CONFLICTING, "edss")}


# --- falls -----------------------------------------------------------------------------------------------------------
def test_a_question_about_falls_that_nobody_answered_was_not_asked() -> None:
    absent = {"coding": [{"code": "asked-declined"}]}
    asked = observed(LOINC, "52552-7", valueQuantity={"value": 0})
    declined = observed(LOINC, "52552-7", dataAbsentReason=absent)
    assert len(patient(asked).falls_asked.items) == 1
    assert patient(declined).falls_asked.items == ()


# --- reports ---------------------------------------------------------------------------------------------------------
def test_a_report_of_the_spine_of_one_day_and_one_of_an_unknown_site_are_one_scan_of_the_spine() -> None:
    chart = chart_of(
        WOMAN, report("83311-1"), report("83014-1", ident="r2"), f"""{{"resourceType": "Procedure", "id": "x1",
        "status": "completed", "performedDateTime": "2026-05-01", "code": {codeable("440035002")}}}""",
    )  # fmt: skip
    (scan,) = Patient(chart, NUMBERS, US).scans.items
    assert (scan.central, scan.vfa) == (True, True)


# --- words and periods -----------------------------------------------------------------------------------------------
def test_a_site_in_the_display_counts_beside_a_text_without_one() -> None:
    told = observed(LOINC, "38263-0", valueQuantity={"value": -2.1, "unit": "{T-score}"})
    told["code"]["coding"][0]["display"] = "Left femoral neck"
    told["code"]["text"] = "T-score"
    (score,) = patient(told).scores.items
    assert score.site.value == "femoral neck"


def order(first: str, last: str, ident: str, status: str = "completed") -> dict[str, Any]:
    return drug(
        "MedicationRequest", PHENYTOIN, ident, status=status, intent="order", authoredOn=first,
        dosageInstruction=[{"timing": {"repeat": {"boundsPeriod": {"start": first, "end": last}}}}],
    )  # fmt: skip


@pytest.mark.parametrize(("again", "since"), [("2026-02-01", "2026-01-01"), ("2026-02-02", "2026-02-02")])
def test_a_day_without_the_drug_begins_its_use_anew(again: str, since: str) -> None:
    chart = patient(order("2026-01-01", "2026-01-31", "m1"), order(again, "2026-12-31", "m2", "active")).chart
    (found,) = current(chart, "comed.", trusted_days=365).items
    assert str(found.since) == since


def test_an_order_without_a_date_keeps_it_open_whether_a_drug_is_still_taken() -> None:
    undated = drug("MedicationRequest", PHENYTOIN, "m2", status="active", intent="order")
    chart = patient(order("2024-01-01", "2024-12-31", "m1"), undated).chart
    (found,) = current(chart, "comed.", trusted_days=365).items
    assert found.current is Truth.UNKNOWN


def sex_until(end: str, sex: str) -> dict[str, Any]:
    period = {"url": "effectivePeriod", "valuePeriod": {"start": "2000-01-01", "end": end}}
    coded = {"coding": [{"system": "http://hl7.org/fhir/administrative-gender", "code": sex}]}
    url = "http://hl7.org/fhir/StructureDefinition/individual-recordedSexOrGender"
    return {"url": url, "extension": [{"url": "value", "valueCodeableConcept": coded}, period]}


@pytest.mark.parametrize(("end", "sex"), [("2026-06-14", "female"), ("2026-06-15", "male")])
def test_a_recorded_sex_holds_until_the_last_day_of_its_period(end: str, sex: str) -> None:
    who = json.loads(WOMAN) | {"extension": [sex_until(end, "male")]}
    found = patient(who=json.dumps(who)).sex
    assert isinstance(found, Known)
    assert found.value.value == sex


def test_tablets_given_in_hospital_do_not_hide_the_newer_order() -> None:
    given = drug("MedicationAdministration", ALENDRONATE, "a1", status="completed", effectiveDateTime="2026-05-01")
    told = drug("MedicationRequest", ALENDRONATE, "m1", status="active", intent="order", authoredOn="2026-06-01")
    (therapy,) = patient(given, told).therapies.items
    assert therapy.evidence.resource == "MedicationRequest/m1"


@pytest.mark.parametrize(("hip", "kept"), [(0.9, False), (1.0, True), (1.5, True)])
def test_a_hip_probability_from_1_percent_is_no_fraction(hip: float, kept: bool) -> None:
    told = [
        observed(LOINC, "90265-0", ident="o1", valueQuantity={"value": 0.2}),
        observed(LOINC, "90266-8", ident="o2", valueQuantity={"value": hip, "unit": "%"}),
    ]
    found = [each.hip for each in patient(*told).frax.items if each.hip]
    assert bool(found) is kept


def test_a_walking_aid_seen_tomorrow_does_not_hide_the_one_seen_before() -> None:
    told = [
        observed(SCT, code, on, ident, valueBoolean=True)
        for code, on, ident in ((WHEELCHAIR, "2026-07-01", "o1"), (WHEELCHAIR, "2026-05-01", "o2"))
    ]
    assert [each.evidence.resource for each in patient(*told).mobility.items] == ["Observation/o2"]


def test_a_refuted_pregnancy_says_when_it_was_refuted() -> None:
    refuted = {
        "resourceType": "Condition", "id": "c1", "code": {"coding": [{"system": SCT, "code": "77386006"}]},
        "verificationStatus": {"coding": [{"code": "refuted"}]}, "recordedDate": "2026-05-20",
    }  # fmt: skip
    found = patient(refuted).pregnant
    assert isinstance(found, Known)
    assert (found.value, str(found.evidence[0].on)) == (False, "2026-05-20")


def test_of_two_egfr_of_one_day_the_one_that_is_not_split_by_race_counts() -> None:
    told = [
        observed(LOINC, code, ident=ident, valueQuantity={"value": value, "unit": "mL/min/{1.73_m2}"})
        for code, ident, value in (("48642-3", "o1", 50), ("48643-1", "o2", 60), ("33914-3", "o3", 55))
    ]
    found = patient(*told).egfr
    assert isinstance(found, Known)
    assert str(found.value.value) == "55"


def test_a_test_that_no_look_up_asks_for_is_a_mistake_of_ours() -> None:
    with pytest.raises(ContentError, match=r"facts/laboratory\.py: lab\.CTX: is looked up by no need"):
        patient().tests("lab.CTX")


def test_the_procedure_of_asking_about_falls_has_its_own_date() -> None:
    asked = {
        "resourceType": "Procedure", "id": "x1", "status": "completed",
        "performedPeriod": {"start": "2026-06-01", "end": "2026-07-30"},
        "code": {"coding": [{"system": SCT, "code": "711054005"}]},
    }  # fmt: skip
    assert [str(each.on) for each in patient(asked).falls_asked.items] == ["2026-06-01..2026-07-30"]
