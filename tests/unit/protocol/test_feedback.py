"""Feedback as senders write it (checklist 64 to 68): what is understood, and what is refused with the place."""

from __future__ import annotations

import contextlib
import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.formats import strict_json
from cds_service.kernel.errors import RequestRefused
from cds_service.protocol.feedback import CardOutcome, Feedback, Reason, parse
from cds_service.protocol.validate import violations_of_feedback

CARD = "9368d37b-283f-44a0-93ea-547cebab93ed"
NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
REASONS = "https://bonecds.org/fhir/CodeSystem/override-reasons"


def read(*entries: str) -> tuple[Feedback, ...]:
    return parse(strict_json.load(f'{{"feedback": [{", ".join(entries)}]}}'.encode()))


def entry(more: str = "", outcome: str = "overridden", at: str = "2026-06-15T12:00:00Z") -> str:
    return f'{{"card": "{CARD}", "outcome": "{outcome}", "outcomeTimestamp": "{at}"{more}}}'


def test_item_64_an_accepted_card_names_the_suggestions_that_were_taken() -> None:
    more = ', "acceptedSuggestions": [{"id": "s2"}, {"id": "s1"}, {"id": "s2"}]'
    assert read(entry(more, "accepted")) == (Feedback(CARD, CardOutcome.ACCEPTED, NOON, ("s1", "s2")),)


def test_item_64_an_overridden_card_tells_why() -> None:
    more = f', "overrideReason": {{"reason": {{"code": "not-now", "system": "{REASONS}"}}, "userComment": "At the next visit"}}'
    (found,) = read(entry(more))
    assert (found.reasons, found.comment) == ((Reason("not-now", REASONS),), "At the next visit")


def test_item_66_several_tellings_come_in_one_request_also_about_one_card() -> None:
    found = read(entry(outcome="accepted"), entry(at="2026-06-15T12:00:05.250Z"))
    assert [each.outcome for each in found] == [CardOutcome.ACCEPTED, CardOutcome.OVERRIDDEN]


@pytest.mark.parametrize(
    "more",
    [
        # Epic's samples
        f', "overrideReasons": [{{"code": "not-now", "system": "{REASONS}"}}]',
        f', "overrideReasons": {{"reason": {{"code": "not-now", "system": "{REASONS}"}}}}',
        f', "extension": {{"com.epic.cdshooks.feedback.overrideReason.code": {{"code": "not-now", "system": "{REASONS}"}}}}',
        f', "overrideReason": {{"reason": [{{"code": "not-now", "system": "{REASONS}", "display": "Not now"}}]}}',
    ],
)
def test_item_67_reasons_are_found_where_senders_put_them(more: str) -> None:
    assert read(entry(more))[0].reasons == (Reason("not-now", REASONS),)


def test_item_67_epic_may_tell_a_code_alone() -> None:
    more = ', "extension": {"com.epic.cdshooks.feedback.overrideReason.text": "17", "org.example": "18"}'
    assert read(entry(more))[0].reasons == (Reason("17", ""),)


def test_item_67_a_card_may_have_another_name_than_a_uuid_and_an_entry_may_stand_alone() -> None:
    (found,) = parse({"feedback": json.loads(entry()) | {"card": " WT1-17 "}})
    assert found.card == "WT1-17"


def test_item_67_a_reason_of_another_shape_costs_only_the_reason() -> None:
    (found,) = read(entry(', "overrideReason": {"reason": "no", "userComment": "Not now"}'))
    assert (found.outcome, found.reasons, found.comment) == (CardOutcome.OVERRIDDEN, (), "Not now")


@pytest.mark.parametrize("body", ["null", "[]", '"x"', '{"feedbacks": []}'])
def test_a_body_that_holds_no_feedback_is_refused(body: str) -> None:
    with pytest.raises(RequestRefused):
        parse(strict_json.load(body.encode()))


@pytest.mark.parametrize(
    "told",
    [
        entry(', "acceptedSuggestions": [{"id": "s1"}]', "accepted"),
        entry(', "overrideReason": {"userComment": "Not now"}'),
    ],
)
def test_item_64_both_conform_to_the_published_schema(told: str) -> None:
    assert violations_of_feedback(json.loads(f'{{"feedback": [{told}]}}')) == []


def test_item_68_f6_a_comment_is_in_no_representation() -> None:
    (found,) = read(entry(', "overrideReason": {"userComment": "Mrs Testfrau said no"}'))
    assert "Testfrau" not in repr(found)


def test_an_accepted_card_without_suggestions_is_kept_as_such() -> None:
    assert read(entry(outcome="accepted"))[0].suggestions == ()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("[]", "feedback"),
        ("{}", "feedback"),
        ('{"feedback": "x"}', "feedback"),
        ('{"feedback": [1]}', "feedback[0]"),
        (f'{{"feedback": [{entry()}, {{}}]}}', "feedback[1].card"),
        (f'{{"feedback": [{entry(outcome="ignored")}]}}', "feedback[0].outcome"),
        (f'{{"feedback": [{entry(at="2026-06-15T12:00:00")}]}}', "feedback[0].outcomeTimestamp"),
        (f'{{"feedback": [{entry(at="yesterday")}]}}', "feedback[0].outcomeTimestamp"),
        (f'{{"feedback": [{entry(at="0001-01-01T00:00:00+14:00")}]}}', "feedback[0].outcomeTimestamp"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(body: str, where: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse(strict_json.load(body.encode()))
    assert refused.value.where == where


def test_c3_more_entries_than_can_be_kept_at_once_are_refused() -> None:
    with pytest.raises(RequestRefused, match="more than 1000 entries"):
        read(*[entry()] * 1001)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["feedback", "card", "outcome", "outcomeTimestamp", "overrideReason", "reason", "code", "extension"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_ANY)
def test_c_whatever_comes_is_read_or_refused(body: object) -> None:
    with contextlib.suppress(RequestRefused):
        parse({"feedback": body})
