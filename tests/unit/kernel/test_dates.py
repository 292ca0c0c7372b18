"""Dates as FHIR gives them (safety.md D13, D14, D15): partial dates are intervals, what is no date is refused."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.kernel.dates import DateSpan, completed_years, on_day, parse_date, plus_days, plus_months


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-05", "2024-05-01", "2024-05-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-02", "2023-02-01", "2023-02-28"),
        ("1900-02", "1900-02-01", "1900-02-28"),
        ("0001", "0001-01-01", "0001-12-31"),
        ("9999-12", "9999-12-01", "9999-12-31"),
    ],
)
def test_d14_a_partial_date_is_every_day_it_may_be(text: str, earliest: str, latest: str) -> None:
    assert parse_date(text) == DateSpan(day(earliest), day(latest), text)


def test_d14_a_partial_date_reads_as_it_was_written() -> None:
    assert [str(parse_date(text)) for text in ("2024", "2024-05", "2024-05-17")] == ["2024", "2024-05", "2024-05-17"]


def test_only_a_full_date_is_exact() -> None:
    spans = [parse_date(text) for text in ("2024", "2024-05", "2024-05-17")]
    assert [span.exact for span in spans if span] == [False, False, True]


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-17",
        "2024-05-17T09:30:00Z",
        "2024-05-17T09:30:00.123456789+02:00",
        "2024-05-17T09:30",
        "2024-05-17T09:30:00",
        "2024-05-17T23:30:00-08:00",
        "2024-05-17T00:15:00+14:00",
        "2024-05-17T24:00:00Z",
        "2024-05-17T23:59:60Z",
    ],
)
def test_d13_d15_a_date_and_time_is_the_calendar_day_that_was_written(text: str) -> None:
    """Whatever the zone; midnight as 24:00, leap seconds and a missing zone lose nothing."""
    assert parse_date(text) == on_day(day("2024-05-17"))


@pytest.mark.parametrize("text", ["9999-12-31T23:00:00-14:00", "0001-01-01T00:00:00+14:00"])
def test_d15_the_ends_of_the_calendar_do_not_overflow(text: str) -> None:
    assert parse_date(text) == on_day(day(text[:10]))


@pytest.mark.parametrize(
    "text",
    [
        "20240501",
        "2024-W05-1",
        "2024-W05",
        "2024-137",
        "2024-5",
        "2024-5-17",
        "2024-05-1",
        "24-05-17",
        "02024-05-17",
        "2024/05/17",
        "17.05.2024",
        "05/17/2024",
        "May 2024",
        "2024-05-17 09:30",
        "2024-05-17T",
        "2024-05-17T09",
        "2024-05-17t09:30:00z",
        "2024-05-17T09:30:00+0200",
        "2024-05T09:30:00Z",
        "2024-05-17Z",
        "2024-05-17\n",
        " 2024-05-17",
        "٢٠٢٤-٠٥",
        "-2024",
        "+2024",
        "today",
        "",
    ],
)
def test_d14_other_ways_to_write_a_date_are_refused(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize(
    "text",
    ["2024-13-01", "2024-00-01", "2024-13", "2024-00", "2024-02-30", "2023-02-29", "2024-05-00", "0000", "0000-01"],
)
def test_d15_days_that_never_were_are_refused(text: str) -> None:
    assert parse_date(text) is None


@pytest.mark.parametrize("value", [None, 2024, 20240517, True, 2024.5, ["2024"], {"start": "2024"}, b"2024"], ids=repr)
def test_what_is_not_text_is_no_date(value: object) -> None:
    assert parse_date(value) is None


@pytest.mark.parametrize(
    ("start", "days", "expected"),
    [
        ("2024-02-28", 1, "2024-02-29"),
        ("2023-02-28", 1, "2023-03-01"),
        ("2024-01-01", -1, "2023-12-31"),
        ("2024-05-17", 0, "2024-05-17"),
        ("9999-12-30", 5, "9999-12-31"),
        ("0001-01-02", -5, "0001-01-01"),
    ],
)
def test_d15_plus_days_stays_inside_the_calendar(start: str, days: int, expected: str) -> None:
    assert plus_days(day(start), days) == day(expected)


@pytest.mark.parametrize(
    ("start", "months", "expected"),
    [
        ("2024-05-17", 1, "2024-06-17"),
        ("2024-12-17", 1, "2025-01-17"),
        ("2024-01-17", -1, "2023-12-17"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", -48, "2020-02-29"),
        ("2024-03-31", -1, "2024-02-29"),
        ("2024-05-17", 0, "2024-05-17"),
        ("9999-12-31", 1, "9999-12-31"),
        ("0001-01-31", -1, "0001-01-01"),
        ("9999-11-30", 1, "9999-12-30"),
        ("0001-02-01", -1, "0001-01-01"),
        ("0001-03-15", -1, "0001-02-15"),
    ],
)
def test_d15_plus_months_keeps_the_day_or_takes_the_last_one(start: str, months: int, expected: str) -> None:
    assert plus_months(day(start), months) == day(expected)


@pytest.mark.parametrize(
    ("born", "as_of", "youngest", "oldest"),
    [
        ("1976-06-15", "2026-06-14", 49, 49),
        ("1976-06-15", "2026-06-15", 50, 50),
        ("1976-06-15", "2027-06-14", 50, 50),
        ("1976-02-29", "2026-02-28", 49, 49),
        ("1976-02-29", "2026-03-01", 50, 50),
        ("1976-02-29", "2024-02-29", 48, 48),
        ("1976-06", "2026-05-31", 49, 49),
        ("1976-06", "2026-06-15", 49, 50),
        ("1976-06", "2026-06-30", 50, 50),
        ("1976", "2026-01-01", 49, 50),
        ("1976", "2026-12-30", 49, 50),
        ("1976", "2026-12-31", 50, 50),
        ("2026-06-15", "2026-06-15", 0, 0),
    ],
)
def test_d7_age_in_completed_years_turns_on_the_birthday(born: str, as_of: str, youngest: int, oldest: int) -> None:
    span = parse_date(born)
    assert span is not None
    assert completed_years(span, day(as_of)) == (youngest, oldest)
