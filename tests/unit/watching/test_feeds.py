"""A client that stops calling is noticed by its own habits."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.watching import Feed, State, feeds_of

MONDAY = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def office_hours(weeks: int, each_minutes: int = 10) -> list[float]:
    """Calls on weekdays from 8 to 18."""
    days = [MONDAY + dt.timedelta(days=day) for day in range(weeks * 7)]
    return [
        (day + dt.timedelta(hours=8, minutes=minute)).timestamp()
        for day in days
        if day.weekday() < 5
        for minute in range(0, 600, each_minutes)
    ]


def feed(times: list[float], now: dt.datetime) -> Feed:
    (found,) = feeds_of({"north": times}, now)
    return found


def day(number: int, hour: int) -> dt.datetime:
    return MONDAY + dt.timedelta(days=number, hours=hour)


@pytest.mark.parametrize(
    "now", [day(25, 23), day(26, 12), day(28, 7), day(28, 9)], ids=["night", "Saturday", "dawn", "Monday at nine"]
)
def test_nights_and_weekends_are_no_alarm(now: dt.datetime) -> None:
    assert feed(office_hours(4), now).state is State.STEADY


def test_hz01_an_ehr_that_does_not_call_on_a_monday_morning_is_noticed_before_noon() -> None:
    found = feed(office_hours(4), day(28, 11))
    assert found.state is State.OUT
    # three full hours of six calls, and a little more since the last week ends on a Friday
    assert found.missed == pytest.approx(19, abs=2)


def test_hz01_a_feed_without_pauses_is_missed_after_three_times_its_longest_one() -> None:
    times = [(MONDAY + dt.timedelta(minutes=15 * place)).timestamp() for place in range(200)]
    last = dt.datetime.fromtimestamp(times[-1], dt.UTC)
    assert feed(times, last + dt.timedelta(minutes=44)).state is State.STEADY
    assert feed(times, last + dt.timedelta(minutes=46)).state is State.OUT


def test_a_nightly_batch_is_not_late_at_the_full_hour() -> None:
    times = [
        (MONDAY + dt.timedelta(days=night, hours=2, minutes=20, seconds=place)).timestamp()
        for night in range(21)
        for place in range(200)
    ]
    assert feed(times, day(21, 2) + dt.timedelta(minutes=59)).state is State.STEADY
    assert feed(times, day(21, 3)).state is State.OUT


def test_a_client_with_few_calls_has_no_habits_yet() -> None:
    assert feed(office_hours(4)[:99], day(60, 0)).state is State.TOO_FEW
