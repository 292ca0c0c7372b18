"""Multiple sclerosis: diagnosis, type and disability (EDSS)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import ahead, observed, plain_value
from cds_service.clinical.facts.conditions import Diagnosis, diagnoses, still_active
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import name_of
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.quantities import Interval, exactly, plain

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
