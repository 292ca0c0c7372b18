"""Which rules run, on what, and what comes back (S2, S6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cds_service.engine.evaluate import evaluate, runs, switched_on
from cds_service.kernel.needs import Lookup, LookupState, Records
from cds_service.kernel.rules import Status, Verdict
from tests.unit.engine.made_up import AS_OF, Clinic, Profile, made_rule, recommends, satisfied, service


@pytest.mark.parametrize(
    ("rule_sets", "status", "profile", "on"),
    [
        (("house",), Status.STABLE, Profile(sets=("house",)), True),
        (("house",), Status.STABLE, Profile(sets=("garden",)), False),
        (("house", "garden"), Status.STABLE, Profile(sets=("garden", "street")), True),
        (("house",), Status.STABLE, Profile(sets=()), False),
        (("house",), Status.PREVIEW, Profile(), False),
        (("house",), Status.PREVIEW, Profile(preview=("X-1",)), True),
        (("house",), Status.PREVIEW, Profile(preview=("X-2",)), False),
        (("house",), Status.PREVIEW, Profile(preview=("*",)), True),
        (("house",), Status.PREVIEW, Profile(sets=("garden",), preview=("*", "X-1")), False),
    ],
)
def test_a_rule_is_on_where_its_set_is_and_a_preview_rule_only_by_name(
    rule_sets: tuple[str, ...], status: Status, profile: Profile, on: bool
) -> None:
    assert switched_on(made_rule("X-1", sets=rule_sets, status=status), profile) is on


def test_a_rule_that_the_site_switched_off_does_not_run() -> None:
    assert switched_on(made_rule("X-1"), Profile(off=("X-1",))) is False


@pytest.mark.parametrize(("unsigned", "signed", "on"), [(True, (), True), (False, (), False), (False, ("X-1",), True)])
def test_a_site_may_ask_for_a_signature(unsigned: bool, signed: tuple[str, ...], on: bool) -> None:
    clinic = Clinic({"X-1": recommends()}, signed_rules=frozenset(signed))
    assert runs(made_rule("X-1"), Profile(unsigned=unsigned), clinic) is on


def test_rules_answer_in_the_order_of_the_guidelines_of_the_site() -> None:
    findings = {"X-1": recommends(), "X-3": recommends()}
    asked = replace(
        service(Clinic(findings)), rules=(made_rule("X-1", sets=("garden",)), made_rule("X-3", sets=("house",)))
    )
    evaluation = evaluate(asked, Records("p1", {}), AS_OF, Profile(sets=("house", "garden")))
    assert [outcome.rule.id for outcome in evaluation.outcomes] == ["X-3", "X-1"]


def test_within_a_guideline_rules_answer_in_the_order_of_the_service() -> None:
    evaluation = evaluate(
        service(Clinic({"X-3": satisfied(), "X-1": recommends()})), Records("p1", {}), AS_OF, Profile()
    )
    assert [(o.rule.id, o.verdict) for o in evaluation.outcomes] == [
        ("X-1", Verdict.RECOMMEND),
        ("X-3", Verdict.SATISFIED),
    ]


def test_a_rule_that_is_off_is_not_asked_at_all() -> None:
    clinic = Clinic({"X-1": recommends()})
    evaluation = evaluate(service(clinic), Records("p1", {}), AS_OF, Profile(sets=("garden",)))
    assert evaluation.outcomes == ()


def test_s6_the_evaluation_carries_everything_needed_to_replay_it() -> None:
    profile = Profile()
    evaluation = evaluate(service(Clinic({})), Records("p1", {}), AS_OF, profile)
    assert (evaluation.as_of, evaluation.profile, evaluation.rule_set) == (AS_OF, profile, "1+abc")


def test_what_was_set_aside_is_handed_on_to_the_operator() -> None:
    evaluation = evaluate(service(Clinic({})), Records("p1", {}), AS_OF, Profile())
    assert list(evaluation.unread) == [{"resource": "Observation/9", "reason": "no-date"}]


SENT = Lookup(LookupState.COMPLETE, ({"resourceType": "Observation"},))
FAILED = Lookup(LookupState.FAILED)
EMPTY = Lookup(LookupState.COMPLETE)


@pytest.mark.parametrize(
    ("not_kept", "sent", "seen"),
    [
        ((), {}, {}),
        (("results",), {}, {"results": EMPTY}),
        (("results", "orders"), {"orders": FAILED}, {"results": EMPTY, "orders": FAILED}),
        (("results",), {"results": Lookup(LookupState.NOT_SUPPLIED)}, {"results": EMPTY}),
        (("results",), {"results": SENT}, {"results": SENT}),
        (("results",), {"results": FAILED}, {"results": FAILED}),
        (("no-such-need",), {"orders": SENT}, {"orders": SENT}),
    ],
    ids=["nothing-said", "absent", "one-of-two", "not-supplied", "sent-all-the-same", "failed", "unknown-need"],
)
def test_s2_what_the_site_does_not_keep_counts_as_looked_up_only_while_it_is_not_supplied(
    not_kept: tuple[str, ...], sent: dict[str, Lookup], seen: dict[str, Lookup]
) -> None:
    evaluation = evaluate(service(Clinic({})), Records("p1", sent), AS_OF, Profile(not_kept=not_kept))
    assert evaluation.facts["records"] == Records("p1", seen)
