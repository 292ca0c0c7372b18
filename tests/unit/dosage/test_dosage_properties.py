"""What must hold for every dose: the same said otherwise is the same, and less certainty never gives a narrower dose."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.sig import read
from cds_service.clinical.dosage.steps import Step, steps_of
from cds_service.kernel.quantities import Interval

Json = dict[str, Any]
AS_OF = dt.date(2026, 12, 31)
STRENGTH = Decimal("2.5")
PRODUCT = Product("prednisone", frozenset({STRENGTH}), frozenset(), frozenset({"systemic"}), frozenset(), counted=True)

halves = st.integers(1, 80).map(lambda each: Decimal(each) / 2)
times = st.integers(1, 6)
lengths = st.integers(1, 60)
CODES = {1: "QD", 2: "BID", 3: "TID", 4: "QID"}


def order(*dosages: Json, on: dt.date = dt.date(2026, 6, 1), **more: Any) -> Json:
    resource = {"resourceType": "MedicationRequest", "status": "active", "authoredOn": on.isoformat()}
    return {**resource, "dosageInstruction": list(dosages), **more}


def dosage(tablets: Decimal, repeat: Json, unit: str = "tablet", **more: Any) -> Json:
    return {"doseAndRate": [{"doseQuantity": {"value": tablets, "unit": unit}}], "timing": {"repeat": repeat}, **more}


def daily(frequency: int = 1, length: int | None = None) -> Json:
    bounds = {} if length is None else {"boundsDuration": {"value": length, "code": "d"}}
    return {"frequency": frequency, "period": 1, "periodUnit": "d", **bounds}


def steps(resource: Json) -> tuple[Step, ...]:
    found = steps_of(resource, PRODUCT, AS_OF, 90)
    assert found is not None
    return found


def only(resource: Json) -> Interval:
    (step,) = steps(resource)
    assert step.daily_mg is not None, step.reason
    return step.daily_mg


def sums(resource: Json) -> tuple[Decimal, Decimal]:
    """Least and most mg over all days of a planned course."""
    low = high = Decimal(0)
    for step in steps(resource):
        assert step.daily_mg is not None
        assert step.daily_mg.low is not None
        assert step.daily_mg.high is not None
        certain = max(step.days.certain_last.toordinal() - step.days.certain_first.toordinal() + 1, 0)
        low += step.daily_mg.low * certain
        high += step.daily_mg.high * (step.days.last.toordinal() - step.days.first.toordinal() + 1)
    return low, high


def wider(outer: Interval, inner: Interval) -> bool:
    lows = outer.low is None or (inner.low is not None and outer.low <= inner.low)
    return lows and (outer.high is None or (inner.high is not None and inner.high <= outer.high))


@settings(deadline=None)
@given(halves, times)
def test_tablets_or_mg(tablets: Decimal, frequency: int) -> None:
    assert only(order(dosage(tablets, daily(frequency)))) == only(
        order(dosage(tablets * STRENGTH, daily(frequency), unit="mg"))
    )


@settings(deadline=None)
@given(halves, times)
def test_by_the_day_or_by_the_week(tablets: Decimal, frequency: int) -> None:
    by_week = {"frequency": 7 * frequency, "period": 1, "periodUnit": "wk"}

    assert only(order(dosage(tablets, daily(frequency)))) == only(order(dosage(tablets, by_week)))


@settings(deadline=None)
@given(halves, st.sampled_from(sorted(CODES)))
def test_by_code_or_by_frequency(tablets: Decimal, frequency: int) -> None:
    by_code = {
        "doseAndRate": [{"doseQuantity": {"value": tablets, "unit": "tablet"}}],
        "timing": {"code": {"text": CODES[frequency]}},
    }

    assert only(order(dosage(tablets, daily(frequency)))) == only(order(by_code))


@settings(deadline=None)
@given(halves, times)
def test_in_words_or_in_structure(tablets: Decimal, frequency: int) -> None:
    text = f"Take {tablets} tablets {frequency} times a day"

    assert only(order({"text": text})) == only(order(dosage(tablets, daily(frequency))))
    assert only(order(dosage(tablets, daily(frequency), text=text))) == only(order({"text": text}))


@settings(deadline=None)
@given(halves, st.integers(2, 60), st.data())
def test_splitting_an_order_leaves_the_sum(tablets: Decimal, length: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, length - 1))
    start = dt.date(2026, 6, 1)
    whole = sums(order(dosage(tablets, daily(1, length))))
    one = sums(order(dosage(tablets, daily(1, first))))
    rest = sums(order(dosage(tablets, daily(1, length - first)), on=start + dt.timedelta(days=first)))

    assert whole == (one[0] + rest[0], one[1] + rest[1])


@settings(deadline=None)
@given(st.lists(st.tuples(halves, lengths), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_reordering_numbered_steps_changes_nothing(doses: list[tuple[Decimal, int]], shuffle: Any) -> None:
    numbered = [
        dosage(tablets, daily(1, length), sequence=place) for place, (tablets, length) in enumerate(doses, start=1)
    ]
    mixed = list(numbered)
    shuffle.shuffle(mixed)

    one, other = steps(order(*numbered)), steps(order(*mixed))
    assert [(step.days, step.daily_mg) for step in one] == [(step.days, step.daily_mg) for step in other]
    assert sums(order(*numbered))[0] == sum(tablets * STRENGTH * length for tablets, length in doses)


@settings(deadline=None)
@given(st.lists(st.tuples(halves, lengths), min_size=2, max_size=5))
def test_a_taper_in_words_is_the_taper_in_structure(doses: list[tuple[Decimal, int]]) -> None:
    text = " then ".join(f"{tablets} tablets daily for {length} days" for tablets, length in doses)
    numbered = [
        dosage(tablets, daily(1, length), sequence=place) for place, (tablets, length) in enumerate(doses, start=1)
    ]

    assert [(step.days, step.daily_mg) for step in steps(order({"text": text}))] == [
        (step.days, step.daily_mg) for step in steps(order(*numbered))
    ]


@settings(deadline=None)
@given(halves, halves, times, times, st.booleans())
def test_widening_any_input_never_narrows_the_dose(
    low: Decimal, more: Decimal, frequency: int, extra: int, as_needed: bool
) -> None:
    exact = only(order(dosage(low, daily(frequency))))
    ranged = {
        "doseAndRate": [
            {"doseRange": {"low": {"value": low, "unit": "tablet"}, "high": {"value": low + more, "unit": "tablet"}}}
        ],
        "timing": {"repeat": {**daily(frequency), "frequencyMax": frequency + extra}},
        **({"asNeededBoolean": True} if as_needed else {}),
    }

    assert wider(only(order(ranged)), exact)
    period = {"frequency": frequency, "period": 1, "periodMax": 1 + extra, "periodUnit": "d"}
    assert wider(only(order(dosage(low, period))), exact)


@settings(deadline=None)
@given(halves, halves, times)
def test_a_contradiction_holds_both_sides(one: Decimal, other: Decimal, frequency: int) -> None:
    (step,) = steps(order(dosage(one, daily(frequency), text=f"Take {other} tablets {frequency} times a day")))

    assert step.daily_mg is not None
    assert wider(step.daily_mg, only(order(dosage(one, daily(frequency)))))
    assert wider(step.daily_mg, only(order(dosage(other, daily(frequency)))))
    assert (step.conflict is None) == (one == other)


WORDS = st.sampled_from(
    [
        *(
            "take",
            "1",
            "2",
            "1/2",
            "half",
            "tablet",
            "tablets",
            "mg",
            "5",
            "10",
            "daily",
            "twice",
            "bd",
            "od",
            "every",
            "4-6",
        ),
        *(
            "hours",
            "for",
            "days",
            "then",
            "x",
            "3",
            "and",
            ",",
            ".",
            "(",
            ")",
            "in the",
            "morning",
            "at",
            "night",
            "prn",
            "max",
        ),
        *(
            "up to",
            "reduce",
            "by",
            "to",
            "7",
            "weekly",
            "day",
            "on",
            "Monday",
            "-",
            "total",
            "once",
            "until",
            "stop",
            "with",
        ),
        *("meals", "=", "per", "mdd", "8", "/", "a"),
    ]
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=25).map(" ".join))
def test_any_row_of_dose_words_is_read_or_left(text: str) -> None:
    for step in read(text) or ():
        for amount in step.amounts.values():
            assert amount.low is not None
            assert amount.high is not None
            assert 0 <= amount.low <= amount.high


@settings(deadline=None)
@given(st.text(max_size=200))
def test_read_never_raises(text: str) -> None:
    read(text)


NAMES = (
    "text",
    "timing",
    "repeat",
    "code",
    "doseAndRate",
    "doseQuantity",
    "value",
    "unit",
    "boundsPeriod",
    "start",
    "sequence",
)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.decimals(-9, 9, places=2) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=15,
)


@settings(deadline=None)
@given(JSON, JSON)
def test_steps_never_raise_on_odd_dosages(odd: Any, other: Any) -> None:
    steps_of(order(odd, other), PRODUCT, AS_OF, 90)
    steps_of({**order(), "dosageInstruction": odd, "dispenseRequest": other}, PRODUCT, AS_OF, 90)
