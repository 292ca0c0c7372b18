"""Phrases that tell how often: "twice daily", "every 4-6 hours", "on Mondays", "in the morning", "at 8 am"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from cds_service.clinical.dosage.text.phrase import (
    NUMBER,
    PER_DAY,
    RANGE,
    TIME,
    UNIT,
    Builder,
    Item,
    Rule,
    either,
    numbers,
    unit_of,
)
from cds_service.clinical.dosage.units import DAYS_IN, Often, often, period_of
from cds_service.kernel.quantities import Interval, exactly

_ONE = exactly(1)
_ONCE = {"once": 1, "twice": 2, "thrice": 3}
_PERIODS = {"d": "d", "w": "wk", "m": "mo", "y": "a", "a": "a", "f": "wk", "n": "d", "e": "d"}
_ASLEEP_OR_MEANT_OTHERWISE = range(1, 5)

# --- so many times ---------------------------------------------------------------------------------------------------


def _period_named(word: str) -> Interval:
    """Days in "day", "daily", "24 hours", "night", "week", "fortnight", "month", "year", "annually"."""
    if word.startswith("2"):
        return _ONE
    unit = DAYS_IN[_PERIODS[word[0]]]
    return unit.times(2) if word.startswith("f") else unit


def _rate(times: Interval | None, period: Interval) -> Item | None:
    return None if times is None or not period.low else Item("rate", rate=Often(times, period))


def _times_in(m: re.Match[str]) -> Item | None:
    times = exactly(_ONCE[m[1]]) if m[1] in _ONCE else numbers(m[1])
    return _rate(times, _period_named(m[2]))


def _times_every(m: re.Match[str]) -> Item | None:
    period = period_of(exactly(Decimal(m[2])), m[3].removesuffix("(s)"))
    return None if period is None else _rate(numbers(m[1]), period)


def _every(m: re.Match[str]) -> Item | None:
    """Once in each period; "every 4 to 6 hours" is once in 6 hours at least, in 4 at most."""
    value = numbers(m[1])
    period = None if value is None else period_of(value, m[2].removesuffix("(s)"))
    return None if period is None else _rate(_ONE, period)


def _hourly(m: re.Match[str]) -> Item | None:
    value = numbers(m[1])
    if value is None or value.low is None or value.high is None:
        return None
    return _rate(_ONE, Interval(value.low / 24, value.high / 24))


def _every_nth_day(m: re.Match[str]) -> Item | None:
    days = int(m[1])
    return Item("rate", rate=often(1, days)) if days > 1 else None


def _amount_or_rate(m: re.Match[str]) -> Item | None:
    """A rate where an amount stands before it ("1 tablet 2 two times a day"); else "2" is that amount."""
    times = exactly(Decimal(m[1]))
    return Item("amount-or-rate", times, rate=Often(times, _period_named(m[2])), label="/" if "/" in m[0] else "")


def _amount_or_cap(m: re.Match[str]) -> Item | None:
    """As in "up to 8 a day": the most a day where a dose stands before it, else the dose."""
    unit, factor = unit_of(m[2])
    most = numbers(m[1])
    return None if most is None else Item("amount-or-cap", most.times(factor), unit)


def _cap(m: re.Match[str]) -> Item | None:
    """The most per day, of a unit, of doses, or of whatever is counted; `None` where it is not said to be per day."""
    most, word, times, period = numbers(m[1]), m[2], m[3], m[4]
    told_per_day = period or m[5] or "mdd" in m[0] or "daily" in m[0]
    if most is None or (times and word) or not told_per_day:
        return None
    unit, factor = unit_of(word)
    days = _period_named(period) if period else _ONE
    return Item("cap", Often(_ONE, days).per_day(most.times(factor)), "dose" if times else unit)


def _fixed(times: int, days: Decimal | int = 1) -> Builder:
    item = Item("rate", rate=often(times, days))
    return lambda _: item


def _in_a(unit: str) -> Builder:
    item = Item("rate", rate=Often(_ONE, DAYS_IN[unit]))
    return lambda _: item


_PERIOD = rf"(?:{PER_DAY}|daily|weekly|week|wk|fortnightly|fortnight|monthly|month|yearly|year|annually|nightly|night|evening)"
_A = r"(?:a|per|each|every|in a|/)"
_ONE_DAY = (
    r"(?:every day|daily|everyday|each day|once per day|per day|/ ?day|/ ?d|a day|in a day|qd|od|q ?day|q ?daily|q d"
    r"|q ?24 ?h(?:ou)?rs?|in (?:a |any |every )?24 ?(?:h|hrs?|hours?)(?: period)?|per 24 hours|/24 ?h(?:rs?|ours?)?)"
)
_MOST = (
    r"(?:,? ?(?:up )?to an? )?(?:(?:to a )?max(?:imum|imim|imal)?(?: daily| single)?(?: dose| amount)?(?: of| is|:)?"
    r"|(?:do )?not (?:to )?(?:take |use )?(?:exceed|more than)(?: more than)?|(?:no|never) more than|mdd ?[:=]?)(?: =)? ?"
)
_IN_A_DAY = rf"(?: ?(?:per|a|in|in a|in any|within|/|every|each|in 1|of) ?({PER_DAY}|week)| (daily))"

CAPS: Final[tuple[Rule, ...]] = (
    (
        rf"{_MOST}({RANGE}) ?({UNIT})?(?: ?(times?|doses?(?= )))?(?: (?:total|in total|maximum|max|by mouth))?"
        rf"{_IN_A_DAY}?(?: max(?:imum)?)?",
        _cap,
    ),
    (rf"(?:,|;|\.|-)? ?up to (?:a max(?:imum)? of )?({RANGE}) ?({UNIT})? ?(?:per|a|in|/) ?{PER_DAY}", _amount_or_cap),
)
RATES: Final[tuple[Rule, ...]] = (
    (
        rf"(?P<same_times>{NUMBER}) (?P=same_times) ?(?:x|times?) ?(?:{_A} ?)?({PER_DAY}|daily|weekly|week|month)",
        _amount_or_rate,
    ),
    (rf"({NUMBER}) ?/ ?(day|d(?![a-z])|week)", _amount_or_rate),
    (rf"(?:every|each|q) (?P<same_hours>{NUMBER}) (?P=same_hours) ({TIME})", _every),
    (rf"({RANGE}) (?:x|times?) every ({NUMBER}) ({TIME})", _times_every),
    (rf"({RANGE}) ?(?:x|times?)(?:(?: ?{_A})? ?|-)({_PERIOD}|d(?![a-z]))", _times_in),
    (rf"x ?({NUMBER}) ?(?:(?:times )?{_A} ?)({PER_DAY}|week|month)", _times_in),
    (rf"x ?({NUMBER}) (daily)", _times_in),
    (rf"(once|twice|thrice)(?: only)? ?(?:in )?(?:{_A} ?|-)?({_PERIOD})(?![a-z])", _times_in),
    (rf"(?:once )?(?:at |to be taken |taken )?(?:every|each|q|once every) ?({RANGE}) ?({TIME})", _every),
    (rf"(?:every )?({RANGE}) ?-?(?:h(?:ou)?rly|hrly)", _hourly),
    (r"(?:every hour|hourly|each hour|q1h)", _fixed(24)),
    (
        r"(?:once )?(?:on |every |each )?(?:every |an )?(?:other|alternate|alternative|second) (?:day|morning|night|evening)s?",
        _fixed(1, 2),
    ),
    (r"(?:qod|eod|q ?2 ?d|q other day|every #2# day|(?:on )?alt days?|alternate daily)", _fixed(1, 2)),
    (r"(?:every|each) #(\d)# day", _every_nth_day),
    (r"(?:every|each|once every|once per|per) (?:other|alternate|second) week", _fixed(1, 14)),
    (r"(?:fortnightly|every fortnight|each fortnight|once a fortnight)", _fixed(1, 14)),
    (_ONE_DAY, _fixed(1)),
    (r"(?:bd|bid|b d|bds)", _fixed(2)),
    (r"(?:tds|tid|t d s)", _fixed(3)),
    (r"(?:qds|qid|q d s)", _fixed(4)),
    (r"(?:weekly|every week|each week|per week|a week|/ ?week|/ ?wk|q ?week|q ?wk|qw)", _fixed(1, 7)),
    (r"(?:monthly|every month|each month|per month|a month|/ ?month|q ?month)", _in_a("mo")),
    (r"(?:yearly|annually|every year|each year|per year|a year)", _in_a("a")),
)

# --- days of the week ------------------------------------------------------------------------------------------------
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = (
    r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)s?"
)


def _weekday(m: re.Match[str]) -> Item:
    return Item("weekday", label=m[1][:3])


def _weekdays(m: re.Match[str]) -> Item | None:
    first, last = (_WEEK.index(m[place][:3]) for place in (1, 2))
    return Item("weekday", label=" ".join(_WEEK[first : last + 1])) if first < last else None


def _except(m: re.Match[str]) -> Item:
    return Item("weekday", label=" ".join(day for day in _WEEK if day != m[1][:3]))


def _days_a_week(m: re.Match[str]) -> Item:
    return Item("weekday", label=" ".join(_WEEK[: int(m[1])]))


WEEKDAYS: Final[tuple[Rule, ...]] = (
    (
        r"(?:for |on )?([1-7]) days? ?(?:a|per|each|every|/|out of|of the|in the|of each|of every) ?(?:7|week)(?: days)?",
        _days_a_week,
    ),
    (rf"(?:daily |every day )?(?:except|apart from|but not)(?: on)? ({_DAY})", _except),
    (rf"(?:on |from |every |each )?({_DAY})\.? ?(?:-|to|through|thru) ?({_DAY})\.?", _weekdays),
    (rf"(?:on |every |each |on a |on an )*({_DAY})\.?(?: (?=morning|evening|night))?", _weekday),
)

# --- times of the day ------------------------------------------------------------------------------------------------
_SLOT_WORDS = {
    "morning": "morning|mornings|mane|am|breakfast|a m|qam|breakfast time|rising|waking|wakening|morning meal|qmorning",
    "noon": "noon|midday|mid-day|lunch|lunchtime|lunch time|midday meal|lunch meal",
    "afternoon": "afternoon|afternoons",
    "evening": "evening|evenings|teatime|tea time|tea|dinner|dinnertime|supper|suppertime|evening meal",
    "night": "night|nights|night time|night-time|nightly|bedtime|bed time|bed|going to bed|retiring|sleep|nocte|noct|hs|qhs"
    "|pm|qpm|qnight",
}
_SLOT_OF = {word: slot for slot, words in _SLOT_WORDS.items() for word in words.split("|")}
_BEFORE_A_SLOT = (
    r"(?:(?:once|taken|to be taken|given) )?(?:(?:in|at|with|before|after|on|every|each|the|her|his|your|going|to|during"
    r"|immediately|just|q|upon|per|a) )*"
)


def _slot(m: re.Match[str]) -> Item:
    return Item("slot", label=_SLOT_OF[m[1]])


def _clock(m: re.Match[str]) -> Item | None:
    """An hour of the day; "1 am" without "at" may be one in the morning, and ends the reading."""
    hour, minute, half = int(m[1]), m[2] or "00", m[3] or ""
    if half and "at " not in m[0] and ":" not in m[0] and hour in _ASLEEP_OR_MEANT_OTHERWISE:
        return None
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return Item("clock", label=f"{hour}:{minute}") if hour <= 24 and int(minute) < 60 else None


SLOTS: Final[tuple[Rule, ...]] = (
    (r"(?:(?:at|every|each|around|about) )*(\d{1,2})(?::|\.)?(\d\d)? ?(am|pm)", _clock),
    (r"(?:at )?(\d{1,2}):(\d\d)()(?: ?h(?:ou)?rs)?", _clock),
    (rf"{_BEFORE_A_SLOT}({either(_SLOT_OF)})(?: (?:meal|time|dose))?", _slot),
)
