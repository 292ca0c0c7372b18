"""25-OH vitamin D results, each in the unit it was reported in.

Two assays measure D2 and D3 apart; their sum is the total (`terminology.md` 12, trap 4). Most results coded as D3 are
the whole of it, where nobody takes D2. Codes that may mean the parent vitamin (trap 5) are not counted but reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import newest_first
from cds_service.clinical.facts.results import Failed, Result, Results, read_results
from cds_service.clinical.measurements import NotRead, convert, measure, shown
from cds_service.fhir.chart import Chart
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Gap, GapKind, Series
from cds_service.kernel.quantities import Interval

NEEDS = (needs.VITAMIN_D,)
WHAT = "vitamin-d"
ANALYTE = "vitamin-d"
TOTAL, D3, D2 = "lab.25OHD.total", "lab.25OHD.D3", "lab.25OHD.D2"
_AMBIGUOUS = "lab.25OHD.legacy_or_ambiguous"
_SOMETHING_ELSE = "lab.vitD.not_25OHD"


@dataclass(frozen=True, slots=True)
class VitaminD:
    """One 25-OH vitamin D result.

    Attributes:
        value: as reported; a bound where the result says "<" or ">".
        unit: "ng/mL" or "nmol/L", as reported (DEF-11).
        on: when; `None` when the record does not say.
        evidence: what shows it; the note says where D3 stands for the total.
    """

    value: Interval
    unit: str
    on: DateSpan | None
    evidence: Evidence

    def in_unit(self, unit: str) -> Interval:
        """The value in the other unit, rounded as DEF-11 says."""
        return convert(self.value, ANALYTE, self.unit, unit)


def vitamin_d(chart: Chart) -> Series[VitaminD]:
    """All results, newest first, those without a date last.

    A result that could not be read, and may be newer than the newest readable one, is a gap.
    """
    _report_look_alikes(chart)
    read = read_results(chart, WHAT, ANALYTE, TOTAL, D3, D2)
    kept = [each for each in read.usable if not each.is_of(_SOMETHING_ELSE)]
    found: list[VitaminD] = []
    d2_alone: list[Failed] = []
    for on, results in groupby(kept, key=lambda each: each.on):
        day = list(results)
        if on is None:
            found.extend(_of_day([each]) for each in day if not each.is_of(D2) or each.is_of(TOTAL))
        elif all(each.is_of(D2) and not each.is_of(TOTAL) for each in day):
            d2_alone.append(_only_d2(chart, day))
        else:
            found.extend(_results_of_day(day))
    newest = next((each.on for each in found), None)
    gaps = Results((), (*read.failed, *d2_alone)).gaps(newest)
    found.sort(key=lambda each: newest_first(each.on))
    once = {(each.value, each.unit, each.on): each for each in reversed(found)}  # the same result twice (D11)
    items = tuple(each for each in found if once[each.value, each.unit, each.on] is each)
    return Series(items, (*chart.gaps(*NEEDS), *dict.fromkeys(gaps)))


def _results_of_day(day: list[Result]) -> Iterable[VitaminD]:
    """The results of one day: totals as they are; without a total, D3 and D2 together."""
    totals = [each for each in day if each.is_of(TOTAL)]
    if totals:
        return [_of_day([each]) for each in totals]
    d3 = [each for each in day if not each.is_of(D2)]
    d2 = [each for each in day if each.is_of(D2)]
    # several D3 of one day belong to several samples: which D2 goes with which is not known
    if d2 and len({str(each.measured) for each in d3}) == len({str(each.measured) for each in d2}) == 1:
        return [_of_day([d3[0], d2[0]])]
    return [_of_day([each]) for each in d3]


def _of_day(parts: list[Result]) -> VitaminD:
    first, *others = parts
    unit, value = first.measured.unit, first.measured.value
    for other in others:
        value = _from_zero(value) + _from_zero(convert(other.measured.value, ANALYTE, other.measured.unit, unit))
    note = "" if first.is_of(TOTAL) else "D2 and D3 added" if others else "D3 only"
    return VitaminD(value, unit, first.on, Evidence("vitamin-d", shown(value, unit), first.on, first.name, note))


def _from_zero(value: Interval) -> Interval:
    """A concentration below a bound is not below zero: "<4" and 19 are 19 to 23."""
    return value if value.low is not None else Interval(Decimal(0), value.high, value.above_low, value.below_high)


def _only_d2(chart: Chart, day: list[Result]) -> Failed:
    for each in day:
        chart.set_unread(each.found.resource, "vitamin-d2-only")
    first = day[0]
    return Failed(Gap(GapKind.NOT_RECORDED, WHAT, "only D2 was measured", first.name), first.on)


def _report_look_alikes(chart: Chart) -> None:
    """Report, and leave out, results whose code may mean other forms of vitamin D."""
    for found in chart.find("Observation", _AMBIGUOUS):
        reading = measure(found.part, ANALYTE)
        if not (isinstance(reading, NotRead) and reading.kind is GapKind.NOT_RECORDED):
            chart.set_unread(found.resource, "vitamin-d-code-ambiguous")
