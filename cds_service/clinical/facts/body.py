"""Body mass index, weight and height."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import observed
from cds_service.clinical.facts.results import Result, Results, hull, newest_day, older, read_results
from cds_service.clinical.measurements import convert
from cds_service.fhir.chart import Chart
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, exactly

NEEDS = (needs.LIFESTYLE,)
_ONE_DECIMAL = Decimal("0.1")
_CM_PER_M = 100


def weight(chart: Chart) -> Fact[Interval]:
    """Latest body weight, kg."""
    return _latest(chart, "weight", "kg", _read(chart, "weight"))


def height(chart: Chart) -> Fact[Interval]:
    """Latest body height, cm."""
    return _latest(chart, "height", "cm", _read(chart, "height"))


def bmi(chart: Chart) -> Fact[Interval]:
    """Latest body mass index, kg/m2: as recorded, or from weight and height where the weight is newer."""
    recorded = _read(chart, "bmi")
    fact = _latest(chart, "bmi", "kg/m2", recorded)
    recorded_on = recorded.usable[0].on if recorded.usable else None
    # most records write all three at each visit: then neither weight nor height needs to be read
    if not any(
        _newer(recorded_on, observed(chart, found.resource)) for found in chart.find("Observation", "vitals.weight")
    ):
        return fact
    return _from_weight_and_height(chart, recorded_on) or fact


def _read(chart: Chart, what: str) -> Results:
    return read_results(chart, what, what, f"vitals.{what}")


def _latest(chart: Chart, what: str, unit: str, read: Results) -> Fact[Interval]:
    open_ = chart.gaps(*NEEDS)
    day = newest_day(read.usable)
    if not day:
        return Unknown((*open_, *(each.gap for each in read.failed)) or (Gap(GapKind.NOT_RECORDED, what),))
    value = hull([_value(each, what, unit) for each in day])
    return Known(value, (day[0].evidence(what),), (*open_, *read.gaps(day[0].on)))


def _value(result: Result, what: str, unit: str) -> Interval:
    return convert(result.measured.value, what, result.measured.unit, unit)


def _from_weight_and_height(chart: Chart, recorded_on: DateSpan | None) -> Known[Interval] | None:
    """From the newest weight, where no body mass index is as new, and the newest height."""
    weights = _read(chart, "weight")
    if not weights.usable or not _newer(recorded_on, weights.usable[0].on):
        return None
    heights = _read(chart, "height")
    if not heights.usable:
        return None
    on = weights.usable[0].on
    kg, cm = _value(weights.usable[0], "weight", "kg"), _value(heights.usable[0], "height", "cm")
    if kg.low is None or cm.low is None or not (kg.exact and cm.exact):
        return None
    metres = cm.low / _CM_PER_M
    index = (kg.low / (metres * metres)).quantize(_ONE_DECIMAL, ROUND_HALF_UP)
    evidence = Evidence("bmi", f"{index} kg/m2", on, weights.usable[0].name, "from weight and height")
    return Known(exactly(index), (evidence,), chart.gaps(*NEEDS))


def _newer(recorded_on: DateSpan | None, weighed_on: DateSpan | None) -> bool:
    """Whether a weight is newer than the recorded index; any weight is where no index has a date."""
    return recorded_on is None or older(recorded_on, weighed_on)
