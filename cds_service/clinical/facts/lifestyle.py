"""Smoking and alcohol."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import (
    activity,
    ahead,
    begun,
    icd_10_cm,
    observed,
    plain_value,
    recorded,
)
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import code_text, name_of, string
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval, exactly
from cds_service.kernel.truth import Truth

NEEDS = (needs.LIFESTYLE, needs.CONDITIONS)


class Smoking(Enum):
    """Smoking status."""

    CURRENT = "current"
    FORMER = "former"
    NEVER = "never"


_STATUS = {
    "smoking.current": Smoking.CURRENT,
    "smoking.former": Smoking.FORMER,
    "smoking.never": Smoking.NEVER,
}
_DEPENDENCE = "smoking.dependence"
# F17.2-: 6th character 1 is "in remission"
_REMISSION = re.compile(r"F172\d1")
_WORDS = (
    (re.compile(r"unknown|not asked|declined", re.I), None),
    (re.compile(r"never", re.I), Smoking.NEVER),
    (re.compile(r"\bformer|\bex-?\s?smok|\bquit|stopped", re.I), Smoking.FORMER),
    (
        re.compile(r"current|every ?day|some days?|\bdaily|(heavy|light|occasional) (tobacco )?smoker|^smoker$", re.I),
        Smoking.CURRENT,
    ),
)


def smoking(chart: Chart) -> Fact[Smoking]:
    """The newest smoking status on record; different ones of the same day are a conflict (D10)."""
    told = [*_observed_smoking(chart), *_diagnosed_smoking(chart)]
    if not told:
        return Unknown(chart.gaps(*NEEDS) or (Gap(GapKind.NOT_RECORDED, "smoking"),))
    last = max(_day(shown.on) for _, shown in told)
    newest = [(value, shown) for value, shown in told if _day(shown.on) == last]
    if len({value for value, _ in newest}) > 1:
        return Unknown(tuple(Gap(GapKind.CONFLICTING, "smoking", "", shown.resource) for _, shown in newest))
    return Known(newest[0][0], tuple(shown for _, shown in newest))


def _observed_smoking(chart: Chart) -> Iterator[tuple[Smoking, Evidence]]:
    for found in chart.find("Observation", "lifestyle.smoking"):
        on = observed(chart, found.resource)
        if ahead(chart, found.resource, on):
            continue
        answer = _answer(chart, found.part)
        if answer is None:
            chart.set_unread(found.resource, "no-answer")
        else:
            yield answer, _shown(answer, on, found.resource)


def _answer(chart: Chart, part: Resource) -> Smoking | None:
    coded = part.get("valueCodeableConcept")
    concepts = chart.terminology.concepts(coded)
    if "smoking.unknown" in concepts or part.get("dataAbsentReason"):
        return None
    named = {status for concept, status in _STATUS.items() if concept in concepts}
    if named:
        return named.pop() if len(named) == 1 else None
    words = code_text(coded) or string(part.get("valueString"))
    return next((status for pattern, status in _WORDS if pattern.search(words)), None)


def _diagnosed_smoking(chart: Chart) -> Iterator[tuple[Smoking, Evidence]]:
    for found in chart.find("Condition", "smoking.current", "smoking.former", _DEPENDENCE):
        condition = found.resource
        on = recorded(condition) or begun(chart, condition)
        if ahead(chart, condition, on):
            continue
        concepts = {entry.concept for entry in found.entries}
        over = activity(condition, chart.as_of) is Truth.NO
        former = "smoking.former" in concepts or any(_REMISSION.match(c) for c in icd_10_cm(condition.get("code")))
        answer = Smoking.FORMER if former or over else Smoking.CURRENT
        yield answer, _shown(answer, on, condition)


def _shown(answer: Smoking, on: DateSpan | None, resource: Resource) -> Evidence:
    return Evidence("smoking", answer.value, on, name_of(resource))


def _day(on: DateSpan | None) -> dt.date:
    return on.latest if on else dt.date.min


# --- alcohol ---------------------------------------------------------------------------------------------------------
# "# per day" is how the US Core example writes it
_A_DAY = frozenset({"{drinks}/d", "drinks/d", "drinks/day", "{drinks}/day", "{drink}/d", "/d", "1/d", "# per day"})
_A_WEEK = frozenset({"{drinks}/wk", "drinks/wk", "drinks/week", "{drinks}/week", "{drink}/wk", "/wk", "1/wk"})
_DAYS_A_WEEK = 7
_MOST_DRINKS = Decimal(100)
_DRINKING_DAY = "lifestyle.alcohol_drinking_day"


def alcohol(chart: Chart) -> Fact[Interval]:
    """Alcoholic drinks per day, from the newest readable result.

    Drinks per *drinking* day are an upper bound of the average day. What a drink holds differs between countries;
    the number is taken as recorded.
    """
    read: list[tuple[bool, Interval, Evidence]] = []
    gaps: list[Gap] = []
    for found in chart.find("Observation", "lifestyle.alcohol", _DRINKING_DAY):
        on = observed(chart, found.resource)
        if ahead(chart, found.resource, on):
            continue
        drinks = _drinks(found.part)
        if drinks is None:
            chart.set_unread(found.resource, "alcohol-not-readable")
            gaps.append(Gap(GapKind.UNREADABLE, "alcohol", "", name_of(found.resource)))
            continue
        bound = all(entry.concept == _DRINKING_DAY for entry in found.entries)
        value = Interval(Decimal(0), drinks) if bound else exactly(drinks)
        read.append((not bound, value, Evidence("alcohol", str(value), on, name_of(found.resource))))
    if not read:
        return Unknown((*gaps, *chart.gaps(needs.LIFESTYLE)) or (Gap(GapKind.NOT_RECORDED, "alcohol"),))
    average, value, shown = max(read, key=lambda each: (_day(each[2].on), each[0], each[1].high or 0))
    doubts = () if average else (Gap(GapKind.NOT_RECORDED, "alcohol", "drinks per drinking day only", shown.resource),)
    return Known(value, (shown,), doubts)


def _drinks(part: Resource) -> Decimal | None:
    drinks = plain_value(part, _A_DAY)
    if drinks is None and (weekly := plain_value(part, _A_WEEK)) is not None:
        drinks = weekly / _DAYS_A_WEEK
    return drinks if drinks is not None and 0 <= drinks <= _MOST_DRINKS else None
