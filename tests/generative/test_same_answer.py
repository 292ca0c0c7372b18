"""The answer depends on what is on record, not on how a server sends it (`safety.md` D, metamorphic list)."""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical import profiles
from cds_service.engine.answer import Decision, decide
from cds_service.engine.gather import from_bundle, gather
from cds_service.formats import strict_json
from cds_service.kernel.dates import plus_days
from cds_service.protocol.request import parse
from cds_service.review.call import prefetch, request_of
from cds_service.review.story import AS_OF, PATIENT_ID, Json
from hooks.patient_view import SERVICE
from tests.support.cases import all_cases
from tests.support.examples import examples
from tests.support.variations import SAME_VERDICTS, SAME_WORDS, Variation, as_one_bundle

_US = profiles.profile("us")
_DAY = dt.date.fromisoformat(AS_OF)
STORIES = tuple(case.story for case in all_cases() if "as_of" not in case.story and "incomplete" not in case.story)
stories = st.integers(0, len(STORIES) - 1)
randoms = st.randoms(use_true_random=True)


def answered(values: Json) -> Decision:
    """The decision on a prefetch: JSON text in."""
    call = parse(strict_json.load(json.dumps(request_of(values)).encode()), hook="patient-view")
    return decide(SERVICE, gather(call, SERVICE.needs), _DAY, _US, call.hook_instance)


def verdicts(decision: Decision) -> dict[str, Any]:
    """Per rule: verdict, level and computed values."""
    return {
        o.rule.id: (o.verdict.value, o.finding.level.value, dict(o.finding.values))
        for o in decision.evaluation.outcomes
    }


def cards(decision: Decision) -> list[Any]:
    """The cards, as sent."""
    return [card.to_json() for card in decision.cards]


@cache
def _plain(number: int) -> tuple[dict[str, Any], list[Any]]:
    decision = answered(prefetch(STORIES[number]))
    return verdicts(decision), cards(decision)


@pytest.mark.parametrize("vary", SAME_WORDS, ids=lambda vary: vary.__name__)
@settings(max_examples=examples(150))
@given(number=stories, random=randoms)
def test_same_cards(vary: Variation, number: int, random: Random) -> None:
    decision = answered(vary(prefetch(STORIES[number]), random))
    assert (verdicts(decision), cards(decision)) == _plain(number)


@pytest.mark.parametrize("vary", SAME_VERDICTS, ids=lambda vary: vary.__name__)
@settings(max_examples=examples(150))
@given(number=stories, random=randoms)
def test_same_verdicts(vary: Variation, number: int, random: Random) -> None:
    decision = answered(vary(prefetch(STORIES[number]), random))
    assert verdicts(decision) == _plain(number)[0]


@settings(max_examples=examples(100))
@given(number=stories, random=randoms, varied=st.permutations(SAME_WORDS))
def test_several_at_once(number: int, random: Random, varied: list[Variation]) -> None:
    values = prefetch(STORIES[number])
    # pages and lone objects change the shape that the others work on, so they come last
    last = [vary for vary in varied if vary.__name__ in ("in_pages", "without_lists")]
    for vary in [*(vary for vary in varied if vary not in last)][:4] + last[:1]:
        values = vary(values, random)
    decision = answered(values)
    assert (verdicts(decision), cards(decision)) == _plain(number)


@settings(max_examples=examples(60))
@given(number=stories)
def test_the_patient_under_another_id_gets_the_same_cards(number: int) -> None:
    text = json.dumps(request_of(prefetch(STORIES[number])))
    text = text.replace(f"Patient/{PATIENT_ID}", "Patient/x77").replace(f'"{PATIENT_ID}"', '"x77"')
    call = parse(strict_json.load(text.encode()), hook="patient-view")
    decision = decide(SERVICE, gather(call, SERVICE.needs), _DAY, _US, call.hook_instance)
    back = json.loads(json.dumps(cards(decision)).replace("Patient/x77", f"Patient/{PATIENT_ID}"))
    assert (verdicts(decision), back) == (_plain(number)[0], json.loads(json.dumps(_plain(number)[1])))


@settings(max_examples=examples(150))
@given(number=stories)
def test_a_whole_bundle_is_answered_like_the_prefetch(number: int) -> None:
    bundle = strict_json.load(json.dumps(as_one_bundle(prefetch(STORIES[number]))).encode())
    decision = decide(SERVICE, from_bundle(bundle, SERVICE.needs), _DAY, _US, request_of({})["hookInstance"])
    assert (verdicts(decision), cards(decision)) == _plain(number)


# --- one order in two pieces (D21) ------------------------------------------------------------------------------------
_WITH_ORDER = [n for n, s in enumerate(STORIES) if any(each.get("days", 0) > 1 for each in s.get("steroids") or ())]


@settings(max_examples=examples(250))
@given(number=st.sampled_from(_WITH_ORDER), random=randoms)
def test_d21_an_order_split_in_two_changes_nothing(number: int, random: Random) -> None:
    values = prefetch(STORIES[number])
    for entry in list(values["medicationRequests"]["entry"]):
        if (later := _split(entry["resource"], random)) is not None:
            values["medicationRequests"]["entry"].append({"resource": later})
    assert verdicts(answered(values)) == _plain(number)[0]


def _split(order: Json, random: Random) -> Json | None:
    """Shorten the order and give back the rest of it; `None` where it has no end."""
    period = order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    if "end" not in period or period["end"] == period["start"]:
        return None
    first, last = dt.date.fromisoformat(period["start"]), dt.date.fromisoformat(period["end"])
    cut = plus_days(first, random.randint(0, (last - first).days - 1))
    later: Json = json.loads(json.dumps(order))
    start = plus_days(cut, 1).isoformat()
    later |= {"id": order["id"] + "-later", "authoredOn": start}
    later["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["start"] = start
    period["end"] = cut.isoformat()
    return later


# --- vitamin D in the other unit (D16, D17) ---------------------------------------------------------------------------
_FACTOR = 2.496
_CUT_OFFS = (12, 20, 30, 50, 100, 150)


@settings(max_examples=examples(200))
@given(tenths=st.integers(40, 2000))
def test_d17_vitamin_d_in_the_other_unit(tenths: int) -> None:
    """Away from the cut-offs the unit makes no difference; at one, rounding may (DEF-11)."""
    in_ng = tenths / 10
    if any(abs(in_ng - cut) < 0.3 for cut in _CUT_OFFS):
        return
    in_nmol = round(in_ng * _FACTOR)
    told = [answered(_measured(value, unit)) for value, unit in ((in_ng, "ng/mL"), (in_nmol, "nmol/L"))]
    one, other = (_classes(decision) for decision in told)
    assert one == other


def _measured(value: float, unit: str) -> Json:
    result = {"value": value, "unit": unit}
    return prefetch({"sex": "female", "age": 55, "conditions": ["osteoporosis"], "vitamin_d": result})


def _classes(decision: Decision) -> dict[str, Any]:
    return {
        rule: (verdict, level, values.get("class")) for rule, (verdict, level, values) in verdicts(decision).items()
    }
