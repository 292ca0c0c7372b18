"""`docs/watching.md` says how many calls each kind of break takes to be noticed; so do the charts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cds_service.watching import Kind, Plan, cusum
from cds_service.web.logs import Alarm

PAGE = (Path(__file__).parents[3] / "docs" / "watching.md").read_text("utf-8")
CHARTS, BASELINE = 100, 40_000
ROWS = re.findall(r"^\| ([\d.]+) % \| (.+) \|$", PAGE, re.MULTILINE)


def odds(share: float, factor: float) -> float:
    return factor * share / (1 - share + factor * share)


def until_noticed(share: float) -> list[str]:
    plan = Plan()
    run_length = float(plan.calls_per_false_alarm * CHARTS)
    low, high = cusum.bounds(round(share * BASELINE), BASELINE)
    fall, rise = cusum.chart(low, 0.5, run_length), cusum.chart(high, 2.0, run_length)
    counted = [
        fall.until_noticed(0.0),
        fall.until_noticed(odds(share, 0.5)),
        rise.until_noticed(odds(share, 2.0)),
        rise.until_noticed(odds(share, 5.0)),
    ]
    shown = ["-" if calls > plan.window else str(round(calls)) for calls in counted]
    return [str(cusum.longest_silence(low, run_length)), *shown]


@pytest.mark.parametrize(("share", "told"), ROWS)
def test_hz01_the_page_says_how_many_calls_it_takes(share: str, told: str) -> None:
    assert told.split(" | ") == until_noticed(float(share) / 100)


def test_the_page_has_the_rows() -> None:
    assert len(ROWS) == 7


def test_every_alarm_of_watching_has_a_line_on_what_to_do() -> None:
    to_do = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE.split("## What to do")[1], re.MULTILINE))
    assert to_do == {each.value for each in Kind} | {
        each.value for each in (Alarm.CANARY_FAILED, Alarm.MIXED_VERSIONS, Alarm.FILES_CHANGED)
    }
