"""What holds for every card of every scenario: the card specification (`docs/clinician.md`), S1, S10 and table E."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from itertools import pairwise

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cds_service.clinical import content, profiles
from cds_service.kernel.rules import Level, Status, Verdict
from hooks.patient_view import SERVICE
from tests.support import golden
from tests.support.golden import Json, Scenario, scenarios

ANSWERED = [each for each in scenarios() if not each.refused]
BLOCKS = ["Why now", "Options", "Not known", "Basis"]
RULES = {rule.id: rule for rule in SERVICE.rules}
CAP = profiles.profile("us").card_cap
# "normal" may stand in a quoted laboratory range, never in our sentences about a person (E8).
REASSURING = re.compile(
    r"\b(?:must|safe|normal|healthy|fine|no risk|not at risk|low risk|no (?:further )?action|reassur\w*|nothing to worry)\b",
    re.IGNORECASE,
)
_SOURCES = {(source.label, source.url) for source in content.sources().values()}


@dataclass(frozen=True, slots=True)
class Given:
    """A card and whose it is."""

    scenario: Scenario
    card: Json

    def __str__(self) -> str:
        return f"{self.scenario}/{self.card['source']['topic']['code']}"

    @property
    def actions(self) -> list[Json]:
        return [action for suggestion in self.card.get("suggestions", ()) for action in suggestion["actions"]]


# As the service answers today, and not as the golden files say: one must not hide the other.
CARDS = [Given(each, card) for each in ANSWERED for card in golden.post(each.text("request.json")).get_json()["cards"]]
every_card = pytest.mark.parametrize("given", CARDS, ids=str)
every_answer = pytest.mark.parametrize("scenario", ANSWERED, ids=str)


@every_card
def test_e2_the_summary_is_one_line_of_fewer_than_140_characters_and_a_whole_sentence(given: Given) -> None:
    summary = given.card["summary"]

    assert 0 < len(summary) < 140
    assert summary == " ".join(summary.split())
    assert summary[0].isupper() or summary[0].isdigit()
    assert summary.endswith(".")


@every_card
def test_the_blocks_stand_in_their_fixed_order(given: Given) -> None:
    found = re.findall(r"^\*\*(.+)\*\*$", given.card["detail"], re.MULTILINE)

    assert found == [name for name in BLOCKS if name in found]
    assert found[-1] == "Basis"


@every_card
def test_why_now_has_at_most_three_lines_and_says_nothing_twice(given: Given) -> None:
    blocks = _blocks(given.card["detail"])

    assert len(blocks.get("Why now", ())) <= 3
    assert [name for name, lines in blocks.items() if len(set(lines)) < len(lines)] == []
    assert [name for name, lines in blocks.items() if not lines] == []


@every_card
def test_s3_every_line_of_not_known_begins_with_its_reason(given: Given) -> None:
    reasons = tuple(f"{reason}: " for reason in SERVICE.texts("en").gaps.values())

    assert [line for line in _blocks(given.card["detail"]).get("Not known", ()) if not line.startswith(reasons)] == []


@every_card
def test_no_line_has_a_hole_where_a_value_should_be(given: Given) -> None:
    said = f"{given.card['summary']}\n{given.card['detail']}"

    assert re.findall(r"None|\{|\}|Undefined|Decimal|\(\)| ,|,,|\(, |\[\]", said) == []


@every_card
def test_s1_e8_no_word_reassures_or_commands(given: Given) -> None:
    labels = [suggestion["label"] for suggestion in given.card.get("suggestions", ())]

    assert REASSURING.findall("\n".join((given.card["summary"], given.card["detail"], *labels))) == []


@every_card
def test_s10_each_suggestion_is_one_draft_for_this_patient(given: Given) -> None:
    patient = given.scenario.json("request.json")["context"]["patientId"]
    suggestions = given.card.get("suggestions", [])

    assert [len(suggestion["actions"]) for suggestion in suggestions] == [1] * len(suggestions)
    assert [suggestion["label"] for suggestion in suggestions if suggestion.get("isRecommended")] == []
    for action in given.actions:
        model = {"ServiceRequest": ServiceRequest, "MedicationRequest": MedicationRequest}
        order = model[action["resource"]["resourceType"]].model_validate(action["resource"])
        assert order.subject.reference == f"Patient/{patient}"
        if action["type"] == "update":  # the draft that is being written, with a change
            assert order.id in json.dumps(given.scenario.orders)
            assert (order.status, action["description"].startswith("Change ")) == ("draft", True)
            continue
        assert action["type"] == "create"
        assert (order.status, order.intent) == ("draft", "proposal")
        assert order.id is None
        assert action["description"].startswith("Draft ")
    assert given.card.get("selectionBehavior") == ("any" if suggestions else None)


@every_card
def test_drafts_offer_their_codes_in_several_systems_each_once(given: Given) -> None:
    for action in given.actions:
        resource = action["resource"]
        code = resource.get("code") or resource["medicationCodeableConcept"]
        systems = [coding["system"] for coding in code["coding"]]
        assert sorted(set(systems)) == sorted(systems)
        assert code["text"]


@every_card
def test_every_card_can_be_turned_down_for_the_same_seven_reasons_after_those_of_its_kind(given: Given) -> None:
    reasons = given.card["overrideReasons"]

    assert [reason["code"] for reason in reasons][-7:] == [
        "done-elsewhere",
        "patient-declined",
        "contraindicated",
        "goals-of-care",
        "not-my-role",
        "data-wrong",
        "not-now",
    ]
    assert {reason["system"] for reason in reasons} == {"https://bonecds.org/CodeSystem/override-reason"}


@every_card
def test_the_topic_is_a_stable_code_of_letters_and_digits(given: Given) -> None:
    """Epic keeps an override by this code and takes nothing else in it."""
    topic = given.card["source"]["topic"]

    assert re.fullmatch(r"[A-Za-z0-9]{1,100}", topic["code"])
    assert topic["code"] in {each.code for each in SERVICE.texts("en").topics.values()}
    assert topic["system"] == "https://bonecds.org/CodeSystem/card-topic"


@every_card
def test_the_extension_names_the_rules_with_version_and_verdict(given: Given) -> None:
    named = given.card["extension"]["org.bonecds.rules"]

    assert list(given.card["extension"]) == ["org.bonecds.rules"]
    assert [rule.keys() for rule in named] == [{"id", "version", "verdict"}] * len(named)
    assert {rule["verdict"] for rule in named} <= {verdict.value for verdict in Verdict}
    assert [rule for rule in named if rule["id"] != "S5" and RULES[rule["id"]].version != rule["version"]] == []


@every_card
def test_the_basis_names_the_rules_that_recommend_and_then_the_definitions_that_add_a_line(given: Given) -> None:
    named = {rule["id"]: rule["verdict"] for rule in given.card["extension"]["org.bonecds.rules"]}
    basis = "\n".join(_blocks(given.card["detail"])["Basis"])
    told = re.findall(r"rule ([A-Z][\w-]+)@\d", basis)
    recommending = [rule for rule, verdict in named.items() if verdict == "recommend"]

    assert told[: len(recommending)] == recommending
    assert {named[rule] for rule in told[len(recommending) :]} <= {"satisfied"}


@every_card
def test_no_card_rests_on_a_preview_rule(given: Given) -> None:
    named = [rule["id"] for rule in given.card["extension"]["org.bonecds.rules"] if rule["id"] != "S5"]

    assert [ident for ident in named if RULES[ident].status is not Status.STABLE] == []


@every_card
def test_e4_a_card_links_to_nothing_but_its_source(given: Given) -> None:
    source = given.card["source"]

    assert "links" not in given.card
    assert "http" not in given.card["detail"]
    assert (source["label"], source.get("url", "")) in _SOURCES | {("Bone Health CDS", "")}


@every_answer
def test_e7_an_answer_has_at_most_as_many_cards_as_the_profile_allows_one_a_topic(scenario: Scenario) -> None:
    cards = _cards(scenario)
    topics = [card["source"]["topic"]["code"] for card in cards]

    assert len(cards) <= CAP
    assert sorted(set(topics)) == sorted(topics)


@every_answer
def test_the_most_urgent_card_comes_first(scenario: Scenario) -> None:
    ranks = [Level(card["indicator"]).rank for card in _cards(scenario)]

    assert [pair for pair in pairwise(ranks) if pair[0] < pair[1]] == []


@every_answer
def test_nothing_is_proposed_twice_in_one_answer(scenario: Scenario) -> None:
    proposed = [suggestion["label"] for card in _cards(scenario) for suggestion in card.get("suggestions", ())]

    assert sorted(set(proposed)) == sorted(proposed)


@every_answer
def test_s10_the_answer_has_cards_and_no_system_actions(scenario: Scenario) -> None:
    assert list(golden.post(scenario.text("request.json")).get_json()) == ["cards"]


def test_only_safety_of_a_drug_and_vitamin_d_toxicity_are_critical() -> None:
    critical = {str(given).rpartition("/")[2] for given in CARDS if given.card["indicator"] == "critical"}
    assert critical == {"BoneDrugSafety", "VitaminDExcess"}


def test_every_uuid_is_one_and_stands_once() -> None:
    uuids = [given.card["uuid"] for given in CARDS]
    uuids += [suggestion["uuid"] for given in CARDS for suggestion in given.card.get("suggestions", ())]

    assert sorted({str(uuid.UUID(each)) for each in uuids}) == sorted(uuids)


def test_s3_the_page_for_clinicians_explains_every_reason_that_a_card_can_give() -> None:
    page = (golden.README.parent / "docs" / "clinician.md").read_text("utf-8")

    assert re.findall(r"^\| (?!On the card)(\w.+?) \|", page, re.MULTILINE) == list(SERVICE.texts("en").gaps.values())


@pytest.mark.parametrize("user", ["Patient", "RelatedPerson"])
def test_e6_a_patient_or_relative_gets_no_card(user: str) -> None:
    text = next(each for each in ANSWERED if str(each) == "vitamin-d-toxicity").text("request.json")
    changed = text.replace('"userId": "Practitioner/example"', f'"userId": "{user}/example"')

    assert changed != text
    assert golden.post(changed).get_json() == {"cards": []}


def _cards(scenario: Scenario) -> list[Json]:
    return [given.card for given in CARDS if given.scenario == scenario]


def _blocks(detail: str) -> dict[str, list[str]]:
    """The lines of each block."""
    blocks: dict[str, list[str]] = {}
    for part in re.split(r"^(?=\*\*)", detail, flags=re.MULTILINE):
        if match := re.match(r"\*\*(.+)\*\*\n\n", part):
            blocks[match[1]] = re.findall(r"^- (.+)$", part, re.MULTILINE)
    return blocks
