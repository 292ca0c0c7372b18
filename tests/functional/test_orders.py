"""The two order hooks, JSON text in and out: which orders speak, what is said once, what is refused (issue of the order hooks)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli.serve import build_app
from cds_service.protocol import validate
from cds_service.review.call import order_request, prefetch
from cds_service.review.story import drafts
from cds_service.web.settings import Settings

Json = dict[str, Any]
_DAY = dt.date(2026, 6, 15)
_WOMAN: Json = {"sex": "female", "age": 60, "menopause": "yes"}
PREDNISONE: Json = {"drug": "prednisone", "mg": 10, "days": 180}
DENOSUMAB: Json = {"drug": "denosumab", "mg": 60, "route": "subcutaneous", "every": "month"}
DXA_ORDER: Json = {
    "resourceType": "ServiceRequest",
    "id": "dxa-1",
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/p1"},
    "code": {"coding": [{"system": "http://loinc.org", "code": "83014-1"}]},
}


@pytest.fixture(scope="module")
def client() -> Any:
    return build_app(Settings(as_of=_DAY)).test_client()


def call(story: Json, hook: str = "order-select", extra: tuple[Json, ...] = ()) -> Json:
    """The call an EHR makes while those orders are being written."""
    return order_request(prefetch(story), [*drafts(story), *((order, False) for order in extra)], hook)


def post(client: Any, body: Json) -> Any:
    return client.post(f"/cds-services/bone-health-{body['hook']}", json=body)


def cards(client: Any, body: Json) -> list[Json]:
    answer = post(client, body)
    assert answer.status_code == 200, answer.text
    told = json.loads(answer.text)
    assert validate.violations_of_response(told) == []
    found: list[Json] = told["cards"]
    return found


def topics(found: list[Json]) -> list[str]:
    return [card["source"]["topic"]["code"] for card in found]


# --- which orders speak ----------------------------------------------------------------------------------------------
def test_a_long_steroid_order_gives_one_clear_card_with_the_dose_and_the_next_step(client: Any) -> None:
    found = cards(client, call({**_WOMAN, "orders": PREDNISONE}))
    assert topics(found)[0] == "GlucocorticoidBoneAssessment"
    assert found[0]["indicator"] == "warning"
    assert found[0]["summary"].startswith("Prednisone 10 mg/day ordered for over 90 days: no DXA or FRAX found.")
    assert "prednisone 10 mg/day, 180 days: 1800 mg prednisolone-equivalent" in found[0]["detail"]
    assert [each["label"] for each in found[0]["suggestions"]] == ["Order DXA with vertebral fracture assessment"]


def test_item_30_orders_of_other_drugs_and_services_give_no_card(client: Any) -> None:
    statin = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "draft",
        "medicationCodeableConcept": {"text": "Statin"},
    }
    body = call({**_WOMAN, "edss": 7, "conditions": ["multiple sclerosis"]}, extra=())
    body["context"]["draftOrders"]["entry"] = [{"resource": statin}, {"resource": DXA_ORDER}]
    body |= {"hook": "order-select"}
    body["context"]["selections"] = ["MedicationRequest/m"]
    assert cards(client, body) == []


def test_an_inhaled_steroid_gives_no_card(client: Any) -> None:
    assert cards(client, call({**_WOMAN, "orders": {**PREDNISONE, "route": "inhaled"}})) == []


def test_only_the_selected_order_is_spoken_about(client: Any) -> None:
    """The steroid waits in the basket; the statin beside it is what was chosen."""
    statin = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "draft",
        "medicationCodeableConcept": {"text": "Statin"},
    }
    body = call({**_WOMAN, "orders": {**PREDNISONE, "beside": True}}, extra=(statin,))
    body["context"]["selections"] = ["MedicationRequest/m"]
    assert cards(client, body) == []


def test_beside_a_bone_drug_nothing_is_said_that_belongs_to_the_open_chart(client: Any) -> None:
    """A woman with MS and no DXA gets MS-01 when the chart is opened; at the order of denosumab only its safety is spoken about."""
    found = cards(client, call({**_WOMAN, "conditions": ["multiple sclerosis"], "orders": DENOSUMAB}))
    assert set(topics(found)) == {"BoneDrugSafety"}


# --- the public sandbox and Epic ----------------------------------------------------------------------------------------
def test_sandbox_3_an_empty_draft_on_page_load_gives_no_card(client: Any) -> None:
    body = call({**_WOMAN, "orders": PREDNISONE})
    empty = {"resourceType": "MedicationRequest", "id": "e", "status": "draft", "subject": {"reference": "Patient/p1"}}
    body["context"]["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": empty}]}
    body["context"]["selections"] = ["MedicationRequest/e"]
    assert cards(client, body) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"category": {"coding": [{"code": "outpatient"}]}}, id="item_45-category-is-an-object"),
        pytest.param({"intent": None}, id="sandbox-no-intent"),
        pytest.param({"status": "active"}, id="item_93-signed-again"),
        pytest.param({"subject": None}, id="no-subject"),
    ],
)
def test_odd_drafts_are_read_as_they_are_meant(client: Any, change: Json) -> None:
    body = call({**_WOMAN, "orders": PREDNISONE})
    order = body["context"]["draftOrders"]["entry"][0]["resource"]
    order |= {key: value for key, value in change.items() if value is not None}
    for key, value in change.items():
        if value is None:
            order.pop(key)
    body["context"]["draftOrders"].pop("type")
    assert topics(cards(client, body))[0] == "GlucocorticoidBoneAssessment"


def test_item_29_a_medication_of_its_own_in_the_bundle_is_found(client: Any) -> None:
    body = call({**_WOMAN, "orders": PREDNISONE})
    entries = body["context"]["draftOrders"]["entry"]
    drug = {"resourceType": "Medication", "id": "drug", "code": entries[0]["resource"].pop("medicationCodeableConcept")}
    entries[0]["resource"]["medicationReference"] = {"reference": "Medication/drug"}
    entries.append({"resource": drug})
    assert topics(cards(client, body))[0] == "GlucocorticoidBoneAssessment"


def test_an_order_that_says_do_not_perform_is_none(client: Any) -> None:
    body = call({**_WOMAN, "orders": PREDNISONE})
    body["context"]["draftOrders"]["entry"][0]["resource"]["doNotPerform"] = True
    assert cards(client, body) == []


# --- whose order ------------------------------------------------------------------------------------------------------
def test_d5_an_order_for_another_patient_refuses_the_call(client: Any) -> None:
    body = call({**_WOMAN, "orders": PREDNISONE})
    body["context"]["draftOrders"]["entry"][0]["resource"]["subject"]["reference"] = "Patient/p2"
    answer = post(client, body)
    assert answer.status_code == 412
    issue = json.loads(answer.text)["issue"][0]
    assert "another patient" in issue["diagnostics"]
    assert "p2" not in answer.text


def test_e6_s10_a_patient_who_writes_the_order_gets_no_card(client: Any) -> None:
    body = call({**_WOMAN, "orders": PREDNISONE})
    body["context"]["userId"] = "Patient/p1"
    assert cards(client, body) == []


# --- what could not be looked at -------------------------------------------------------------------------------------------
def test_s5_an_order_without_any_prefetch_names_what_could_not_be_looked_at(client: Any) -> None:
    """Denosumab is being ordered and nothing about kidney or calcium was supplied: never silence."""
    body = call({**_WOMAN, "orders": DENOSUMAB}) | {"prefetch": {}}
    (card,) = cards(client, body)
    assert "laboratory" in card["detail"].lower() or "results" in card["detail"].lower()


def test_s3_a_look_up_that_the_order_does_not_need_is_not_named_on_its_card(client: Any) -> None:
    """FRAX results could not be looked at; nothing about denosumab rests on them."""
    body = call({**_WOMAN, "vitamin_d": 32, "calcium": 2.35, "creatinine": 0.8, "egfr": 80, "orders": DENOSUMAB})
    body["prefetch"].pop("fractureRisk")
    (card,) = cards(client, body)
    assert "Not supplied" not in card["detail"]
    body["prefetch"].pop("laboratory")
    assert any("Not supplied" in each["detail"] for each in cards(client, body))


def test_s7_a_dose_that_cannot_be_read_is_said_not_guessed(client: Any) -> None:
    found = cards(client, call({**_WOMAN, "orders": {"drug": "prednisone", "mg": "as directed", "days": 180}}))
    assert found
    assert "dose" in found[0]["detail"].lower()


# --- select and sign --------------------------------------------------------------------------------------------------------
def test_e7_the_same_advice_is_not_given_again_when_the_order_is_signed(client: Any) -> None:
    story = {**_WOMAN, "orders": PREDNISONE}
    assert cards(client, call(story, "order-select"))
    assert cards(client, call(story, "order-sign")) == []


def test_what_speaks_against_the_drug_is_said_at_both_hooks_under_one_topic(client: Any) -> None:
    story = {**_WOMAN, "calcium": 1.9, "vitamin_d": 32, "creatinine": 0.8, "egfr": 80, "orders": DENOSUMAB}
    chosen, signed = (cards(client, call(story, hook)) for hook in ("order-select", "order-sign"))
    assert topics(chosen) == topics(signed) == ["BoneDrugSafety"]
    assert chosen[0]["indicator"] == signed[0]["indicator"] == "critical"


def test_a_site_without_order_select_gets_the_advice_at_signing(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text('base = "us"\norder_advice = "sign"\n')
    client = build_app(Settings(as_of=_DAY, site_file=file)).test_client()
    story = {**_WOMAN, "orders": PREDNISONE}
    assert cards(client, call(story, "order-select")) == []
    assert topics(cards(client, call(story, "order-sign")))[0] == "GlucocorticoidBoneAssessment"


def test_e5_what_is_in_the_basket_already_answers_the_advice_and_is_not_offered_again(client: Any) -> None:
    found = cards(client, call({**_WOMAN, "orders": PREDNISONE}, extra=(DXA_ORDER,)))
    assert "GlucocorticoidBoneAssessment" not in topics(found)
    assert not any("DXA" in each["label"] for card in found for each in card.get("suggestions", ()))


def test_a_bone_drug_that_is_being_ordered_answers_the_advice_to_treat(client: Any) -> None:
    """T-score -3 on long-term prednisone: treatment is advised, until a drug is in the basket."""
    story = {**_WOMAN, "dxa": {"t": {"spine": -3.0}}, "orders": [PREDNISONE]}
    assert "FractureRiskTreatment" in topics(cards(client, call(story)))
    story["orders"] = [PREDNISONE, {"drug": "alendronate", "mg": 70, "every": "week"}]
    assert "FractureRiskTreatment" not in topics(cards(client, call(story)))


# --- a week's dose every day -------------------------------------------------------------------------------------------------
def test_d20_a_weekly_dose_written_as_a_daily_one_can_be_made_weekly_with_one_click(client: Any) -> None:
    body = call({**_WOMAN, "orders": {"drug": "alendronate", "mg": 70, "every": "day", "days": 84}})
    draft = body["context"]["draftOrders"]["entry"][0]["resource"]
    draft["note"] = [{"text": "kept as it is"}]
    card = cards(client, body)[0]
    (fix,) = [each for each in card["suggestions"] if each["label"] == "Make it once a week"]
    (action,) = fix["actions"]
    assert action["type"] == "update"
    changed = action["resource"]
    assert (changed["id"], changed["note"]) == (draft["id"], draft["note"])
    (dosage,) = changed["dosageInstruction"]
    assert dosage["timing"]["repeat"] | {"boundsDuration": ...} == {
        "boundsDuration": ...,
        "frequency": 1,
        "period": 1,
        "periodUnit": "wk",
    }
    assert dosage["doseAndRate"] == draft["dosageInstruction"][0]["doseAndRate"]


def test_d20_a_draft_that_is_no_valid_fhir_is_not_sent_back(client: Any) -> None:
    """Its category is an object, as Epic sends it: the card warns, and offers no change."""
    body = call({**_WOMAN, "orders": {"drug": "alendronate", "mg": 70, "every": "day"}})
    body["context"]["draftOrders"]["entry"][0]["resource"]["category"] = {"coding": [{"code": "outpatient"}]}
    card = cards(client, body)[0]
    assert "a dose for a week" in card["summary"]
    assert not any(each["label"] == "Make it once a week" for each in card.get("suggestions", ()))


# --- drugs offered as drafts ---------------------------------------------------------------------------------------------------
_HIGH_RISK: Json = {**_WOMAN, "dxa": {"t": {"spine": -3.0}}, "frax": {"mof": 15, "hip": 2}, "orders": PREDNISONE}
_KNOWN: Json = {"calcium": 2.35, "creatinine": 0.7, "weight": 70, "egfr": 85, "vitamin_d": 32}


def _labels(found: list[Json]) -> set[str]:
    return {each["label"] for card in found for each in card.get("suggestions", ())}


DRUGS = {
    "Draft alendronate 70 mg once a week",
    "Draft zoledronic acid 5 mg once a year",
    "Draft denosumab 60 mg every 6 months",
}


def test_options_of_the_guideline_are_offered_side_by_side_none_ticked(client: Any) -> None:
    found = cards(client, call({**_HIGH_RISK, **_KNOWN}))
    assert _labels(found) >= DRUGS
    assert not any(each.get("isRecommended") for card in found for each in card.get("suggestions", ()))


def test_e5_nothing_is_offered_of_which_the_safety_is_not_known_and_the_card_says_what_is_missing(client: Any) -> None:
    found = cards(client, call(_HIGH_RISK))
    assert not _labels(found) & DRUGS
    assert "No draft offered of Alendronate 70 mg oral tablet" in found[0]["detail"]
    assert "not known" in found[0]["detail"]


def test_e5_a_drug_against_which_something_speaks_is_not_offered_and_the_others_are(client: Any) -> None:
    found = cards(client, call({**_HIGH_RISK, **_KNOWN, "conditions": ["achalasia"]}))
    assert _labels(found) & DRUGS == DRUGS - {"Draft alendronate 70 mg once a week"}
    assert "No draft offered of Alendronate 70 mg oral tablet (oesophagus that empties slowly" in found[0]["detail"]


def test_drafts_are_for_the_encounter_of_the_call(client: Any) -> None:
    body = call({**_HIGH_RISK, **_KNOWN})
    body["context"]["encounterId"] = "enc-9"
    drafts_ = [each["actions"][0]["resource"] for card in cards(client, body) for each in card.get("suggestions", ())]
    assert drafts_
    assert {each["encounter"]["reference"] for each in drafts_} == {"Encounter/enc-9"}


# --- reasons to dismiss ----------------------------------------------------------------------------------------------------------
def test_each_kind_of_card_has_its_own_reasons_first_and_the_common_ones_after(client: Any) -> None:
    (steroid, *_) = cards(client, call({**_WOMAN, "orders": PREDNISONE}))
    (denosumab,) = cards(client, call({**_WOMAN, "orders": DENOSUMAB}))
    codes = [[each["code"] for each in card["overrideReasons"]] for card in (steroid, denosumab)]
    assert codes[0][:2] == ["short-course", "dose-as-written"]
    assert codes[1][:2] == ["benefit-outweighs-risk", "dose-as-written"]
    assert codes[0][2:] == codes[1][2:]
    assert codes[0][2] == "done-elsewhere"
