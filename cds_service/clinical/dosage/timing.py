"""How often and for how long, from FHIR `Timing`.

Intakes per period come from `timing.repeat`; where that says nothing, from `timing.code` (a code, or its words read as
free text). Where both speak they must say the same, or nothing is read. A length comes from the bounds, or from
the number of intakes (`count`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from cds_service.clinical.dosage.sig import read_rate
from cds_service.clinical.dosage.units import DAYS_IN, Often, days_in, often, period_of
from cds_service.fhir.read import codes_in, items, mapping, number, string
from cds_service.kernel.quantities import Interval

_ONE = Decimal(1)
_MONTH = Often(Interval(_ONE, _ONE), DAYS_IN["mo"])

# v3-GTSAbbreviation and the codes EHRs write beside it
_CODES: Mapping[str, Often] = {
    **dict.fromkeys(("qd", "od", "daily", "am", "pm", "qam", "qpm", "qhs", "hs", "bed", "noon", "nightly"), often(1)),
    "bid": often(2),
    "bd": often(2),
    "tid": often(3),
    "tds": often(3),
    "qid": often(4),
    "qds": often(4),
    "qod": often(1, 2),
    "wk": often(1, 7),
    "weekly": often(1, 7),
    "mo": _MONTH,
    **{f"q{hours}{word}": often(1, Decimal(hours) / 24) for hours in (1, 2, 3, 4, 6, 8, 12, 24) for word in ("h", "hr", "hrs")},
}  # fmt: skip
_ONCE = frozenset({"once", "x1", "stat", "one time", "single dose"})
# FHIR names no number of meals for these
_SOME_MEALS = frozenset({"C", "AC", "PC"})
_REPEAT_SAYS_HOW_OFTEN = (
    "frequency", "frequencyMax", "period", "periodMax", "periodUnit", "timeOfDay", "when", "dayOfWeek"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What a Timing says.

    Attributes:
        often: intakes per period; `None` when not told or not readable.
        length: days from the first to the last intake, both included; `None` when not told.
        told: whether it says anything about how often, readable or not.
        as_needed: whether the words of its code say so.
        perhaps: days that `duration` names where an intake cannot last so long: perhaps the length (MIMIC, NHS examples).
    """

    often: Often | None
    length: Interval | None
    told: bool
    as_needed: bool = False
    perhaps: Interval | None = None


def rhythm_of(timing: object) -> Rhythm:
    """What a Timing says about how often and for how long."""
    content = mapping(timing)
    repeat = mapping(content.get("repeat"))
    by_repeat = _repeat(repeat) if _tells(repeat) else None
    codes = _codes(content.get("code"))
    by_code = {rate for code in codes if (rate := _CODES.get(code)) is not None}
    once = bool(codes & _ONCE) or _single(repeat, codes)
    words, as_needed = _by_words(content.get("code"), codes)
    by_code |= words
    told = _tells(repeat) or bool(codes)
    if once and not by_code and by_repeat is None and not _tells(repeat):
        return Rhythm(often(1), Interval(_ONE, _ONE), told=True, as_needed=as_needed)
    rate = _agreed(by_repeat, by_code) if by_repeat is not None or not _tells(repeat) else None
    return Rhythm(rate, _length(repeat, rate), told, as_needed, _perhaps(repeat, rate))


def _single(repeat: Mapping[str, Any], codes: frozenset[str]) -> bool:
    """One intake in all: `count` 1 and nothing about how often."""
    return number(repeat.get("count")) == 1 and "countMax" not in repeat and not codes


def _agreed(by_repeat: Often | None, by_code: set[Often]) -> Often | None:
    """What code and repeat both say; nothing where they disagree: a conflict, not a choice."""
    rates = list(by_code) if by_repeat is None else [by_repeat, *by_code]
    if not rates or any(not rate.same_rate(rates[0]) for rate in rates):
        return None
    return rates[0]


def _codes(code: object) -> frozenset[str]:
    words = string(mapping(code).get("text")).lower() if isinstance(code, dict) else ""
    return codes_in(code) | ({words} if words else frozenset())


def _by_words(code: object, codes: frozenset[str]) -> tuple[set[Often], bool]:
    """The rate that the words of a code tell, where they are not a code themselves."""
    text = string(mapping(code).get("text")) if isinstance(code, dict) else ""
    if not text or text.lower() in _CODES or text.lower() in _ONCE or not codes:
        return set(), False
    said = read_rate(text)
    return (set(), False) if said is None else ({said.often} if said.often else set(), said.as_needed)


def _tells(repeat: Mapping[str, Any]) -> bool:
    return any(name in repeat for name in _REPEAT_SAYS_HOW_OFTEN)


def _repeat(repeat: Mapping[str, Any]) -> Often | None:
    """Intakes per period by `timing.repeat`; nothing where its parts do not fit together."""
    given = number(repeat.get("frequency"))
    most = number(repeat.get("frequencyMax"))
    slots = _slots(repeat)
    if slots is None or (given is not None and given < 0) or (most is not None and given is not None and most < given):
        return None
    if slots and (most is not None or (given is not None and given not in (slots, 0) and "dayOfWeek" not in repeat)):
        return None
    least = given if given is not None else most
    days = len(set(map(str, items(repeat.get("dayOfWeek")))))
    times = Decimal(slots) if slots else least
    period, unit = number(repeat.get("period")), string(repeat.get("periodUnit"))
    if period is None and not unit and (slots or days):
        return _on_days(times if times is not None else _ONE, days)
    # French tapers code `frequency 1, periodUnit wk` without a period: not readable
    if period is None or period <= 0 or unit not in DAYS_IN:
        return None
    if days:
        return _days_in_period(times, most, period, unit, days)
    longest = number(repeat.get("periodMax")) or period
    span = period_of(Interval(period, longest), unit)
    if longest < period or span is None:
        return None
    times = _ONE if times is None else times
    return Often(Interval(times, times if most is None else most), span)


def _slots(repeat: Mapping[str, Any]) -> int | None:
    """Times of the day that are named, 0 when none is; `None` when their number cannot be told."""
    clock = len(set(map(str, items(repeat.get("timeOfDay")))))
    when = [string(each) for each in items(repeat.get("when"))]
    if any(each in _SOME_MEALS for each in when):
        return 0 if number(repeat.get("frequency")) is not None and not clock else None
    if clock and when and clock != len(set(when)):
        return None
    return clock or len(set(when))


def _on_days(times: Decimal, days: int) -> Often:
    return often(times * days, 7) if days else often(times)


def _days_in_period(times: Decimal | None, most: Decimal | None, period: Decimal, unit: str, days: int) -> Often | None:
    """Days of the week beside a period: so often on each of these days, or the days are the times of the week."""
    if period != 1:
        return None
    if unit == "d":
        low = _ONE if times is None else times
        return often(low * days, 7, None if most is None else most * days)
    if unit == "wk" and most is None and (times is None or times == days):
        return often(days, 7)
    return None


def bounds_length(dosage: object) -> Interval | None:
    """Days of a dosage by its `boundsDuration` or `boundsRange`."""
    return _bounds(mapping(mapping(mapping(dosage).get("timing")).get("repeat")))


def _length(repeat: Mapping[str, Any], rate: Often | None) -> Interval | None:
    """Days of the course by its bounds, else by the number of intakes."""
    bounds = _bounds(repeat)
    return (
        bounds if bounds is not None else _by_count(number(repeat.get("count")), number(repeat.get("countMax")), rate)
    )


def _bounds(repeat: Mapping[str, Any]) -> Interval | None:
    if (exact := duration(repeat.get("boundsDuration"))) is not None:
        return exact
    if isinstance(repeat.get("boundsRange"), dict):
        low, high = (duration(repeat["boundsRange"].get(end)) for end in ("low", "high"))
        return Interval(low.low, high.high) if low and high else None
    return None


def _perhaps(repeat: Mapping[str, Any], rate: Often | None) -> Interval | None:
    """From one day up to a `duration` that is longer than the period between two intakes."""
    days = duration({"value": repeat.get("duration"), "code": repeat.get("durationUnit")})
    if days is None or days.low is None or rate is None or rate.period.high is None:
        return None
    return Interval(_ONE, days.high) if days.low > max(rate.period.high, _ONE) else None


def _by_count(count: Decimal | None, most: Decimal | None, rate: Often | None) -> Interval | None:
    if count is None or count <= 0 or (most is not None and most < count) or rate is None:
        return None
    return intake_days(Interval(count, most or count), rate)


def intake_days(count: Interval, rate: Often) -> Interval | None:
    """Days that so many intakes last: 10 at 2 a day are 5 days, the last one begun counts."""
    per_day = rate.per_day(Interval(_ONE, _ONE))
    if not per_day.low or not per_day.high or count.low is None or count.high is None:
        return None
    low, high = count.low / per_day.high, count.high / per_day.low
    if high > _LONGEST_DAYS:
        return None
    return Interval(low.to_integral_value(rounding="ROUND_CEILING"), high.to_integral_value(rounding="ROUND_CEILING"))


_LONGEST_DAYS: Final = 40_000


def duration(value: object) -> Interval | None:
    """Days of a FHIR Duration; months and years are as long as the shortest and the longest of them."""
    quantity = mapping(value)
    length = number(quantity.get("value"))
    unit = (string(quantity.get("code")) or string(quantity.get("unit"))).lower()
    if length is None or length <= 0 or length > _LONGEST_DAYS or quantity.get("comparator"):
        return None
    return days_in(Interval(length, length), unit)
