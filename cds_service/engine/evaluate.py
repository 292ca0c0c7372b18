"""The one pure function: records, day and profile in, outcomes out. Web, command line and tests all call it (S6)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cds_service.engine.services import Clinic, Profile, Service
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.needs import Lookup, LookupState, Records
from cds_service.kernel.rules import Outcome, Rule, Status, decide


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What the rules said about one patient.

    Attributes:
        as_of: the day asked about.
        profile: the site's choices.
        rule_set: version of rules and content.
        outcomes: one per rule that was asked, in the site's order of guidelines.
        scope: whether the patient belongs to the groups the service is for.
        silent: why no card may be given at all; empty when cards may be given.
        unread: what was set aside and why.
        facts: the facts, for explanations.
        orders: the kinds of drugs that are being ordered; none when a chart is opened.
    """

    as_of: dt.date
    profile: Profile
    rule_set: str
    outcomes: tuple[Outcome, ...]
    scope: Criterion
    silent: str
    unread: Sequence[Mapping[str, str]]
    facts: Any
    orders: frozenset[str] = frozenset()


def evaluate(
    service: Service,
    records: Records,
    as_of: dt.date,
    profile: Profile,
    topics: Callable[[frozenset[str]], Container[str]] | None = None,
) -> Evaluation:
    """Ask the rules that the profile switches on.

    Args:
        service: rules and knowledge.
        records: everything that may be read, of one patient.
        as_of: the day; never the clock's.
        profile: the site's choices.
        topics: from the kinds of orders being written to the topics that can be spoken about; rules of other topics are
            not asked. `None` asks every rule.
    """
    clinic = service.clinic
    thresholds = clinic.thresholds(as_of)
    facts = clinic.facts(_with_not_kept(records, service, profile), as_of, thresholds, profile)
    silent = clinic.silent_because(facts, thresholds)
    orders = clinic.orders(facts)
    asked: Sequence[Rule] = service.rules
    if topics is not None:
        spoken = topics(orders)
        asked = [rule for rule in asked if rule.card in spoken]
    on = sorted((rule for rule in asked if runs(rule, profile, clinic)), key=lambda rule: _place(rule, profile))
    outcomes = tuple(decide(rule, facts, thresholds) for rule in on)
    return Evaluation(
        as_of,
        profile,
        clinic.version,
        outcomes,
        clinic.in_scope(facts, thresholds),
        silent,
        clinic.unread(facts),
        facts,
        orders,
    )


def runs(rule: Rule, profile: Profile, clinic: Clinic) -> bool:
    """Does the rule run at this site: switched on, and signed where the site asks for that?"""
    return switched_on(rule, profile) and (profile.unsigned or clinic.signed(rule, profile))


def switched_on(rule: Rule, profile: Profile) -> bool:
    """Does the profile switch this rule on?"""
    if not set(rule.sets) & set(profile.sets) or rule.id in profile.off:
        return False
    return rule.status is Status.STABLE or "*" in profile.preview or rule.id in profile.preview


def _place(rule: Rule, profile: Profile) -> int:
    """The site's order of guidelines: on a shared card the first one speaks first."""
    return min(profile.sets.index(name) for name in rule.sets if name in profile.sets)


def _with_not_kept(records: Records, service: Service, profile: Profile) -> Records:
    """Look-ups of resources the site says it does not keep count as completed and empty."""
    empty = {
        need.key: Lookup(LookupState.COMPLETE)
        for need in service.needs
        if need.key in profile.not_kept and records.lookup(need.key).state is LookupState.NOT_SUPPLIED
    }
    return replace(records, lookups={**records.lookups, **empty}) if empty else records
