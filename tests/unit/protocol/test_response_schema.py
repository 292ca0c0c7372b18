"""The response schema is strict to 2.0.1: every card below breaks it in one place, which is named."""

import json

import pytest

from cds_service.protocol.validate import violations_of_response

GOOD = """{"cards": [{
  "summary": "S", "indicator": "info", "source": {"label": "L"}, "selectionBehavior": "any",
  "suggestions": [{"label": "A", "actions": [ACTION]}]
}]}"""
CREATE = '{"type": "create", "description": "D", "resource": {"resourceType": "Task"}}'
UPDATE = '{"type": "update", "description": "D", "resource": {"resourceType": "Task", "id": "1"}}'
DELETE = '{"type": "delete", "description": "D", "resourceId": "Task/1"}'


@pytest.mark.parametrize("action", [CREATE, UPDATE, DELETE], ids=["create", "update", "delete"])
def test_item_56_at_127_the_three_actions_conform(action: str):
    assert violations_of_response(json.loads(GOOD.replace("ACTION", action))) == []


@pytest.mark.parametrize(
    ("action", "place"),
    [
        pytest.param(CREATE.replace('"create"', '"add"'), "cards[0].suggestions[0].actions[0].type", id="type"),
        pytest.param(CREATE.replace("Task", "task"), "cards[0].suggestions[0].actions[0].resource", id="resourceType"),
        pytest.param(CREATE.replace('"type"', '"kind"'), "cards[0].suggestions[0].actions[0].type", id="no-type"),
        pytest.param(UPDATE.replace('"1"', '""'), "cards[0].suggestions[0].actions[0].resource.id", id="empty-id"),
        pytest.param(UPDATE.replace(', "id": "1"', ""), "cards[0].suggestions[0].actions[0]", id="update-without-id"),
        pytest.param(DELETE.replace("Task/1", "1"), "cards[0].suggestions[0].actions[0].resourceId", id="bare-id"),
        pytest.param(DELETE.replace("delete", "create"), "cards[0].suggestions[0].actions[0]", id="create-by-id"),
    ],
)
def test_item_56_at_131_other_actions_do_not(action: str, place: str):
    found = violations_of_response(json.loads(GOOD.replace("ACTION", action)))
    assert any(violation.startswith(place) for violation in found), found


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param('"S"', f'"{"x" * 140}"', "cards[0].summary", id="item-49-at-83-140-characters"),
        pytest.param('"S"', '""', "cards[0].summary", id="item-2-empty-summary"),
        pytest.param('"info"', '"hard-stop"', "cards[0].indicator", id="item-50-at-87-hard-stop"),
        pytest.param('"indicator": "info",', "", "cards[0].indicator", id="item-50-at-88-no-indicator"),
        pytest.param('{"label": "L"}', "{}", "cards[0].source.label", id="item-51-at-105-no-label"),
        pytest.param('{"label": "L"}', '{"label": "L", "url": "/a"}', "cards[0].source.url", id="item-51-relative-url"),
        pytest.param(', "selectionBehavior": "any"', "", "cards[0].selectionBehavior", id="item-54-at-93"),
        pytest.param('"any"', '"all"', "cards[0].selectionBehavior", id="item-54-at-95"),
        pytest.param('"summary"', '"links": [], "summary"', "cards[0].links", id="item-2-empty-links"),
        pytest.param('"summary"', '"detail": null, "summary"', "cards[0].detail", id="item-2-null"),
        pytest.param('"summary"', '"actions": [1], "summary"', "cards[0]", id="unknown-property"),
        pytest.param('{"cards"', '{"systemActions": [], "cards"', "systemActions", id="item-2-empty-system-actions"),
        pytest.param(
            '"summary"',
            '"overrideReasons": [{"code": "c", "display": "d"}], "summary"',
            "cards[0].overrideReasons[0].system",
            id="item-58-at-219-no-system",
        ),
        pytest.param(
            '"summary"',
            '"links": [{"label": "L", "url": "https://a.example.org", "type": "web"}], "summary"',
            "cards[0].links[0].type",
            id="item-59-at-142-type",
        ),
    ],
)
def test_what_breaks_the_schema_is_named(old: str, new: str, place: str):
    text = GOOD.replace("ACTION", CREATE)
    assert text.count(old) == 1
    found = violations_of_response(json.loads(text.replace(old, new)))
    assert found != []
    assert {violation.partition(": ")[0] for violation in found} == {place}


def test_s8_violations_repeat_no_value():
    found = violations_of_response(
        json.loads('{"cards": [{"summary": ["Mary"], "indicator": "Mary", "source": "Mary"}]}')
    )
    assert len(found) == 3
    assert "Mary" not in " ".join(found)
