"""Menopausal status. A missing status is never "no" (DEF-12)."""

from __future__ import annotations

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import ahead, begun, observed, recorded, yes_or_no
from cds_service.clinical.facts.demographics import Sex
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import name_of
from cds_service.kernel.dates import DateSpan, plus_days
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Threshold
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS, needs.FUNCTION)
WHAT = "menopause"
CONCEPTS = ("menopause.postmenopausal", "menopause.premature_or_surgical")


def postmenopausal(
    chart: Chart,
    age: Fact[Interval],
    sex: Fact[Sex],
    presumed_from: Threshold,
    no_trusted_days: int | None = None,
) -> Fact[bool]:
    """Has menopause passed?

    Args:
        chart: the chart.
        age: age in years.
        sex: sex for clinical use; men are never postmenopausal.
        presumed_from: age from which menopause is taken to have passed without a record (policy).
        no_trusted_days: days for which a dated "no" is believed; always when `None`. A "no" of years ago
            says nothing about today, a "yes" of years ago does.

    Returns:
        Yes or no with what shows it. When both are on record, the newer one where both are dated, else a conflict.
    """
    if isinstance(sex, Known) and sex.value is Sex.MALE:
        return Known(False, sex.evidence)
    yes, no, gaps = _told(chart, no_trusted_days)
    if isinstance(age, Known) and isinstance(sex, Known) and age.value.at_least(presumed_from.value) is Truth.YES:
        return Known(True, (*yes, *age.evidence))
    if yes and no:
        return _newest(yes, no)
    if yes:
        return Known(True, yes)
    if isinstance(sex, Unknown):
        return sex
    open_ = chart.gaps(*NEEDS)
    if no:
        return Known(False, no, open_)
    return Unknown((*gaps, *open_) or (Gap(GapKind.NOT_RECORDED, WHAT),))


def _told(
    chart: Chart, no_trusted_days: int | None
) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...], tuple[Gap, ...]]:
    """What says yes, what says no, and what could not be used."""
    yes: list[Evidence] = []
    no: list[Evidence] = []
    gaps: list[Gap] = []
    for found in chart.find("Condition", *CONCEPTS):
        # a menopause that is "resolved" has still happened
        on = begun(chart, found.resource)
        if not ahead(chart, found.resource, on):
            yes.append(_evidence(found.resource, "yes", recorded(found.resource) or on))
    denied = [(found.resource, recorded(found.resource)) for found in chart.refuted(*CONCEPTS)]
    for found, truth in _observations(chart):
        on = observed(chart, found.resource)
        if truth is Truth.YES:
            yes.append(_evidence(found.resource, "yes", on))
        elif truth is Truth.NO:
            denied.append((found.resource, on))
        else:
            gaps.append(Gap(GapKind.UNREADABLE, WHAT, "", name_of(found.resource)))
    for resource, on in denied:
        if ahead(chart, resource, on):
            continue
        if no_trusted_days is not None and on is not None and on.latest < plus_days(chart.as_of, -no_trusted_days):
            gaps.append(Gap(GapKind.TOO_OLD, WHAT, str(on), name_of(resource)))
        else:
            no.append(_evidence(resource, "no", on))
    return tuple(yes), tuple(no), tuple(gaps)


def _observations(chart: Chart) -> list[tuple[Found, Truth]]:
    found = chart.find("Observation", *CONCEPTS)
    return [
        (each, yes_or_no(chart, each.part, *CONCEPTS))
        for each in found
        if not ahead(chart, each.resource, observed(chart, each.resource))
    ]


def _newest(yes: tuple[Evidence, ...], no: tuple[Evidence, ...]) -> Fact[bool]:
    """The answer given last, when every answer is dated and the last is later than all contrary ones."""
    if all(e.on is not None for e in (*yes, *no)):
        if _after(yes, no):
            return Known(True, yes)
        if _after(no, yes):
            return Known(False, no)
    return Unknown(tuple(Gap(GapKind.CONFLICTING, WHAT, "", e.resource) for e in (*yes, *no)))


def _after(these: tuple[Evidence, ...], those: tuple[Evidence, ...]) -> bool:
    last = max(e.on.earliest for e in these if e.on)
    return all(e.on is not None and e.on.latest < last for e in those)


def _evidence(resource: Resource, value: str, on: DateSpan | None) -> Evidence:
    return Evidence(WHAT, value, on, name_of(resource))
