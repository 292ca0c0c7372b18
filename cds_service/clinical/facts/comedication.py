"""Drugs taken now, by concept of the value sets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cds_service.clinical import needs
from cds_service.clinical.dosage.course import FOREVER, Days, days_of, dosages_of
from cds_service.clinical.facts.answers import activity, ahead, begun, newest_first
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.codes import Entry
from cds_service.fhir.read import mapping, name_of, string
from cds_service.kernel.dates import DateSpan, parse_date, plus_days
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.needs import Resource
from cds_service.kernel.truth import Truth

NEEDS = needs.MEDICATIONS

_FINISHED = frozenset({"completed", "stopped"})


@dataclass(frozen=True, slots=True)
class Medication:
    """A drug that is, or may be, taken on the day asked about.

    Attributes:
        concept: the concept of the value sets that matched.
        drug: its name, in our own words.
        current: yes when the record covers the day, unknown when it may.
        since: when the present use began; the span reaches from the first possible to the first certain day.
        evidence: what shows it.
    """

    concept: str
    drug: str
    current: Truth
    since: DateSpan | None
    evidence: Evidence


def current(chart: Chart, *prefixes: str, trusted_days: int, gap_days: int = 0) -> Series[Medication]:
    """Drugs of those concepts that are, or may be, taken now; one entry per drug, newest first.

    Args:
        chart: the chart.
        prefixes: concepts or their beginnings ("comed.ppi", "calcium").
        trusted_days: days for which an order without an end is taken to be followed (D12).
        gap_days: longest gap between two supplies that still counts as going on, for `since`.
    """
    told: dict[tuple[str, str], list[tuple[Found, tuple[Days, ...]]]] = {}
    seen: set[int] = set()
    for prefix in prefixes:
        for found in chart.drugs(prefix):
            entry = next(e for e in found.entries if e.concept.startswith(prefix))
            if id(found.resource) not in seen:
                seen.add(id(found.resource))
                days = uses(found.resource, chart.as_of, trusted_days)
                told.setdefault((entry.concept, drug_name(entry)), []).append((found, days))
    drugs = [_medication(chart, *key, uses_, gap_days) for key, uses_ in told.items()]
    drugs += _status_codes(chart, prefixes)
    items = [drug for drug in drugs if drug is not None]
    return Series(tuple(sorted(items, key=lambda drug: newest_first(drug.since))), chart.gaps(*NEEDS))


def drug_name(entry: Entry) -> str:
    """The ingredient where the value set names it, else what the concept says ("benzodiazepine sedative")."""
    return (entry.ingredient or entry.concept.partition(".")[2]).replace("_", " ")


def uses(resource: Resource, as_of: dt.date, trusted_days: int) -> tuple[Days, ...]:
    """The days on which a medication resource says that the drug was taken; empty when it has no date.

    A finished prescription does not reach today, whatever its planned end; a supply without a number of days
    may last as long as an order is trusted; a list entry vouches for the time from the day it was confirmed.
    """
    found = [days_of(resource, dosage, as_of, trusted_days) for dosage in dosages_of(resource) or [{}]]
    return tuple(_bounded(resource, days, as_of, trusted_days) for days in found if days is not None)


def _bounded(resource: Resource, days: Days, as_of: dt.date, trusted_days: int) -> Days:
    kind, status = resource.get("resourceType"), string(resource.get("status")).lower()
    if kind == "MedicationDispense":
        longest = plus_days(days.certain_first, trusted_days - 1)
        return days if days.planned else replace(days, last=longest)
    if kind == "MedicationAdministration":
        return days
    if status in _FINISHED:
        yesterday = plus_days(as_of, -1)
        return replace(days, certain_last=min(days.certain_last, yesterday), last=min(days.last, yesterday))
    period = mapping(resource.get("effectivePeriod"))
    if kind == "MedicationStatement" and status == "active" and not parse_date(period.get("end")):
        confirmed = parse_date(resource.get("dateAsserted"))
        if confirmed is not None and confirmed.earliest <= as_of:
            vouched = min(as_of, plus_days(confirmed.earliest, trusted_days - 1))
            return replace(days, certain_last=max(days.certain_last, vouched), last=FOREVER)
    return days


def taken_on(days: Iterable[Days], day: dt.date) -> Truth:
    """Was it taken on that day? Unknown where it is only possible."""
    possible = False
    for each in days:
        if each.certain_first <= day <= each.certain_last:
            return Truth.YES
        possible = possible or each.first <= day <= each.last
    return Truth.UNKNOWN if possible else Truth.NO


def since(days: Sequence[Days], as_of: dt.date, gap_days: int) -> DateSpan | None:
    """When the use that reaches today began: from the first possible to the first certain day of it."""
    earliest = _reaches_back([(d.first, d.last) for d in days], as_of, gap_days)
    if earliest is None:
        return None
    certain = [(d.certain_first, d.certain_last) for d in days if d.certain_last >= d.certain_first]
    latest = _reaches_back(certain, as_of, gap_days) or as_of
    text = earliest.isoformat() if earliest == latest else f"{earliest.isoformat()}..{latest.isoformat()}"
    return DateSpan(earliest, latest, text)


def _reaches_back(spans: Iterable[tuple[dt.date, dt.date]], as_of: dt.date, gap_days: int) -> dt.date | None:
    start: dt.date | None = None
    for first, last in sorted(spans, key=lambda span: span[1], reverse=True):
        if first > as_of:
            continue
        if start is None and last < as_of:
            return None
        if start is None or plus_days(last, gap_days + 1) >= start:
            start = first if start is None else min(start, first)
    return start


def _medication(
    chart: Chart, concept: str, drug: str, told: list[tuple[Found, tuple[Days, ...]]], gap_days: int
) -> Medication | None:
    days = [each for _, found in told for each in found]
    now = taken_on(days, chart.as_of)
    undated = [found for found, each in told if not each and _may_be_open(found.resource)]
    if now is Truth.NO and not undated:
        return None
    covering = [found for found, each in told if taken_on(each, chart.as_of) is now] or undated
    begun_on = since(days, chart.as_of, gap_days)
    shown = Evidence("medication", drug, begun_on, name_of(covering[0].resource))
    return Medication(concept, drug, now if days and now is not Truth.NO else Truth.UNKNOWN, begun_on, shown)


def _may_be_open(resource: Resource) -> bool:
    return resource.get("resourceType") in ("MedicationRequest", "MedicationStatement") and (
        string(resource.get("status")).lower() not in _FINISHED
    )


def _status_codes(chart: Chart, prefixes: tuple[str, ...]) -> list[Medication]:
    """Diagnosis codes that say "long-term (current) use of ..." (ICD-10-CM Z79.8-)."""
    found = []
    for each in chart.find("Condition", *prefixes):
        on, active = begun(chart, each.resource), activity(each.resource, chart.as_of)
        if active is Truth.NO or ahead(chart, each.resource, on):
            continue
        entry = next(e for e in each.entries if e.concept in prefixes)
        shown = Evidence("medication", drug_name(entry), on, name_of(each.resource))
        found.append(Medication(entry.concept, drug_name(entry), active, on, shown))
    return found
