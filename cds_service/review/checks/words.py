"""Lints of words: everything that can be said has a sentence, no sentence reassures or commands, no summary is too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cds_service.cards.plan import GAPS
from cds_service.clinical import content
from cds_service.engine.answer import decide
from cds_service.formats import strict_toml
from cds_service.kernel.facts import GapKind
from cds_service.kernel.rules import Kind, Verdict
from cds_service.protocol.response import MAX_SUMMARY, Card
from cds_service.review.checks.problem import Content, Problem, rule_file

HEADINGS = ("What it looks for:", "Why it matters:", "When it stays silent:", "Sources:")
# S1 and E8. "No rule had advice. That is not a statement that bone health is fine." is the one sentence that may say "fine".
FORBIDDEN = re.compile(
    r"\b(must|safe|is normal|normal bone|no risk|is fine|healthy|reassur\w+|nothing to worry|all clear)\b",
    re.IGNORECASE,
)
_MAY_SAY = frozenset({"explain.no-advice"})
_SHORTEST = 5
_LONGEST_FIRST_LINE = 120
_HOLE = re.compile(r"\bNone\b|\{\{|\}\}|Decimal\(")


def docstrings(told: Content) -> Iterator[Problem]:
    """A rule's docstring is its public page: one sentence, then the four parts in order, each saying something."""
    for rule in told.service.rules:
        file = rule_file(rule.id, told.service)
        first = rule.doc.split("\n", 1)[0]
        if not first.endswith(".") or len(first) >= _LONGEST_FIRST_LINE:
            yield Problem(
                file, rule.id, "the docstring does not begin with one short sentence", "End it with a full stop."
            )
        places = [rule.doc.find(heading) for heading in HEADINGS]
        for heading, place in zip(HEADINGS, places, strict=True):
            if place < 0:
                yield Problem(file, rule.id, f"the docstring has no {heading!r}", "Add the paragraph.")
        if -1 not in places and places != sorted(places):
            yield Problem(file, rule.id, "the parts of the docstring are out of order", f"Order: {' '.join(HEADINGS)}")
        said = re.split("|".join(map(re.escape, HEADINGS)), rule.doc)[1:]
        for heading, part in zip(HEADINGS, said, strict=False):
            if len(part.strip()) < _SHORTEST:
                yield Problem(file, rule.id, f"{heading!r} says nothing", "Write the paragraph.")


def texts_of_rules(told: Content) -> Iterator[Problem]:
    """Every action has a summary, every rule a strength and a topic, and no words are left over."""
    texts, rules = told.texts, told.service.rules
    for rule in rules:
        file = rule_file(rule.id, told.service)
        if rule.kind is Kind.ACTION and rule.id not in texts.rules:
            yield Problem("texts/en/", f"rules.{rule.id}", "is missing", "Add summary and options.")
        if rule.strength not in texts.strength:
            yield Problem(
                file, rule.id, f"strength {rule.strength!r} has no words", "Add it to [strength] in texts/en/."
            )
        if rule.card not in texts.topics:
            yield Problem(file, rule.id, f"card {rule.card!r} is no topic", "Add it to [topics] in texts/en/.")
        if rule.check != "V" and rule.check not in texts.check:
            yield Problem(file, rule.id, f"check {rule.check!r} has no words", "Add it to [check] in texts/en/.")
    for ident in sorted(set(texts.rules) - {rule.id for rule in rules}):
        yield Problem("texts/en/", f"rules.{ident}", "is about no rule", "Take it out.")
    for topic in sorted(set(texts.topics) - {rule.card for rule in rules} - {GAPS}):
        yield Problem("texts/en/", f"topics.{topic}", "is the subject of no rule", "Take it out.")


def words_that_come_up(told: Content) -> Iterator[Problem]:
    """Whatever came up in a vignette has words: criteria, evidence, gaps, orders."""
    texts = told.texts
    found: set[tuple[str, str]] = {("gaps", kind.value) for kind in GapKind}
    for _, node in told.criteria():
        found.add(("criteria", node.key))
        found |= {("evidence", shown.kind) for shown in node.evidence}
        found |= {("names", gap.what) for gap in node.gaps}
    found |= {("names", need.key) for need in told.service.needs}
    for table, key in sorted(found):
        if key not in getattr(texts, table):
            yield Problem("texts/en/", f"{table}.{key}", "has no words", f"Add it to [{table}].")
    for case, outcome in told.outcomes:
        for proposal in outcome.finding.propose:
            if proposal.order not in told.service.orders:
                file = rule_file(case.rule, told.service)
                yield Problem(file, case.rule, f"{proposal.order!r} cannot be ordered", "Add it to orders.toml.")


def reassurance(_: Content) -> Iterator[Problem]:
    """No text reassures or commands (S1, E8)."""
    for file, text in content.text_files("en").items():
        for key, words in _strings(strict_toml.load(text, file, {"type": "object"})):
            hit = FORBIDDEN.search(words)
            if hit and key not in _MAY_SAY:
                yield Problem(file, key, f"says {hit[0]!r}", "Say what was found and what the guideline offers.")


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{path}.{key}".removeprefix("."))
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, path)


def renderings(told: Content) -> Iterator[Problem]:
    """Every card of every vignette fits; of vignettes that recommend, also those under every whole profile."""
    for case, outcome in told.outcomes:
        speaks = outcome.verdict is Verdict.RECOMMEND
        for site in (case.profile, *(told.sites if speaks else ())):
            for card in decide(told.service, case.records, case.as_of, site, "check").cards:
                yield from _of_card(card, f"{case.rule}.toml", f"{case.name} ({site.id})")


def _of_card(card: Card, file: str, where: str) -> Iterator[Problem]:
    words = f"{card.summary} {card.detail}"
    if not 0 < len(card.summary) <= MAX_SUMMARY or "…" in card.summary:
        yield Problem(file, where, f"the summary does not fit: {card.summary!r}", "Shorten its text.")
    if _HOLE.search(words) or "  " in card.summary:
        yield Problem(file, where, f"the card has a hole: {card.summary!r}", "Mend its text.")
    if hit := FORBIDDEN.search(words):
        yield Problem(file, where, f"the card says {hit[0]!r}", "Change its text.")


def reasons(told: Content) -> Iterator[Problem]:
    """A recommendation rests on evidence from the record, and whoever cannot tell says what is missing (S3)."""
    for case, outcome in told.outcomes:
        file = rule_file(case.rule, told.service)
        if outcome.verdict is Verdict.CANNOT_TELL and not outcome.missing:
            yield Problem(
                file, case.rule, f"cannot tell, and does not say what is missing ({case.name})", "Keep the gap."
            )
        shown = any(leaf.evidence for leaf in outcome.finding.applies.reasons())
        if outcome.verdict is Verdict.RECOMMEND and not shown:
            yield Problem(file, case.rule, f"recommends without evidence ({case.name})", "Carry the evidence along.")
