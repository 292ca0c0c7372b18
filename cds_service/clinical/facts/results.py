"""Results with a number: what could be read, and what could not, for all fact readers of Observations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cds_service.clinical.facts.answers import ahead, newest_first, observed
from cds_service.clinical.measurements import Measured, NotRead, measure
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import items, mapping, name_of, string
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.quantities import Interval


@dataclass(frozen=True, slots=True)
class Result:
    """One value that can be used.

    Attributes:
        found: where it stands.
        measured: the value with its unit.
        on: when it was measured; `None` when the record does not say.
    """

    found: Found
    measured: Measured
    on: DateSpan | None

    @property
    def name(self) -> str:
        """`Observation/12`."""
        return name_of(self.found.resource)

    def is_of(self, concept: str) -> bool:
        """Whether one of its codes has that concept."""
        return any(entry.concept == concept for entry in self.found.entries)

    def evidence(self, kind: str, note: str = "") -> Evidence:
        """The value as evidence."""
        return Evidence(kind, str(self.measured), self.on, self.name, note)


@dataclass(frozen=True, slots=True)
class Failed:
    """One result that is on record and cannot be used."""

    gap: Gap
    on: DateSpan | None


@dataclass(frozen=True, slots=True)
class Results:
    """Everything on record of one kind: usable values newest first, and the others."""

    usable: tuple[Result, ...]
    failed: tuple[Failed, ...]

    def gaps(self, newest: DateSpan | None) -> tuple[Gap, ...]:
        """Gaps of failed results that may be newer than the newest usable one: "latest" is not certain then."""
        return tuple(each.gap for each in self.failed if not older(each.on, newest))


def older(on: DateSpan | None, than: DateSpan | None) -> bool:
    """Whether it certainly lies before the other date."""
    return on is not None and than is not None and on.latest < than.earliest


def read_results(chart: Chart, what: str, analyte: str, *concepts: str) -> Results:
    """All results of those concepts.

    What cannot be used is reported (`chart.unread`): a date in the future (D15), no value, a unit that is missing,
    wrong or contradicted (D16), a value that is not possible (D18). A result without a date counts, and is reported.

    Args:
        chart: the chart.
        what: what a gap says is missing.
        analyte: name in `analytes.toml`.
        concepts: concepts of the value sets.
    """
    return results_of(chart, what, analyte, chart.find("Observation", *concepts))


def results_of(chart: Chart, what: str, analyte: str, observations: Iterable[Found]) -> Results:
    """The same for Observations that somebody else has picked."""
    usable: list[Result] = []
    failed: list[Failed] = []
    for found in observations:
        reading, on = measure(found.part, analyte), observed(chart, found.resource)
        if isinstance(reading, NotRead):
            failed.extend(not_used(chart, found, reading, what, on))
        elif ahead(chart, found.resource, on):
            failed.append(Failed(in_future(found, what), on))
        else:
            if on is None:
                chart.set_unread(found.resource, "no-date")
            usable.append(Result(found, reading, on))
    return Results(tuple(sorted(usable, key=_order)), tuple(failed))


def not_used(chart: Chart, found: Found, reading: NotRead, what: str, on: DateSpan | None) -> Iterator[Failed]:
    """Report a result that could not be read; a result that never had a value leaves no gap."""
    name = name_of(found.resource)
    if reading.kind is GapKind.NOT_RECORDED:
        if not _is_panel(found):
            chart.set_unread(found.resource, "no-value")
        return
    chart.set_unread(found.resource, reading.kind.value)
    yield Failed(Gap(reading.kind, what, reading.detail, name), on)


def in_future(found: Found, what: str) -> Gap:
    """The gap of a result that is dated after the day asked about."""
    return Gap(GapKind.UNREADABLE, what, "dated in the future", name_of(found.resource))


def _is_panel(found: Found) -> bool:
    """A panel carries its values in its members or components, not in itself."""
    return bool(items(found.part.get("hasMember")) or items(found.part.get("component")))


def moment(found: Found) -> str:
    """The date and time as written: tells two results of one day apart."""
    told = found.resource.get("effectiveDateTime")
    period = mapping(found.resource.get("effectivePeriod"))
    return string(told) or string(period.get("start"))


def _order(result: Result) -> tuple[object, ...]:
    value = result.measured.value
    return (*newest_first(result.on), str(value), result.name)


def newest_day(results: Iterable[Result]) -> tuple[Result, ...]:
    """The results of the newest day there is; those without a date only where none has one."""
    ordered = tuple(results)
    return tuple(each for each in ordered if each.on == ordered[0].on)


def hull(values: list[Interval]) -> Interval:
    """The smallest interval that holds all of them."""
    if len(set(values)) == 1:
        return values[0]
    lows, highs = [each.low for each in values], [each.high for each in values]
    known_lows, known_highs = [low for low in lows if low is not None], [high for high in highs if high is not None]
    return Interval(
        min(known_lows) if len(known_lows) == len(lows) else None,
        max(known_highs) if len(known_highs) == len(highs) else None,
    )
