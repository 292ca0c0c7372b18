"""E1: text of the record never becomes Markdown, HTML or a link on a card, wherever in the record it stands."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from markdown_it import MarkdownIt

from cds_service.cards.escape import MAX_LENGTH, markdown
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.protocol import validate
from hooks.patient_view import SERVICE
from tests.support import golden
from tests.support.golden import Json, Scenario, scenarios
from tests.support.hostile import CORPUS, MARKER, POLYGLOT

# What our own Markdown is made of; anything more came from the record.
_OURS = {"paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close",
         "inline", "text", "strong_open", "strong_close", "softbreak"}  # fmt: skip
# Words for people. Codes, units and references decide what a resource is: they have a test of their own.
_WORDS = frozenset({"text", "display", "conclusion", "family", "div", "title", "description", "value"})
_CARRIED = [each for each in scenarios() if not each.refused and each.json("cards.json")["cards"]]
# MedicationRequest, MedicationStatement, MedicationDispense, contained drugs, components, narrative, failed look-ups
_VARIED = (
    "dxa-look-up-failed",
    "gc-very-high-risk-untreated",
    "ms-t-score-not-taken-up",
    "ms-walking-aid-no-dxa",
    "vitamin-d-toxicity",
)
_EVERY_FIELD = [each for each in _CARRIED if str(each) in _VARIED]
_RENDERER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


@pytest.mark.parametrize("payload", CORPUS.values(), ids=list(CORPUS))
def test_e1_escaped_text_is_read_as_it_is_written_on_one_line(payload: str) -> None:
    escaped = markdown(payload)
    (paragraph,) = [token for token in _RENDERER.parse(f"- {escaped}") if token.type == "inline"]

    assert {token.type for token in paragraph.children or ()} == {"text"}
    assert "".join(token.content for token in paragraph.children or ()) == " ".join(_printable(payload).split())


@pytest.mark.parametrize("payload", CORPUS.values(), ids=list(CORPUS))
def test_e1_every_punctuation_mark_is_escaped(payload: str) -> None:
    """The same without a renderer, since EHRs have others than ours: no ASCII punctuation stands unescaped."""
    rest = re.sub(r"\\[!-/:-@\[-`{-~]", "", markdown(payload))

    assert re.findall(r"[!-/:-@\[-`{-~]", rest) == []


@pytest.mark.parametrize("payload", CORPUS.values(), ids=list(CORPUS))
def test_e1_the_two_doors_for_text_of_the_record_escape_it(payload: str) -> None:
    """A card takes such text from the note of an evidence and from the detail of a gap, and from nowhere else."""
    texts = SERVICE.texts("en")
    lines = (
        texts.of_evidence(Evidence("t-score", "-2.9", None, "Observation/1", note=payload)),
        texts.of_gap(Gap(GapKind.UNREADABLE, "bone-density", payload)),
    )

    assert [_types(f"- {line}") - _OURS for line in lines] == [set(), set()]


def test_e1_text_from_the_record_is_capped() -> None:
    assert len(markdown("word " * 1000)) <= MAX_LENGTH


@pytest.mark.parametrize("scenario", _CARRIED, ids=str)
@pytest.mark.parametrize("payload", CORPUS.values(), ids=list(CORPUS))
def test_e1_words_that_look_like_markup_change_nothing_else(scenario: Scenario, payload: str) -> None:
    """The payload stands behind every word for people in the record; the cards are those without it."""
    request = scenario.json("request.json")
    for holder, key, text in list(_strings(request["prefetch"], _is_word)):
        holder[key] = f"{text} {payload}"
    answer = golden.post(json.dumps(request)).get_json()
    said = json.dumps(answer, ensure_ascii=False)

    assert json.loads(said.replace(f" {_in_json(markdown(payload))}", "")) == scenario.json("cards.json")
    assert _foreign(answer) == []


@pytest.mark.parametrize("scenario", _EVERY_FIELD, ids=str)
def test_e1_no_field_at_all_carries_markup_onto_a_card(scenario: Scenario) -> None:
    """One field at a time, codes, units, dates, ids and references too: cards, or a refusal that repeats nothing."""
    request = scenario.json("request.json")
    bad = []
    for number, (_, key, _) in enumerate(list(_strings(request["prefetch"], _is_any))):
        changed = copy.deepcopy(request)
        holder, key, text = list(_strings(changed["prefetch"], _is_any))[number]
        holder[key] = f"{text}{POLYGLOT}"
        answer = golden.post(json.dumps(changed))
        if not _clean(answer.status_code, answer.get_json()):
            bad.append(f"{number} {key}")

    assert bad == []


def _clean(status: int, body: Json) -> bool:
    if status != 200:
        return status in (400, 412) and MARKER not in json.dumps(body)
    return validate.violations_of_response(body) == [] and _foreign(body) == []


def _foreign(answer: Json) -> list[str]:
    """What on the cards is neither our Markdown nor plain text."""
    found = []
    for card in answer["cards"]:
        found += sorted(_types(card["detail"]) - _OURS)
        # EHRs show the summary as plain text, but some render it all the same (the public sandbox)
        found += [mark for mark in ("<", "](", "`", "**", "\n") if mark in card["summary"]]
    return found


def _types(text: str) -> set[str]:
    """What a Markdown renderer that lets HTML through makes of a text."""
    return {each.type for token in _RENDERER.parse(text) for each in (token, *(token.children or ()))}


def _is_word(path: tuple[str, ...], key: str) -> bool:
    if key == "value":
        return "identifier" in path
    return key in _WORDS and "dosageInstruction" not in path and "issue" not in path


def _is_any(path: tuple[str, ...], key: str) -> bool:
    return True


def _strings(
    node: Any, chosen: Callable[[tuple[str, ...], str], bool], path: tuple[str, ...] = ()
) -> Iterator[tuple[Any, Any, str]]:
    """Holder, key and text of every string that is chosen."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        name = key if isinstance(key, str) else (path[-1] if path else "")
        if isinstance(value, str):
            if chosen(path, name):
                yield node, key, value
        else:
            yield from _strings(value, chosen, (*path, name))


def _printable(payload: str) -> str:
    """Without what is not shown; the separators of lines count as blanks."""
    kept = re.sub(r"[\u2028\u2029]", " ", payload)
    return re.sub(r"[\u200b\u202e\x00-\x08\x0b-\x1f\x7f-\x9f]", "", kept)


def _in_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
