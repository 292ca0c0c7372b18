"""Multiple sclerosis: diagnosis, type, disability (EDSS), mobility and falls."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

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
from cds_service.clinical.facts.conditions import Diagnosis, diagnoses, still_active
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import name_of
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.quantities import Interval, exactly, plain
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS, needs.FUNCTION)


def ms(chart: Chart) -> Series[Diagnosis]:
    """Multiple sclerosis on record; amyotrophic lateral sclerosis and atherosclerosis are other concepts."""
    return diagnoses(chart, "ms.condition")


class MsType(Enum):
    """Course of the disease."""

    RELAPSING = "relapsing"
    PRIMARY_PROGRESSIVE = "primary progressive"
    SECONDARY_PROGRESSIVE = "secondary progressive"


_TYPES = {
    "ms.relapsing": MsType.RELAPSING,
    "ms.primary_progressive": MsType.PRIMARY_PROGRESSIVE,
    "ms.secondary_progressive": MsType.SECONDARY_PROGRESSIVE,
}


def ms_type(chart: Chart) -> Fact[MsType]:
    """The type on record.

    Secondary progressive disease follows a relapsing one, so it wins over that; a primary progressive type beside
    another one is a conflict.
    """
    typed = still_active(diagnoses(chart, *_TYPES))
    found = {_TYPES[each.concept]: each.evidence for each in reversed(typed.items)}
    if not found:
        return Unknown(typed.gaps or (Gap(GapKind.NOT_RECORDED, "ms-type"),))
    if MsType.PRIMARY_PROGRESSIVE in found and len(found) > 1:
        return Unknown(tuple(Gap(GapKind.CONFLICTING, "ms-type", "", shown.resource) for shown in found.values()))
    course = MsType.SECONDARY_PROGRESSIVE if MsType.SECONDARY_PROGRESSIVE in found else next(iter(found))
    return Known(course, (found[course],))


# --- EDSS ------------------------------------------------------------------------------------------------------------
_EDSS_UNITS = frozenset({"", "1", "score", "{score}"})
_EDSS_HIGHEST = Decimal(10)


def edss(chart: Chart) -> Fact[Interval]:
    """The latest Expanded Disability Status Scale (0 to 10 in steps of 0.5, Kurtzke 1983).

    Two different scores of the same day give the interval between them. A newer score that cannot be read may be
    higher: then the latest readable one is only the lower bound.
    """
    read: list[tuple[Decimal, Evidence]] = []
    odd: list[Evidence] = []
    for found in chart.find("Observation", "ms.EDSS"):
        on = observed(chart, found.resource)
        if ahead(chart, found.resource, on):
            continue
        value = plain_value(found.part, _EDSS_UNITS)
        if value is None or not 0 <= value <= _EDSS_HIGHEST or value * 2 % 1:
            chart.set_unread(found.resource, "edss-not-readable")
            odd.append(Evidence("edss", "", on, name_of(found.resource)))
        else:
            read.append((value, Evidence("edss", plain(value), on, name_of(found.resource))))
    if not read:
        unreadable = tuple(Gap(GapKind.UNREADABLE, "edss", "", shown.resource) for shown in odd)
        gaps = (*unreadable, *chart.gaps(needs.FUNCTION))
        return Unknown(gaps or (Gap(GapKind.NOT_RECORDED, "edss"),))
    return _latest_edss(read, odd)


def _latest_edss(read: list[tuple[Decimal, Evidence]], odd: list[Evidence]) -> Fact[Interval]:
    def day(shown: Evidence) -> dt.date:
        return shown.on.latest if shown.on else dt.date.min

    last = max(day(shown) for _, shown in read)
    latest = [(value, shown) for value, shown in read if day(shown) == last]
    low, high = min(value for value, _ in latest), max(value for value, _ in latest)
    shown = tuple(evidence for _, evidence in latest)
    doubts = [Gap(GapKind.CONFLICTING, "edss", "", each.resource) for each in shown if low < high]
    newer = [each for each in odd if each.on is None or each.on.latest > last]
    if newer:
        doubts += [Gap(GapKind.UNREADABLE, "edss", "", each.resource) for each in newer]
        return Known(Interval(low, _EDSS_HIGHEST), shown, tuple(doubts))
    return Known(exactly(low) if low == high else Interval(low, high), shown, tuple(doubts))


# --- mobility --------------------------------------------------------------------------------------------------------
class MobilityKind(Enum):
    """How the patient gets about; REDUCED says only that it is harder."""

    WALKING_AID = "walking aid"
    WHEELCHAIR = "wheelchair"
    BEDBOUND = "bed"
    REDUCED = "reduced mobility"


@dataclass(frozen=True, slots=True)
class MobilityAid:
    """A mobility aid or limit that holds now, as far as the record tells.

    Attributes:
        kind: see `MobilityKind`.
        on: since when (Conditions), or when it was observed.
        evidence: what shows it.
    """

    kind: MobilityKind
    on: DateSpan | None
    evidence: Evidence


_KINDS = {
    "mobility.bedbound": MobilityKind.BEDBOUND,
    "mobility.wheelchair": MobilityKind.WHEELCHAIR,
    "mobility.walking_aid": MobilityKind.WALKING_AID,
    "mobility.reduced": MobilityKind.REDUCED,
}


def mobility(chart: Chart) -> Series[MobilityAid]:
    """Walking aid, wheelchair, bed, reduced mobility; what is over, or denied later on, does not count."""
    found: dict[MobilityKind, MobilityAid] = {}
    denied: dict[MobilityKind, DateSpan | None] = {}
    for each in chart.find("Condition", *_KINDS):
        on = begun(chart, each.resource)
        if activity(each.resource, chart.as_of) is not Truth.NO and not ahead(chart, each.resource, on):
            _keep(found, _kind(each), on, name_of(each.resource))
    for each in chart.find("Observation", *_KINDS, "mobility.assessment"):
        on = observed(chart, each.resource)
        if ahead(chart, each.resource, on):
            continue
        kind, truth = _observed_kind(chart, each)
        if kind is None or truth is Truth.UNKNOWN:
            chart.set_unread(each.resource, "no-answer")
        elif truth is Truth.YES:
            _keep(found, kind, on, name_of(each.resource))
        else:
            denied[kind] = max((on, denied.get(kind)), key=lambda span: span.latest if span else dt.date.min)
    items = [aid for aid in found.values() if not _later(denied.get(aid.kind), aid.on)]
    return Series(tuple(sorted(items, key=lambda aid: newest_first(aid.on))), chart.gaps(*NEEDS))


def _kind(found: Found) -> MobilityKind:
    matched = {entry.concept for entry in found.entries}
    return next(kind for concept, kind in _KINDS.items() if concept in matched)


def _observed_kind(chart: Chart, found: Found) -> tuple[MobilityKind | None, Truth]:
    """What an Observation says: an answer that names the aid, or yes or no to the aid in its code."""
    answers = chart.terminology.concepts(found.part.get("valueCodeableConcept"))
    named = [kind for concept, kind in _KINDS.items() if concept in answers]
    if named:
        return named[0], Truth.YES
    asked = {entry.concept for entry in found.entries} & _KINDS.keys()
    return (_kind(found), yes_or_no(chart, found.part)) if asked else (None, Truth.UNKNOWN)


def _keep(found: dict[MobilityKind, MobilityAid], kind: MobilityKind, on: DateSpan | None, resource: str) -> None:
    aid = MobilityAid(kind, on, Evidence("mobility", kind.value, on, resource))
    if kind not in found or newest_first(on) < newest_first(found[kind].on):
        found[kind] = aid


def _later(denied: DateSpan | None, seen: DateSpan | None) -> bool:
    return denied is not None and seen is not None and denied.earliest > seen.latest


# --- falls -----------------------------------------------------------------------------------------------------------
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
