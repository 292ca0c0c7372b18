"""What a rule answers: the whole verdict table, and what it says about missing data."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.kernel.criteria import Criterion, all_of, any_of
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.rules import Finding, Kind, Level, Rule, Status, Verdict, decide, rule, verdict_of
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

FAILED = Gap(GapKind.FAILED, "medication")
OLD = Gap(GapKind.TOO_OLD, "bone-density")
NUMBERS = Thresholds((), dt.date(2026, 6, 15))
TRUTHS = {"yes": Truth.YES, "no": Truth.NO, "unknown": Truth.UNKNOWN}


def criterion(truth: str, gap: Gap = FAILED) -> Criterion:
    return Criterion("dose", TRUTHS[truth], gaps=(gap,) if truth == "unknown" else ())


def finding(applies: str, satisfied: str) -> Finding:
    """ "-" stands for a rule that nothing can satisfy."""
    return Finding(criterion(applies), None if satisfied == "-" else criterion(satisfied, OLD))


def declared(finding: Finding, kind: Kind = Kind.ACTION) -> Rule:
    def made_up(_facts: object, _numbers: Thresholds) -> Finding:
        return finding

    declare = rule("X-01", sets=("x",), card="x", reads=(), check="V", strength="strong", kind=kind)
    return declare(made_up)


@pytest.mark.parametrize(
    ("applies", "satisfied", "verdict"),
    [
        ("yes", "yes", "satisfied"),
        ("yes", "no", "recommend"),
        ("yes", "unknown", "cannot-tell"),
        ("yes", "-", "recommend"),
        ("no", "yes", "not-applicable"),
        ("no", "no", "not-applicable"),
        ("no", "unknown", "not-applicable"),
        ("no", "-", "not-applicable"),
        ("unknown", "yes", "satisfied"),
        ("unknown", "no", "cannot-tell"),
        ("unknown", "unknown", "cannot-tell"),
        ("unknown", "-", "cannot-tell"),
    ],
)
def test_the_verdict_of_a_rule_that_asks_for_something(applies: str, satisfied: str, verdict: str) -> None:
    assert verdict_of(Kind.ACTION, finding(applies, satisfied)) is Verdict(verdict)


@pytest.mark.parametrize("satisfied", ["-", "yes", "no", "unknown"])
@pytest.mark.parametrize(
    ("applies", "verdict"), [("yes", "satisfied"), ("no", "not-applicable"), ("unknown", "cannot-tell")]
)
def test_the_verdict_of_a_definition_depends_on_what_it_defines_alone(
    applies: str, satisfied: str, verdict: str
) -> None:
    assert verdict_of(Kind.DEFINITION, finding(applies, satisfied)) is Verdict(verdict)


@pytest.mark.parametrize(("kind", "verdict"), [(Kind.ACTION, Verdict.RECOMMEND), (Kind.DEFINITION, Verdict.SATISFIED)])
def test_an_outcome_is_that_of_the_rule_and_of_its_kind(kind: Kind, verdict: Verdict) -> None:
    asked = declared(finding("yes", "no"), kind)
    outcome = decide(asked, None, NUMBERS)
    assert (outcome.rule, outcome.verdict) == (asked, verdict)


@pytest.mark.parametrize(
    ("applies", "satisfied", "missing"),
    [
        ("unknown", "no", (FAILED,)),
        ("yes", "unknown", (OLD,)),
        ("unknown", "unknown", (FAILED, OLD)),
        ("unknown", "-", (FAILED,)),
        ("unknown", "yes", ()),
        ("no", "unknown", ()),
        ("yes", "no", ()),
    ],
)
def test_s3_missing_says_why_a_rule_cannot_tell(applies: str, satisfied: str, missing: tuple[Gap, ...]) -> None:
    assert decide(declared(finding(applies, satisfied)), None, NUMBERS).missing == missing


def test_s3_what_stayed_open_beside_a_recommendation_is_kept_for_its_card() -> None:
    applies = any_of(criterion("yes"), criterion("unknown"))
    undone = any_of(criterion("no"), all_of(criterion("no"), criterion("unknown", OLD)))
    outcome = decide(declared(Finding(applies, undone)), None, NUMBERS)
    assert (outcome.verdict, outcome.missing, outcome.not_known) == (Verdict.RECOMMEND, (), (FAILED,))


@pytest.mark.parametrize("satisfied", ["yes", "unknown"])
def test_only_a_recommendation_has_a_card_to_name_open_ends_on(satisfied: str) -> None:
    applies = any_of(criterion("yes"), criterion("unknown"))
    assert decide(declared(Finding(applies, criterion(satisfied, OLD))), None, NUMBERS).not_known == ()


def test_a_rule_is_asked_with_the_facts_and_numbers_given() -> None:
    def echo(facts: object, numbers: Thresholds) -> Finding:
        return Finding(criterion("yes"), values={"facts": str(facts), "numbers": len(numbers)})

    asked = rule("X-02", sets=("x",), card="x", reads=(), check="V", strength="strong")(echo)
    assert decide(asked, "the patient", NUMBERS).finding.values == {"facts": "the patient", "numbers": 0}


def test_declaring_a_rule_keeps_its_name_and_its_page() -> None:
    def needs_a_dxa(_facts: object, _numbers: Thresholds) -> Finding:
        """What it looks for: nothing.

        Sources: none.
        """
        return finding("yes", "-")

    made = rule("X-03", sets=("x", "y"), card="dxa", reads=("age",), check="P", strength="policy")(needs_a_dxa)
    assert made == Rule(
        id="X-03",
        name="needs_a_dxa",
        version="1",
        sets=("x", "y"),
        kind=Kind.ACTION,
        status=Status.STABLE,
        check="P",
        strength="policy",
        card="dxa",
        reads=("age",),
        switches=(),
        source="",
        critical_because="",
        decide=needs_a_dxa,
        doc="What it looks for: nothing.\n\nSources: none.",
    )


def test_a_rule_without_a_docstring_has_an_empty_page() -> None:
    assert declared(finding("yes", "-")).doc == ""


def test_critical_is_more_urgent_than_a_warning_and_that_than_information() -> None:
    assert [level.rank for level in (Level.INFO, Level.WARNING, Level.CRITICAL)] == [0, 1, 2]
