"""Falls on record, and how many there were in the past year."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import (
    activity,
    ahead,
    begun,
    follow_up,
    newest_first,
    observed,
    only_recorded,
    plain_value,
    recorded_by,
    yes_or_no,
)
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import name_of, when
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS, needs.FUNCTION)


@dataclass(frozen=True, slots=True)
class Fall:
    """A fall on record.

    Attributes:
        on: when; "by <date>" when only the recording is dated.
        recurrent: true when the record says that there were several.
        past_year: true when it is an answer about the twelve months before `on`.
        evidence: what shows it.
    """

    on: DateSpan | None
    recurrent: bool
    past_year: bool
    evidence: Evidence


_RECURRENT = "falls.recurrent"
_PAST_YEAR = "falls.past_year"
_FALL_CONDITIONS = ("falls.event", _RECURRENT, "falls.history")
_COUNT_UNITS = frozenset({"", "1", "{falls}", "{falls}/a", "{#}", "falls"})


def falls(chart: Chart) -> Series[Fall]:
    """Falls, newest first; the same day twice counts once. Being at risk of falling is not a fall."""
    found: dict[tuple[str, bool], Fall] = {}
    for each in chart.find("Condition", *_FALL_CONDITIONS):
        on = begun(chart, each.resource)
        if ahead(chart, each.resource, on):
            continue
        matched = {entry.concept for entry in each.entries}
        recurrent = _RECURRENT in matched
        if on and recurrent and activity(each.resource, chart.as_of) is Truth.YES:
            on = DateSpan(on.earliest, chart.as_of, f"since {on}")
        elif not only_recorded(on) and ("falls.history" in matched or follow_up(each.resource.get("code"))):
            on = recorded_by(chart, on)
        fall = Fall(on, recurrent, False, _fall_evidence(each, on, "repeated" if recurrent else ""))
        found.setdefault((str(on), recurrent), fall)
    for each in chart.find("Observation", _PAST_YEAR, *_FALL_CONDITIONS):
        if (answer := _answered(chart, each)) is not None:
            found.setdefault((f"asked {answer.on}", answer.recurrent), answer)
    return Series(tuple(sorted(found.values(), key=lambda fall: newest_first(fall.on))), chart.gaps(*NEEDS))


def _answered(chart: Chart, found: Found) -> Fall | None:
    on = observed(chart, found.resource)
    if ahead(chart, found.resource, on):
        return None
    matched = {entry.concept for entry in found.entries}
    count = plain_value(found.part, _COUNT_UNITS)
    answer = Truth.of(count > 0) if count is not None else yes_or_no(chart, found.part, *_FALL_CONDITIONS)
    if answer is Truth.UNKNOWN:
        chart.set_unread(found.resource, "no-answer")
    if answer is not Truth.YES:
        return None
    recurrent = _RECURRENT in matched or (count is not None and count > 1)
    asked = _PAST_YEAR in matched
    if "falls.history" in matched:
        on = recorded_by(chart, on)
    return Fall(on, recurrent, asked, _fall_evidence(found, on, "repeated" if recurrent else ""))


def _fall_evidence(found: Found, on: DateSpan | None, value: str) -> Evidence:
    return Evidence("fall", value, on, name_of(found.resource))


def falls_in_year(chart: Chart) -> Fact[Interval]:
    """How many falls in the twelve months before today.

    At least the dated ones, two for "repeated falls"; more where undated ones, or an answer about a year that only
    overlaps, may lie in the window. Without any fall the count is nought only when all look-ups completed (S2).
    """
    series = falls(chart)
    since = plus_months(chart.as_of, -12)
    near = [(fall, within) for fall in series.items if (within := _within(chart, fall, since)) is not Truth.NO]
    if not near and series.gaps:
        return Unknown(series.gaps)
    sure = [fall for fall, within in near if within is Truth.YES]
    single = sum(1 for fall in sure if not (fall.recurrent or fall.past_year))
    # "repeated" and "yes, in the past year" may be about the very falls that are also dated one by one
    low = max([single, *(2 if fall.recurrent else 1 for fall in sure)])
    uncounted = bool(series.gaps) or any(fall.recurrent or fall.past_year for fall, _ in near)
    high = None if uncounted else Decimal(len(near))
    shown = tuple(fall.evidence for fall, _ in near)
    open_ = shown if uncounted or low < len(near) else ()
    doubts = tuple(Gap(GapKind.NOT_RECORDED, "falls", "", each.resource) for each in open_)
    return Known(Interval(Decimal(low), high), shown, (*doubts, *series.gaps))


def _within(chart: Chart, fall: Fall, since: dt.date) -> Truth:
    """Is it certain, possible or excluded that the fall lies in the window?"""
    if fall.on is None:
        return Truth.UNKNOWN
    if fall.on.latest < since:
        return Truth.NO
    if fall.past_year:
        # an answer given last month about "the past year" reaches back before the window
        return Truth.YES if fall.on.earliest == chart.as_of else Truth.UNKNOWN
    return Truth.YES if fall.on.earliest >= since else Truth.UNKNOWN


@dataclass(frozen=True, slots=True)
class FallsQuestion:
    """A time at which somebody asked about falls, or assessed the risk of them.

    Attributes:
        on: when; `None` when the record does not say.
        evidence: what shows it.
    """

    on: DateSpan | None
    evidence: Evidence


_CONDUCTED = "falls.assessment"
_ASKED = (_PAST_YEAR, _CONDUCTED, "falls.morse")


def falls_asked(chart: Chart) -> Series[FallsQuestion]:
    """When falls were asked about, newest first, whatever the answer was; a question without one does not count."""
    found: dict[str, FallsQuestion] = {}
    told = [*chart.find("Observation", *_ASKED), *chart.find("Procedure", _CONDUCTED)]
    for each in told:
        on = when(each.resource) if each.resource.get("resourceType") == "Procedure" else observed(chart, each.resource)
        if not ahead(chart, each.resource, on) and _was_asked(chart, each):
            shown = Evidence("falls-question", "", on, name_of(each.resource))
            found.setdefault(str(on), FallsQuestion(on, shown))
    items = sorted(found.values(), key=lambda question: newest_first(question.on))
    return Series(tuple(items), chart.gaps(needs.FUNCTION, needs.PROCEDURES))


def _was_asked(chart: Chart, found: Found) -> bool:
    """Panels and Procedures say so themselves; "no" to "an assessment was conducted" says that it was not."""
    matched = {entry.concept for entry in found.entries}
    if found.part.get("dataAbsentReason"):
        return False
    answer = yes_or_no(chart, found.part, *_FALL_CONDITIONS)
    if _PAST_YEAR in matched:
        return answer is not Truth.UNKNOWN or plain_value(found.part, _COUNT_UNITS) is not None
    return matched != {_CONDUCTED} or answer is not Truth.NO
