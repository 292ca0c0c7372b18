"""Lints of the rule book: every row is accounted for, urgency is justified, switches and sign-offs are what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from cds_service.clinical import basis, content
from cds_service.clinical import rows as book
from cds_service.clinical.patient import Patient
from cds_service.clinical.profiles import switches
from cds_service.kernel.rules import Level, Status
from cds_service.review.checks.problem import Content, Problem, rule_file

_ROWS, _NOT_COMPUTED = "rules/rows.toml", "rules/not_computed.toml"


def rows(told: Content) -> Iterator[Problem]:
    """Every row of the rule book is a rule or says why not, never both; no id is used twice."""
    wanted, reasons = book.rows(), book.not_computed()
    for ident, times in Counter(rule.id for rule in told.service.rules).items():
        file = rule_file(ident, told.service)
        if times > 1:
            yield Problem(file, ident, "stands for two rules", "Give one of them an id of its own.")
        if book.row_of(ident) not in wanted:
            yield Problem(file, ident, "is no row of the rule book", f"Add it to {_ROWS}, or use the row's id.")
        if ident in reasons:
            yield Problem(_NOT_COMPUTED, ident, "is computed by a rule", "Take the entry out.")
    computed = {book.row_of(rule.id) for rule in told.service.rules}
    for ident in sorted(wanted.keys() - computed - reasons.keys()):
        yield Problem(_NOT_COMPUTED, ident, "is neither a rule nor explained", "Write the rule, or say why not.")
    for ident in sorted(reasons.keys() - wanted.keys()):
        yield Problem(_NOT_COMPUTED, ident, "is no row of the rule book", f"Compare with {_ROWS}.")


def urgency(told: Content) -> Iterator[Problem]:
    """`critical` has its reason in writing, and recalled wording is preview."""
    for case, outcome in told.outcomes:
        if outcome.finding.level is Level.CRITICAL and not outcome.rule.critical_because:
            file = rule_file(case.rule, told.service)
            yield Problem(file, case.rule, "is critical without a reason", "Give the rule `critical_because`.")
    for rule in told.service.rules:
        if (rule.check == "R") != (rule.status is Status.PREVIEW):
            file = rule_file(rule.id, told.service)
            yield Problem(
                file, rule.id, f"is {rule.status.value} with check {rule.check}", "R is preview, nothing else is."
            )


class _Asked:
    """A patient that notes which disagreements a rule asks the site about."""

    def __init__(self, patient: Patient, noted: set[str]) -> None:
        self._patient, self._noted = patient, noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self._patient, name)

    def choice(self, switch: str) -> str:
        self._noted.add(switch)
        return self._patient.choice(switch)


def declared_switches(told: Content) -> Iterator[Problem]:
    """A rule declares the switches that it asks about, and every switch is asked about by some rule."""
    asked: dict[str, set[str]] = {rule.id: set() for rule in told.service.rules}
    by_id = {rule.id: rule for rule in told.service.rules}
    for case in told.cases:
        numbers = content.thresholds(case.as_of)
        by_id[case.rule].decide(_Asked(case.facts(numbers), asked[case.rule]), numbers)
    for ident, found in asked.items():
        file, declared = rule_file(ident, told.service), set(by_id[ident].switches)
        for switch in sorted(found - declared):
            yield Problem(file, ident, f"asks about {switch!r} and does not say so", "Add it to `switches`.")
        for switch in sorted(declared - found):
            yield Problem(file, ident, f"never asks about {switch!r}", "Take it out, or add a vignette.")
    for switch in sorted(set(switches()) - {each for found in asked.values() for each in found}):
        yield Problem("switches.toml", switch, "no rule asks about it", "Use it in a rule, or take it out.")


def sign_offs(told: Content) -> Iterator[Problem]:
    """A signature that no longer fits its rule is a warning: the rule counts as unsigned."""
    by_id = {rule.id: rule for rule in told.service.rules}
    for site in told.sites:
        for each in site.signatures:
            if each.rule not in by_id:
                yield Problem("reviews/", each.rule, "signs no rule of this release", "Take the signature out.")
            elif each.content != basis.content_hash(by_id[each.rule]):
                what = f"{each.reviewer} signed another content on {each.on.isoformat()}"
                yield Problem("reviews/", each.rule, what, f"Review again: bonecds sign {each.rule}.", True)
