"""Feedback as real clients send it: checklist items 63-68."""

import json

import pytest

from cds_service.kernel.errors import RequestRefused
from cds_service.protocol.feedback import Feedback, Outcome, parse
from cds_service.protocol.validate import violations_of_feedback

OVERRIDDEN = """{"feedback": [{
  "card": "4e0a3a1e-3231-4575-ab81-028d5fe2d760",
  "outcome": "overridden",
  "overrideReason": {"reason": {"code": "patient-refuses", "system": "http://x.example.org"}, "userComment": "Not now"},
  "outcomeTimestamp": "2026-06-15T10:00:00Z"
}]}"""
ACCEPTED = """{"feedback": [{
  "card": "c1", "outcome": "accepted", "acceptedSuggestions": [{"id": "s1"}, {"id": "s2"}],
  "outcomeTimestamp": "2026-06-15T10:00:00.123Z"
}]}"""


def test_item_64_an_override():
    assert parse(json.loads(OVERRIDDEN)) == (
        Feedback(
            "4e0a3a1e-3231-4575-ab81-028d5fe2d760",
            Outcome.OVERRIDDEN,
            "2026-06-15T10:00:00Z",
            reason_code="patient-refuses",
            reason_system="http://x.example.org",
            user_comment="Not now",
        ),
    )


def test_item_64_an_acceptance_names_its_suggestions():
    assert parse(json.loads(ACCEPTED)) == (
        Feedback("c1", Outcome.ACCEPTED, "2026-06-15T10:00:00.123Z", suggestions=("s1", "s2")),
    )


@pytest.mark.parametrize("text", [OVERRIDDEN, ACCEPTED])
def test_item_64_both_conform(text: str):
    assert violations_of_feedback(json.loads(text)) == []


def test_item_67_epic_names_the_reason_in_the_plural():
    (found,) = parse(json.loads(OVERRIDDEN.replace("overrideReason", "overrideReasons")))
    assert found.reason_code == "patient-refuses"


def test_item_67_a_reason_of_another_shape_costs_only_the_reason():
    (found,) = parse(
        json.loads(OVERRIDDEN.replace('{"code": "patient-refuses", "system": "http://x.example.org"}', '"no"'))
    )
    assert (found.outcome, found.reason_code, found.user_comment) == (Outcome.OVERRIDDEN, "", "Not now")


def test_item_68_f6_the_comment_does_not_show_in_repr():
    assert "Not now" not in repr(parse(json.loads(OVERRIDDEN)))


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"overridden"', '"ignored"', "feedback[0].outcome"),
        ('"4e0a3a1e-3231-4575-ab81-028d5fe2d760"', '""', "feedback[0].card"),
        ("10:00:00Z", "10:00:00+02:00", "feedback[0].outcomeTimestamp"),
        ('"feedback"', '"feedbacks"', "feedback"),
    ],
)
def test_item_64_what_every_entry_must_have(old: str, new: str, place: str):
    with pytest.raises(RequestRefused) as refused:
        parse(json.loads(OVERRIDDEN.replace(old, new)))
    assert refused.value.where == place


@pytest.mark.parametrize("body", ["null", "[]", '"x"'])
def test_a_body_that_is_no_object_is_refused(body: str):
    with pytest.raises(RequestRefused):
        parse(json.loads(body))
