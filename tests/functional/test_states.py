"""What reaches the clinician for each state of a prefetch key, and for calls that mix up patients. Over HTTP, JSON text in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_service.clinical.patient import ALL_NEEDS
from cds_service.protocol.validate import schema_errors
from cds_service.review.call import in_state, prefetch, request_of
from cds_service.review.story import Json
from hooks.patient_view import SERVICE
from tests.support import golden

NAMES = SERVICE.texts("en").names
# On prednisone for 100 days, DXA done last month: with everything looked up, only general measures are left to say.
STEROID = [{"drug": "prednisone", "mg": 5, "taken": 100, "days": 200}]
ASSESSED: Json = {
    "sex": "male",
    "age": 35,
    "steroids": STEROID,
    "dxa": {"z": {"spine": -0.5}},
    "vitamin_d": {"value": 38},
    "drugs": ["cholecalciferol"],
}
NOT_ASSESSED: Json = {**ASSESSED, "dxa": []}
KEYS = [need.key for need in ALL_NEEDS]


def post(values: Json, **context: str) -> TestResponse:
    call = request_of(values)
    call["context"] |= context
    return golden.post(json.dumps(call))


def cards(answer: TestResponse) -> list[Json]:
    assert answer.status_code == 200
    body = answer.get_json()
    assert list(schema_errors("response", body)) == []
    return list(body["cards"])


def refusal(answer: TestResponse) -> str:
    assert answer.status_code == 412
    body: Json = answer.get_json()
    assert body["resourceType"] == "OperationOutcome"
    return str(body["issue"][0]["diagnostics"])


def rules(found: list[Json]) -> set[str]:
    """Ids of the rules that recommend something on those cards."""
    named = (each for card in found for each in card["extension"]["org.bonecds.rules"])
    return {each["id"] for each in named if each["verdict"] == "recommend"}


# --- the five states of a prefetch key --------------------------------------------------------------------------------
def test_data_the_record_of_an_assessed_patient_gives_no_card() -> None:
    assert cards(post(prefetch(ASSESSED))) == []


@pytest.mark.parametrize("state", ["null", "empty"])
def test_s2_null_and_an_empty_bundle_prove_that_there_is_no_dxa(state: str) -> None:
    values = prefetch(NOT_ASSESSED)
    for key in ("boneDensity", "boneReports"):
        in_state(values, key, state)

    found = cards(post(values))

    assert "GC-01" in rules(found)
    assert "no DXA found" in found[0]["summary"]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("absent", "Not supplied"),
        ("failed", "Look-up failed"),
        ("not-permitted", "Not permitted"),
        ("partial", "Only partly supplied"),
    ],
)
def test_s3_s5_a_look_up_that_did_not_complete_is_named_with_its_reason_instead(state: str, reason: str) -> None:
    values = prefetch(NOT_ASSESSED)
    in_state(values, "boneReports", state)

    found = cards(post(values))

    assert rules(found) == set()
    assert [(card["indicator"], card["source"]["topic"]["code"]) for card in found] == [("info", "BoneDataGaps")]
    assert f"{reason}: {NAMES['boneReports']}" in found[0]["detail"]


def test_s2_presence_needs_no_proof_a_fracture_on_the_first_page_counts() -> None:
    values = prefetch({**ASSESSED, "fractures": [{"site": "vertebra", "low_trauma": True}]})
    in_state(values, "conditions", "partial")

    assert "GC-12e" in rules(cards(post(values)))


def test_s5_without_conditions_and_orders_the_call_is_refused_and_the_keys_are_named() -> None:
    values = prefetch({"sex": "female", "age": 50, "menopause": "yes"})
    in_state(values, "conditions", "failed")
    in_state(values, "medicationRequests", "absent")

    words = refusal(post(values))

    assert "conditions" in words
    assert "medicationRequests" in words


def test_s5_no_prefetch_at_all_is_refused() -> None:
    assert "Supply: boneDensity" in refusal(post({}))


# --- one patient per call (S4) ----------------------------------------------------------------------------------------
OTHER = {"resourceType": "Patient", "id": "p2", "gender": "female", "birthDate": "1950-01-01"}


def foreign(value: Json) -> Json:
    """The resources of a Bundle as those of somebody else."""
    text = json.dumps(value).replace("Patient/p1", "Patient/p2")
    return dict(json.loads(text))


@pytest.mark.parametrize("key", KEYS)
def test_d1_a_foreign_patient_under_any_key_refuses_the_call(key: str) -> None:
    values = prefetch(ASSESSED)
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OTHER}]}
    values[key] = OTHER if key == "patient" else bundle

    words = refusal(post(values))

    assert "1950-" not in words
    assert "p2" not in words


def test_d2_one_resource_of_another_patient_fails_its_whole_key() -> None:
    values = prefetch(ASSESSED)
    stranger = foreign(values["boneReports"])["entry"][0]
    stranger["resource"]["id"] = "report-of-somebody-else"
    values["boneReports"]["entry"].append(stranger)
    values["boneDensity"]["entry"] = []

    found = cards(post(values))

    assert rules(found) == set()
    assert f"Look-up failed: {NAMES['boneReports']}" in found[0]["detail"]


def test_d2_a_steroid_of_another_patient_is_nobodys_steroid_here() -> None:
    values = prefetch({"sex": "male", "age": 35, "conditions": ["multiple sclerosis"], "edss": 2, "bmi": 24})
    values["medicationRequests"] = foreign(prefetch(NOT_ASSESSED)["medicationRequests"])

    found = cards(post(values))

    assert rules(found) == set()
    assert f"Look-up failed: {NAMES['medicationRequests']}" in found[0]["detail"]


def test_d3_the_same_id_on_another_server_is_another_patient() -> None:
    values = prefetch(ASSESSED)
    report = values["boneReports"]["entry"][0]["resource"]
    report["subject"]["reference"] = "https://other.example.org/fhir/Patient/p1"
    call = request_of(values) | {"fhirServer": "https://ehr.example.org/fhir"}
    values["boneDensity"]["entry"] = []

    found = cards(golden.post(json.dumps(call)))

    assert f"Look-up failed: {NAMES['boneReports']}" in found[0]["detail"]


@pytest.mark.parametrize(
    "reference", ["Patient/p1", "Patient/p1/_history/3", "https://ehr.example.org/fhir/Patient/p1"]
)
def test_d4_every_form_of_reference_to_the_patient_is_read(reference: str) -> None:
    values = prefetch(ASSESSED)
    for entry in values["boneReports"]["entry"] + values["boneDensity"]["entry"]:
        entry["resource"]["subject"] = {"reference": reference}
    call = request_of(values) | {"fhirServer": "https://ehr.example.org/fhir"}

    assert cards(golden.post(json.dumps(call))) == []


@pytest.mark.parametrize("subject", [None, {}, {"display": "Jane Roe"}, {"identifier": {"value": "123"}}, "?", 7, []])
def test_d4_a_report_that_does_not_say_whose_it_is_proves_nothing(subject: Any) -> None:
    values = prefetch(ASSESSED)
    for entry in values["boneReports"]["entry"] + values["boneDensity"]["entry"]:
        entry["resource"]["subject"] = subject

    found = cards(post(values))

    assert rules(found) == set()
    assert NAMES["boneReports"] in found[0]["detail"]


def test_d6_a_merged_record_gives_no_card() -> None:
    values = prefetch(NOT_ASSESSED)
    values["patient"]["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]

    assert cards(post(values)) == []


# --- who is looked at, and by whom ------------------------------------------------------------------------------------
def test_d7_a_patient_who_has_died_gives_no_card() -> None:
    assert cards(post(prefetch({**NOT_ASSESSED, "deceased": True}))) == []


def test_d7_under_18_gives_no_card_and_18_does() -> None:
    of_17, of_18 = ({**NOT_ASSESSED, "age": None, "born": born} for born in ("2008-06-16", "2008-06-15"))

    assert cards(post(prefetch(_without_age(of_17)))) == []
    assert "GC-01" in rules(cards(post(prefetch(_without_age(of_18)))))


def _without_age(story: Json) -> Json:
    return {key: value for key, value in story.items() if key != "age"}


@pytest.mark.parametrize("born", ["2027-01-01", "1850-01-01", "17 March 1990", 1990, None, {}])
def test_d7_a_birth_date_that_cannot_be_right_is_unknown_never_nought(born: Any) -> None:
    values = prefetch(NOT_ASSESSED)
    values["patient"]["birthDate"] = born

    assert "GC-01" not in rules(cards(post(values)))


@pytest.mark.parametrize(
    ("user", "answered"),
    [
        ("Practitioner/d1", True),
        ("PractitionerRole/d1", True),
        ("Patient/p1", False),
        ("RelatedPerson/r1", False),
        ("https://ehr.example.org/fhir/Patient/p1", False),
    ],
)
def test_s10_cards_are_for_professionals_only(user: str, answered: bool) -> None:
    assert bool(cards(post(prefetch(NOT_ASSESSED), userId=user))) is answered
