"""Vignettes as worked examples, the card of the first one that speaks, and what happens when a look-up fails."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cds_service.cards.escape import unescaped
from cds_service.cards.render import EXTENSION
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.profiles import Profile
from cds_service.engine.answer import decide as decide_call
from cds_service.kernel.needs import Lookup, LookupState, Need
from cds_service.kernel.rules import Kind, Outcome, Rule, Verdict, decide
from cds_service.protocol.response import Card
from cds_service.review.pages.book import Book, answer_of
from cds_service.review.pages.in_words import in_words
from cds_service.review.pages.markdown import quote, table
from cds_service.review.vignettes import Case

_STATES = (("Not supplied", LookupState.NOT_SUPPLIED), ("Look-up failed", LookupState.FAILED))
_MOSTLY, _GOOD_PART = 2, 4


# --- worked examples -------------------------------------------------------------------------------------------------
def worked_examples(book: Book, rule: Rule) -> tuple[str, str]:
    """What every example starts from, in words; and the table of the examples with what differs from that."""
    cases = book.cases[rule.id]
    if not cases:
        return "There is no vignette of this rule yet.", ""
    start = _common([case.story for case in cases])
    site = Counter(_site(case) for case in cases).most_common(1)[0][0]
    rows = [_example(book, case, start, site, number) for number, case in enumerate(cases, 1)]
    names = book.texts.names
    said = f"Unless a line says otherwise: {in_words(start, names) or 'nothing on record'}; {site}."
    return said, table(("", "Patient", "On record, where it differs", "Answer", "Computed; missing"), rows)


def _common(stories: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the stories start from: of the keys that most of them have, the value that a good part of them has."""
    told: dict[str, Counter[str]] = {}
    for story in stories:
        for key, value in story.items():
            told.setdefault(key, Counter())[json.dumps(value)] += 1
    most = {key: values.most_common(1)[0] for key, values in told.items() if values.total() * _MOSTLY > len(stories)}
    return {key: json.loads(value) for key, (value, times) in most.items() if times * _GOOD_PART > len(stories)}


def _example(book: Book, case: Case, start: Mapping[str, Any], site: str, number: int) -> tuple[str, ...]:
    differs = {key: value for key, value in case.story.items() if start.get(key) != value or key not in start}
    if {"born", "age"} & differs.keys():
        differs = {key: case.story[key] for key in ("sex",) if key in case.story} | differs
    told = in_words(differs, book.texts.names)
    gone = [f"{key.replace('_', ' ')} not told" for key in start if key not in case.story]
    own = _site(case)
    words = "; ".join(each for each in (told, *gone, own if own != site else "") if each)
    outcome = book.outcome(case)
    return (str(number), case.name, words, f"**{answer_of(outcome)}**", "; ".join(_said(book, case, outcome)))


def _site(case: Case) -> str:
    """Which guidelines are asked, and which readings are taken that the profile does not take."""
    alone = f"asked with {', '.join(f'`{name}`' for name in case.sets)} alone"
    asked = alone if case.sets else f"asked with the profile {case.site}"
    chosen = "".join(f", `{name} = {value}`" for name, value in sorted(case.switches.items()))
    return f"{asked}{chosen}"


def _said(book: Book, case: Case, outcome: Outcome) -> Iterator[str]:
    """The values that the vignette is about; then what is missing."""
    for name in case.expect.get("values", ()):
        yield f"`{name}` {_value(outcome.finding.values.get(name))}"
    yield from missing_of(book, outcome)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return {"True": "yes", "False": "no", "None": "none"}.get(str(value), str(value))


def missing_of(book: Book, outcome: Outcome) -> list[str]:
    """What keeps the rule from answering, or what the card names as not known."""
    return [unescaped(line) for line in book.texts.of_gaps(outcome.missing or outcome.not_known)]


# --- the card --------------------------------------------------------------------------------------------------------
def card_text(book: Book, rule: Rule) -> str:
    """The card that the first recommending vignette gives, as it is sent; nothing for rules that give none."""
    case = book.speaking(rule)
    if case is None or rule.kind is Kind.DEFINITION:
        return ""
    decision = decide_call(book.service, case.records, case.as_of, case.profile, f"docs/{rule.id}")
    card = next((each for each in decision.cards if _names(each, rule)), None)
    if card is None:
        return f"No card shows it for *{case.name}*: the cap of {case.profile.card_cap} cards is reached."
    offered = "".join(f"\n\n[ {each.label} ]" for each in card.suggestions)
    head = f"**{card.indicator.value.upper()}** · {card.source.label}"
    sent = quote(f"{head}\n\n**{card.summary}**\n\n{card.detail}{offered}")
    return f"For *{case.name}*:\n\n{sent}"


def _names(card: Card, rule: Rule) -> bool:
    named = card.extension[EXTENSION]
    return any((each["id"], each["verdict"]) == (rule.id, Verdict.RECOMMEND.value) for each in named)


# --- missing look-ups ------------------------------------------------------------------------------------------------
def without_each_look_up(book: Book, rule: Rule, read: Sequence[Need]) -> str:
    """The first vignette that speaks, with one look-up after the other not supplied, then failed."""
    case = book.speaking(rule)
    if case is None:
        return ""
    usual = _seen(book, book.outcome(case))
    rows = [(book.texts.names[need.key], *_answers(book, rule, case, need, usual)) for need in read]
    others = [book.texts.names.get(need.key, need.key) for need in book.service.needs if need not in read]
    said = f"The patient is *{case.name}*; with everything looked up the answer is **{usual[0]}**."
    rest = f"It does not read: {', '.join(others)}." if others else ""
    return "\n\n".join(each for each in (said, table(("Look-up", *(name for name, _ in _STATES)), rows), rest) if each)


def _answers(book: Book, rule: Rule, case: Case, need: Need, usual: tuple[str, ...]) -> Iterator[str]:
    for _, state in _STATES:
        seen = _seen(book, _outcome_without(rule, case, case.profile, need, state))
        verdict, *missing = seen
        if seen == usual:
            yield "no difference"
        elif verdict == usual[0]:
            yield f"still **{verdict}**; named on the card: {'; '.join(missing)}"
        else:
            yield f"**{verdict}**" + (f": {'; '.join(missing)}" if missing else "")


def _seen(book: Book, outcome: Outcome) -> tuple[str, ...]:
    return (answer_of(outcome), *missing_of(book, outcome))


def _outcome_without(rule: Rule, case: Case, profile: Profile, need: Need, state: LookupState) -> Outcome:
    numbers = CLINIC.thresholds(case.as_of)
    records = replace(case.records, lookups={**case.records.lookups, need.key: Lookup(state)})
    return decide(rule, CLINIC.facts(records, case.as_of, numbers, profile), numbers)
