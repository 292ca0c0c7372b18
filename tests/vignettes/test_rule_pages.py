"""A rule reads what it says it reads, and its numbers live elsewhere. What pages and words owe the reader: test_check.py."""

from __future__ import annotations

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cds_service.clinical import rules
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import Patient
from cds_service.kernel.rules import Rule
from tests.support.cases import RULES, all_cases

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
# What a rule may touch without declaring it: how facts are asked for, and what the call is about
_HOW = frozenset(
    {
        "at_order",
        "ordered_therapies",
        "as_of",
        "profile",
        "chart",
        "diagnoses",
        "current_drugs",
        "gaps",
        "choice",
        "tests",
        "doses",
    }
)


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
