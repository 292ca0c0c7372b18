"""Every rule can be read by a clinician, says what it reads, and speaks in words that neither reassure nor command."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.cards.texts import Texts
from cds_service.clinical import content, rules
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import Patient
from cds_service.engine.answer import decide
from cds_service.formats import strict_toml
from cds_service.kernel.rules import Kind, Rule, Status, Verdict
from cds_service.kernel.truth import Truth
from hooks.patient_view import SERVICE
from tests.support.cases import RULES, Case, all_cases

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
PARTS = ("What it looks for:", "Why it matters:", "When it stays silent:", "Sources:")
TEXTS: Texts = SERVICE.texts("en")
# What a rule may touch without declaring it: how facts are asked for, not facts
_HOW = frozenset({"as_of", "profile", "chart", "diagnoses", "current_drugs", "gaps"})
_FORBIDDEN = re.compile(r"\b(must|safe|normal|no risk|healthy|reassur\w+|at no risk|nothing to worry)\b", re.IGNORECASE)


# --- the page ---------------------------------------------------------------------------------------------------------
@every_rule
def test_the_docstring_has_its_four_parts_in_order(rule: Rule) -> None:
    places = [rule.doc.find(part) for part in PARTS]
    assert -1 not in places, f"{rule.id}: {[part for part, at in zip(PARTS, places, strict=True) if at < 0]}"
    assert places == sorted(places)


@every_rule
def test_the_first_line_is_one_sentence(rule: Rule) -> None:
    first = rule.doc.splitlines()[0]
    assert first.endswith(".")
    assert len(first) < 120


@every_rule
def test_every_part_says_something(rule: Rule) -> None:
    marks = "|".join(re.escape(part) for part in PARTS)
    assert [text for text in re.split(marks, rule.doc)[1:] if len(text.strip()) < 5] == []


@every_rule
def test_recalled_rules_are_preview(rule: Rule) -> None:
    """A rule whose wording nobody has read in the source is off unless somebody switches it on."""
    assert (rule.check == "R") == (rule.status is Status.PREVIEW)


def test_ids_and_names_are_unique() -> None:
    listed = rules.CHART_OPEN
    assert len({rule.id for rule in listed}) == len(listed)
    assert len({rule.name for rule in listed}) == len(listed)


# --- words ------------------------------------------------------------------------------------------------------------
@every_rule
def test_an_action_has_words(rule: Rule) -> None:
    assert rule.kind is Kind.DEFINITION or rule.id in TEXTS.rules


def test_no_words_for_rules_that_do_not_exist() -> None:
    assert sorted(set(TEXTS.rules) - set(RULES)) == []


@every_rule
def test_card_and_strength_have_words(rule: Rule) -> None:
    assert rule.card in TEXTS.topics
    assert rule.strength in TEXTS.strength


def _strings(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _strings(each, f"{path}.{key}")
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each, path)


def test_e8_no_text_reassures_or_commands() -> None:
    texts = strict_toml.load(content.text_file("en"), "texts/en.toml", {"type": "object"})
    said = {path: text for path, text in _strings(texts) if _FORBIDDEN.search(text)}
    assert said == {}


def test_every_criterion_in_every_vignette_has_words() -> None:
    keys = {leaf.key for case in all_cases() for leaf in _leaves(case)}
    assert sorted(keys - set(TEXTS.criteria)) == []


def test_every_gap_and_evidence_in_every_vignette_has_words() -> None:
    found = [leaf for case in all_cases() for leaf in _leaves(case)]
    gaps = {gap.what for leaf in found for gap in leaf.gaps}
    evidence = {shown.kind for leaf in found for shown in leaf.evidence}
    assert sorted(gaps - set(TEXTS.names)) == []
    assert sorted(evidence - set(TEXTS.evidence)) == []


def _leaves(case: Case) -> Iterator[Any]:
    finding = case.outcome().finding
    for tree in (finding.applies, finding.satisfied_by):
        yield from tree.leaves() if tree else ()


def test_s3_whoever_cannot_tell_says_what_is_missing() -> None:
    silent = [
        str(case) for case in all_cases() if (o := case.outcome()).verdict is Verdict.CANNOT_TELL and not o.missing
    ]
    assert silent == []


def test_every_card_of_every_vignette_fits() -> None:
    for case in all_cases():
        for card in decide(SERVICE, case.records, case.as_of, case.profile, "pages").cards:
            assert 0 < len(card.summary) < 140, f"{case}: {card.summary}"
            assert "…" not in card.summary, f"{case}: cut: {card.summary}"
            assert "  " not in card.summary
            assert not re.search(r"\bNone\b|\{\{|\}\}|UNKNOWN|Decimal", f"{card.summary} {card.detail}"), str(case)


# --- what a rule reads ------------------------------------------------------------------------------------------------
class _Watched:
    """A patient that notes which facts a rule asks for itself; facts asking each other are not noted."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self.asked: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            self.asked.add(name)
        return getattr(self._patient, name)


@cache
def _touched() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Per rule over all its vignettes: the facts it asks for itself, and all that were worked out for it."""
    asked: dict[str, set[str]] = defaultdict(set)
    worked_out: dict[str, set[str]] = defaultdict(set)
    for case in all_cases():
        numbers = CLINIC.thresholds(case.as_of)
        patient = case.facts(numbers)
        watched = _Watched(patient)
        RULES[case.rule].decide(watched, numbers)
        asked[case.rule] |= watched.asked - _HOW
        worked_out[case.rule] |= set(vars(patient))
    return asked, worked_out


@every_rule
def test_reads_names_facts_and_all_that_the_rule_asks_for(rule: Rule) -> None:
    assert [name for name in rule.reads if not hasattr(Patient, name)] == []
    assert sorted(_touched()[0][rule.id] - set(rule.reads)) == []


@every_rule
def test_reads_names_nothing_that_is_never_worked_out(rule: Rule) -> None:
    assert sorted(set(rule.reads) - _touched()[1][rule.id]) == []


# --- numbers live in guidelines/ --------------------------------------------------------------------------------------
@pytest.mark.parametrize("file", sorted(Path(rules.__file__).parent.glob("*.py")), ids=lambda file: file.stem)
def test_no_number_but_0_and_1_in_a_rule(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    numbers = [
        f"line {node.lineno}: {node.value}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)
        if node.value not in (0, 1)
    ]
    assert numbers == []


@pytest.mark.parametrize("file", sorted(Path(rules.__file__).parent.glob("*.py")), ids=lambda file: file.stem)
def test_no_number_hides_in_text_that_becomes_one(file: Path) -> None:
    """`Decimal("2.5")` would be a threshold without a source."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    hidden = [f"line {c.lineno}" for c in calls if c.func.id in ("Decimal", "exactly", "float", "int")  # type: ignore[attr-defined]
              if c.args and isinstance(c.args[0], ast.Constant) and c.args[0].value not in (0, 1)]  # fmt: skip
    assert hidden == []


def test_a_finding_that_applies_shows_why() -> None:
    """A recommendation always rests on at least one piece of evidence from the record."""
    bare = [
        str(case)
        for case in all_cases()
        if (outcome := case.outcome()).verdict is Verdict.RECOMMEND
        if not any(leaf.evidence for leaf in outcome.finding.applies.reasons() if leaf.truth is Truth.YES)
    ]
    assert bare == []
