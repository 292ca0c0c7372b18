"""What a rule rests on is found from its code: a rule made up for the purpose, written to a file as ours are."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from cds_service.clinical import attributes, basis, profiles, reach
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.inputs import Inputs, inputs
from cds_service.clinical.signoffs import SignOff
from cds_service.kernel.rules import Rule
from tests.support.exported import RULES

_MODULE = "cds_service.clinical.made_up"
_US = profiles.profile("us")
_TEXT = '''
import re
from functools import cached_property, lru_cache

from cds_service.clinical.facts import falls
from cds_service.kernel.criteria import holds
from cds_service.kernel.rules import Finding, Proposal, rule
from cds_service.kernel.truth import Truth

_WORDS = {"in-a-table": ("in-a-tuple", ["in-a-list"])}
_MONTHS = 7
_KINDS = frozenset({"one-kind", "other-kind"})
_PATTERN = re.compile("a-pattern", re.I)


def in_a_table():
    return "said-in-a-table", _MONTHS, _KINDS, _PATTERN


def in_a_tuple():
    return "said-in-a-tuple"


_TABLE = {"one": in_a_table, "more": (in_a_tuple,)}


@lru_cache
def wrapped():
    def inside():
        return "said-inside"
    return inside


class Thing:
    @property
    def a_property(self):
        return "said-in-a-property"

    @cached_property
    def a_cached_property(self):
        return "said-in-a-cached-property"

    def method(self):
        return closed


def closing(word):
    def closed_over():
        return word
    return closed_over


closed = closing("closed-over")


def never():
    return "never-said"


@rule("XX-02", sets=("acr2022",), card="vitamin-d", reads=(), check="V", strength="strong")
def another(p, t):
    """Another."""
    return Finding(holds("said-by-another", Truth.NO), propose=(Proposal("calcium-test"),))


@rule("XX-01", sets=("acr2022",), card="vitamin-d", reads=("age",), check="V", strength="strong")
def made_up(p, t):
    """Made up."""
    if p.choice("mon_years") == "nobody":
        t["monitoring.denosumab-months"], "gc-entry-dose", _TABLE, _WORDS, wrapped, Thing, another, falls.falls
    names = [f"equivalence.{drug}" for drug in ("betamethasone",)]
    read = t["acr2022.adult-age"], t.optional("acr2022.no-such-number")
    # keys that no word of the code holds
    dot, dash = chr(46), chr(45)
    read = t[dot.join(("monitoring", dash.join(("zoledronate", "months"))))]
    read = t.optional(dot.join(("laboratory", dash.join(("severe", "ckd", "months")))))
    p.chart.gaps()
    list(p.chart.find("Procedure", "dxa.report", "no.such_concept"))
    list(p.chart.drugs("calcium_vitamin_d."))
    orders = [f"{name}-test" for name in ("creatinine",)]
    return Finding(holds("said-by-itself", Truth.of(p.deceased is read is names)), propose=(Proposal("dxa"),))
'''


def load(text: str, folder: Path) -> ModuleType:
    """The module that a text is, in a file of its own."""
    file = folder / f"made_up_{len(list(folder.iterdir()))}.py"
    file.write_text(text, "utf-8")
    spec = importlib.util.spec_from_file_location(_MODULE, file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[_MODULE] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture
def made(tmp_path: Path) -> Iterator[ModuleType]:
    yield load(_TEXT, tmp_path)
    sys.modules.pop(_MODULE, None)


def names(rule: Rule, *, other_rules: bool = True) -> list[str]:
    """What is reached of the made-up module."""
    found = reach.reachable(rule, other_rules=other_rules)
    return [each.__qualname__ for each in found if each.__module__ == _MODULE]


# --- code that can be run --------------------------------------------------------------------------------------------
def test_whatever_can_be_run_is_reached_its_own_first_and_once(made: ModuleType) -> None:
    own = names(made.made_up, other_rules=False)
    assert own[0] == "made_up"
    assert sorted(own[1:]) == [
        "Thing.a_cached_property", "Thing.a_property", "Thing.method", "closing.<locals>.closed_over", "in_a_table",
        "in_a_tuple", "wrapped",
    ]  # fmt: skip
    assert sorted(names(made.made_up)) == sorted([*own, "another"])


def test_facts_of_the_patient_and_of_modules_are_reached(made: ModuleType) -> None:
    reached = {f"{each.__module__}.{each.__name__}" for each in reach.reachable(made.made_up)}
    assert {"cds_service.clinical.facts.falls.falls", "cds_service.clinical.patient.deceased"} <= reached
    assert "cds_service.clinical.patient.falls" in reached  # asked for by its name, as `p.falls` would be
    assert not any(name.startswith("cds_service.kernel") for name in reached)


def test_words_are_those_written_in_a_function_in_its_tables_and_in_what_it_closes_over(made: ModuleType) -> None:
    assert {
        "said-by-itself",
        "acr2022.adult-age",
        "one",
        "more",
        "in-a-table",
        "in-a-tuple",
        "in-a-list",
    } <= reach.words_in(made.made_up.decide)
    assert "said-inside" in reach.words_in(made.wrapped.__wrapped__)
    assert "closed-over" in reach.words_in(made.closed)
    assert "never-said" not in reach.words_in(made.made_up.decide)


# --- what it reads and offers ----------------------------------------------------------------------------------------
def test_what_a_rule_reads_and_may_offer(made: ModuleType) -> None:
    found = inputs(made.made_up, attributes._day(), [_US])
    equivalence = sorted(key for key in CLINIC.thresholds(attributes._day()) if key.startswith("equivalence."))
    entry = ["acr2022.adult-age", "acr2022.gc-entry-dose", "bhof_iscd.gc-entry-dose"]
    kinds = ("MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement")
    assert found == Inputs(
        (
            *entry,
            *equivalence,
            "laboratory.severe-ckd-months",
            "monitoring.denosumab-months",
            "monitoring.zoledronate-months",
        ),
        (
            *((kind, f"calcium_vitamin_d.{table}") for kind in kinds for table in ("atc", "drug")),
            ("Patient", ""),
            ("Procedure", "dxa.report"),
        ),
        ("creatinine-test", "dxa"),
    )


# --- its hash --------------------------------------------------------------------------------------------------------
def hash_of(text: str, folder: Path) -> str:
    return basis.content_hash(load(text, folder).made_up)


def test_comments_and_layout_do_not_change_the_hash(made: ModuleType, tmp_path: Path) -> None:
    other = _TEXT.replace("def in_a_table():", "# a comment\n\n\n\ndef in_a_table( ):")
    assert hash_of(other, tmp_path) == basis.content_hash(made.made_up)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("said-by-itself", "said otherwise"),
        ("said-in-a-tuple", "said otherwise"),
        ("_MONTHS = 7", "_MONTHS = 8"),
        ("other-kind", "third-kind"),
        ("a-pattern", "another-pattern"),
        ("re.I)", "re.M)"),
        ("said-in-a-cached-property", "said otherwise"),
        ("said-by-another", "said otherwise"),
        ('check="V"', 'check="P"'),
        ('strength="strong"', 'strength="conditional"'),
        ('card="vitamin-d"', 'card="dxa"'),
        ('"XX-01"', '"XX-03"'),
    ],
)
def test_what_a_rule_rests_on_changes_its_hash(old: str, new: str, made: ModuleType, tmp_path: Path) -> None:
    assert hash_of(_TEXT.replace(old, new), tmp_path) != basis.content_hash(made.made_up)


def test_what_a_rule_never_runs_does_not_change_its_hash(made: ModuleType, tmp_path: Path) -> None:
    assert hash_of(_TEXT.replace("never-said", "said otherwise"), tmp_path) == basis.content_hash(made.made_up)


def test_the_basis_names_numbers_codes_and_words(made: ModuleType) -> None:
    told = basis.Basis(made.made_up).as_json
    assert told.keys() >= {"declared", "functions", "numbers", "codes", "words"}
    assert any(each.startswith("acr2022.adult-age 18 a ") for each in told["numbers"])
    assert any(each.startswith("dxa.report ") for each in told["codes"])
    assert not any(each.startswith("ms.EDSS ") for each in told["codes"])
    assert told["numbers"] == sorted(told["numbers"])
    assert told["codes"] == sorted(told["codes"])
    assert told["declared"][:3] == ["XX-01", "made_up", "1"]


# --- signatures ------------------------------------------------------------------------------------------------------
def test_a_signature_counts_for_its_rule_as_it_is_and_the_newest_does(made: ModuleType) -> None:
    fits = SignOff("XX-01", "1", basis.content_hash(made.made_up), "A", "consultant", dt.date(2026, 1, 1))
    newer = SignOff("XX-01", "1", fits.content, "B", "consultant", dt.date(2026, 2, 1))
    stale = SignOff("XX-01", "1", "0" * 64, "C", "consultant", dt.date(2026, 3, 1))
    others = SignOff("XX-02", "1", fits.content, "D", "consultant", dt.date(2026, 3, 1))
    assert basis.valid(made.made_up, [newer, fits, stale, others]) is newer
    assert basis.valid(made.made_up, [stale, others]) is None
    assert basis.status(made.made_up, [fits]) == "stable"
    assert basis.status(made.made_up, [stale]) == "unsigned"


# --- rules that are about people on a drug ---------------------------------------------------------------------------
def test_a_decorated_rule_rests_on_its_decorator_and_on_what_that_was_given() -> None:
    told = basis.Basis(RULES["SAF-05"])
    module = "cds_service.clinical.rules"
    assert {f"{module}.drugs_taken.taken", f"{module}.drug_safety_kidney.denosumab_and_kidney"} <= told.functions.keys()
    given = [value for name, value in told.constants if name.endswith("of_class.<locals>.kind.wanted")]
    assert given == ["['DrugClass.DENOSUMAB']"]


def test_what_a_decorated_rule_reads_of_people_on_the_drug_is_named() -> None:
    looked_for = inputs(RULES["SAF-05"], attributes._day(), [_US]).look_ups
    assert ("Condition", "cond.dialysis") in looked_for
