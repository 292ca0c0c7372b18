"""From answers of rules to a few cards (S3, S5, E7), with made-up rules about a house."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.cards.plan import GAPS, CardPlan
from cds_service.engine.arrange import arrange, open_gaps
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.rules import Finding, Level, Outcome
from tests.unit.engine.made_up import (
    cannot_tell_whether_it_applies,
    cannot_tell_whether_it_is_done,
    evaluated,
    no,
    not_applicable,
    recommends,
    satisfied,
    unknown,
    words,
    yes,
)

FAILED = Gap(GapKind.FAILED, "results")
ABSENT = Gap(GapKind.NOT_SUPPLIED, "orders")
PARTIAL = Gap(GapKind.PARTIAL, "results")
NEVER = Gap(GapKind.NOT_RECORDED, "results")


def arranged(
    findings: dict[str, Finding], *, scope: Criterion | None = None, silent: str = "", cap: int = 3
) -> list[CardPlan]:
    return list(arrange(evaluated(findings, scope=scope, silent=silent, cap=cap), words()))


def ids(outcomes: tuple[Outcome, ...]) -> list[str]:
    return [outcome.rule.id for outcome in outcomes]


def topics(plans: list[CardPlan]) -> list[str]:
    return [plan.topic for plan in plans]


# --- one card a topic ------------------------------------------------------------------------------------------------
def test_e7_rules_of_one_topic_share_a_card_in_their_order() -> None:
    (card,) = arranged({"X-1": recommends(), "X-2": recommends()})
    assert (card.topic, ids(card.outcomes)) == ("roof", ["X-1", "X-2"])


def test_only_recommendations_make_a_card() -> None:
    findings = {
        "X-0": satisfied(),
        "X-1": satisfied(),
        "X-3": not_applicable(),
        "X-4": cannot_tell_whether_it_applies(NEVER),
    }
    assert arranged(findings) == []


def test_what_holds_already_goes_along_on_the_card_of_its_topic_only() -> None:
    cards = arranged({"X-0": satisfied(), "X-1": recommends(), "X-2": satisfied(), "X-3": recommends()})
    assert [ids(card.holding) for card in cards] == [["X-0", "X-2"], []]


def test_a_definition_of_a_topic_inside_others_stands_on_the_first_card_there_is() -> None:
    """Curtains stand for a topic that has no card: what holds there is said with the walls, else with the roof."""
    ours = words()
    guest = replace(
        ours, topics={**ours.topics, "curtains": replace(ours.topics["curtains"], inside=("walls", "roof"))}
    )
    findings = {"X-1": recommends(), "X-3": recommends(), "X-5": satisfied()}
    held = {plan.topic: ids(plan.holding) for plan in arrange(evaluated(findings), guest)}
    assert held == {"roof": [], "walls": ["X-5"]}
    held = {plan.topic: ids(plan.holding) for plan in arrange(evaluated(findings | {"X-3": satisfied()}), guest)}
    assert held == {"roof": ["X-5"]}
    assert arrange(evaluated({"X-5": satisfied()}), guest) == ()


@pytest.mark.parametrize("urgent", ["X-1", "X-2"])
def test_a_card_is_as_urgent_as_its_most_urgent_rule(urgent: str) -> None:
    findings = {ident: recommends(Level.WARNING if ident == urgent else Level.INFO) for ident in ("X-1", "X-2")}
    assert [card.level for card in arranged(findings)] == [Level.WARNING]


# --- ranking and cap -------------------------------------------------------------------------------------------------
def test_cards_of_one_level_come_in_the_order_of_their_topics() -> None:
    assert topics(arranged({"X-1": recommends(), "X-3": recommends()})) == ["roof", "walls"]


def test_urgency_comes_before_the_order_of_topics() -> None:
    findings = {"X-1": recommends(), "X-3": recommends(Level.WARNING)}
    assert topics(arranged(findings)) == ["walls", "roof"]
    findings["X-5"] = recommends(Level.CRITICAL)
    assert topics(arranged(findings)) == ["curtains", "walls", "roof"]


@pytest.mark.parametrize(
    ("cap", "shown", "also"),
    [
        (1, ["roof"], ("walls", "curtains")),
        (2, ["roof", "walls"], ("curtains",)),
        (3, ["roof", "walls", "curtains"], ()),
        (9, ["roof", "walls", "curtains"], ()),
    ],
)
def test_e7_what_the_cap_cuts_off_is_named_on_the_last_card(cap: int, shown: list[str], also: tuple[str, ...]) -> None:
    cards = arranged({"X-1": recommends(), "X-3": recommends(), "X-5": recommends()}, cap=cap)
    assert topics(cards) == shown
    assert [card.also for card in cards] == [()] * (len(shown) - 1) + [also]


def test_the_most_urgent_card_is_never_the_one_cut_off() -> None:
    cards = arranged({"X-1": recommends(), "X-3": recommends(), "X-5": recommends(Level.CRITICAL)}, cap=1)
    assert topics(cards) == ["curtains"]


def test_safety_comes_first_among_the_equally_urgent_and_is_never_cut_off() -> None:
    """Curtains stand for the topic of order 0: before the others of its level, and one card beyond the cap if need be."""
    ours = words()
    safety = replace(ours, topics={**ours.topics, "curtains": replace(ours.topics["curtains"], order=0)})
    findings = {"X-1": recommends(), "X-3": recommends(), "X-5": recommends()}
    assert [plan.topic for plan in arrange(evaluated(findings, cap=2), safety)] == ["curtains", "roof"]
    findings |= {"X-1": recommends(Level.WARNING), "X-3": recommends(Level.CRITICAL)}
    cards = arrange(evaluated(findings, cap=1), safety)
    assert [(plan.topic, plan.also) for plan in cards] == [("walls", ()), ("curtains", ("roof",))]


# --- absorption ------------------------------------------------------------------------------------------------------
def test_a_card_folds_into_the_one_that_says_it_better() -> None:
    (card,) = arranged({"X-1": recommends(), "X-4": recommends()})
    assert (card.topic, ids(card.outcomes)) == ("roof", ["X-1", "X-4"])


def test_without_that_other_card_it_stands_alone() -> None:
    assert topics(arranged({"X-4": recommends()})) == ["windows"]


def test_of_several_hosts_the_first_named_is_taken() -> None:
    cards = arranged({"X-1": recommends(), "X-3": recommends(), "X-4": recommends()})
    assert [ids(card.outcomes) for card in cards] == [["X-1", "X-4"], ["X-3"]]


def test_a_host_that_only_holds_something_is_no_host() -> None:
    assert topics(arranged({"X-1": satisfied(), "X-4": recommends()})) == ["windows"]


def test_cards_fold_one_into_the_other_down_a_chain() -> None:
    (card,) = arranged({"X-1": recommends(), "X-4": recommends(), "X-5": recommends()})
    assert ids(card.outcomes) == ["X-1", "X-4", "X-5"]


def test_s3_an_absorbed_card_brings_its_urgency_its_gaps_and_what_holds() -> None:
    findings = {
        "X-0": satisfied(),
        "X-1": recommends(beside=[FAILED]),
        "X-4": recommends(Level.WARNING, beside=[FAILED, ABSENT]),
    }
    (card,) = arranged(findings)
    assert (card.level, card.gaps, ids(card.holding)) == (Level.WARNING, (FAILED, ABSENT), ["X-0"])


# --- gaps ------------------------------------------------------------------------------------------------------------
def test_s3_what_kept_other_rules_from_answering_is_named_once_on_the_first_card() -> None:
    findings = {
        "X-1": recommends(beside=[ABSENT]),
        "X-2": cannot_tell_whether_it_applies(FAILED),
        "X-3": recommends(beside=[PARTIAL]),
        "X-4": cannot_tell_whether_it_is_done(FAILED, ABSENT),
    }
    assert [card.gaps for card in arranged(findings)] == [(ABSENT, FAILED), (PARTIAL,)]


WORTH = {
    GapKind.NOT_SUPPLIED, GapKind.NOT_PERMITTED, GapKind.FAILED, GapKind.PARTIAL, GapKind.DOSE_UNREADABLE,
    GapKind.UNIT_UNKNOWN, GapKind.CONFLICTING, GapKind.UNREADABLE,
}  # fmt: skip


@pytest.mark.parametrize("kind", GapKind, ids=lambda kind: kind.value)
def test_s3_s5_looked_and_found_none_and_too_old_give_no_card_of_their_own(kind: GapKind) -> None:
    """They are the ordinary state of a chart; everything else went wrong somewhere."""
    gap = Gap(kind, "results")
    cards = arranged({"X-1": cannot_tell_whether_it_applies(gap)})
    assert cards == ([CardPlan(GAPS, Level.INFO, gaps=(gap,))] if kind in WORTH else [])


@pytest.mark.parametrize(
    ("scope", "given"), [(yes(), True), (no(), False), (unknown(ABSENT), False)], ids=["in", "out", "unknown"]
)
def test_s5_the_card_about_gaps_is_for_patients_known_to_be_in_scope(scope: Criterion, given: bool) -> None:
    cards = arranged({"X-1": cannot_tell_whether_it_applies(FAILED), "X-2": satisfied()}, scope=scope)
    assert topics(cards) == ([GAPS] if given else [])


def test_s5_or_for_whom_a_rule_is_known_to_be_about() -> None:
    cards = arranged({"X-1": cannot_tell_whether_it_is_done(FAILED)}, scope=no())
    assert cards == [CardPlan(GAPS, Level.INFO, gaps=(FAILED,))]


def test_s5_at_most_one_such_card_however_many_gaps() -> None:
    findings = {
        "X-1": cannot_tell_whether_it_applies(FAILED),
        "X-3": cannot_tell_whether_it_is_done(FAILED, ABSENT),
    }
    assert [card.gaps for card in arranged(findings)] == [(FAILED, ABSENT)]


def test_open_gaps_are_those_of_undecided_rules_alone() -> None:
    evaluation = evaluated({"X-1": recommends(beside=[ABSENT]), "X-3": cannot_tell_whether_it_applies(NEVER, FAILED)})
    assert open_gaps(evaluation.outcomes) == (FAILED,)


# --- silence ---------------------------------------------------------------------------------------------------------
def test_d6_d7_where_no_card_may_be_given_none_is() -> None:
    assert arranged({"X-1": recommends(Level.CRITICAL)}, silent="pulled-down") == []


def test_s1_nothing_found_and_nothing_open_is_no_card() -> None:
    assert arranged({}) == []


# --- while orders are written ----------------------------------------------------------------------------------------
def at_order(findings: dict[str, Finding], kinds: set[str], **more: object) -> list[CardPlan]:
    """The cards beside an order of those kinds; of the topics only the roof belongs beside an order of tiles."""
    ours = words()
    ours = replace(ours, topics={**ours.topics, "roof": replace(ours.topics["roof"], beside=frozenset({"tiles"}))})
    told = replace(evaluated(findings), orders=frozenset(kinds))
    return list(arrange(told, ours, **more))  # type: ignore[arg-type]


def test_beside_an_order_only_topics_that_belong_there_speak() -> None:
    findings = {"X-1": recommends(), "X-3": recommends()}
    assert topics(at_order(findings, {"tiles"})) == ["roof"]
    assert at_order(findings, {"paint"}) == []


def test_beside_an_order_gaps_of_other_topics_are_not_named() -> None:
    findings = {"X-1": recommends(), "X-3": cannot_tell_whether_it_applies(FAILED)}
    (card,) = at_order(findings, {"tiles"})
    assert card.gaps == ()


def test_advice_is_not_given_at_the_other_order_hook() -> None:
    assert at_order({"X-1": recommends()}, {"tiles"}, only_safety=True) == []
