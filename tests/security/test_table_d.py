"""Table D, from bytes to cards: what the readers prove one by one must still hold when a whole call is answered."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical import clinic, content, profiles
from cds_service.engine.answer import decide
from cds_service.engine.gather import gather
from cds_service.formats import strict_json
from cds_service.protocol.request import parse
from cds_service.review.call import prefetch, request_of
from cds_service.review.story import Json, drafts
from hooks.patient_view import SERVICE
from tests.support import golden
from tests.support.golden import AS_OF

WOMAN: Json = {"sex": "female", "age": 66, "menopause": "yes"}
ON_STEROIDS: Json = {**WOMAN, "steroids": {"drug": "prednisone", "mg": 7.5, "taken": 200}, "vitamin_d": {"value": 38}}


def cards(values: Json) -> list[Json]:
    answer = golden.post(json.dumps(request_of(values)))
    assert answer.status_code == 200
    return list(answer.get_json()["cards"])


def recommended(found: list[Json]) -> set[str]:
    named = (each for card in found for each in card["extension"]["org.bonecds.rules"])
    return {each["id"] for each in named if each["verdict"] == "recommend"}


def said(found: list[Json]) -> str:
    """Everything on the cards, as it is read."""
    return "\n".join(f"{card['summary']}\n{card['detail']}" for card in found).replace("\\", "")


def only(values: Json, key: str) -> Json:
    """The resource that is alone under its key."""
    (entry,) = values[key]["entry"]
    return dict(entry)["resource"]


# --- D5 ---------------------------------------------------------------------------------------------------------------
FOREIGN: dict[str, Any] = {
    "another-patient": {"reference": "Patient/p2"},
    "another-server": {"reference": "https://other.example.org/fhir/Patient/p1"},
    "a-version-of-another": {"reference": "Patient/p2/_history/1"},
    "in-lower-case": {"reference": "Patient/P1"},
}


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
@pytest.mark.parametrize("subject", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("place", [0, 1])
def test_d5_one_draft_for_somebody_else_refuses_the_call(hook: str, subject: Json, place: int) -> None:
    scenario = next(each for each in golden.scenarios() if each.orders and not each.refused)
    call = scenario.json("request.json")
    ours = call["context"]["patientId"]
    drafts = call["context"]["draftOrders"]["entry"]
    drafts.insert(place, copy.deepcopy(drafts[0]))
    text = (
        json.dumps(subject).replace("Patient/p1", f"Patient/{ours}").replace("Patient/P1", f"Patient/{ours.swapcase()}")
    )
    drafts[place]["resource"] |= {"id": "foreign", "subject": json.loads(text)}
    call["hook"] = hook

    answer = golden.post(json.dumps(call))

    assert answer.status_code == 412
    assert "foreign" not in answer.text


# --- C7 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("odd", [None, True, 7, "", [], {}, [[]], [{}], ["draft"]], ids=json.dumps)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_c7_whatever_stands_in_an_element_of_an_order_the_call_is_answered(odd: Any, hook: str) -> None:
    """A list for a status was a 500 once: it cannot be looked up in a set."""
    scenario = next(each for each in golden.scenarios() if str(each) == "order-alendronate-daily-by-mistake")
    call = scenario.json("request.json") | {"hook": hook}
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    for element in [*order, "doNotPerform", "encounter", "basedOn"]:
        changed = copy.deepcopy(call)
        changed["context"]["draftOrders"]["entry"][0]["resource"][element] = odd
        assert golden.post(json.dumps(changed)).status_code in (200, 412), element


# --- D9 ---------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", ["amended", "corrected"])
@pytest.mark.parametrize("first", ["the-original", "the-correction"])
def test_d9_of_a_score_and_its_correction_only_the_correction_counts(status: str, first: str) -> None:
    values = prefetch({**ON_STEROIDS, "dxa": {"t": {"hip": -3.1}}})
    entry = values["boneDensity"]["entry"][0]
    entry["resource"] |= {"status": status, "meta": {"versionId": "2"}}
    original = copy.deepcopy(entry)
    original["resource"] |= {"status": "final", "meta": {"versionId": "1"}}
    original["resource"]["valueQuantity"]["value"] = -1.3
    alone = cards(values)
    values["boneDensity"]["entry"].insert(0 if first == "the-original" else 1, original)

    assert "-3.1" in said(alone)
    assert cards(values) == alone


# --- D10 --------------------------------------------------------------------------------------------------------------
def test_d10_two_scores_of_one_day_and_site_are_both_shown_and_the_lower_decides() -> None:
    values = prefetch({**ON_STEROIDS, "dxa": {"t": {"hip": -1.4}}})
    (entry,) = values["boneDensity"]["entry"]
    other = copy.deepcopy(entry)
    other["resource"]["id"] += "-other"
    other["resource"]["valueQuantity"]["value"] = -2.9
    values["boneDensity"]["entry"].append(other)
    lower_alone = recommended(cards({**values, "boneDensity": {**values["boneDensity"], "entry": [other]}}))

    found = cards(values)

    assert recommended(found) >= lower_alone != set()
    assert "-2.9" in said(found)


def test_d10_a_report_that_says_normal_takes_nothing_from_a_score_of_minus_3_1() -> None:
    values = prefetch({**ON_STEROIDS, "dxa": {"t": {"hip": -3.1}}})
    alone = recommended(cards(values))
    values["boneReports"]["entry"][0]["resource"]["conclusion"] = "Normal bone density. No osteoporosis."

    assert alone != set()
    assert recommended(cards(values)) >= alone


def test_d10_osteoporosis_confirmed_and_refuted_is_no_reassurance() -> None:
    confirmed = {**ON_STEROIDS, "conditions": ["osteoporosis"]}
    both = prefetch(
        {**ON_STEROIDS, "conditions": ["osteoporosis", {"name": "osteoporosis", "verification": "refuted"}]}
    )

    assert recommended(cards(prefetch(confirmed))) != set()
    assert recommended(cards(both)) >= recommended(cards(prefetch(confirmed)))


def test_d10_a_steroid_both_active_and_stopped_is_still_asked_about() -> None:
    values = prefetch(ON_STEROIDS)
    twin = copy.deepcopy(values["medicationRequests"]["entry"][0])
    twin["resource"] |= {"id": "stopped-twin", "status": "stopped"}
    values["medicationRequests"]["entry"].append(twin)

    assert "GC-01" in recommended(cards(values))


# --- D12 --------------------------------------------------------------------------------------------------------------
def test_d12_as_a_dxa_grows_old_the_advice_to_repeat_it_comes_and_never_goes_again() -> None:
    asked = []
    for years in range(15):
        found = cards(prefetch({**ON_STEROIDS, "dxa": {"ago": f"{12 * years + 1} months", "t": {"hip": -1.2}}}))
        asked.append(bool({"GC-01", "GC-02", "MON-01"} & recommended(found)))

    assert asked[0] is False
    assert asked[9] is True
    assert asked == sorted(asked)


def test_d12_a_finding_is_shown_with_its_day() -> None:
    values = prefetch({**ON_STEROIDS, "dxa": {"ago": "20 months", "t": {"hip": -2.9}}})

    assert only(values, "boneDensity")["effectiveDateTime"][:10] in said(cards(values))


# --- D13 --------------------------------------------------------------------------------------------------------------
ZONES = ["Z", "+14:00", "-12:00", "-08:00", "+05:45"]


@pytest.mark.parametrize("time", ["00:00:00", "12:00:00", "23:59:59"])
@pytest.mark.parametrize("zone", ZONES)
def test_d13_the_day_that_is_written_counts_whatever_the_zone_and_the_hour(time: str, zone: str) -> None:
    """A result from before midnight in one zone is of the day after in another: the laboratory's own day is shown."""
    values = prefetch({**ON_STEROIDS, "dxa": {"t": {"hip": -2.9}}})
    plain = cards(values)
    result = only(values, "boneDensity")
    result["effectiveDateTime"] = f"{result['effectiveDateTime'][:10]}T{time}{zone}"

    assert cards(values) == plain != []


def test_d13_a_result_of_this_evening_in_a_zone_that_is_ahead_is_not_of_the_future() -> None:
    values = prefetch({**ON_STEROIDS, "dxa": {"t": {"hip": -2.9}}})
    only(values, "boneDensity")["effectiveDateTime"] = f"{AS_OF.isoformat()}T23:30:00-08:00"

    assert "-2.9" in said(cards(values))


# --- D16, D17 ---------------------------------------------------------------------------------------------------------
def with_vitamin_d(**quantity: Any) -> Json:
    values = prefetch({**WOMAN, "conditions": ["osteoporosis"], "vitamin_d": {"value": 18, "unit": "ng/mL"}})
    result = only(values, "vitaminD")
    result["valueQuantity"] |= quantity
    result["valueQuantity"] = {key: value for key, value in result["valueQuantity"].items() if value is not None}
    return values


@pytest.mark.parametrize(
    "quantity",
    [
        pytest.param({"unit": "ng/mL", "code": "nmol/L"}, id="unit-and-code-disagree"),
        pytest.param({"unit": None, "code": None, "system": None}, id="no-unit"),
        pytest.param({"unit": "units", "code": None, "system": None}, id="a-word-that-is-no-unit"),
        pytest.param({"value": True}, id="c7-true"),
        pytest.param({"value": "18"}, id="c7-text-where-a-number-belongs"),
        pytest.param({"value": [18]}, id="c7-a-list-where-a-number-belongs"),
        pytest.param({"value": 18, "comparator": "~"}, id="a-comparator-we-do-not-know"),
    ],
)
def test_d16_a_result_whose_unit_or_value_is_not_certain_gives_no_class_and_is_named(quantity: Json) -> None:
    found = cards(with_vitamin_d(**quantity))

    assert {rule for rule in recommended(found) if rule.startswith("VD")} <= {"VD-01"}
    assert "18 ng/mL" not in said(found)
    assert "25-OH vitamin D" in said(found).partition("Not known")[2]


def vitamin_d_class(value: str, unit: str, profile: str) -> str:
    """The class of a result in a profile."""
    values = with_vitamin_d(value=float(value), unit=unit, code=unit)
    call = parse(strict_json.load(json.dumps(request_of(values)).encode()), hook="patient-view")
    decision = decide(SERVICE, gather(call, SERVICE.needs), AS_OF, profiles.profile(profile), "x")
    outcome = next(each for each in decision.evaluation.outcomes if each.rule.id == "VD-02")
    return str(outcome.finding.values["class"])


@pytest.mark.parametrize("profile", ["us", "uk", "ca"])
@pytest.mark.parametrize(("unit", "cut_off", "step"), [("ng/mL", "20", "0.01"), ("nmol/L", "50", "0.02")])
def test_d17_a_class_changes_at_the_printed_cut_off_of_the_reported_unit_and_nowhere_beside_it(
    profile: str, unit: str, cut_off: str, step: str
) -> None:
    """Guidelines print 20 ng/mL and 50 nmol/L, though 20 ng/mL is 49.92 nmol/L: the unit that came decides (DEF-11)."""
    around = [Decimal(cut_off) + Decimal(step) * number for number in range(-10, 11)]
    found = [vitamin_d_class(str(value), unit, profile) for value in around]

    assert len(set(found[:10])) == len(set(found[10:])) == 1
    assert found[9] != found[10]


@pytest.mark.parametrize("profile", ["us", "uk", "ca"])
def test_d17_the_printed_cut_off_is_of_one_class_in_both_units(profile: str) -> None:
    assert vitamin_d_class("20", "ng/mL", profile) == vitamin_d_class("50", "nmol/L", profile)


# --- D20 --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("drug", "every", "warned"),
    [
        ({"drug": "alendronate", "mg": 70}, "day", True),
        ({"drug": "alendronate", "mg": 70}, "week", False),
        ({"drug": "alendronate", "mg": 10}, "day", False),
        ({"drug": "cholecalciferol", "units": 50_000}, "day", True),
        ({"drug": "cholecalciferol", "units": 50_000}, "week", False),
        ({"drug": "cholecalciferol", "units": 1_000}, "day", False),
    ],
)
def test_d20_a_dose_for_a_week_is_warned_about_when_it_is_ordered_daily_and_only_then(
    drug: Json, every: str, warned: bool
) -> None:
    story = {**WOMAN, "vitamin_d": {"value": 32}, "calcium": 2.35, "creatinine": 0.8, "egfr": 80}
    ((order, _),) = drafts({**story, "orders": {**drug, "every": every, "days": 84}})
    call = request_of(prefetch(story)) | {"hook": "order-select"}
    call["context"] |= {
        "selections": [f"MedicationRequest/{order['id']}"],
        "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": order}]},
    }
    answer = golden.post(json.dumps(call)).get_json()

    assert ("D20" in recommended(answer["cards"])) is warned
    assert {card["indicator"] for card in answer["cards"] if "D20" in recommended([card])} <= {"warning", "critical"}


# --- D22, C11 ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "coding",
    [
        pytest.param({"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "24700007"}, id="the-code-of-another-system"),
        pytest.param({"system": "urn:local", "code": "24700007"}, id="a-local-system"),
        pytest.param({"code": "24700007"}, id="no-system"),
        pytest.param({"system": "http://snomed.info/sct", "code": "247000070"}, id="a-longer-code"),
        pytest.param({"system": "http://snomed.info/sct", "code": "２４７０００07"}, id="c11-wide-digits"),
        pytest.param({"system": "http://snomed.info/sct", "code": "2470\u200b0007"}, id="c11-a-zero-width-space"),
        pytest.param({"system": "http://snomed.info/sct", "code": "24700007\u0000"}, id="c11-nul"),
        pytest.param({"system": "http://snоmed.info/sct", "code": "24700007"}, id="c11-a-cyrillic-letter"),
    ],
)  # fmt: skip
def test_d22_only_the_code_in_its_own_system_counts(coding: Json) -> None:
    """Multiple sclerosis is SNOMED CT 24700007; without it, other advice is given to this man, or none."""
    man: Json = {"sex": "male", "age": 61, "edss": 6, "fractures": {"site": "wrist", "ago": "2 years"}}
    values = prefetch({**man, "conditions": ["multiple sclerosis"]})
    with_it, without_it = recommended(cards(values)), recommended(cards(prefetch(man)))
    kept = [each for each in values["conditions"]["entry"] if "24700007" in json.dumps(each)]
    assert with_it != without_it
    assert len(kept) == 1

    kept[0]["resource"]["code"] = {"coding": [coding]}

    assert recommended(cards(values)) == without_it


def test_d22_a_code_that_means_something_else_than_its_name_is_neither_taken_nor_passed_over() -> None:
    """Hypertension by its code, multiple sclerosis by its name: whether he is in scope cannot be told."""
    values = prefetch({"sex": "male", "age": 61, "conditions": ["multiple sclerosis"]})
    only(values, "conditions")["code"] = {
        "coding": [{"system": "http://snomed.info/sct", "code": "38341003", "display": "Multiple sclerosis"}]
    }

    assert golden.post(json.dumps(request_of(values))).status_code == 412


# --- D23 --------------------------------------------------------------------------------------------------------------
def test_d23_one_changed_character_in_any_file_of_the_content_is_another_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = content.all_files()
    versions = {clinic._version.__wrapped__()}
    for number in range(0, len(there), 20):
        name, text = there[number]
        changed = [*there[:number], (name, text + " "), *there[number + 1 :]]
        monkeypatch.setattr(content, "all_files", lambda changed=changed: changed)
        versions.add(clinic._version.__wrapped__())

    assert len(versions) == 1 + len(range(0, len(there), 20))
