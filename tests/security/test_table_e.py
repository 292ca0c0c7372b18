"""Table E: markup in any text of a request, rendered as an EHR renders it that lets HTML through (the public sandbox does).

`tests/functional/test_escaping.py` does this for the record; here it is the envelope, the orders being written, and refusals.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cds_service.clinical import content
from tests.support import golden
from tests.support.golden import Json, scenarios

# Our own, one of each kind that the OWASP cheat sheets name.
CORPUS = {
    "script": "<script>steal()</script>",
    "script-in-odd-case": "<ScRiPt src=//e.example/x></sCrIpT>",
    "event-handler": "<img src=q onerror=steal()>",
    "event-without-quotes": "<svg/onload=steal()>",
    "details": "<details open ontoggle=steal()>",
    "breaking-out": "\"'><b onclick=steal()>",
    "closing-tags": "</p></li></ul></div><iframe src=//e.example>",
    "style": "<style>*{background:url(//e.example)}</style>",
    "form": "<form action=//e.example><input name=q></form>",
    "meta": "<meta http-equiv='refresh' content='0;url=//e.example'>",
    "comment": "<!--<img src=q onerror=steal()>-->",
    "entities": "&lt;img src=q onerror=steal()&gt; &#60;b&#62;",
    "link": "[click](javascript:steal())",
    "link-with-entities": "[click](&#106;avascript:steal())",
    "data-link": "[click](data:text/html;base64,PHNjcmlwdD4=)",
    "reference-link": "[click][1]\n\n[1]: //e.example",
    "image": "![](//e.example/pixel.gif)",
    "autolink": "<javascript:steal()> <https://e.example> https://e.example",
    "table": "\n|a|b|\n|-|-|\n|<b>|c|\n",
    "code": "`x` ```\n<b>\n```",
    "template": "{{7*7}} ${7*7} {% x %}",
    "right-to-left": "\u202e<b>gnp\u202c",
    "nul-inside": "<scr\x00ipt>steal()</scr\x00ipt>",
}
_RENDERER = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").enable("strikethrough")
# there are renderers that let every address through
_RENDERER.validateLink = lambda url: True  # type: ignore[method-assign]
_OUR_TAGS = {"p", "ul", "li", "strong"}
_OUR_HOSTS = {source.url for source in content.sources().values()}


class Tags(HTMLParser):
    """The tags of a page, and the addresses in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses |= {str(value) for _, value in attrs}

    def handle_comment(self, data: str) -> None:
        self.names.add("(comment)")


def foreign(answer: Json) -> list[str]:
    """Tags and links of the cards, rendered, that are not ours."""
    found = []
    for card in answer["cards"]:
        # a summary is plain text, but there are clients that render it all the same
        for part in (card["detail"], card["summary"], *(each["label"] for each in card.get("suggestions", ()))):
            page = Tags(_RENDERER.render(part))
            found += sorted((page.names - _OUR_TAGS) | page.addresses)
        links = [card["source"].get("url"), *(link["url"] for link in card.get("links", ()))]
        found += [str(link) for link in links if link and link not in _OUR_HOSTS]
    return found


def test_e1_the_renderer_shows_markup_where_there_is_some() -> None:
    """So that the tests below can fail: unescaped, all but what is no markup to begin with is found."""
    harmless = {"entities", "template", "reference-link", "event-without-quotes", "nul-inside"}
    seen = {name: foreign({"cards": [{"detail": text, "summary": "", "source": {}}]}) for name, text in CORPUS.items()}

    assert {name for name, found in seen.items() if not found} <= harmless


def call_at_an_order() -> Json:
    """Three cards, one with a suggestion, about orders that are being written."""
    return next(each for each in scenarios() if str(each) == "order-steroid-taper-in-words").json("request.json")


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every text outside the prefetch: none of it is shown on a card today, and none may be unescaped."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if path or key != "prefetch":
            if isinstance(value, str):
                yield (*path, key)
            yield from places(value, (*path, key))


def put(call: Json, path: tuple[Any, ...], text: str) -> Json:
    """The call with the text behind what stands there."""
    changed = copy.deepcopy(call)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] += text
    return changed


PLACES = list(places(call_at_an_order()))


@pytest.mark.parametrize("name", CORPUS)
def test_e1_markup_in_any_text_of_the_envelope_or_of_an_order_comes_out_as_plain_text_or_not_at_all(name: str) -> None:
    call, bad = call_at_an_order(), []
    for path in PLACES:
        answer = golden.post(json.dumps(put(call, path, f" {CORPUS[name]}")))
        if answer.status_code == 200:
            bad += [f"{path}: {each}" for each in foreign(answer.get_json())]
        elif answer.status_code not in (400, 412) or CORPUS[name] in answer.get_json()["issue"][0]["diagnostics"]:
            bad.append(f"{path}: {answer.status_code}")

    assert bad == []


def test_e1_most_of_these_calls_are_answered_with_cards() -> None:
    answers = [golden.post(json.dumps(put(call_at_an_order(), path, " x"))) for path in PLACES]

    assert len(PLACES) > 15
    assert sum(answer.status_code == 200 and bool(answer.get_json()["cards"]) for answer in answers) > len(PLACES) / 3


@pytest.mark.parametrize("name", CORPUS)
def test_e1_f2_a_refusal_is_no_page_and_repeats_no_markup(name: str) -> None:
    """The names of keys are repeated to say where something is wrong, but not as markup a browser would run."""
    text = CORPUS[name]
    bodies = [
        json.dumps({text: 1, "hook": "patient-view"}),
        f'{{{json.dumps(text)}: 1, {json.dumps(text)}: 2}}',
        json.dumps(call_at_an_order() | {"hook": text}),
        json.dumps(call_at_an_order() | {"prefetch": {text: {"resourceType": "Patient", "id": "p2"}}}),
    ]  # fmt: skip
    for body in bodies:
        answer = golden.post(body)
        assert answer.status_code in (400, 412)
        assert (answer.content_type, answer.headers["X-Content-Type-Options"]) == ("application/fhir+json", "nosniff")


def test_e4_no_link_of_ours_carries_anything_of_the_patient() -> None:
    for scenario in scenarios():
        if not scenario.refused:
            for card in scenario.json("cards.json")["cards"]:
                assert "appContext" not in json.dumps(card)
                assert card["source"].get("url") in {None, *_OUR_HOSTS}


@pytest.mark.parametrize(
    ("element", "value", "sent_back"),
    [
        ("status", "draft", True),
        ("status", "active", False),
        ("status", "draft <b>", False),
        ("subject", {"reference": "PATIENT"}, True),
        ("subject", {"reference": f"{golden.BASE}/PATIENT"}, True),
        ("subject", {"reference": "PATIENT <b>"}, False),
        ("subject", {"display": "Jane Roe"}, False),
    ],
)
def test_e5_only_a_draft_of_this_patient_is_sent_back_with_a_change(element: str, value: Any, sent_back: bool) -> None:
    """A week's dose written as a day's is warned about each time; the one click that mends it is for drafts."""
    scenario = next(each for each in scenarios() if str(each) == "order-alendronate-daily-by-mistake")
    call = scenario.json("request.json")
    patient = f"Patient/{call['context']['patientId']}"
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order[element] = json.loads(json.dumps(value).replace("PATIENT", patient))
    card = golden.post(json.dumps(call)).get_json()["cards"][0]
    kinds = {action["type"] for each in card.get("suggestions", ()) for action in each["actions"]}

    assert "a dose for a week" in card["summary"]
    assert ("update" in kinds) is sent_back


@pytest.mark.parametrize(
    "user", ["Patient/p1", "RelatedPerson/r1", "patient/p1", "https://ehr.example.org/fhir/RelatedPerson/r1"]
)
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_e6_whoever_is_no_professional_gets_no_card_at_an_order_either(user: str, hook: str) -> None:
    call = call_at_an_order() | {"hook": hook}
    call["context"]["userId"] = user

    assert golden.post(json.dumps(call)).get_json() == {"cards": []}


@pytest.mark.parametrize("scenario", [each for each in scenarios() if not each.refused], ids=str)
def test_e3_no_answer_holds_null_or_anything_empty_but_the_list_of_cards(scenario: golden.Scenario) -> None:
    answer = golden.post(scenario.text("request.json")).get_json()

    assert list(answer) == ["cards"]
    assert list(empty(answer["cards"])) == []


def empty(node: Any, path: str = "") -> Iterator[str]:
    """Where something holds nothing."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        if value is None or value in ("", [], {}):
            yield f"{path}.{key}"
        yield from empty(value, f"{path}.{key}")
