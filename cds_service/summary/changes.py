"""The same record with one number changed: FHIR resources are replaced in a copy, so that the rules stay as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Any

from cds_service.clinical.exposure import Course
from cds_service.clinical.facts.bone_density import CENTRAL, Measure, Score, Site
from cds_service.clinical.patient import Patient
from cds_service.clinical.pulses import pulse_days
from cds_service.fhir.read import items, mapping, name_of, string
from cds_service.kernel.dates import DateSpan, parse_date, plus_days, plus_months
from cds_service.kernel.errors import InputError
from cds_service.kernel.facts import Known
from cds_service.kernel.needs import Records, Resource
from cds_service.kernel.quantities import as_number, plain
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth
from cds_service.summary.draw import vitamin_d_unit

_LOINC, _UCUM, _ATC = "http://loinc.org", "http://unitsofmeasure.org", "http://www.whocc.no/atc"
_PREDNISOLONE, _VITAMIN_D = "H02AB06", "62292-8"
_EDSS = ("http://snomed.info/sct", "273554001")
_T_CODES = {
    Site.LUMBAR_SPINE: ("38267-1", ""),
    Site.SPINE: ("38267-1", ""),
    Site.TOTAL_HIP: ("38264-8", ""),
    Site.FEMORAL_NECK: ("38263-0", "femoral neck"),
    Site.FEMUR: ("38263-0", ""),
}
# How long a course is taken to have lasted where a daily dose is tried in somebody who takes none.
_COURSE_DAYS = 183


class Quantity(Enum):
    """What can be varied. The value is its name in an address."""

    AGE = "age"
    T_SCORE = "t-score"
    DAILY_DOSE = "daily-dose"
    DURATION = "duration"
    VITAMIN_D = "vitamin-d"
    EDSS = "edss"


@dataclass(slots=True)
class Change:
    """What becomes of the resources of a record.

    Attributes:
        dropped: names ("Observation/12") of those that are left out.
        edited: what becomes of others, by name.
        added: new ones.
        assumed: what was taken for granted, one sentence each.
    """

    dropped: set[str] = field(default_factory=set)
    edited: dict[str, Callable[[Resource], Resource]] = field(default_factory=dict)
    added: list[Resource] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)


def changed(records: Records, change: Change) -> Records:
    """A copy of the records; how look-ups went stays as it is, new resources only show presence (`Records.extra`)."""

    def kept(resources: Iterable[Resource]) -> tuple[Resource, ...]:
        return tuple(_edited(each, change) for each in resources if name_of(each) not in change.dropped)

    lookups = {key: replace(told, resources=kept(told.resources)) for key, told in records.lookups.items()}
    return replace(records, lookups=lookups, extra=(*kept(records.extra), *change.added))


def _edited(resource: Resource, change: Change) -> Resource:
    """The resource as it becomes, and what is contained in it: "Observation/parent#child", as the chart names that."""
    edit = change.edited.get(name_of(resource))
    resource = edit(resource) if edit else resource
    if not (inner := items(resource.get("contained"))):
        return resource
    parent = string(resource.get("id"))

    def name(each: Resource) -> str:
        return f"{string(each.get('resourceType'))}/{parent}#{string(each.get('id'))}"

    kept = [each for each in map(mapping, inner) if name(each) not in change.dropped]
    as_now = [change.edited.get(name(each), dict)(each) for each in kept]
    return {**resource, "contained": as_now}


def change_of(p: Patient, t: Thresholds, settings: Mapping[Quantity, Decimal]) -> Change:
    """What has to change so that each quantity has its value.

    Args:
        p: facts of the record as it is.
        t: numbers in force.
        settings: the values.

    Raises:
        InputError: the record gives nothing that the value could be set on.
    """
    change = Change()
    for quantity, value in settings.items():
        if quantity in _SETTERS:
            _SETTERS[quantity](p, t, value, change)
    if settings.keys() & {Quantity.DAILY_DOSE, Quantity.DURATION}:
        _glucocorticoid(p, t, settings.get(Quantity.DAILY_DOSE), settings.get(Quantity.DURATION), change)
    return change


# --- age -------------------------------------------------------------------------------------------------------------
def _age(p: Patient, _: Thresholds, value: Decimal, change: Change) -> None:
    if not p.chart.patient:
        raise InputError("the record has no Patient", "age", "Supply the Patient resource.")
    born = plus_months(p.as_of, -12 * int(value)).isoformat()
    change.edited[name_of(p.chart.patient)] = lambda patient: {**patient, "birthDate": born}


# --- results ---------------------------------------------------------------------------------------------------------
def _on(span: DateSpan | None, otherwise: dt.date) -> str:
    """A date as FHIR writes it: that of the result that is replaced, if it has one."""
    if span is None:
        return otherwise.isoformat()
    return span.text if parse_date(span.text) else span.latest.isoformat()


def _observation(
    number: int, kind: str, code: tuple[str, str], on: str, value: Decimal, unit: str, more: Any = None
) -> Resource:
    system, ident = code
    return {
        "resourceType": "Observation",
        "id": f"what-if-{kind}-{number}",
        "status": "final",
        "effectiveDateTime": on,
        "code": {"coding": [{"system": system, "code": ident}]},
        "valueQuantity": {"value": as_number(value), "unit": unit, "system": _UCUM, "code": unit},
        **(more or {}),
    }


def _t_score(p: Patient, _: Thresholds, value: Decimal, change: Change) -> None:
    """The lowest of the latest central T-scores becomes the value; others that would be lower are raised to it."""
    newest: dict[Site, list[Score]] = {}
    for score in p.scores.items:
        if score.measure is Measure.T and score.site in CENTRAL:
            held = newest.setdefault(score.site, [])
            if not held or held[0].on == score.on:
                held.append(score)
    if not newest:
        for number, site in enumerate((Site.LUMBAR_SPINE, Site.TOTAL_HIP)):
            change.added.append(_t_observation(number, site, p.as_of.isoformat(), value))
        change.assumed.append(f"a DXA of spine and hip on {p.as_of.isoformat()}")
        return
    lowest = p.lowest_t.value.site if isinstance(p.lowest_t, Known) else next(iter(newest))
    for number, (site, scores) in enumerate(newest.items()):
        told = [bound for score in scores for bound in (score.value.low, score.value.high) if bound is not None]
        own = value if site is lowest else max(value, min(told))
        change.added.append(_t_observation(number, site, _on(scores[0].on, p.as_of), own))
        for score in scores:
            change.edited[score.entered] = lambda resource: _without_t_scores(p, resource)
    change.assumed.append("a value set for the lowest T-score raises those of other sites that would be lower")


def _t_observation(number: int, site: Site, on: str, value: Decimal) -> Resource:
    code, words = _T_CODES[site]
    more = {"bodySite": {"text": words}} if words else {}
    return _observation(number, "t-score", (_LOINC, code), on, value, "{T-score}", more)


def _without_t_scores(p: Patient, resource: Resource) -> Resource:
    """The rest of a resource that holds T-scores: its other components, or a report without its words."""
    if resource.get("resourceType") == "DiagnosticReport":
        return {name: value for name, value in resource.items() if name not in ("conclusion", "text", "presentedForm")}

    def is_t(part: Mapping[str, Any]) -> bool:
        return any(each.startswith("dxa.t_score") for each in p.chart.terminology.concepts(part.get("code")))

    own = is_t(resource)
    kept = {
        name: value for name, value in resource.items() if not (own and (name == "code" or name.startswith("value")))
    }
    if "component" in kept:
        kept["component"] = [part for part in map(mapping, items(kept["component"])) if not is_t(part)]
    return kept


def _vitamin_d(p: Patient, t: Thresholds, value: Decimal, change: Change) -> None:
    """The newest result becomes the value, in the unit of the site; a result too old to count is left, a new one added."""
    dated = [each for each in p.vitamin_d.items if each.on is not None]
    since = plus_months(p.as_of, -t.days("policy.result-months"))
    newest = dated[0] if dated and dated[0].on and dated[0].on.latest >= since else None
    if newest is not None:
        change.dropped |= {each.evidence.resource for each in dated if each.on == newest.on}
    on = _on(newest.on if newest else None, p.as_of)
    change.assumed.append(f"a 25-OH vitamin D result of {on}")
    change.added.append(_observation(0, "vitamin-d", (_LOINC, _VITAMIN_D), on, value, vitamin_d_unit(p)))


def _edss(p: Patient, _: Thresholds, value: Decimal, change: Change) -> None:
    on = p.as_of.isoformat()
    if isinstance(p.edss, Known):
        change.dropped |= {each.resource for each in p.edss.evidence}
        on = _on(p.edss.evidence[0].on, p.as_of)
    change.assumed.append(f"an EDSS of {on}")
    change.added.append(_observation(0, "edss", _EDSS, on, value, "{score}"))


_SETTERS: Mapping[Quantity, Callable[[Patient, Thresholds, Decimal, Change], None]] = {
    Quantity.AGE: _age,
    Quantity.T_SCORE: _t_score,
    Quantity.VITAMIN_D: _vitamin_d,
    Quantity.EDSS: _edss,
}


# --- glucocorticoids -------------------------------------------------------------------------------------------------
def taken_since(p: Patient) -> dt.date | None:
    """First of the days in a row, up to today, on which some systemic glucocorticoid was or may have been taken."""
    some = frozenset({Truth.YES, Truth.UNKNOWN})
    runs = p.exposure.runs(lambda daily: daily.more_than(Decimal(0)), some)
    return next((run.first for run in runs if run.first <= p.as_of <= run.last), None)


def _glucocorticoid(p: Patient, t: Thresholds, dose: Decimal | None, days: Decimal | None, change: Change) -> None:
    """One order of prednisolone in place of what is taken now; pulses and courses that are over stay.

    With a duration, the whole of the days in a row is replaced, and nothing is ordered beyond today.
    """
    as_of = p.as_of
    now = _courses(p, t, as_of)
    begins = min((each.days.first for each in now), default=as_of)
    reach = begins if days is None else min(begins, taken_since(p) or as_of)
    replaced = _courses(p, t, reach)
    change.dropped |= {each.evidence.resource for each in replaced}
    if dose is None:
        dose = _present_dose(p)
    until = as_of.isoformat()
    if days is not None:
        first, last = plus_days(as_of, 1 - int(days)), as_of
        change.assumed.append(f"{plain(dose)} mg prednisolone-equivalent a day up to {until}, no longer")
    elif now:
        first, last = begins, max(as_of, *(each.days.certain_last for each in now))
        change.assumed.append(f"the daily dose taken from {first.isoformat()} to {last.isoformat()}")
    else:
        first, last = plus_days(as_of, 1 - _COURSE_DAYS), as_of
        change.assumed.append(f"the daily dose taken for {_COURSE_DAYS} days up to {until}")
    if dose > 0:
        change.added.append(_order(first, last, dose))


def _courses(p: Patient, t: Thresholds, since: dt.date) -> list[Course]:
    """Courses that touch the days from then to today, pulses left out."""
    pulses = pulse_days(p.exposure, t)
    return [
        each
        for each in p.exposure.courses
        if each.days.last >= since
        and each.days.first <= p.as_of
        and not any(run.first <= each.days.first and each.days.last <= run.last for run in pulses)
    ]


def _present_dose(p: Patient) -> Decimal:
    now = p.exposure.on(p.as_of)
    if not now.exact or not now.low:
        what = "no daily dose is known that the duration could be of"
        raise InputError(what, "duration", "Hold a daily dose beside it.")
    return now.low


def _order(first: dt.date, last: dt.date, dose: Decimal) -> Resource:
    bounds = {"start": first.isoformat(), "end": last.isoformat()}
    return {
        "resourceType": "MedicationRequest",
        "id": "what-if-prednisolone",
        "status": "active",
        "intent": "order",
        "authoredOn": first.isoformat(),
        # a reason, or the order might be read as replacement therapy where adrenal insufficiency is on record (DEF-03)
        "reasonCode": [{"text": "what if"}],
        "medicationCodeableConcept": {"coding": [{"system": _ATC, "code": _PREDNISOLONE}]},
        "dosageInstruction": [
            {
                "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": bounds}},
                "route": {"text": "oral"},
                "doseAndRate": [
                    {"doseQuantity": {"value": as_number(dose), "unit": "mg", "system": _UCUM, "code": "mg"}}
                ],
            }
        ],
    }
