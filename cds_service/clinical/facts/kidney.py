"""Creatinine clearance by the formula of Cockcroft and Gault, which drug labels use (rule book LAB-03)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts import body, demographics, laboratory
from cds_service.clinical.facts.conditions import diagnoses, still_active
from cds_service.clinical.facts.demographics import Sex
from cds_service.fhir.chart import Chart
from cds_service.kernel.dates import plus_months
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Thresholds

NEEDS = (needs.PATIENT, needs.LIFESTYLE, needs.LABORATORY, needs.CONDITIONS)
_ONE_DECIMAL = Decimal("0.1")
_UNIT = "mL/min"


def clearance(chart: Chart, t: Thresholds) -> Fact[Interval]:
    """Creatinine clearance, mL/min, from age, sex, actual weight and the latest creatinine.

    Rounded to one decimal, as it is shown. Without a recorded sex it is the interval between the results for both; an
    age, a weight or a creatinine known as an interval gives an interval. A weight or a creatinine that is too old, or
    has no date, gives no clearance; in chronic kidney disease of stage 4 or 5 a creatinine is too old sooner (rule book
    7). Doubts: what may change one of the four, a newer result that could not be read among them.
    """
    age, sex = demographics.age(chart), demographics.sex(chart)
    weight, creatinine = body.weight(chart), laboratory.creatinine(chart)
    if not (isinstance(age, Known) and isinstance(weight, Known) and isinstance(creatinine, Known)):
        missing = (gap for fact in (age, weight, creatinine) if isinstance(fact, Unknown) for gap in fact.gaps)
        return Unknown(tuple(dict.fromkeys(missing)))
    lab, weighed = creatinine.value, weight.evidence[0]
    stale = (
        *_stale(chart, "weight", weighed, t.days("laboratory.weight-months")),
        *_stale_creatinine(chart, t, lab.evidence),
    )
    if stale:
        return Unknown(stale)
    value = _formula(t, age.value, weight.value, lab.in_unit("mg/dL"), _sexes(sex))
    shown = Evidence("clearance", f"{value} {_UNIT}", lab.on, lab.evidence.resource, "by Cockcroft-Gault")
    unsure = sex.gaps if isinstance(sex, Unknown) else ()
    doubts = dict.fromkeys((*age.doubts, *unsure, *weight.doubts, *creatinine.doubts))
    return Known(value, (shown, lab.evidence, weighed), tuple(doubts))


def _sexes(sex: Fact[Sex]) -> frozenset[Sex]:
    return frozenset({sex.value} if isinstance(sex, Known) else Sex)


# --- formula ---------------------------------------------------------------------------------------------------------
def _formula(t: Thresholds, age: Interval, kg: Interval, mg_dl: Interval, sexes: frozenset[Sex]) -> Interval:
    """(140 - age) x weight / (72 x creatinine), x 0.85 in women: falls with age and creatinine, rises with weight."""
    female = t.number("cockcroft_gault.female-factor")
    least = female if Sex.FEMALE in sexes else Decimal(1)
    most = Decimal(1) if Sex.MALE in sexes else female
    low = _result(t, age.high, kg.low, mg_dl.high, least)
    high = _result(t, age.low, kg.high, mg_dl.low, most)
    return Interval(low, high, kg.above_low or mg_dl.below_high, kg.below_high or mg_dl.above_low)


def _result(
    t: Thresholds, age: Decimal | None, kg: Decimal | None, mg_dl: Decimal | None, factor: Decimal
) -> Decimal | None:
    """One end; open where one of the values it rests on is."""
    if age is None or kg is None or not mg_dl:
        return None
    years = max(t.number("cockcroft_gault.age-from") - age, Decimal(0))
    found = years * kg * factor / (t.number("cockcroft_gault.divisor") * mg_dl)
    return found.quantize(_ONE_DECIMAL, ROUND_HALF_UP)


# --- too old ---------------------------------------------------------------------------------------------------------
def _stale_creatinine(chart: Chart, t: Thresholds, shown: Evidence) -> tuple[Gap, ...]:
    """Whether the result is too old; where that turns on a diagnosis nobody could look up, that is what is missing."""
    usual = _stale(chart, "creatinine", shown, t.days("laboratory.creatinine-months"))
    sooner = _stale(chart, "creatinine", shown, t.days("laboratory.severe-ckd-months"))
    if usual or not sooner:
        return usual
    severe = still_active(diagnoses(chart, "cond.ckd_4_5"))
    return sooner if severe.items else severe.gaps


def _stale(chart: Chart, what: str, shown: Evidence, months: int) -> tuple[Gap, ...]:
    since = plus_months(chart.as_of, -months)
    on = shown.on
    if on is not None and on.latest < since:
        return (Gap(GapKind.TOO_OLD, what, str(on), shown.resource),)
    if on is None or on.earliest < since:
        return (Gap(GapKind.NOT_RECORDED, "date", "", shown.resource),)
    return ()
