"""The latest kidney function, calcium and albumin, each in the unit it was reported in; which tests were done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import ahead, newest_first, observed
from cds_service.clinical.facts.results import Result, Results, hull, newest_day, read_results
from cds_service.clinical.measurements import Measured, convert, measure_quantity, shown
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import codes_in, items, mapping, name_of
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.needs import Need, Resource
from cds_service.kernel.quantities import Interval

NEEDS = (needs.LABORATORY,)
_RACE_FREE, _BY_RACE = "lab.eGFR.race_free", "lab.eGFR.race_stratified"
_ADJUSTED, _TOTAL = "lab.calcium.albumin_corrected", "lab.calcium.total"


@dataclass(frozen=True, slots=True)
class Lab:
    """The latest result of one kind.

    Attributes:
        analyte: name in `analytes.toml`.
        value: as reported; several different values of one day give the interval between them.
        unit: as reported, a UCUM code.
        on: when; `None` when the record does not say.
        low_limit: lower limit of the laboratory's reference range, in `unit`; `None` when there is none.
        high_limit: upper limit, likewise.
        evidence: what shows it.
        adjusted: false for a calcium that was not adjusted for albumin.
    """

    analyte: str
    value: Interval
    unit: str
    on: DateSpan | None
    low_limit: Decimal | None
    high_limit: Decimal | None
    evidence: Evidence
    adjusted: bool = True

    def in_unit(self, unit: str) -> Interval:
        """The value in another unit."""
        return convert(self.value, self.analyte, self.unit, unit)


def egfr(chart: Chart) -> Fact[Lab]:
    """Estimated glomerular filtration rate, mL/min/1.73 m2.

    Of several formulas on one day the race-free one counts. Results that come in twins, one for each of two races, give the
    interval between the two: race is no input of this service.
    """
    read = read_results(chart, "egfr", "egfr", "lab.eGFR")
    day = newest_day(read.usable)
    race_free = tuple(each for each in day if each.is_of(_RACE_FREE))
    others = tuple(each for each in day if not each.is_of(_BY_RACE))
    return _latest(chart, "egfr", read, race_free or others or day)


def creatinine(chart: Chart) -> Fact[Lab]:
    """Creatinine in serum, plasma or blood."""
    read = read_results(chart, "creatinine", "creatinine", "lab.creatinine")
    return _latest(chart, "creatinine", read, newest_day(read.usable))


def albumin(chart: Chart) -> Fact[Lab]:
    """Albumin in serum or plasma."""
    read = read_results(chart, "albumin", "albumin", "lab.albumin")
    return _latest(chart, "albumin", read, newest_day(read.usable))


def calcium(chart: Chart) -> Fact[Lab]:
    """Calcium, adjusted for albumin by the laboratory where that is on record; ionised calcium never counts.

    A total calcium stays as it is and is marked: no correction formula has been verified for this project, and
    laboratories use different ones.
    """
    read = read_results(chart, "calcium", "calcium", _ADJUSTED, _TOTAL)
    day = newest_day(read.usable)
    adjusted = tuple(each for each in day if each.is_of(_ADJUSTED))
    return _latest(chart, "calcium", read, adjusted or day, adjusted=bool(adjusted))


def _latest(chart: Chart, what: str, read: Results, day: tuple[Result, ...], *, adjusted: bool = True) -> Fact[Lab]:
    """The fact of the results that count.

    Doubts: the look-up did not complete, or a result that may be newer could not be read.
    """
    open_ = chart.gaps(*NEEDS)
    if not day:
        failed = tuple(each.gap for each in read.failed)
        return Unknown((*open_, *failed) or (Gap(GapKind.NOT_RECORDED, what),))
    first = day[0]
    unit = first.measured.unit
    values = [convert(each.measured.value, what, each.measured.unit, unit) for each in day]
    value = hull(values)
    note = "" if adjusted else "total, not adjusted for albumin"
    shown_as = Evidence(what, shown(value, unit), first.on, first.name, note)
    low, high = _limits(first.found.part, what, unit)
    lab = Lab(what, value, unit, first.on, low, high, shown_as, adjusted)
    doubts = [*open_, *read.gaps(first.on)]
    if len(set(values)) > 1:
        doubts.append(Gap(GapKind.CONFLICTING, what, f"several results of one day: {value}", first.name))
    evidence = (shown_as, *(each.evidence(what) for each in day[1:] if each.measured.value != first.measured.value))
    return Known(lab, evidence, tuple(dict.fromkeys(doubts)))


def _limits(part: Resource, analyte: str, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """The reference range in the unit of the value; none where there are several (by age, by sex)."""
    told = [mapping(each) for each in items(part.get("referenceRange"))]
    usual = [each for each in told if codes_in(each.get("type")) <= {"normal"}]
    if len(usual) != 1:
        return None, None
    return _ends(usual[0], analyte, unit)


def _ends(told: Resource, analyte: str, unit: str) -> tuple[Decimal | None, Decimal | None]:
    """Both ends of one reference range."""

    def limit(end: str) -> Decimal | None:
        quantity = mapping(told.get(end))
        if not (quantity.get("unit") or quantity.get("code")):
            quantity = {**quantity, "unit": unit}  # a range without a unit is meant in that of its value
        match measure_quantity(quantity, analyte):
            case Measured(value, own) if value.exact:
                return convert(value, analyte, own, unit).low
        return None

    return limit("low"), limit("high")


# --- tests done, whatever they showed --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Tested:
    """One laboratory test that was done.

    Attributes:
        concept: the concept of the value sets that was asked for.
        on: when; `None` when the record does not say.
        evidence: what shows it; the value is the name of the test.
    """

    concept: str
    on: DateSpan | None
    evidence: Evidence


_NAMES = {
    "lab.phosphate": "phosphate",
    "lab.ALP": "alkaline phosphatase",
    "lab.magnesium": "magnesium",
    "lab.PTH": "PTH",
    "lab.TSH": "TSH",
    "lab.SPEP": "protein electrophoresis",
    "lab.tTG_IgA": "tissue transglutaminase IgA",
    "lab.testosterone": "testosterone",
    "lab.creatinine": "creatinine",
    "lab.eGFR": "eGFR",
    "lab.albumin": "albumin",
    _ADJUSTED: "calcium, adjusted for albumin",
    _TOTAL: "calcium",
    "lab.calcium.ionised": "ionised calcium",
    "lab.calcium.urine24h": "calcium in 24-hour urine",
}


def tests(chart: Chart, *concepts: str) -> Series[Tested]:
    """Whether those tests were done: every one on record, newest first, one of a day told twice counts once (D11).

    Whatever the value is, and in whatever unit, somebody has tested; how old a test may be is for the rule to say. A
    result without a value (sample lost, test cancelled) shows nothing. Reports count as well as single results.

    Raises:
        ContentError: no look-up covers one of the concepts, so that its absence could never be told.
    """
    wanted = list(_looked_up(concepts))
    found: dict[tuple[str, str], Tested] = {}
    told = [*chart.find("Observation", *concepts), *chart.find("DiagnosticReport", *concepts)]
    for each in told:
        on = observed(chart, each.resource)
        if not _has_result(each):
            chart.set_unread(each.resource, "no-value")
        elif not ahead(chart, each.resource, on):
            concept = next(c for c in concepts if any(entry.concept == c for entry in each.entries))
            shown = Evidence("tested", _NAMES[concept], on, name_of(each.resource))
            found.setdefault((concept, str(on)), Tested(concept, on, shown))
    ordered = sorted(found.values(), key=lambda each: newest_first(each.on))
    return Series(tuple(ordered), chart.gaps(*wanted))


def _has_result(found: Found) -> bool:
    """Whether anything was reported; a report or panel has its results elsewhere."""
    if found.resource.get("resourceType") == "DiagnosticReport":
        return True
    part = found.part
    return any(name.startswith("value") for name in part) or bool(part.get("hasMember") or part.get("component"))


def _looked_up(concepts: tuple[str, ...]) -> Iterator[Need]:
    """The look-ups for those concepts, narrowed to them: a doubtful creatinine leaves no gap for phosphate."""
    for concept in concepts:
        need = next((n for n in (*NEEDS, needs.SECONDARY_CAUSES) if concept.startswith(n.concepts)), None)
        if need is None or concept not in _NAMES:
            raise ContentError("facts/laboratory.py", concept, "is looked up by no need")
        yield replace(need, concepts=(concept,))
