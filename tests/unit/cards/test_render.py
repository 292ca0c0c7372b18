"""A plan and the words make a card: summary, fixed blocks, gaps by name, basis, rules by id."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.cards.plan import GAPS, CardPlan
from cds_service.cards.render import cards_of
from cds_service.cards.suggest import Subject
from cds_service.engine.arrange import arrange
from cds_service.kernel.criteria import all_of, any_of
from cds_service.kernel.dates import on_day
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.rules import Finding, Level, Outcome, Rule, Status, decide
from cds_service.kernel.thresholds import Thresholds
from cds_service.protocol.response import Card
from tests.unit.engine.made_up import (
    AS_OF,
    SOURCE,
    cannot_tell_whether_it_applies,
    evaluated,
    made_rule,
    no,
    orders,
    recommends,
    satisfied,
    words,
    yes,
)

AGE = Evidence("age", "62", resource="Patient/p1")


def leak(value: str, day: int = 1, note: str = "north") -> Evidence:
    return Evidence("leak", value, on_day(dt.date(2026, 5, day)), note=note)


def write(*plans: CardPlan, seed: str = "call-1") -> list[Card]:
    return list(cards_of(plans, words(), orders(), lambda _rule: SOURCE, Subject("p1"), seed))


def written(findings: dict[str, Finding], cap: int = 3) -> list[Card]:
    """The cards for what the rules said."""
    return write(*arrange(evaluated(findings, cap=cap), words()))


def card(findings: dict[str, Finding]) -> Card:
    (only,) = written(findings)
    return only


def answered(rule: Rule, finding: Finding) -> Outcome:
    return decide(rule, {rule.id: finding}, Thresholds((), AS_OF))


def block(name: str, of: Card) -> list[str]:
    """The lines of one block of the detail."""
    blocks = dict(part.split("**\n\n") for part in of.detail.split("\n\n**") if "**\n\n" in part)
    return [line.removeprefix("- ") for line in blocks.get(name, "").split("\n\n")[0].splitlines()]


# --- the whole card --------------------------------------------------------------------------------------------------
def test_a_card_from_top_to_bottom() -> None:
    gap = Gap(GapKind.FAILED, "results", "timeout")
    findings = {
        "X-0": satisfied(drops=9),
        "X-1": recommends(Level.WARNING, evidence=[leak("3 drops")], beside=[gap], propose=["plumber"]),
        "X-3": recommends(),
    }
    first, _ = written(findings)
    assert first.detail == (
        "**Why now**\n\n"
        "- Leak: 3 drops, north (2026-05-01)\n\n"
        "**Options**\n\n"
        "- Mend it\n\n"
        "**Not known**\n\n"
        "- Look-up failed: results of the plumber (timeout)\n\n"
        "**Basis**\n\n"
        "- Guideline 2020: strong recommendation, rule X-1@1"
    )
    assert (first.summary, first.indicator) == ("Roof leaks: 3 drops a day.", Level.WARNING)
    assert first.source.to_json() == {
        "label": "Guideline 2020",
        "url": "https://example.org/g",
        "icon": "",
        "topic": {"code": "Roof", "system": "https://bonecds.org/CodeSystem/card-topic", "display": "The roof"},
    }
    assert [suggestion.label for suggestion in first.suggestions] == ["Call the plumber"]
    assert [reason.to_json() for reason in first.override_reasons] == [
        {"code": "not-now", "system": "https://bonecds.org/CodeSystem/override-reason", "display": "Not now"}
    ]
    assert first.extension == {
        "org.bonecds.rules": [
            {"id": "X-1", "version": "1", "verdict": "recommend"},
            {"id": "X-0", "version": "1", "verdict": "satisfied"},
        ]
    }


def test_blocks_with_nothing_to_say_are_left_out() -> None:
    assert card({"X-4": recommends()}).detail == ("**Basis**\n\n- Guideline 2020: strong recommendation, rule X-4@1")


# --- summary ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("first", "second", "summary"),
    [
        (Level.INFO, Level.INFO, "Roof leaks: 3 drops a day."),
        (Level.WARNING, Level.INFO, "Roof leaks: 3 drops a day."),
        (Level.INFO, Level.WARNING, "Roof is old."),
    ],
)
def test_the_most_urgent_rule_speaks_the_first_among_equals(first: Level, second: Level, summary: str) -> None:
    assert card({"X-1": recommends(first), "X-2": recommends(second)}).summary == summary


def test_a_summary_is_one_line() -> None:
    assert card({"X-5": recommends()}).summary == "Curtains are wet."


def test_a_summary_may_name_the_first_evidence_of_each_reason_without_its_date() -> None:
    assert card({"X-4": recommends()}).summary == "Windows rattle: it is wet."
    reasons = (yes(leak("3 drops"), leak("4 drops")), yes(AGE), yes(leak("3 drops", 9)), yes())
    finding = Finding(all_of(*reasons, any_of(yes(), no())), no())
    assert card({"X-4": finding}).summary == "Windows rattle: Leak: 3 drops, north, Age 62."


def test_e2_a_summary_that_is_too_long_is_cut_at_a_word() -> None:
    long = recommends(values={"drops": "many " * 40})
    assert card({"X-1": long}).summary == "Roof leaks: " + "many " * 24 + "many…"


def test_a_rule_prints_its_own_values_before_those_of_its_neighbours() -> None:
    findings = {
        "X-0": satisfied(drops=1),
        "X-1": recommends(values={"drops": 2}),
        "X-2": recommends(values={"drops": 4}),
    }
    assert card(findings).summary == "Roof leaks: 2 drops a day."


# --- why now ---------------------------------------------------------------------------------------------------------
def test_evidence_of_one_kind_shares_a_line_the_first_two_and_how_many_more() -> None:
    leaks = [leak("1 drop"), leak("2 drops", 2), leak("2 drops", 2), leak("3 drops", 3), leak("4 drops", 4)]
    assert block("**Why now", card({"X-2": recommends(evidence=leaks)})) == [
        "Leak: 1 drop, north (2026-05-01); Leak: 2 drops, north (2026-05-02); and 2 more on record"
    ]


def test_at_most_three_lines_and_nothing_hidden() -> None:
    kinds = [Evidence(kind, kind) for kind in ("attic", "bath", "cellar", "drain", "entrance")]
    assert block("**Why now", card({"X-2": recommends(evidence=kinds)})) == [
        "attic no date",
        "bath no date",
        "cellar no date; drain no date; entrance no date",
    ]


def test_age_stands_only_where_nothing_else_speaks() -> None:
    assert block("**Why now", card({"X-2": recommends(evidence=[AGE, leak("3 drops")])})) == [
        "Leak: 3 drops, north (2026-05-01)"
    ]
    assert block("**Why now", card({"X-2": recommends(evidence=[AGE])})) == ["Age 62"]


# --- options, proposals ----------------------------------------------------------------------------------------------
def test_options_of_all_rules_each_once_without_empty_ones() -> None:
    assert block("Options", card({"X-1": recommends(), "X-2": recommends(evidence=[AGE])})) == [
        "Mend it",
        "Sell the house",
    ]


@pytest.mark.parametrize(
    ("rain", "options"), [(False, ["Mend it"]), (True, ["Mend it", "Bring in the cat"])], ids=["dry", "rain"]
)
def test_an_option_may_depend_on_what_was_found(rain: bool, options: list[str]) -> None:
    assert block("Options", card({"X-1": recommends(evidence=[AGE], values={"rain": rain})})) == options


def test_an_option_may_depend_on_the_other_rules_of_the_card() -> None:
    plan = CardPlan("walls", Level.INFO, (answered(made_rule("X-3"), recommends(evidence=[AGE])),))
    other = answered(made_rule("X-5"), satisfied())
    with_other = CardPlan("walls", Level.INFO, plan.outcomes, holding=(other,))
    assert [block("Options", each) for each in write(plan, with_other)] == [
        ["Dry the walls"],
        ["Dry walls and curtains"],
    ]


def test_a_definition_adds_its_lines_and_its_source_to_the_card() -> None:
    made = card({"X-0": satisfied(slates=4), "X-2": recommends(evidence=[AGE])})
    assert block("Options", made) == ["Mend it", "Sell the house", "4 slates are loose", "Roofs of that age leak"]
    assert block("Basis", made) == [
        "Guideline 2020: strong recommendation, rule X-2@1",
        "Guideline 2020: strong recommendation, rule X-0@1",
    ]


def test_a_definition_without_words_is_no_basis() -> None:
    made = card({"X-1": recommends(evidence=[AGE]), "X-2": satisfied()})
    assert block("Options", made) == ["Mend it"]
    assert block("Basis", made) == ["Guideline 2020: strong recommendation, rule X-1@1"]


def test_each_order_is_offered_once() -> None:
    findings = {
        "X-1": recommends(propose=["plumber", "roofer"]),
        "X-2": recommends(propose=["roofer", "plumber"]),
    }
    assert [each.label for each in card(findings).suggestions] == ["Call the plumber", "Call the roofer"]


def test_s10_nothing_is_ticked_in_advance() -> None:
    assert [each.is_recommended for each in card({"X-1": recommends(propose=["plumber", "roofer"])}).suggestions] == [
        False,
        False,
    ]


# --- not known, basis, also ------------------------------------------------------------------------------------------
def test_s3_gaps_stand_by_reason_each_named_once() -> None:
    gaps = (
        Gap(GapKind.FAILED, "results"),
        Gap(GapKind.UNIT_UNKNOWN, "attic"),
        Gap(GapKind.FAILED, "orders"),
        Gap(GapKind.FAILED, "results", resource="Observation/2"),
    )
    plan = CardPlan("roof", Level.INFO, (answered(made_rule("X-2"), recommends(evidence=[AGE])),), gaps=gaps)
    assert block("Not known", write(plan)[0]) == [
        "Look-up failed: results of the plumber, orders",
        "Unit not known: attic",
    ]


@pytest.mark.parametrize(
    ("check", "status", "note"),
    [
        ("V", Status.STABLE, ""),
        ("P", Status.STABLE, " (not from a guideline)"),
        ("V", Status.PREVIEW, " (preview)"),
        ("P", Status.PREVIEW, " (not from a guideline; preview)"),
    ],
)
def test_the_basis_says_what_was_not_read_in_the_source(check: str, status: Status, note: str) -> None:
    outcome = answered(made_rule("X-2", check=check, status=status), recommends(evidence=[AGE]))
    (made,) = write(CardPlan("roof", Level.INFO, (outcome,)))
    assert block("Basis", made) == [f"Guideline 2020: strong recommendation, rule X-2@1{note}"]


def test_e7_cards_that_were_cut_off_are_named_at_the_end() -> None:
    (only,) = written({"X-1": recommends(), "X-3": recommends(), "X-5": recommends()}, cap=1)
    assert only.detail.endswith("\n\nAlso due: The walls, The curtains.")


# --- the card that only names gaps -----------------------------------------------------------------------------------
def test_s5_the_card_about_gaps() -> None:
    gap = Gap(GapKind.FAILED, "results")
    made = card({"X-1": cannot_tell_whether_it_applies(gap, Gap(GapKind.NOT_SUPPLIED, "orders"))})
    assert (made.summary, made.indicator.value, made.source.label, made.suggestions) == (
        "Check incomplete: results of the plumber, orders.",
        "info",
        "House",
        (),
    )
    assert made.detail == (
        "**Not known**\n\n- Look-up failed: results of the plumber\n- Not supplied: orders\n\n"
        "**Basis**\n\n- What was not looked at is never taken as absent."
    )
    assert made.extension == {"org.bonecds.rules": [{"id": "S5", "version": "1", "verdict": "cannot-tell"}]}


@pytest.mark.parametrize(
    ("names", "summary"),
    [
        (["a" * 60, "b" * 50], f"Check incomplete: {'a' * 60}, {'b' * 50}."),
        (["a" * 60, "b" * 50, "c" * 50], f"Check incomplete: {'a' * 60}, and more."),
        (["a" * 60, "b" * 40, "c" * 50, "d" * 50], f"Check incomplete: {'a' * 60}, {'b' * 40}, and more."),
        (["a" * 110, "b" * 50], f"Check incomplete: {'a' * 110}."),
    ],
    ids=["fit", "one-of-three", "two-of-four", "one-of-two"],
)
def test_e2_more_names_than_fit_end_in_and_more(names: list[str], summary: str) -> None:
    gaps = tuple(Gap(GapKind.FAILED, name) for name in names)
    (made,) = write(CardPlan(GAPS, Level.INFO, gaps=gaps))
    assert made.summary == summary


# --- uuids -----------------------------------------------------------------------------------------------------------
def test_s6_uuids_follow_from_the_call_and_the_topic() -> None:
    plans = arrange(evaluated({"X-1": recommends(), "X-3": recommends()}), words())
    first, again, other = (write(*plans, seed=seed) for seed in ("call-1", "call-1", "call-2"))
    assert [each.uuid for each in first] == [each.uuid for each in again]
    assert len({each.uuid for each in (*first, *other)}) == 4
