"""Whatever key is missing: no urgent card goes without a gap note that names the key, and no advice rests on absence (S1, S2).

For every story and every prefetch key; several keys at once, in every way in which a look-up can fail, are left to chance. A
story stands for a rule and a verdict. The cards of patients who are in neither of our two groups may go without a note (S5).
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from cds_service.kernel.rules import Level
from cds_service.review.call import in_state, prefetch
from tests.generative import reassurance
from tests.generative.reassurance import KEYS, Loss, answered, faults_of, named, stories
from tests.support.cases import Case
from tests.support.examples import examples, one_in


def _part(key: str, step: int) -> tuple[Case, ...]:
    """Every `step`-th story, others for each key; every story where EXAMPLES=1 asks for everything."""
    step = one_in(step)
    return stories()[KEYS.index(key) % step :: step]


@pytest.mark.parametrize("key", KEYS)
def test_s1_s2_one_key_missing(key: str) -> None:
    assert [fault for case in _part(key, 2) for fault in faults_of(case, [key], "failed")] == []


@pytest.mark.parametrize("key", KEYS)
def test_s1_s2_one_key_partly_there(key: str) -> None:
    """What is there counts as with the whole key, only absence is open."""
    assert [fault for case in _part(key, 6) for fault in faults_of(case, [key], "partial")] == []


def test_s1_s2_at_least_two_thousand_cases_are_tried() -> None:
    assert sum(len(_part(key, 2)) + len(_part(key, 6)) for key in KEYS) >= 2_000


@settings(max_examples=examples(400))
@given(loss=reassurance.losses)
def test_s1_s2_several_keys_missing(loss: Loss) -> None:
    """A hundred, or four hundred with EXAMPLES=1; `make nightly` tries 100,000."""
    assert reassurance.faults(loss) == []


def test_s5_nothing_supplied_is_a_412_that_names_what_is_needed() -> None:
    refused = answered({})
    assert refused.cards is None
    assert "conditions" in refused.refusal
    assert refused.recommended == frozenset()


@pytest.mark.parametrize("key", KEYS)
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
    assert answered(values).cards == ()
    in_state(values, key, "failed")
    found = answered(values)
    assert found.recommended == frozenset()
    assert found.cards is None or [card.indicator for card in found.cards] in ([], [Level.INFO])
    assert found.cards == () or named(found, key)
