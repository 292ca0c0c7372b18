"""What an answer holds: checklist items 48-62 (H, I). `Wire` checks schema and invariants of every answer besides."""

import json
from decimal import Decimal

import pytest

from cds_service.kernel.rules import Level
from cds_service.protocol import validate
from cds_service.protocol.response import Card, HookResponse, Source
from tests.conformance.stub import StubService, stub_app
from tests.conformance.wire import CALL, PATIENT, Wire


def answered(*cards: Card) -> dict:
    app = stub_app(answer=lambda _service, _call: HookResponse(cards))
    wire = Wire(app, StubService().id, CALL.replace("PREFETCH", PATIENT))
    return json.loads(wire.call().text)


def card(summary: str) -> Card:
    return Card("0f6f4e9e-4a65-4c36-b9d8-57a5a1d6f3a4", summary, Level.INFO, Source("Example guideline"))


def test_item_48_at_77_without_advice_the_cards_are_empty_and_nothing_else_is_sent():
    assert answered() == {"cards": []}


def test_item_49_at_83_a_summary_of_139_characters_is_sent_whole():
    assert answered(card("x" * 139))["cards"][0]["summary"] == "x" * 139


@pytest.mark.parametrize("summary", ["x" * 140, "\N{BONE}" * 70, "", "  "])
def test_item_49_at_83_a_summary_of_140_or_none_cannot_be_built(summary: str):
    with pytest.raises(ValueError, match=r"card\.summary"):
        card(summary)


def test_items_50_to_59_a_full_card_on_the_wire():
    app = stub_app()
    wire = Wire(app, StubService().id, CALL.replace("PREFETCH", PATIENT))
    (full,) = json.loads(wire.call().text)["cards"]
    assert full == {
        "uuid": "4e0a3a1e-3231-4575-ab81-028d5fe2d760",
        "summary": "25-OH vitamin D 18 ng/mL on 2026-05-17: low. Consider repletion.",
        "detail": "**Why now**\n\nThe result is below 20 ng/mL.",
        "indicator": "warning",
        "source": {
            "label": "Example guideline",
            "url": "https://guideline.example.org",
            "topic": {"code": "VITD-01", "system": "https://bonecds.example.org/rules"},
        },
        "suggestions": [
            {
                "label": "Order a DXA",
                "uuid": "9d3a0c65-1d1f-4b3c-a2c6-0a0d1f5d7f10",
                "actions": [
                    {
                        "type": "create",
                        "description": "Order a DXA",
                        "resource": {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal"},
                    }
                ],
            }
        ],
        "selectionBehavior": "any",
        "overrideReasons": [
            {
                "code": "patient-refuses",
                "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
                "display": "Patient refuses",
            }
        ],
        "links": [{"label": "Guideline", "url": "https://guideline.example.org/vitamin-d", "type": "absolute"}],
        "extension": {"org.bonecds.rules": [{"id": "VITD-01", "version": 1, "verdict": "recommend"}]},
    }


def test_item_54_at_93_selection_behaviour_comes_only_with_suggestions():
    assert "selectionBehavior" not in answered(card("No suggestion."))["cards"][0]


def test_item_62_system_actions_are_never_sent(wire: Wire):
    assert set(json.loads(wire.call().text)) == {"cards"}


def test_item_2_at_3_the_schema_finds_nulls_and_empties_at_any_depth():
    found = answered(card("Fine."))
    for rotten in (None, "", [], {}):
        found["cards"][0]["extension"] = {"org.bonecds.rules": [{"id": rotten}]}
        (violation,) = validate.violations_of_response(found)
        assert violation.startswith("cards[0].extension.org.bonecds.rules[0].id: ")


def test_the_same_call_gets_the_same_bytes(wire: Wire):
    assert wire.call().data == wire.call().data


def test_answers_about_a_patient_are_not_kept_by_caches(wire: Wire):
    assert wire.call().headers["Cache-Control"] == "no-store"


def test_c6_decimals_keep_their_digits():
    dose = Card("u", "S", Level.INFO, Source("S"), extension={"org.bonecds.x": {"dose": Decimal("2.50")}})
    app = stub_app(answer=lambda _service, _call: HookResponse((dose,)))
    assert '{"dose":2.50}' in Wire(app, StubService().id, CALL.replace("PREFETCH", PATIENT)).call().text


def test_f2_what_json_cannot_hold_is_a_fault():
    odd = Card("u", "S", Level.INFO, Source("S"), extension={"org.bonecds.x": {"dose": {1, 2}}})
    app = stub_app(answer=lambda _service, _call: HookResponse((odd,)))
    assert Wire(app, StubService().id, CALL.replace("PREFETCH", PATIENT)).call().status_code == 500
