"""Height lost since the tallest adult height on record."""

from __future__ import annotations

from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import born
from cds_service.clinical.facts.results import Result, hull, newest_day, older, read_results
from cds_service.clinical.measurements import convert
from cds_service.fhir.chart import Chart
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval

NEEDS = (needs.PATIENT, needs.LIFESTYLE)
_ADULT_MONTHS = 18 * 12
_NONE = Decimal(0)


def height_loss(chart: Chart) -> Fact[Interval]:
    """Centimetres between the tallest adult height on record and the latest one; 0 where none was taller.

    Heights count from the 18th birthday on, and only with a date; two of different days are needed. How exactly
    they were measured is not on record: what counts as a loss is for the rule to say. While a look-up is open, or a
    height could not be read, a taller one may exist: then the loss is a lower bound.
    """
    birth, open_ = born(chart), chart.gaps(*NEEDS)
    if birth is None:
        kind = GapKind.UNREADABLE if chart.patient.get("birthDate") else GapKind.NOT_RECORDED
        return Unknown(open_ or (Gap(kind, "birth-date"),))
    read = read_results(chart, "height", "height", "vitals.height")
    grown_up = plus_months(birth.latest, _ADULT_MONTHS)
    failed = tuple(each.gap for each in read.failed if each.on is None or each.on.latest >= grown_up)
    adult = [each for each in read.usable if each.on is not None and each.on.earliest >= grown_up]
    latest = newest_day(adult)
    earlier = [each for each in adult if older(each.on, latest[0].on)]
    if not earlier:
        return Unknown((*open_, *failed) or (Gap(GapKind.NOT_RECORDED, "height-loss"),))
    tallest = max(earlier, key=lambda each: _cm(each).low or _NONE)
    lost = _difference(hull([_cm(each) for each in latest]), [_cm(each) for each in earlier])
    doubts = (*open_, *failed)
    shown = (tallest.evidence("height"), latest[0].evidence("height"))
    return Known(Interval(lost.low, None) if doubts else lost, shown, doubts)


def _cm(result: Result) -> Interval:
    return convert(result.measured.value, "height", result.measured.unit, "cm")


def _difference(latest: Interval, earlier: list[Interval]) -> Interval:
    """The loss, never below nought; an open end where a height is only a bound."""
    least = [each.low - latest.high for each in earlier if each.low is not None and latest.high is not None]
    most = [each.high - latest.low for each in earlier if each.high is not None and latest.low is not None]
    complete = len(most) == len(earlier)
    return Interval(max((_NONE, *least)), max((_NONE, *most)) if complete else None)
