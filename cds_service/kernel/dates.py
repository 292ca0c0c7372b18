"""Dates as FHIR gives them: a year, a month or a day. A partial date is an interval of days (S7).

A date and time counts as the calendar day that was written, in the zone it was written in: the clinic's
own day, whatever zone the server converts to when it is asked later (`safety.md` D13).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass

# The FHIR dateTime pattern (R4 datatypes). Seconds and zone may be missing: Epic and DrChrono leave them out.
# `20240501` and `2024-W05-1`, which Python's fromisoformat accepts, are not FHIR dates (safety.md D14).
_FHIR_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2})(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class DateSpan:
    """The days on which something may have happened; one day when the date is full.

    Attributes:
        earliest: first possible day.
        latest: last possible day, included.
        text: the date as far as it is known, for people ("2024", "2024-05", "2024-05-17").
    """

    earliest: dt.date
    latest: dt.date
    text: str

    @property
    def exact(self) -> bool:
        """Whether the day itself is known."""
        return self.earliest == self.latest

    def __str__(self) -> str:
        return self.text


def on_day(day: dt.date) -> DateSpan:
    """The span of one known day."""
    return DateSpan(day, day, day.isoformat())


def parse_date(text: object) -> DateSpan | None:
    """Read a FHIR date or dateTime; `None` when it is not one (never a guess)."""
    match = _FHIR_DATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    year, month, day = (int(part) if part else None for part in match.group("year", "month", "day"))
    try:
        if year is None or month is None:
            return DateSpan(dt.date(year or 0, 1, 1), dt.date(year or 0, 12, 31), match.string)
        if day is None:
            last = calendar.monthrange(year, month)[1]
            return DateSpan(dt.date(year, month, 1), dt.date(year, month, last), match.string)
        return on_day(dt.date(year, month, day))
    except (ValueError, calendar.IllegalMonthError):
        return None


def plus_days(day: dt.date, days: int) -> dt.date:
    """The day that many days later (or earlier), kept inside the calendar."""
    return dt.date.fromordinal(min(max(day.toordinal() + days, dt.date.min.toordinal()), dt.date.max.toordinal()))


def plus_months(day: dt.date, months: int) -> dt.date:
    """The same day of the month, that many months later (or earlier); the last day where there is none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not dt.MINYEAR <= year <= dt.MAXYEAR:
        return dt.date.min if months < 0 else dt.date.max
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def completed_years(born: DateSpan, as_of: dt.date) -> tuple[int, int]:
    """Youngest and oldest possible age in completed years on that day."""

    def years(birthday: dt.date) -> int:
        before = (as_of.month, as_of.day) < (birthday.month, birthday.day)
        return as_of.year - birthday.year - before

    return years(born.latest), years(born.earliest)
