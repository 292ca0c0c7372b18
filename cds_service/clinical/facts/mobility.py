"""How the patient gets about: walking aid, wheelchair, bed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import Enum

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import activity, ahead, begun, newest_first, observed, yes_or_no
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import name_of
from cds_service.kernel.dates import DateSpan
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS, needs.FUNCTION)


class MobilityKind(Enum):
    """How the patient gets about; REDUCED says only that it is harder."""

    WALKING_AID = "walking aid"
    WHEELCHAIR = "wheelchair"
    BEDBOUND = "bed"
    REDUCED = "reduced mobility"


@dataclass(frozen=True, slots=True)
class MobilityAid:
    """A mobility aid or limit that holds now, as far as the record tells.

    Attributes:
        kind: see `MobilityKind`.
        on: since when (Conditions), or when it was observed.
        evidence: what shows it.
    """

    kind: MobilityKind
    on: DateSpan | None
    evidence: Evidence


_KINDS = {
    "mobility.bedbound": MobilityKind.BEDBOUND,
    "mobility.wheelchair": MobilityKind.WHEELCHAIR,
    "mobility.walking_aid": MobilityKind.WALKING_AID,
    "mobility.reduced": MobilityKind.REDUCED,
}


def mobility(chart: Chart) -> Series[MobilityAid]:
    """Walking aid, wheelchair, bed, reduced mobility; what is over, or denied later on, does not count."""
    found: dict[MobilityKind, MobilityAid] = {}
    denied: dict[MobilityKind, DateSpan | None] = {}
    for each in chart.find("Condition", *_KINDS):
        on = begun(chart, each.resource)
        if activity(each.resource, chart.as_of) is not Truth.NO and not ahead(chart, each.resource, on):
            _keep(found, _kind(each), on, name_of(each.resource))
    for each in chart.find("Observation", *_KINDS, "mobility.assessment"):
        on = observed(chart, each.resource)
        if ahead(chart, each.resource, on):
            continue
        kind, truth = _observed_kind(chart, each)
        if kind is None or truth is Truth.UNKNOWN:
            chart.set_unread(each.resource, "no-answer")
        elif truth is Truth.YES:
            _keep(found, kind, on, name_of(each.resource))
        else:
            denied[kind] = max((on, denied.get(kind)), key=lambda span: span.latest if span else dt.date.min)
    items = [aid for aid in found.values() if not _later(denied.get(aid.kind), aid.on)]
    return Series(tuple(sorted(items, key=lambda aid: newest_first(aid.on))), chart.gaps(*NEEDS))


def _kind(found: Found) -> MobilityKind:
    matched = {entry.concept for entry in found.entries}
    return next(kind for concept, kind in _KINDS.items() if concept in matched)


def _observed_kind(chart: Chart, found: Found) -> tuple[MobilityKind | None, Truth]:
    """What an Observation says: an answer that names the aid, or yes or no to the aid in its code."""
    answers = chart.terminology.concepts(found.part.get("valueCodeableConcept"))
    named = [kind for concept, kind in _KINDS.items() if concept in answers]
    if named:
        return named[0], Truth.YES
    asked = {entry.concept for entry in found.entries} & _KINDS.keys()
    return (_kind(found), yes_or_no(chart, found.part)) if asked else (None, Truth.UNKNOWN)


def _keep(found: dict[MobilityKind, MobilityAid], kind: MobilityKind, on: DateSpan | None, resource: str) -> None:
    aid = MobilityAid(kind, on, Evidence("mobility", kind.value, on, resource))
    if kind not in found or newest_first(on) < newest_first(found[kind].on):
        found[kind] = aid


def _later(denied: DateSpan | None, seen: DateSpan | None) -> bool:
    return denied is not None and seen is not None and denied.earliest > seen.latest
