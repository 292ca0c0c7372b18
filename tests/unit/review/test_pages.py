"""The reference pages: what a reader must be able to rely on."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.limits import known_limits, limits
from cds_service.clinical.patient import Patient
from cds_service.kernel.needs import Lookup, LookupState
from cds_service.kernel.rules import Kind, Rule, Verdict, decide
from cds_service.review.pages.book import Book
from cds_service.review.pages.decision_table import decision_table, telling_cases
from cds_service.review.pages.examples import card_text, without_each_look_up, worked_examples
from cds_service.review.pages.in_words import in_words
from cds_service.review.pages.markdown import anchor, rule_links, table
from cds_service.review.pages.reads import RuleReads, read_by
from cds_service.review.pages.rule_page import PARTS, parts_of
from cds_service.review.pages.valuesets import value_sets
from cds_service.review.story import KEYS
from cds_service.review.vignettes import Case
from hooks.patient_view import SERVICE
from tests.support.cases import RULES, all_cases

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
PREDNISONE = {"drug": "prednisone", "mg": 5, "taken": 100, "days": 200}


@cache
def book() -> Book:
    return Book(SERVICE, all_cases(), (), "## 1\n\n- GC-01: more patients\n- GC-011: another rule\n")


@cache
def telling(rule: Rule) -> tuple[Case, ...]:
    return tuple(telling_cases(book(), rule))


@cache
def read(rule: Rule) -> RuleReads:
    return read_by(book(), rule, telling(rule))


# --- decision tables -------------------------------------------------------------------------------------------------
@every_rule
def test_the_table_shows_every_answer_that_a_vignette_gives(rule: Rule) -> None:
    shown = {book().outcome(case).verdict for case in telling(rule)}

    assert shown == {book().outcome(case).verdict for case in book().cases[rule.id]}


@every_rule
def test_every_criterion_of_the_shown_vignettes_is_a_row(rule: Rule) -> None:
    shown = telling(rule)
    told = decision_table(book(), rule, shown)
    wanted = {
        book().sentence(leaf).replace("|", "\\|")
        for case in shown
        for tree in (book().outcome(case).finding.applies, book().outcome(case).finding.satisfied_by)
        if tree
        for leaf in tree.leaves()
    }

    assert [words for words in sorted(wanted) if f"{words} |" not in told] == []


@every_rule
def test_every_row_has_one_cell_for_each_column(rule: Rule) -> None:
    lines = [line for line in decision_table(book(), rule, telling(rule)).splitlines() if line[:1] == "|"]

    assert len({line.replace("\\|", "").count("|") for line in lines}) <= 1


# --- look-ups --------------------------------------------------------------------------------------------------------
def test_s2_a_failed_look_up_of_what_must_be_absent_turns_the_answer_into_cannot_tell() -> None:
    rule = RULES["GC-01"]
    told = without_each_look_up(book(), rule, read(rule).needs).splitlines()
    names = book().texts.names

    (dxa,) = (line for line in told if line.startswith(f"| {names['boneDensity']} "))
    assert dxa.count("**cannot tell**") == 2
    assert "Not supplied: DXA results" in dxa
    assert "Look-up failed: DXA results" in dxa


@every_rule
def test_the_look_ups_shown_are_all_that_matter(rule: Rule) -> None:
    """A look-up that is said not to be read changes nothing when it fails, in whatever vignette."""
    unread = [need for need in SERVICE.needs if need not in read(rule).needs]
    gone = {need.key: Lookup(LookupState.FAILED) for need in unread}
    for case in telling(rule):
        records = replace(case.records, lookups={**case.records.lookups, **gone})
        numbers = CLINIC.thresholds(case.as_of)
        outcome = decide(rule, CLINIC.facts(records, case.as_of, numbers, case.profile), numbers)

        assert (outcome.verdict, outcome.missing) == (book().outcome(case).verdict, book().outcome(case).missing), case


# --- cards and examples ----------------------------------------------------------------------------------------------
@every_rule
def test_a_rule_that_recommends_shows_its_card(rule: Rule) -> None:
    recommends = any(book().outcome(case).verdict is Verdict.RECOMMEND for case in book().cases[rule.id])

    assert bool(card_text(book(), rule)) == (recommends and rule.kind is Kind.ACTION)


def test_an_example_says_only_where_it_differs() -> None:
    start, told = worked_examples(book(), RULES["GC-01"])
    (line,) = (each for each in told.splitlines() if "| DXA since the start |" in each)

    assert "prednisone 5 mg/day, 100 days so far, ordered for 200 days" in start
    assert "| DXA 30 days ago: T-score spine -1.2 | **satisfied** |" in line


@every_rule
def test_the_parts_of_the_docstring_are_all_there(rule: Rule) -> None:
    assert [name for name, _ in parts_of(rule)] == list(PARTS)


# --- a patient in words ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ({"sex": "female", "age": 62, "menopause": "yes"}, "woman, 62 years old; after menopause"),
        ({"steroids": [PREDNISONE]}, "prednisone 5 mg/day, 100 days so far, ordered for 200 days"),
        (
            {"steroids": [{**PREDNISONE, "mg": [2, 5]}]},
            "prednisone 2 to 5 mg/day, 100 days so far, ordered for 200 days",
        ),
        ({"steroids": []}, "no glucocorticoid on record"),
        ({"fractures": [{"site": "hip"}]}, "fracture (hip, cause not on record) 2 years ago"),
        ({"vitamin_d": {"value": 19, "unit": ""}}, "25-OH vitamin D 19, without a unit"),
        ({"incomplete": {"boneDensity": "failed"}}, "DXA results: look-up failed"),
        ({"some_new_key": [{"value": 3, "ago": "2 days"}]}, "some new key 3, ago 2 days"),
    ],
)
def test_a_story_in_words(story: dict[str, object], expected: str) -> None:
    assert in_words(story, {"boneDensity": "DXA results"}) == expected


def test_every_key_of_a_story_that_vignettes_use_has_words() -> None:
    for case in all_cases():
        assert set(case.story) <= KEYS
        assert in_words(case.story, book().texts.names)


# --- limits, codes, Markdown -----------------------------------------------------------------------------------------
def test_limits_are_of_facts_that_exist() -> None:
    assert sorted(fact for fact in limits()["facts"] if not hasattr(Patient, fact)) == []


def test_limits_of_every_rule_come_last_and_once() -> None:
    told = known_limits(["exposure", "exposure"], ["Condition"])

    assert told[-len(limits()["every"]) :] == list(limits()["every"])
    assert len(told) == len(set(told))


def test_every_concept_has_a_page_and_a_rule_can_link_to_it() -> None:
    places = value_sets()

    assert set(places.home) == set(places.rows)
    assert set(places.home.values()) <= set(places.files)


def test_markdown_of_a_table_keeps_cells_in_their_place() -> None:
    assert table(("a", "b"), [("x | y", "two\nlines")]).splitlines()[-1] == "| x \\| y | two<br>lines |"


def test_anchors_are_those_of_the_forge() -> None:
    assert anchor("cond.adrenal_insufficiency") == "condadrenal_insufficiency"
    assert anchor("The same for every rule") == "the-same-for-every-rule"


def test_many_rules_are_counted() -> None:
    assert rule_links(["GC-01", "GC-02"], "../") == "[GC-01](../rules/GC-01.md), [GC-02](../rules/GC-02.md)"
    assert rule_links([f"GC-{n}" for n in range(40)]) == "40 rules"


def test_the_checkout_has_no_page_that_nobody_writes() -> None:
    assert not (Path(__file__).resolve().parents[3] / "docs" / "rules.md").exists()
