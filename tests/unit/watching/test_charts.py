"""Which charts there are and what they say of invented calls."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from cds_service.watching import Chart, Collected, Kind, SeenFeedback, Side, State, charts_of
from cds_service.watching.report import report
from cds_service.web.logs import Alarm
from tests.unit.watching.made_up import BEGIN, CLIENT, RATES, SERVICE, call, calls, collected

# half of the calls of a test are the baseline
BROKEN_FROM = 4_000
_AFTER = 2_000


def out(found: Collected) -> set[tuple[str, Kind, Side]]:
    return {(each.share, each.kind, each.side) for each in charts_of(found) if each.state is State.OUT}


def kinds(found: Collected, share: str) -> set[Kind]:
    return {kind for name, kind, _ in out(found) if name == share}


def changed(rule: str, rate: float) -> Callable[[int], Mapping[str, float]]:
    """Rates of which one is another from some call on."""
    return lambda place: {**RATES, rule: rate} if place >= BROKEN_FROM else RATES


@pytest.mark.parametrize("seed", range(5))
def test_no_chart_speaks_while_nothing_changes(seed: int) -> None:
    assert out(collected(calls(8_000, seed))) == set()


def test_hz01_d22_a_rule_that_stops_firing_is_noticed_and_no_other() -> None:
    found = collected(calls(BROKEN_FROM + _AFTER, 1, changed("R-05", 0.0)))
    assert {share for share, _, _ in out(found)} == {"fires/R-05"}
    assert kinds(found, "fires/R-05") == {Kind.RULE_SILENT}


def test_hz01_a_rule_that_fires_half_as_often_is_noticed() -> None:
    assert ("fires/R-01", Kind.RULE_SILENT, Side.FALL) in out(
        collected(calls(BROKEN_FROM + _AFTER, 2, changed("R-01", 0.1)))
    )


def test_hz06_a_rule_that_fires_much_more_often_is_a_flood() -> None:
    assert kinds(collected(calls(BROKEN_FROM + 400, 2, changed("R-08", 0.4))), "fires/R-08") == {Kind.RULE_FLOOD}


def test_hz06_a_rule_that_never_fired_before_and_now_does_is_a_flood() -> None:
    assert kinds(collected(calls(BROKEN_FROM + _AFTER, 2, changed("NEW-01", 0.3))), "fires/NEW-01") == {Kind.RULE_FLOOD}


def test_hz01_a_rare_rule_is_watched_for_silence_only_and_a_very_rare_one_is_listed_as_not_watched() -> None:
    def rates(place: int) -> Mapping[str, float]:
        # one call in 250, and two calls in all
        return {"RARE": float(place % 250 == 0 and place < 3_000), "VERY-RARE": float(place in (500, 1_500))}

    charts = {(each.share, each.side): each for each in charts_of(collected(calls(8_000, 1, rates)))}
    assert charts["fires/RARE", Side.SILENCE].state is State.OUT
    assert ("fires/RARE", Side.FALL) not in charts
    assert charts["fires/VERY-RARE", Side.SILENCE].state is State.TOO_RARE


@pytest.mark.parametrize(
    ("broken", "share", "kind"),
    [
        ({"unsure": ("R-00",)}, "unsure/R-00", Kind.RULE_UNSURE),
        ({"missing": ("dxa",)}, "missing/dxa", Kind.LOOKUPS_INCOMPLETE),
        ({"status": 412}, "refused", Kind.CALLS_REFUSED),
        ({"ms": 900}, "slow", Kind.CALLS_SLOW),
        ({"cards": 0, "rules": ()}, "cards", Kind.CARDS_CHANGED),
    ],
)
def test_d22_each_kind_of_break_has_its_alarm(broken: Mapping[str, Any], share: str, kind: Kind) -> None:
    seen = (
        replace(each, **broken) if place >= BROKEN_FROM and place % 2 else each
        for place, each in enumerate(calls(BROKEN_FROM + _AFTER, 4))
    )
    assert kind in kinds(collected(seen), share)


def test_overrides_that_become_frequent_are_noticed() -> None:
    found = Collected()
    for place in range(3_000):
        overridden = place % 5 == 0 or (place > 2_000 and place % 2 == 0)
        found.tell(SeenFeedback(BEGIN + dt.timedelta(minutes=place), SERVICE, CLIENT, f"p{place}", overridden))
    assert kinds(found, "overridden") == {Kind.OVERRIDES_CHANGED}


def test_look_ups_that_fail_less_often_are_no_alarm() -> None:
    seen = (replace(each, missing=("dxa",)) if place < 3_000 else each for place, each in enumerate(calls(6_000, 4)))
    assert out(collected(seen)) == set()


def test_a_patient_whose_chart_is_opened_again_and_again_counts_once_a_day() -> None:
    seen = list(calls(8_000, 6))
    # a patient for whom R-09 fires is looked at a hundred times on one day
    again = [call(7_900, patient="often", rules=("R-09",), cards=1) for _ in range(100)]
    found = collected(sorted([*seen, *again], key=lambda each: each.time))
    assert out(found) == set()
    apart = [replace(each, patient=f"not-{place}") for place, each in enumerate(again)]
    assert "fires/R-09" in {
        share for share, _, _ in out(collected(sorted([*seen, *apart], key=lambda each: each.time)))
    }


def test_another_client_that_is_different_is_no_change() -> None:
    """Each has charts of its own: here one in which rules fire comes by day, and one in which none does by night."""
    night = (call(place, client="south", cards=0) for place in range(6_000, 8_000))
    assert out(collected([*calls(6_000, 1), *night])) == set()


def test_a_break_at_one_client_is_not_hidden_by_another() -> None:
    broken = calls(BROKEN_FROM + 400, 3, changed("R-02", 0.0))
    whole = (replace(each, client="south") for each in calls(40_000, 4))
    found = collected(sorted([*broken, *whole], key=lambda each: each.time))
    assert {(each.client, each.share) for each in charts_of(found) if each.state is State.OUT} == {
        (CLIENT, "fires/R-02")
    }


def test_the_canary_does_not_count() -> None:
    found = Collected(frozenset({"canary"}))
    for each in calls(6_000, 1):
        found.add(each)
    # every five minutes, on days of its own so that it would count each time
    for place in range(2_000):
        found.add(call(6_000 + place * 1_440, patient="canary", rules=("VD-05",), cards=1))
    assert out(found) == set()
    assert "fires/VD-05" not in {each.share for each in charts_of(found)}
    assert len(found.clients[CLIENT]) == 6_000


def test_a_site_with_few_calls_is_told_so_and_not_that_all_is_well() -> None:
    states = [each.state for each in charts_of(collected(calls(1_500, 1)))]
    assert set(states) == {State.TOO_FEW}


def test_calls_that_were_refused_before_any_rule_was_asked_do_not_make_rules_silent() -> None:
    refused = [call(6_000 + place, status=400, rule_set="") for place in range(1_000)]
    assert {share for share, _, _ in out(collected([*calls(6_000, 1), *refused]))} == {"refused"}


def test_all_charts_together_share_one_rate_of_false_alarms() -> None:
    """With so many times as many charts each may ring so many times more rarely: its limit is higher by the logarithm."""
    many, few = (
        charts_of(collected(calls(6_000, 1, lambda _, rates=rates: rates))) for rates in (RATES, {"R-00": 0.3})
    )
    watched = [sum(each.state is not State.TOO_RARE for each in charts) for charts in (many, few)]
    assert watched[0] > 5 * watched[1]
    # R-00 is drawn a little differently beside others, and so is its usual share
    assert _limit(many) - _limit(few) == pytest.approx(math.log(watched[0] / watched[1]), abs=0.1)


def _limit(charts: tuple[Chart, ...]) -> float:
    return next(each.limit for each in charts if each.name == "fires/R-00/rise")


def test_every_kind_is_an_alarm_of_the_log() -> None:
    assert {each.value for each in Kind} <= {each.value for each in Alarm}


def test_d23_a_report_says_when_another_version_began_to_answer() -> None:
    second = (replace(each, rule_set="2+b") for each in calls(1_000, 2, first=1_000))
    told = report(collected([*calls(1_000, 1), *second]), BEGIN + dt.timedelta(days=2))
    assert [version for _, version in told.versions] == ["1+a", "2+b"]
    assert "2026-06-01 16:40 UTC: 2+b" in told.text()


def test_what_is_told_to_everybody_has_no_number_and_no_name_of_a_client() -> None:
    told = report(collected(calls(BROKEN_FROM + _AFTER, 1, changed("R-05", 0.0))), BEGIN + dt.timedelta(days=4))
    assert [each.public for each in told.findings()] == [
        f"rule-silent: {SERVICE} fires/R-05/fall",
        f"rule-silent: {SERVICE} fires/R-05/silence",
    ]
    assert f"rule-silent: {SERVICE} of {CLIENT}: fires/R-05: fall since about 2026-06-03" in told.text()
