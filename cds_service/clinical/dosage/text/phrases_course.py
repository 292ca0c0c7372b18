"""Phrases that tell how long, what comes next, and on what condition: "for 5 days", "then", "reducing by", "if needed"."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from cds_service.clinical.dosage.text.harmless import INDICATION
from cds_service.clinical.dosage.text.phrase import LONG_TIME, NUMBER, RANGE, UNIT, Item, Rule, always, numbers, unit_of
from cds_service.clinical.dosage.units import days_in
from cds_service.kernel.quantities import Interval, exactly

# --- what comes next -------------------------------------------------------------------------------------------------
_STEP_EVERY = (
    rf"(?:every |each |per |a |q ?)?(?:({NUMBER}) )?"
    r"(daily|weekly|fortnightly|monthly|other day|alternate day|days|day|weeks|week|months|month|fortnight)"
)
_REDUCE = r"(?:reduc(?:e|es|ed|ing)|decreas(?:e|es|ed|ing)|taper(?:ed|ing)?|lower(?:ing)?|drop(?:ping)?|wean(?:ing)?)"
_CHANGE = rf"(?:{_REDUCE}|increas(?:e|es|ed|ing)|go(?:ing)?|step(?:ping)?|titrat(?:e|ing))"
_AND_THEN = r"(?:and then |then |and |, ?)*(?:to )?"
_TWO_DAYS, _FORTNIGHT = ("other day", "alternate day"), ("fortnight", "fortnightly")


def _by(m: re.Match[str]) -> Item | None:
    return _step_down(m[1], m[2], m[3], m[4])


def _by_turned(m: re.Match[str]) -> Item | None:
    """The interval before the amount: "reducing weekly by 5 mg"."""
    return _step_down(m[3], m[4], m[1], m[2])


def _step_down(amount: str, word: str | None, count: str | None, period: str) -> Item | None:
    step, every = exactly(Decimal(amount)), _step_length(count, period)
    unit, factor = unit_of(word)
    return Item("by", step.times(factor), unit, more=every) if every is not None and step.low else None


def _step_length(count: str | None, word: str) -> Interval | None:
    """Days of each step."""
    if word in _TWO_DAYS:
        return None if count else exactly(2)
    if word in _FORTNIGHT:
        return exactly(14) if count is None else None
    singular = {"daily": "day", "weekly": "week", "monthly": "month"}.get(word, word)
    return days_in(exactly(Decimal(count or 1)), singular)


def _to(m: re.Match[str]) -> Item:
    unit, factor = unit_of(m[2])
    return Item("to", exactly(Decimal(m[1]) * factor), unit)


NEXT: Final[tuple[Rule, ...]] = (
    (rf"{_AND_THEN}{_REDUCE}(?: the)?(?: dose)?(?: down)? by ({NUMBER}) ?({UNIT})? ?(?:, )?{_STEP_EVERY}", _by),
    (rf"{_AND_THEN}{_REDUCE}(?: the)?(?: dose)? {_STEP_EVERY}(?: ,)? by ({NUMBER}) ?({UNIT})?", _by_turned),
    (
        r"(?:until|till|down|to)(?: (?:it|dose) is)?(?: down)?(?: to)? (?:off|stopped|0|zero|nil|stop|finished|complete)",
        always("stop"),
    ),
    (r"(?:,? ?(?:and )?then |and )(?:stop taking|stop|discontinue|off)", always("stop", "then")),
    (rf",? ?(?:and )?(?:then )?{_CHANGE}(?: (?:the|your))?(?: dose)?(?: down| up)? to", always("then", "change")),
    (rf"to ({NUMBER}) ?({UNIT})", _to),
    (
        rf"(?:until|down|till)(?: (?:you )?(?:reach|reaching|at))?(?: down)? ?(?:to|at)? ({NUMBER}) ?({UNIT})?"
        r"(?: daily| a day| per day|/day| od)?(?: is reached| reached)?",
        _to,
    ),
    (
        r",? ?(?:and )?(?:followed by|then|thereafter|subsequently|after that|afterwards|after which)"
        r"(?: (?:by|with|continue|continuing|start|starting|on))*",
        always("then"),
    ),
)


# --- how long --------------------------------------------------------------------------------------------------------
def _length(m: re.Match[str]) -> Item | None:
    value = numbers(m[1])
    days = None if value is None else days_in(value, m[2].removesuffix("(s)"))
    return None if days is None else Item("length", days)


def _up_to_length(m: re.Match[str]) -> Item | None:
    item = _length(m)
    return None if item is None or item.amount is None else Item("length", Interval(Decimal(0), item.amount.high))


def _a_length(m: re.Match[str]) -> Item | None:
    fortnight = m[1] == "fortnight"
    days = days_in(exactly(2 if fortnight else 1), "week" if fortnight else m[1])
    return None if days is None else Item("length", days)


def _span(m: re.Match[str]) -> Item | None:
    first, last = int(m[1]), int(m[2] or m[1])
    return Item("span", Interval(Decimal(first), Decimal(last))) if 0 < first <= last else None


def _nth_day(m: re.Match[str]) -> Item:
    return Item("span", exactly(int(m[1])))


def _first_days(m: re.Match[str]) -> Item | None:
    days = int(m[1])
    return Item("span", Interval(Decimal(1), Decimal(days))) if days > 0 else None


def _today(_: re.Match[str]) -> Item:
    return Item("span", exactly(1))


def _doses(m: re.Match[str]) -> Item | None:
    count = numbers(m[1])
    return None if count is None else Item("doses", count)


LENGTHS: Final[tuple[Rule, ...]] = (
    (r"(?:on )?days? (\d{1,3})(?: ?(?:-|to|through|thru|until) ?(?:day )?(\d{1,3}))?", _span),
    (r"(?:on |for )?(?:the )?#([1-9])# day(?: only)?", _nth_day),
    (r"(?:on |for )?the first (\d{1,3}) days", _first_days),
    (r"today(?: only)?", _today),
    (
        r"(?:(?:for|x|lasting) ?)?(?:the )?(?:next |first |a total of |a further |another |about )?"
        rf"({RANGE})[ -]?(?:more |further |additional )?({LONG_TIME})(?: (?:only|course|total|in total|duration))?",
        _length,
    ),
    (rf"(?:for )?up to ({RANGE}) ?({LONG_TIME})", _up_to_length),
    (rf"(?:for|x) ?({RANGE})[ -]?(h|hrs?|hours?)", _length),
    (r"for (?:a|the next|1) (day|week|month|year|fortnight)", _a_length),
    (rf"(?:for|x) ?({RANGE}) ?(?:doses?|times)(?: only| total)?", _doses),
)

# --- on what condition -----------------------------------------------------------------------------------------------
_NEEDED = (
    r"(?:only )?(?:as(?: and)?(?: when)?|when|where|if|whenever) ?(?:it is |you )?"
    r"(?:needed|required|necessary|need|reqd|req|nec)(?: it| them)?"
)
_SINGLE = (
    r"(?:(?:as|in) (?:an? )?(?:1|single) (?:daily )?dose|once only|1 time only|stat|immediately|at once|as 1 dose"
    r"|(?:for|x) ?1 dose|1 dose only|single dose|1 time|once(?! ?(?:a|per|every|daily|in|at|on|each|/)))"
)
_DIRECTED = (
    r"(?:use |take |taken |apply |to be taken |to be used )?(?:exactly |only )?as "
    r"(?:directed|instructed|dir|advised|prescribed|discussed|per instructions|before|per package(?: directions| instructions)?)"
    r"(?: by (?:your |the )?(?:doctor|physician|prescriber|gp|consultant|specialist|hospital|clinic|dr|md))?"
)

CONDITIONS: Final[tuple[Rule, ...]] = (
    (rf"(?:prn|{_NEEDED})(?: po| by mouth| orally)?(?: for)? {INDICATION}", always("prn")),
    (_NEEDED, always("prn")),
    (r"(?:prn|p r n|sos|on an as needed basis)", always("prn")),
    (r"(?:up to|upto|at most|a maximum of|maximum of|max of|as many as)", always("upto")),
    (_SINGLE, always("single")),
    (_DIRECTED, always("directed")),
    (r"(?:ud|utd|mdu|asdir|as dir|asd)", always("directed")),
    (r"(?:in|as|into) (?:equally )?(?:\d )?(?:equally )?divided doses?", always("divided")),
)
