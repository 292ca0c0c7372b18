"""FRAX results on record. They are read, never computed here: the model is proprietary (DEF-10)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby

from cds_service.clinical import needs
from cds_service.clinical.facts.results import Failed, Result, Results, hull, moment, read_results
from cds_service.clinical.measurements import shown
from cds_service.fhir.chart import Chart
from cds_service.fhir.read import code_text, items, mapping
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Gap, GapKind, Series
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval

NEEDS = (needs.FRACTURE_RISK,)
WHAT = "frax"
_MOF, _HIP = "fracture_risk.frax_mof", "fracture_risk.frax_hip"
_BMD_INPUT = "femoral_neck_bmd"
# What FRAX asks for, as its inputs are worded on record. There are no codes for them (terminology.md 13).
_INPUTS = (
    (re.compile(r"\bbmd\b|bone mineral density", re.I), _BMD_INPUT),
    (re.compile(r"rheumatoid", re.I), "rheumatoid_arthritis"),
    (re.compile(r"secondary osteoporosis", re.I), "secondary_osteoporosis"),
    (re.compile(r"glucocorticoid|steroid", re.I), "glucocorticoids"),
    (re.compile(r"parent", re.I), "parent_fractured_hip"),
    (re.compile(r"previous fracture|prior fracture", re.I), "previous_fracture"),
    (re.compile(r"smok", re.I), "current_smoking"),
    (re.compile(r"alcohol", re.I), "alcohol"),
)
_IS_INPUT = re.compile(r"\s*frax input\b", re.I)
_WITH_BMD = re.compile(r"\bwith(?P<out>out)? (?:femoral neck )?(?:bmd\b|bone mineral density)", re.I)
# FRAX gives one decimal; "0.045" is a fraction of 1, not a percentage
_STEP = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Frax:
    """One FRAX result: ten-year probabilities.

    Attributes:
        mof: of a major osteoporotic fracture, percent; `None` when it is not on record.
        hip: of a hip fracture, percent.
        on: when it was worked out.
        with_bmd: whether bone density was entered; `None` when the record does not say, or contradicts itself.
        ticked: inputs on record as yes ("rheumatoid_arthritis", "secondary_osteoporosis", "glucocorticoids", ...).
        evidence: what shows it.
    """

    mof: Interval | None
    hip: Interval | None
    on: DateSpan | None
    with_bmd: bool | None
    ticked: frozenset[str]
    evidence: Evidence


def frax_results(chart: Chart) -> Series[Frax]:
    """All results, newest first; both probabilities of one day are one result."""
    mof = _without_fractions(chart, read_results(chart, WHAT, "frax-mof", _MOF))
    hip = _without_fractions(chart, read_results(chart, WHAT, "frax-hip", _HIP))
    hip = _without_doubtful(hip, {each.on for each in mof.failed if each.on})
    read = Results(tuple(sorted((*mof.usable, *hip.usable), key=_newest_first)), (*mof.failed, *hip.failed))
    found = [_merged(chart, group) for group in _groups(read.usable)]
    gaps = read.gaps(found[0].on if found else None)
    return Series(tuple(found), (*chart.gaps(*NEEDS), *dict.fromkeys(gaps)))


def _newest_first(result: Result) -> tuple[int, int, str, str]:
    days = (-result.on.latest.toordinal(), -result.on.earliest.toordinal()) if result.on else (0, 0)
    return (*days, moment(result.found), result.name)


def _without_fractions(chart: Chart, read: Results) -> Results:
    """Leave out values that look like fractions of 1: read as percent they would reassure falsely."""
    kept: list[Result] = []
    failed = list(read.failed)
    for each in read.usable:
        bounds = [bound for bound in (each.measured.value.low, each.measured.value.high) if bound is not None]
        if any(bound < 1 and bound % _STEP for bound in bounds):
            chart.set_unread(each.found.resource, GapKind.UNIT_UNKNOWN.value)
            failed.append(Failed(Gap(GapKind.UNIT_UNKNOWN, WHAT, "percent or fraction", each.name), each.on))
        else:
            kept.append(each)
    return Results(tuple(kept), tuple(failed))


def _without_doubtful(hip: Results, days: set[DateSpan]) -> Results:
    """Leave out hip values below 1 % next to a probability that could not be read: they may be fractions too."""
    doubtful = [each for each in hip.usable if each.on in days and (each.measured.value.low or 0) < 1]
    lost = [Failed(Gap(GapKind.UNIT_UNKNOWN, WHAT, "percent or fraction", each.name), each.on) for each in doubtful]
    return Results(tuple(each for each in hip.usable if each not in doubtful), (*hip.failed, *lost))


def _groups(results: Iterable[Result]) -> Iterator[list[Result]]:
    """What belongs to one calculation: a day, unless it holds different values; then each moment of it."""
    for on, of_day in groupby(results, key=lambda each: each.on):
        day = list(of_day)
        if on is None:
            by_resource = sorted(day, key=lambda each: each.name)
            yield from (list(group) for _, group in groupby(by_resource, key=lambda each: each.name))
        elif _one_calculation(day):
            yield day
        else:
            later_first = sorted(day, key=lambda each: moment(each.found), reverse=True)
            yield from (list(group) for _, group in groupby(later_first, key=lambda each: moment(each.found)))


def _one_calculation(day: list[Result]) -> bool:
    return all(len({each.measured for each in day if each.is_of(concept)}) <= 1 for concept in (_MOF, _HIP))


def _merged(chart: Chart, group: list[Result]) -> Frax:
    mof, hip = _probability(group, _MOF), _probability(group, _HIP)
    resources = list({each.name: each.found.resource for each in group}.values())
    told: dict[str, set[bool]] = {}
    for resource in resources:
        for name, yes in _inputs(chart, resource):
            told.setdefault(name, set()).add(yes)
    bmd = told.pop(_BMD_INPUT, set())
    with_bmd = next(iter(bmd)) if len(bmd) == 1 else None
    ticked = {name for name, answers in told.items() if answers == {True}}
    words = [f"MOF {shown(mof, '%')}" if mof else "", f"hip {shown(hip, '%')}" if hip else ""]
    note = {True: "with bone density", False: "without bone density", None: ""}[with_bmd]
    evidence = Evidence(WHAT, ", ".join(filter(None, words)), group[0].on, group[0].name, note)
    return Frax(mof, hip, group[0].on, with_bmd, frozenset(ticked), evidence)


def _probability(group: list[Result], concept: str) -> Interval | None:
    values = [each.measured.value for each in group if each.is_of(concept)]
    return hull(values) if values else None


def _inputs(chart: Chart, resource: Resource) -> Iterator[tuple[str, bool]]:
    """What was entered: components "FRAX input: ...", a reference to a bone density, the wording of the code."""
    for component in items(resource.get("component")):
        part = mapping(component)
        words, answer = code_text(part.get("code")), part.get("valueBoolean")
        if not _IS_INPUT.match(words) or not isinstance(answer, bool):
            continue
        yield from ((name, answer) for pattern, name in _INPUTS if pattern.search(words))
    for reference in items(resource.get("derivedFrom")):
        source = chart.resolve(mapping(reference).get("reference"), "Observation")
        if source and any(each.startswith("dxa.") for each in chart.terminology.concepts(source.get("code"))):
            yield _BMD_INPUT, True
    if match := _WITH_BMD.search(code_text(resource.get("code"))):
        yield _BMD_INPUT, match["out"] is None
