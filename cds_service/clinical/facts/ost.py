"""OST, the Osteoporosis Self-assessment Tool: a prescreen from weight and age. It can raise a concern, never lower one."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts import body, demographics
from cds_service.fhir.chart import Chart
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Thresholds

NEEDS = (needs.PATIENT, needs.LIFESTYLE)
_WHOLE = Decimal(1)


def score(weight: Interval, years: Interval, factor: Decimal) -> Interval:
    """0.2 times kilograms minus years, cut off towards zero; the lower, the more likely is low bone density.

    Args:
        weight: kg.
        years: age.
        factor: the 0.2.
    """
    return Interval(_end(weight.low, years.high, factor), _end(weight.high, years.low, factor))


def _end(kg: Decimal | None, years: Decimal | None, factor: Decimal) -> Decimal | None:
    """One end; open where weight or age is."""
    return None if kg is None or years is None else (factor * (kg - years)).quantize(_WHOLE, ROUND_DOWN)


def ost(chart: Chart, t: Thresholds) -> Fact[Interval]:
    """The score from the latest weight and the age of today; the evidence is dated like the weight.

    No score without a weight, or with one that has no date or is too old: somebody may have lost weight since.
    """
    age, weight = demographics.age(chart), body.weight(chart)
    if not (isinstance(age, Known) and isinstance(weight, Known)):
        missing = (gap for fact in (age, weight) if isinstance(fact, Unknown) for gap in fact.gaps)
        return Unknown(tuple(dict.fromkeys(missing)))
    weighed = weight.evidence[0]
    since = plus_months(chart.as_of, -t.days("ost.weight-months"))
    if weighed.on is None or weighed.on.earliest < since:
        too_old = weighed.on is not None and weighed.on.latest < since
        kind, what = (GapKind.TOO_OLD, "weight") if too_old else (GapKind.NOT_RECORDED, "date")
        return Unknown((Gap(kind, what, str(weighed.on or ""), weighed.resource),))
    value = score(weight.value, age.value, t.number("ost.factor"))
    shown = Evidence("ost", str(value), weighed.on, weighed.resource, f"from age and weight {weighed.value}")
    return Known(value, (shown,), tuple(dict.fromkeys((*age.doubts, *weight.doubts))))
