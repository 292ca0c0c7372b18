"""What the rules said and why, as JSON: `bonecds explain --format json` and the trace of the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from cds_service.cards.escape import unescaped
from cds_service.cards.texts import Texts
from cds_service.engine.answer import Decision
from cds_service.kernel.rules import Outcome
from cds_service.protocol.response import Card, HookResponse


def as_json(decision: Decision, texts: Texts) -> dict[str, Any]:
    """The answer to the contract of the project's design: outcomes, cards, what was not read."""
    evaluation = decision.evaluation
    return {
        "as_of": evaluation.as_of.isoformat(),
        "profile": evaluation.profile.id,
        "rule_set": evaluation.rule_set,
        "outcomes": [outcome_json(outcome, texts) for outcome in evaluation.outcomes],
        "cards": [json.loads(json.dumps(_card_json(card), default=number)) for card in decision.cards],
        "unread": [dict(each) for each in evaluation.unread],
    }


def outcome_json(outcome: Outcome, texts: Texts) -> dict[str, Any]:
    """One rule: its verdict, the reasons for it, what was missing, and what it computed."""
    reasons = [f"{texts.of_criterion(leaf)}: {texts.truth(leaf.truth)}" for leaf in outcome.finding.applies.reasons()]
    return {
        "rule": outcome.rule.id,
        "verdict": outcome.verdict.value,
        "because": list(dict.fromkeys(reasons)),
        "missing": [unescaped(f"{texts.gaps[gap.kind.value]}: {texts.of_gap(gap)}") for gap in outcome.missing],
        "values": dict(outcome.finding.values),
    }


def number(value: object) -> int | float:
    """A `Decimal` as JSON has numbers; for `json.dumps(default=...)`."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} in the answer")


def _card_json(card: Card) -> Any:
    return HookResponse((card,)).to_json()["cards"][0]
