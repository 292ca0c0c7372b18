"""What breaks CDS Hooks 2.0.1 is an error; what some EHR will not like is a warning."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.simulator import conformance

Json = dict[str, Any]
CARD: Json = {
    "uuid": "45280f5f-ce3d-58d4-90ad-94f8b9dfb044",
    "summary": "Consider DXA.",
    "indicator": "info",
    "detail": "**Why**: age < 65, T-score <-2.5",
    "source": {"label": "ACR 2022", "url": "https://example.org", "topic": {"code": "dxa", "system": "urn:x"}},
    "selectionBehavior": "any",
    "suggestions": [
        {
            "label": "Order DXA",
            "uuid": "45280f5f-ce3d-58d4-90ad-94f8b9dfb045",
            "actions": [{"type": "create", "description": "DXA", "resource": {"resourceType": "ServiceRequest"}}],
        }
    ],
    "links": [{"label": "Read", "url": "https://example.org/x", "type": "absolute"}],
}


def told(change: Callable[[Json], object], **answer: Any) -> list[str]:
    card = copy.deepcopy(CARD)
    change(card)
    given = {"status": 200, "content_type": "application/json", "body": {"cards": [card]}, "seconds": 0.1, **answer}
    return [f"{each.level} {each.where}" for each in conformance.of_answer(**given)]


def test_a_good_card_has_no_findings() -> None:
    assert told(lambda card: None) == []


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda card: card.update(summary="x" * 140), "error cards[0].summary"),
        (lambda card: card.pop("summary"), "error cards[0].summary"),
        (lambda card: card.update(indicator="hard-stop"), "error cards[0].indicator"),
        (lambda card: card.pop("source"), "error cards[0].source"),
        (lambda card: card["source"].pop("label"), "error cards[0].source.label"),
        (lambda card: card["source"].update(url="/relative"), "error cards[0].source.url"),
        (lambda card: card.pop("selectionBehavior"), "error cards[0].selectionBehavior"),
        (lambda card: card["links"][0].update(url="example.org"), "error cards[0].links[0].url"),
        (lambda card: card["links"][0].update(type="popup"), "error cards[0].links[0].type"),
        (
            lambda card: card["suggestions"][0]["actions"][0].pop("description"),
            "error cards[0].suggestions[0].actions[0].description",
        ),
        (lambda card: card["suggestions"][0]["actions"][0].pop("resource"), "error cards[0].suggestions[0].actions[0]"),
        (lambda card: card["suggestions"][0].update(uuid=card["uuid"]), "error cards[0].suggestions[0].uuid"),
        (lambda card: card.pop("uuid"), "warning cards[0].uuid"),
        (lambda card: card.update(uuid="1"), "warning cards[0].uuid"),
        (lambda card: card["suggestions"][0].pop("actions"), "warning cards[0].suggestions[0].actions"),
        (lambda card: card["suggestions"][0].pop("uuid"), "warning cards[0].suggestions[0].uuid"),
        (lambda card: card["links"][0].update(url="http://example.org"), "warning cards[0].links[0].url"),
        (lambda card: card["source"].update(icon="http://example.org/i.png"), "warning cards[0].source.icon"),
        (lambda card: card["source"].pop("topic"), "warning cards[0].source.topic"),
        (lambda card: card.update(detail="<b>bold</b>"), "warning cards[0].detail"),
    ],
)
def test_each_departure_is_found_at_its_place(change: Callable[[Json], object], finding: str) -> None:
    assert finding in told(change)


def test_http_on_this_machine_is_fine() -> None:
    assert told(lambda card: card["links"][0].update(url="http://localhost:8080/summary")) == []


@pytest.mark.parametrize(
    ("answer", "finding"),
    [
        ({"status": 201}, "error status"),
        ({"content_type": "text/html"}, "warning Content-Type"),
        ({"body": None}, "error (body)"),
        ({"body": {}}, "error cards"),
        ({"body": []}, "error (body)"),
        ({"seconds": 0.6}, "warning time"),
        (
            {"body": {"cards": [], "systemActions": [{"type": "delete", "description": "d", "resourceId": "Task/1"}]}},
            "warning systemActions",
        ),
    ],
)
def test_each_departure_of_the_answer_as_a_whole(answer: Json, finding: str) -> None:
    assert finding in told(lambda card: None, **answer)


def test_no_finding_repeats_a_value() -> None:
    card = dict.fromkeys(CARD, "zq7name")
    found = conformance.of_answer(200, "application/json", {"cards": [card, "zq7name", None]}, 0.1)
    assert found
    assert "zq7name" not in str(found)


def test_a_discovery_document_is_checked_too() -> None:
    entry = {"id": "a", "hook": "patient-view", "description": "d"}
    levels = [
        str(each) for each in conformance.of_discovery({"services": [entry, {**entry, "title": "t"}, {"id": "b"}]})
    ]
    assert any(each.startswith("error: services[2].hook") for each in levels)
    assert any(each.startswith("warning: services[0].title") for each in levels)
    assert sum("stands more than once" in each for each in levels) == 2
