"""Look-ups that are lost, and what must not be lost with them (S1, S2): the cases and the check behind the tests.

A story stands for a rule and a verdict. The cards of patients who are in neither of our two groups may go without a note (S5).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from hypothesis import strategies as st

from cds_service.clinical import profiles
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.engine.answer import answer, decide
from cds_service.engine.evaluate import switched_on
from cds_service.engine.gather import gather
from cds_service.formats import strict_json
from cds_service.kernel.errors import Unassessable
from cds_service.kernel.rules import Verdict
from cds_service.kernel.truth import Truth
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.response import Card
from cds_service.review.call import in_state, prefetch, request_of
from cds_service.review.story import AS_OF, Json
from hooks.patient_view import SERVICE
from tests.support.cases import Case, all_cases

_DAY = dt.date.fromisoformat(AS_OF)
_US = profiles.profile("us")
_NAMES, _BLOCKS = SERVICE.texts("en").names, SERVICE.texts("en").blocks
KEYS = tuple(need.key for need in ALL_NEEDS)
FAILURES = ("absent", "failed", "not-permitted", "partial")


# docs/decisions/0012: prednisone counts although nobody could look for adrenal insufficiency
_DECIDED_OTHERWISE = "Prednisolone without a reason in a person with adrenal insufficiency: which is it?"


@cache
def stories() -> tuple[Case, ...]:
    """One case for each verdict of each rule that runs here, and every one in which something on record forbids advice."""
    running = {rule.id for rule in SERVICE.rules if switched_on(rule, _US)}
    whole = [
        case
        for case in all_cases()
        if case.rule in running and "incomplete" not in case.story and case.name != _DECIDED_OTHERWISE
    ]
    chosen: dict[tuple[str, str], Case] = {}
    for case in whole:
        chosen.setdefault((case.rule, str(case.expect["verdict"])), case)
    forbidden = [c for c in whole if "adrenal insufficiency" in c.story.get("conditions", ()) or "pregnant" in c.story]
    return (*chosen.values(), *(case for case in forbidden if case not in chosen.values()))


@dataclass(frozen=True)
class Answer:
    """What came back, and what the rules recommended behind it.

    Attributes:
        cards: the cards sent; `None` for a 412.
        refusal: the words of the 412.
        recommended: ids of rules that recommend.
        in_scope: whether the patient certainly belongs to the groups the service is for (S5).
    """

    cards: tuple[Card, ...] | None
    refusal: str
    recommended: frozenset[str]
    in_scope: bool


def answered(values: Json) -> Answer:
    call = _call(values)
    decision = decide(SERVICE, gather(call, SERVICE.needs), _DAY, _US, "x")
    evaluation = decision.evaluation
    recommended = frozenset(
        () if evaluation.silent else (o.rule.id for o in evaluation.outcomes if o.verdict is Verdict.RECOMMEND)
    )
    in_scope = evaluation.scope.truth is Truth.YES
    if decision.cards or evaluation.scope.truth is not Truth.UNKNOWN:
        return Answer(decision.cards, "", recommended, in_scope)
    try:
        return Answer(answer(SERVICE, call, as_of=_DAY, profile=_US).cards, "", recommended, in_scope)
    except Unassessable as refused:
        return Answer(None, str(refused), recommended, in_scope)


def _call(values: Json) -> HookRequest:
    return parse(strict_json.load(json.dumps(request_of(values)).encode()), hook="patient-view")


@cache
def _whole(case: Case) -> Answer:
    return answered(prefetch(case.story))


def named(found: Answer, key: str) -> bool:
    """Does a card's list of gaps, or the refusal, name the look-up?"""
    if found.cards is None:
        return key in found.refusal
    return any(_NAMES[key] in _not_known(card) for card in found.cards)


def _not_known(card: Card) -> str:
    """The block of the card that lists what is not known."""
    _, _, after = card.detail.partition(f"**{_BLOCKS['not-known']}**")
    return after.partition("**")[0]


def _levels(cards: Iterable[Card]) -> Mapping[str, int]:
    return {card.source.topic.code: card.indicator.rank for card in cards if card.source.topic}


def _less_urgent(before: Answer, after: Answer) -> list[str]:
    """Topics whose card is gone, or of a lower level."""
    had, has = _levels(before.cards or ()), _levels(after.cards or ())
    return [topic for topic, rank in had.items() if has.get(topic, -1) < rank]


def faults_of(case: Case, keys: Iterable[str], state: str) -> list[str]:
    before, values = _whole(case), prefetch(case.story)
    for key in keys:
        in_state(values, key, state)
    after = answered(values)
    lost = _less_urgent(before, after) if before.in_scope else []
    found = [f"{case}: lost {topic}, no gap note" for topic in lost if not any(named(after, key) for key in keys)]
    added = sorted(after.recommended - before.recommended)
    return found + ([f"{case}: now recommends {', '.join(added)}"] if added else [])


@dataclass(frozen=True)
class Loss:
    """Look-ups of one story that are lost, all in the same way."""

    story: int
    keys: frozenset[str]
    state: str


losses = st.builds(
    Loss,
    st.integers(0, len(stories()) - 1),
    st.frozensets(st.sampled_from(KEYS), min_size=1, max_size=4),
    st.sampled_from(FAILURES),
)


def faults(loss: Loss) -> list[str]:
    """What the loss did that it must not do."""
    return faults_of(stories()[loss.story], sorted(loss.keys), loss.state)
