"""The twelve invariants of HL7 (HL7/cds-hooks input/fsh/invariants): each holds here and breaks there."""

import json

import pytest

from cds_service.protocol import invariants
from cds_service.protocol.validate import (
    violations_of_discovery,
    violations_of_feedback,
    violations_of_request,
    violations_of_response,
)

CARD = '"summary": "S", "indicator": "info", "source": {"label": "L"}'
TIME = '"outcomeTimestamp": "2026-06-15T10:00:00Z"'


def card(more: str) -> str:
    return f'{{"cards": [{{{CARD}, {more}}}]}}'


def suggestion(fields: str) -> str:
    return card(f'"selectionBehavior": "any", "suggestions": [{{"label": "L", {fields}}}]')


def entry(fields: str) -> str:
    return f'{{"feedback": [{{"card": "c", {TIME}, {fields}}}]}}'


TWO = '"suggestions": [{"label": "a", "isRecommended": true}, {"label": "b", "isRecommended": RECOMMENDED}]'
DELETE = '"actions": [{"type": "delete", "description": "D", FIELDS}]'
LINK = '"links": [{"label": "L", "url": "https://a.example.org", "type": "TYPE", "appContext": "x"}]'

CASES = [
    (
        "cds-r-1",
        '{"fhirServer": "https://e", "fhirAuthorization": {"a": 1}}',
        '{"fhirAuthorization": {"a": 1}}',
        "fhirServer",
    ),
    (
        "cds-r-2",
        '{"fhirAuthorization": {"scope": "patient/*.rs", "patient": "1"}}',
        '{"fhirAuthorization": {"scope": "user/*.rs patient/*.rs"}}',
        "fhirAuthorization.patient",
    ),
    (
        "cds-resp-1",
        card(f'"selectionBehavior": "at-most-one", {TWO.replace("RECOMMENDED", "false")}'),
        card(f'"selectionBehavior": "at-most-one", {TWO.replace("RECOMMENDED", "true")}'),
        "cards[0].suggestions",
    ),
    (
        "cds-resp-2",
        suggestion(DELETE.replace("FIELDS", '"resourceId": "Task/1"')),
        suggestion(DELETE.replace("FIELDS", '"resource": {"resourceType": "Task"}, "resourceId": "Task/1"')),
        "cards[0].suggestions[0].actions[0].resourceId",
    ),
    (
        "cds-resp-3",
        card(LINK.replace("TYPE", "smart")),
        card(LINK.replace("TYPE", "absolute")),
        "cards[0].links[0].appContext",
    ),
    (
        "cds-resp-4",
        card('"overrideReasons": [{"code": "c", "system": "s", "display": "d"}]'),
        card('"overrideReasons": [{"code": "c", "system": "s"}]'),
        "cards[0].overrideReasons[0].display",
    ),
    (
        "cds-resp-5",
        suggestion('"actions": [{"description": "D"}]'),
        suggestion('"actions": [{"type": "create"}]'),
        "cards[0].suggestions[0].actions[0].description",
    ),
    (
        "cds-resp-6",
        suggestion('"uuid": "u"'),
        card('"suggestions": [{"label": "L"}]'),
        "cards[0].selectionBehavior",
    ),
    (
        "cds-resp-7",
        suggestion('"actionSelectionBehavior": "all"'),
        suggestion('"actionSelectionBehavior": "some"'),
        "cards[0].suggestions[0].actionSelectionBehavior",
    ),
    ("cds-fb-1", entry('"outcome": "overridden"'), entry('"outcome": "ignored"'), "feedback[0].outcome"),
    (
        "cds-fb-2",
        entry('"outcome": "accepted", "acceptedSuggestions": [{"id": "s"}]'),
        entry('"outcome": "accepted"'),
        "feedback[0].acceptedSuggestions",
    ),
    (
        "cds-fb-3",
        entry('"outcome": "overridden", "overrideReason": {"userComment": "no"}'),
        entry('"outcome": "overridden", "overrideReason": {}'),
        "feedback[0].overrideReason",
    ),
]
EVERY = {invariants.name(i): i for i in (*invariants.OF_REQUEST, *invariants.OF_RESPONSE, *invariants.OF_FEEDBACK)}


def test_all_twelve_are_here():
    assert set(EVERY) == {case[0] for case in CASES}
    assert len(EVERY) == 12


@pytest.mark.parametrize(("ident", "good", "_bad", "_path"), CASES, ids=[case[0] for case in CASES])
def test_it_holds(ident: str, good: str, _bad: str, _path: str):
    assert list(EVERY[ident](json.loads(good))) == []


@pytest.mark.parametrize(("ident", "_good", "bad", "path"), CASES, ids=[case[0] for case in CASES])
def test_it_breaks_at_that_place(ident: str, _good: str, bad: str, path: str):
    assert list(EVERY[ident](json.loads(bad))) == [path]


CHECKS = {"r": violations_of_request, "resp": violations_of_response, "fb": violations_of_feedback}


@pytest.mark.parametrize(("ident", "_good", "bad", "path"), CASES, ids=[case[0] for case in CASES])
def test_a_break_is_reported_by_its_name(ident: str, _good: str, bad: str, path: str):
    found = CHECKS[ident.split("-")[1]](json.loads(bad))
    assert [v for v in found if v.startswith(f"{path}: {ident}: ")] != []


@pytest.mark.parametrize("odd", ["null", "[]", "3", '{"cards": 3}', '{"cards": [null, []]}', '{"feedback": {"a": 1}}'])
def test_wrong_shapes_are_violations_and_raise_nothing(odd: str):
    for check in (violations_of_discovery, violations_of_request, violations_of_response, violations_of_feedback):
        assert check(json.loads(odd)) != []
