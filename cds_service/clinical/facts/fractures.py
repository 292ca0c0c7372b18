"""Fractures in adult life: where, how much force, when (DEF-07). One event per fracture, however often it is coded.

A code for follow-up care (ICD-10-CM 7th character D to S) or for a history proves an earlier fracture; its date is
that of the visit, so it only says "by then" (`terminology.md` 6.2).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import (
    ahead,
    begun,
    born,
    follow_up,
    icd_10_cm,
    newest_first,
    only_recorded,
    recorded_by,
)
from cds_service.fhir import status
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import code_text, items, mapping, name_of, string
from cds_service.kernel.dates import DateSpan, plus_months
from cds_service.kernel.facts import Evidence, Series
from cds_service.kernel.needs import Resource
from cds_service.kernel.truth import Truth, some

NEEDS = (needs.CONDITIONS,)


class FractureSite(Enum):
    """Where. OTHER is a site that is not stated; ELSEWHERE one that is stated and none of these (hand, foot, leg)."""

    HIP = "hip"
    VERTEBRA = "vertebra"
    WRIST = "wrist"
    HUMERUS = "humerus"
    PELVIS = "pelvis"
    RIB = "rib"
    ELSEWHERE = "elsewhere"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fracture:
    """One fracture.

    Attributes:
        site: where.
        low_trauma: whether little force was enough; unknown where nothing tells the cause.
        on: when; "by <date>" when only the recording or a later visit is dated; `None` when nothing is.
        evidence: what shows it.
    """

    site: FractureSite
    low_trauma: Truth
    on: DateSpan | None
    evidence: Evidence


_SITES = {
    "fracture.hip": FractureSite.HIP,
    "fracture.vertebra": FractureSite.VERTEBRA,
    "fracture.wrist_forearm": FractureSite.WRIST,
    "fracture.humerus": FractureSite.HUMERUS,
    "fracture.pelvis_sacrum": FractureSite.PELVIS,
    "fracture.rib": FractureSite.RIB,
}
_OSTEOPOROTIC = "fracture.osteoporotic"
_GENERIC = "fracture.fragility_generic"
_PAST = frozenset({"fracture.history", "fracture.history_traumatic", "fracture.history_other_pathological"})
_EXCLUDED = frozenset({"fracture.excluded_pathological", "fracture.atypical_femoral"})
_ATYPICAL = "fracture.atypical_femoral"
_FALLS = frozenset({"falls.event", "falls.recurrent", "falls.history"})
_ADULT_MONTHS = 18 * 12

_DUE_TO = "http://hl7.org/fhir/StructureDefinition/condition-dueTo"
# M80.0- and M80.8-, 5th character: 1 shoulder, 4 hand, 6 lower leg, 7 ankle and foot, A other site
_ELSEWHERE = re.compile(r"M80[08][1467A]")
_TRANSPORT = re.compile(r"V\d")


def fractures(chart: Chart) -> Series[Fracture]:
    """Fractures in adult life, newest first, undated last.

    Not among them: pathological fractures of neoplastic or other disease, periprosthetic ones, and atypical femoral
    fractures (see `atypical_femoral`). A fracture that certainly came before the 18th birthday is left out.
    """
    events: list[_Told] = []
    late: list[_Told] = []
    for found in chart.find("Condition", *_SITES, _OSTEOPOROTIC, _GENERIC, *_PAST):
        told = _told(chart, found)
        if told is not None:
            (late if told.late else events).append(told)
    merged: list[_Told] = []
    for told in sorted(events, key=_specific_first):
        _merge(merged, told, _same_event)
    for told in sorted(late, key=_specific_first):
        _merge(merged, told, _earlier_event)
    ordered = sorted(merged, key=lambda told: newest_first(told.on))
    return Series(tuple(told.fracture() for told in ordered), chart.gaps(*NEEDS))


def atypical_femoral(chart: Chart) -> Series[Fracture]:
    """Atypical femoral fractures: a harm of antiresorptives, never a fracture of osteoporosis (SAF-14)."""
    found = []
    for each in chart.find("Condition", _ATYPICAL):
        on = begun(chart, each.resource)
        if not ahead(chart, each.resource, on):
            shown = Evidence("atypical-fracture", "", on, name_of(each.resource))
            found.append(Fracture(FractureSite.ELSEWHERE, Truth.UNKNOWN, on, shown))
    return Series(tuple(sorted(found, key=lambda f: newest_first(f.on))), chart.gaps(*NEEDS))


@dataclass(frozen=True, slots=True)
class _Told:
    """What one Condition says about a fracture; `late` when it says only that there was one."""

    site: FractureSite
    low_trauma: Truth
    on: DateSpan | None
    late: bool
    resource: str

    def fracture(self) -> Fracture:
        cause = {Truth.YES: "low trauma", Truth.NO: "not low trauma", Truth.UNKNOWN: "cause not recorded"}
        shown = Evidence("fracture", self.site.value, self.on, self.resource, cause[self.low_trauma])
        return Fracture(self.site, self.low_trauma, self.on, shown)


def _told(chart: Chart, found: Found) -> _Told | None:
    condition = found.resource
    concepts = frozenset(entry.concept for entry in found.entries)
    if concepts & _EXCLUDED:
        return None
    late = bool(concepts & _PAST) or follow_up(condition.get("code"))
    on = begun(chart, condition)
    if ahead(chart, condition, on) or _in_childhood(chart, on):
        return None
    if late and not only_recorded(on):
        on = recorded_by(chart, on)
    site = _site(condition, concepts)
    return _Told(site, _low_trauma(chart, condition, concepts), on, late, name_of(condition))


def _in_childhood(chart: Chart, on: DateSpan | None) -> bool:
    birth = born(chart)
    return birth is not None and on is not None and on.latest < plus_months(birth.earliest, _ADULT_MONTHS)


def _site(condition: Resource, concepts: frozenset[str]) -> FractureSite:
    """From the codes, else from the body site, else from the words; not stated when these name none or several."""
    coded = [site for concept, site in _SITES.items() if concept in concepts]
    if coded:
        return coded[0]
    if any(_ELSEWHERE.match(code) for code in icd_10_cm(condition.get("code"))):
        return FractureSite.ELSEWHERE
    where = " ".join(code_text(each) for each in items(condition.get("bodySite")))
    for words in (where, code_text(condition.get("code"))):
        named = {site for site, pattern in _SITE_WORDS.items() if pattern.search(words)}
        if len(named) == 1:
            return named.pop()
    return FractureSite.OTHER


_SITE_WORDS = {
    FractureSite.HIP: re.compile(r"\bhip\b|femoral neck|neck of (the )?femur|proximal femur|trochanter", re.I),
    FractureSite.VERTEBRA: re.compile(r"vertebra|\bspin(e|al)\b", re.I),
    FractureSite.WRIST: re.compile(r"\bwrist|distal radius|colles|forearm", re.I),
    FractureSite.HUMERUS: re.compile(r"humerus|humeral", re.I),
    FractureSite.PELVIS: re.compile(r"pelvi[sc]|sacr(um|al)|\bpub(is|ic)\b", re.I),
    FractureSite.RIB: re.compile(r"\bribs?\b", re.I),
    FractureSite.ELSEWHERE: re.compile(
        r"\bhands?\b|finger|\bfoot\b|\btoes?\b|ankle|skull|\bface\b|facial|tibia|fibula", re.I
    ),
}


def _low_trauma(chart: Chart, condition: Resource, concepts: frozenset[str]) -> Truth:
    """The code says so, or a fall is the recorded cause; a transport accident says no; else nobody knows."""
    # M48.5, collapsed vertebra, is the one vertebral code of the generic list: it excludes trauma
    if _OSTEOPOROTIC in concepts or {"fracture.vertebra", _GENERIC} <= concepts:
        return Truth.YES
    causes = [condition.get("code"), *_causes(chart, condition)]
    if any(chart.terminology.concepts(cause) & _FALLS for cause in causes):
        return Truth.YES
    if any(_TRANSPORT.match(code) for cause in causes for code in icd_10_cm(cause)):
        return Truth.NO
    return Truth.UNKNOWN


def _causes(chart: Chart, condition: Resource) -> Iterator[object]:
    """The codes of what the fracture is said to be due to."""
    references: list[object] = []
    for each in items(condition.get("extension")):
        extension = mapping(each)
        if string(extension.get("url")) == _DUE_TO:
            yield extension.get("valueCodeableConcept")
            references.append(extension.get("valueReference"))
    for each in items(condition.get("evidence")):
        evidence = mapping(each)
        yield from items(evidence.get("code"))
        references.extend(items(evidence.get("detail")))
    for reference in references:
        cause = _resolved(chart, condition, string(mapping(reference).get("reference")))
        if cause is not None and status.usability(cause).usability:
            yield cause.get("code")


def _resolved(chart: Chart, condition: Resource, reference: str) -> Resource | None:
    if reference.startswith("#"):
        contained = (mapping(each) for each in items(condition.get("contained")))
        return next((each for each in contained if each.get("id") == reference[1:]), None)
    return chart.resolve(reference, "Condition") if reference else None


# --- one event per fracture (D11) ------------------------------------------------------------------------------------
def _specific_first(told: _Told) -> tuple[bool, int, int, str]:
    """Known sites before unstated ones, so that "fragility fracture" joins the fracture it is about; oldest first."""
    when = told.on.latest.toordinal() if told.on else 0
    width = when - told.on.earliest.toordinal() if told.on else 0
    return told.site is FractureSite.OTHER, when, width, told.resource


def _merge(events: list[_Told], told: _Told, same: Callable[[_Told, _Told], bool]) -> None:
    for index, event in enumerate(events):
        if same(event, told):
            events[index] = replace(event, low_trauma=some((event.low_trauma, told.low_trauma)))
            return
    events.append(told)


def _same_event(event: _Told, told: _Told) -> bool:
    """The same site, or one not stated, on the same day (or the same as far as a partial date tells)."""
    if told.site not in (event.site, FractureSite.OTHER):
        return False
    if event.on is None or told.on is None:
        return event.on is told.on
    if event.on.latest == told.on.latest:
        return True
    if only_recorded(event.on) or only_recorded(told.on):
        return False
    return (event.on.earliest <= told.on.earliest and told.on.latest <= event.on.latest) or (
        told.on.earliest <= event.on.earliest and event.on.latest <= told.on.latest
    )


def _earlier_event(event: _Told, told: _Told) -> bool:
    """A fracture known to have happened by the day of the visit or of the history entry."""
    if told.site is FractureSite.OTHER:
        if event.low_trauma is not told.low_trauma:
            return False
    elif told.site is not event.site:
        return False
    return event.on is None or told.on is None or event.on.earliest <= told.on.latest
