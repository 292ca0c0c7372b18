"""Cards that would break the specification cannot be built."""

from decimal import Decimal

import pytest

from cds_service.kernel.rules import Level
from cds_service.protocol.response import (
    Action,
    ActionType,
    Card,
    HookResponse,
    Link,
    LinkType,
    OverrideReason,
    Source,
    Suggestion,
)


def test_item_49_characters_count_as_browsers_count_them():
    assert Card("u", "\N{BONE}" * 69 + "x", Level.INFO, Source("S")).summary.endswith("x")
    with pytest.raises(ValueError, match="at most 139"):
        Card("u", "\N{BONE}" * 70, Level.INFO, Source("S"))


@pytest.mark.parametrize(
    ("kind", "resource", "resource_id"),
    [
        (ActionType.CREATE, {}, ""),
        (ActionType.CREATE, {"resourceType": "Task"}, "Task/1"),
        (ActionType.UPDATE, {}, "Task/1"),
        (ActionType.DELETE, {"resourceType": "Task"}, "Task/1"),
        (ActionType.DELETE, {}, ""),
    ],
)
def test_item_56_actions_carry_what_their_type_asks_for(kind: ActionType, resource: dict, resource_id: str):
    with pytest.raises(ValueError, match="create and update carry a resource"):
        Action(kind, "D", resource, resource_id)


def test_item_56_a_delete_names_the_resource():
    assert Action(ActionType.DELETE, "D", resource_id="Task/1").to_json()["resourceId"] == "Task/1"


def test_item_59_app_context_goes_with_smart_links_only():
    assert Link("L", "https://a.example.org", LinkType.SMART, "x").to_json()["appContext"] == "x"
    with pytest.raises(ValueError, match="SMART"):
        Link("L", "https://a.example.org", app_context="x")


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda: Source(""), id="source-label"),
        pytest.param(lambda: Link("", "https://a.example.org"), id="link-label"),
        pytest.param(lambda: Link("L", ""), id="link-url"),
        pytest.param(lambda: Suggestion(" ", "u"), id="suggestion-label"),
        pytest.param(lambda: Action(ActionType.CREATE, "", {"resourceType": "Task"}), id="action-description"),
        pytest.param(lambda: OverrideReason("c", "s", ""), id="override-display"),
    ],
)
def test_required_words_must_be_there(build):
    with pytest.raises(ValueError, match="must not be empty"):
        build()


def test_item_54_a_recommended_suggestion_says_so_and_others_say_nothing():
    suggestions = (Suggestion("A", "u1", is_recommended=True), Suggestion("B", "u2"))
    (card,) = HookResponse((Card("u", "S", Level.INFO, Source("S"), suggestions=suggestions),)).to_json()["cards"]
    assert card["suggestions"] == [{"label": "A", "uuid": "u1", "isRecommended": True}, {"label": "B", "uuid": "u2"}]


def test_item_2_zero_and_false_are_something():
    card = Card(
        "u", "S", Level.INFO, Source("S"), extension={"x": {"a": 0, "b": False, "c": [None, {"d": ""}], "e": ()}}
    )
    assert HookResponse((card,)).to_json()["cards"][0]["extension"] == {"x": {"a": 0, "b": False}}


@pytest.mark.parametrize("number", [float("inf"), float("nan"), Decimal("NaN"), Decimal("-Infinity")])
def test_e3_numbers_that_are_not_finite_are_refused(number: float | Decimal):
    card = Card("u", "S", Level.INFO, Source("S"), extension={"x": [number]})
    with pytest.raises(ValueError, match="finite"):
        HookResponse((card,)).to_json()
