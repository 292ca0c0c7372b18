"""The charts do what their formulas say: false alarms are as rare as asked for, and breaks are noticed as fast."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest

from cds_service.watching import cusum
from cds_service.watching.cusum import Cusum


def run_length(chart: Cusum, share: float, runs: int, seed: int) -> float:
    """Calls until the chart is out of control, on average over simulated runs."""
    drawn = random.Random(seed)  # noqa: S311
    lengths = []
    for _ in range(runs):
        value, calls = 0.0, 0
        while value < chart.limit:
            calls += 1
            value = max(0.0, value + (chart.event if drawn.random() < share else chart.other))
        lengths.append(calls)
    return fmean(lengths)


@pytest.mark.parametrize("odds", [2.0, 0.5])
@pytest.mark.parametrize("share", [0.03, 0.3, 0.9])
def test_false_alarms_are_as_far_apart_as_the_formula_says_in_a_simulation(share: float, odds: float) -> None:
    chart = cusum.chart(share, odds, run_length=5_000)
    simulated = run_length(chart, share, runs=60, seed=7)
    assert 0.6 < simulated / chart.run_length < 1.4
    # and so neither much closer together than was asked for, nor so rare that breaks go unnoticed
    assert 0.75 * 5_000 < simulated < 2 * 5_000


@pytest.mark.parametrize(("before", "after"), [(0.03, 0.06), (0.3, 0.15), (0.1, 0.5), (0.2, 0.0)])
def test_hz01_a_change_is_noticed_after_about_as_many_calls_as_the_formula_says(before: float, after: float) -> None:
    chart = cusum.chart(before, 2.0 if after > before else 0.5, run_length=1e7)
    simulated = run_length(chart, after, runs=60, seed=3)
    assert 0.8 < simulated / chart.until_noticed(after) < 1.4


def test_a_share_that_did_not_change_is_never_expected_to_be_noticed() -> None:
    assert cusum.chart(0.1, 2.0, 1e6).until_noticed(0.1) == math.inf


def test_a_silence_that_is_too_long_is_as_rare_as_asked_for() -> None:
    drawn, share, silence, begun = random.Random(5), 0.02, 0, 0  # noqa: S311
    longest = cusum.longest_silence(share, run_length=2_000)
    for _ in range(400_000):
        silence = 0 if drawn.random() < share else silence + 1
        begun += silence == longest + 1
    assert 0.7 < 400_000 / begun / 2_000 < 1.4


def test_silences_of_what_happens_all_the_time_may_still_be_as_long_as_a_clinic() -> None:
    assert cusum.longest_silence(0.9, 1e7) == cusum.LEAST_SILENCE


@pytest.mark.parametrize("chart", [Cusum(0.05, 0.0966, 4.0), Cusum(0.05, 0.0256, 4.0)], ids=["rise", "fall"])
def test_following_calls_in_strides_gives_what_following_them_one_by_one_gives(chart: Cusum) -> None:
    drawn = random.Random(11)  # noqa: S311
    for share in (0.02, 0.05, 0.2):
        happened = [drawn.random() < share for _ in range(3_000)]
        value, out = 0.0, False
        for each in happened:
            value = min(chart.limit, max(0.0, value + (chart.event if each else chart.other)))
            out = value >= chart.limit or (out and value > 0)
        run = chart.run([place for place, each in enumerate(happened) if each], 0, len(happened))
        assert run.value == pytest.approx(value)
        assert run.out == out


def test_where_a_change_began_is_told_to_within_some_calls() -> None:
    chart = cusum.chart(0.2, 0.5, 1e6)
    run = chart.run(range(0, 1_000, 5), 0, 1_400)
    assert run.out
    assert 990 <= run.since <= 1_000


def test_a_chart_that_comes_back_to_zero_is_in_control_again_however_long_the_break_was() -> None:
    chart = cusum.chart(0.2, 0.5, 1e6)
    back = [*range(0, 1_000, 5), *range(50_000, 50_200, 3)]
    assert chart.run(back[:200], 0, 50_000).out
    assert not chart.run(back, 0, 50_200).out


@pytest.mark.parametrize(
    ("events", "calls", "low", "high"), [(0, 1_000, 0, 0.004), (100, 1_000, 0.083, 0.121), (1_000, 1_000, 0.996, 1)]
)
def test_what_was_counted_in_few_calls_is_not_taken_for_more_than_it_is(
    events: int, calls: int, low: float, high: float
) -> None:
    # Wilson's interval with z = 2; values computed independently from (p + z2/2n -+ z sqrt(pq/n + z2/4n2)) / (1 + z2/n)
    assert cusum.bounds(events, calls) == pytest.approx((low, high), abs=0.001)
