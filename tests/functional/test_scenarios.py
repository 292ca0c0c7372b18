"""The invented patients of `fixtures/scenarios/`: JSON text in, exactly the golden answer out."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from cds_service.cli.explain import explain
from cds_service.kernel.rules import Kind
from cds_service.protocol import validate
from hooks.patient_view import SERVICE
from tests.support import golden
from tests.support.golden import AS_OF, Json, Scenario, scenarios

ANSWERED = [each for each in scenarios() if not each.refused]
REFUSED = [each for each in scenarios() if each.refused]
_LIST = (golden.FOLDER / "README.md").read_text("utf-8")
# With a failed look-up the call knows less than the bundle does.
WHOLE = [each for each in ANSWERED if not each.failed_keys]


@pytest.mark.parametrize("scenario", ANSWERED, ids=str)
def test_scenario_gives_its_golden_cards(scenario: Scenario) -> None:
    answer = golden.post(scenario.text("request.json"))

    assert answer.status_code == 200
    assert answer.get_json() == scenario.json("cards.json")


@pytest.mark.parametrize("scenario", ANSWERED, ids=str)
def test_e3_every_answer_keeps_to_the_schema_and_to_the_invariants_of_hl7(scenario: Scenario) -> None:
    assert validate.violations_of_response(golden.post(scenario.text("request.json")).get_json()) == []


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_every_request_is_one_that_the_specification_allows(scenario: Scenario) -> None:
    assert validate.violations_of_request(scenario.json("request.json")) == []


@pytest.mark.parametrize("scenario", ANSWERED, ids=str)
def test_s6_the_same_call_gives_the_same_bytes(scenario: Scenario) -> None:
    text = scenario.text("request.json")

    assert golden.post(text).data == golden.post(text).data


@pytest.mark.parametrize("scenario", WHOLE, ids=str)
def test_explaining_the_whole_bundle_gives_the_same_cards(scenario: Scenario) -> None:
    """What the command line says about a record is what the EHR gets for it; only the cards' uuids differ."""
    assert [_without_uuids(card) for card in _explain(scenario)["cards"]] == [
        _without_uuids(card) for card in scenario.json("cards.json")["cards"]
    ]


@pytest.mark.parametrize("scenario", ANSWERED, ids=str)
def test_the_prefetch_is_what_the_templates_of_discovery_find_in_the_bundle(scenario: Scenario) -> None:
    prefetch = scenario.json("request.json")["prefetch"]
    found = golden.split(scenario.json("bundle.json"))

    assert {key: value for key, value in prefetch.items() if key not in scenario.failed_keys} == {
        key: value for key, value in found.items() if key not in scenario.failed_keys
    }


@pytest.mark.parametrize("scenario", REFUSED, ids=str)
def test_d1_data_of_another_patient_refuse_the_whole_call(scenario: Scenario) -> None:
    answer = golden.post(scenario.text("request.json"))

    assert answer.status_code == 412
    assert golden.masked(answer) == scenario.json("error.json")


@pytest.mark.parametrize("scenario", REFUSED, ids=str)
def test_s8_a_refusal_repeats_nothing_of_either_record(scenario: Scenario) -> None:
    request = scenario.json("request.json")
    patient = request["prefetch"]["patient"]
    said = golden.post(scenario.text("request.json")).text

    values = (request["context"]["patientId"], patient["id"], patient["name"][0]["family"], patient["birthDate"])
    assert [value for value in values if value in said] == []


def test_dx_03_the_words_of_t_scores_are_never_used_before_menopause() -> None:
    """41 years, premenopausal, T-score -2.6: neither word, and no T-score at all."""
    said = _scenario("ms-premenopausal-low-t-score").text("cards.json").lower()

    assert re.findall(r"osteopor\w*|osteopen\w*|t-score", said) == []


def test_ms_04_relapse_pulses_alone_give_no_class_and_no_drug_suggestion() -> None:
    cards = _scenario("ms-relapse-pulses-only").json("cards.json")["cards"]

    assert [_rules(card) for card in cards] == [{"MS-04", "LIF-03"}]  # LIF-03 adds a line about falls
    assert ["suggestions" in card for card in cards] == [False]
    assert re.findall(r"(?:low|moderate|high) (?:fracture )?risk", json.dumps(cards)) == []


def test_s5_a_failed_look_up_is_named_on_one_information_card() -> None:
    (card,) = _scenario("dxa-look-up-failed").json("cards.json")["cards"]

    assert card["indicator"] == "info"
    assert "Look-up failed: DXA results" in card["detail"]
    assert "Dose not readable: glucocorticoid" in card["detail"]


def test_s2_the_same_patient_with_the_look_up_completed_has_no_gap_card_about_it() -> None:
    said = json.dumps(_explain(_scenario("dxa-look-up-failed"))["cards"])

    assert "Look-up failed" not in said


def test_s1_nothing_to_say_is_an_empty_list_of_cards() -> None:
    quiet = [str(each) for each in ANSWERED if each.json("cards.json") == {"cards": []}]

    assert quiet == ["adrenal-replacement", "gc-low-risk-assessed", "nothing-to-say"]


def test_every_family_of_rules_speaks_in_some_scenario() -> None:
    spoken = {
        rule["id"].partition("-")[0]
        for each in ANSWERED
        for card in each.json("cards.json")["cards"]
        for rule in card["extension"]["org.bonecds.rules"]
        if rule["verdict"] == "recommend"
    }

    # life style has lines on other cards and none of its own
    assert spoken == {rule.id.partition("-")[0] for rule in SERVICE.rules if rule.kind is Kind.ACTION}


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_every_scenario_says_in_two_sentences_who_it_is_and_what_should_come(scenario: Scenario) -> None:
    title, _, words = scenario.text("README.md").partition("\n\n")
    who, should = re.split(r"(?<=[.!?]) (?=[A-Z])", words.strip())

    assert title == f"# {str(scenario).replace('-', ' ').capitalize()}"
    assert who.endswith(".")
    assert should.startswith("The service should ")


@pytest.mark.parametrize("scenario", ANSWERED, ids=str)
def test_no_code_is_written_without_its_system(scenario: Scenario) -> None:
    codings = [coding for coding in _codings(scenario.json("bundle.json")) if coding.keys() < {"system", "code"}]

    assert codings == []


def test_the_list_of_scenarios_is_complete() -> None:
    listed = re.findall(r"^\| \[([a-z0-9-]+)\]\(\1/README\.md\)", _LIST, re.MULTILINE)

    assert sorted(listed) == [str(each) for each in scenarios()]


@pytest.mark.parametrize("scenario", WHOLE, ids=str)
def test_the_rules_a_scenario_is_listed_for_hold_in_it(scenario: Scenario) -> None:
    (shows,) = re.findall(rf"^\| \[{scenario}\]\S+ \| (.*?) \|", _LIST, re.MULTILINE)
    result = _explain(scenario)
    hold = {each["rule"] for each in result["outcomes"] if each["verdict"] in ("recommend", "satisfied")}

    assert set(re.findall(r"[A-Z]{2,3}-\w+", shows)) <= hold


def _scenario(name: str) -> Scenario:
    return next(each for each in scenarios() if str(each) == name)


def _explain(scenario: Scenario) -> Json:
    """What `bonecds explain` says about the bundle."""
    asked = [str(scenario.path / "bundle.json"), "--as-of", AS_OF.isoformat(), "--format", "json"]
    if scenario.orders:
        asked += ["--hook", "order-select", "--draft-orders", str(scenario.path / "orders.json")]
    result = CliRunner().invoke(explain, asked, catch_exceptions=False)
    assert result.exit_code == 0
    return dict(json.loads(result.stdout))


def _without_uuids(card: Json) -> Json:
    bare = {key: value for key, value in card.items() if key != "uuid"}
    proposals = [{**each, "uuid": ""} for each in card.get("suggestions", ())]
    return {**bare, "suggestions": proposals}


def _rules(card: Json) -> set[str]:
    return {rule["id"] for rule in card["extension"]["org.bonecds.rules"]}


def _codings(node: object) -> list[Json]:
    if isinstance(node, dict):
        own = list(node["coding"]) if isinstance(node.get("coding"), list) else []
        return own + [coding for value in node.values() for coding in _codings(value)]
    return [coding for value in node for coding in _codings(value)] if isinstance(node, list) else []
