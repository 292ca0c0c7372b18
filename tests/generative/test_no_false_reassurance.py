"""Whatever key is missing: no urgent card goes without a gap note that names the key, and no advice rests on absence (S1, S2).

For every story and every prefetch key; several keys at once, in every way in which a look-up can fail, are left to chance. A
story stands for a rule and a verdict. The cards of patients who are in neither of our two groups may go without a note (S5).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical import profiles
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.engine.answer import answer, decide
from cds_service.engine.evaluate import switched_on
from cds_service.engine.gather import gather
from cds_service.formats import strict_json
from cds_service.kernel.errors import Unassessable
from cds_service.kernel.rules import Level, Verdict
from cds_service.kernel.truth import Truth
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.response import Card
from cds_service.review.call import in_state, prefetch, request_of
from cds_service.review.story import AS_OF, Json
from hooks.patient_view import SERVICE
from tests.support.cases import Case, all_cases
from tests.support.examples import examples, one_in

_DAY = dt.date.fromisoformat(AS_OF)
_US = profiles.profile("us")
_NAMES, _BLOCKS = SERVICE.texts("en").names, SERVICE.texts("en").blocks
_KEYS = tuple(need.key for need in ALL_NEEDS)
_FAILURES = ("absent", "failed", "not-permitted", "partial")


# docs/decisions/0012: prednisone counts although nobody could look for adrenal insufficiency
_DECIDED_OTHERWISE = "Prednisolone without a reason in a person with adrenal insufficiency: which is it?"


@cache
def _stories() -> tuple[Case, ...]:
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
class _Answer:
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


def _answer(values: Json) -> _Answer:
    call = _call(values)
    decision = decide(SERVICE, gather(call, SERVICE.needs), _DAY, _US, "x")
    evaluation = decision.evaluation
    recommended = frozenset(
        () if evaluation.silent else (o.rule.id for o in evaluation.outcomes if o.verdict is Verdict.RECOMMEND)
    )
    in_scope = evaluation.scope.truth is Truth.YES
    if decision.cards or evaluation.scope.truth is not Truth.UNKNOWN:
        return _Answer(decision.cards, "", recommended, in_scope)
    try:
        return _Answer(answer(SERVICE, call, as_of=_DAY, profile=_US).cards, "", recommended, in_scope)
    except Unassessable as refused:
        return _Answer(None, str(refused), recommended, in_scope)


def _call(values: Json) -> HookRequest:
    return parse(strict_json.load(json.dumps(request_of(values)).encode()), hook="patient-view")


@cache
def _whole(case: Case) -> _Answer:
    return _answer(prefetch(case.story))


def _named(found: _Answer, key: str) -> bool:
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


def _less_urgent(before: _Answer, after: _Answer) -> list[str]:
    """Topics whose card is gone, or of a lower level."""
    had, has = _levels(before.cards or ()), _levels(after.cards or ())
    return [topic for topic, rank in had.items() if has.get(topic, -1) < rank]


def _faults(case: Case, keys: Iterable[str], state: str) -> list[str]:
    before, values = _whole(case), prefetch(case.story)
    for key in keys:
        in_state(values, key, state)
    after = _answer(values)
    lost = _less_urgent(before, after) if before.in_scope else []
    found = [f"{case}: lost {topic}, no gap note" for topic in lost if not any(_named(after, key) for key in keys)]
    added = sorted(after.recommended - before.recommended)
    return found + ([f"{case}: now recommends {', '.join(added)}"] if added else [])


def _part(key: str, step: int) -> tuple[Case, ...]:
    """Every `step`-th story, others for each key; every story where EXAMPLES=1 asks for everything."""
    step = one_in(step)
    return _stories()[_KEYS.index(key) % step :: step]


@pytest.mark.parametrize("key", _KEYS)
def test_s1_s2_one_key_missing(key: str) -> None:
    assert [fault for case in _part(key, 2) for fault in _faults(case, [key], "failed")] == []


@pytest.mark.parametrize("key", _KEYS)
def test_s1_s2_one_key_partly_there(key: str) -> None:
    """What is there counts as with the whole key, only absence is open."""
    assert [fault for case in _part(key, 6) for fault in _faults(case, [key], "partial")] == []


@settings(max_examples=examples(400))
@given(
    number=st.integers(0, len(_stories()) - 1),
    keys=st.sets(st.sampled_from(_KEYS), min_size=1, max_size=4),
    state=st.sampled_from(_FAILURES),
)
def test_s1_s2_several_keys_missing(number: int, keys: set[str], state: str) -> None:
    assert _faults(_stories()[number], sorted(keys), state) == []


def test_s5_nothing_supplied_is_a_412_that_names_what_is_needed() -> None:
    refused = _answer({})
    assert refused.cards is None
    assert "conditions" in refused.refusal
    assert refused.recommended == frozenset()


@pytest.mark.parametrize("key", _KEYS)
def test_s5_a_patient_in_scope_without_advice_gets_at_most_one_card_about_the_gap(key: str) -> None:
    """MS and a recent DXA: nothing to advise, so only what could not be looked at is said."""
    values = prefetch(
        {
            "sex": "male",
            "age": 61,
            "conditions": ["multiple sclerosis"],
            "edss": 2,
            "bmi": 24,
            "dxa": {"t": {"hip": -0.4}},
        }
    )
    assert _answer(values).cards == ()
    in_state(values, key, "failed")
    found = _answer(values)
    assert found.recommended == frozenset()
    assert found.cards is None or [card.indicator for card in found.cards] in ([], [Level.INFO])
    assert found.cards == () or _named(found, key)
