"""Hip fracture of mother or father."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.clinical import needs
from cds_service.clinical.facts.answers import ahead, begun, observed, yes_or_no
from cds_service.fhir.chart import Chart, Found
from cds_service.fhir.read import code_text, items, mapping, name_of, string, when
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Resource
from cds_service.kernel.truth import Truth

NEEDS = (needs.CONDITIONS, needs.LIFESTYLE, needs.FAMILY_HISTORY)
WHAT = "parental-hip-fracture"
_CODED = "family.parental_hip_fracture"
_HIP = "fracture.hip"
_HIP_WORDS = re.compile(r"\bhip fracture|\b(fractured|broken) hip\b|\bfracture of (the )?hip\b", re.I)

# v3-RoleCode (terminology.md 6.3); STU3 wrote the URI as http://hl7.org/fhir/v3/RoleCode
_ROLES = re.compile(r"v3[-/]RoleCode$", re.I)
_PARENTS = {"MTH": "mother", "FTH": "father", "PRN": "yes"}
_PARENT_WORDS = re.compile(r"(?<!step-)\b(mother|father|parent)\b(?!-in-law)", re.I)


def parental_hip_fracture(chart: Chart) -> Fact[bool]:
    """Whether mother or father broke a hip, from Conditions, Observations and family history.

    One record that says so is enough. Nothing on record is a "no" only when all look-ups completed (S2); an answer "no"
    counts as such, with whatever was not looked at as a doubt.
    """
    answers = [*_conditions(chart), *_observations(chart), *_relatives(chart)]
    said = {truth: tuple(shown for told, shown in answers if told is truth) for truth in Truth}
    open_ = chart.gaps(*NEEDS)
    unclear = tuple(Gap(GapKind.UNREADABLE, WHAT, "", shown.resource) for shown in said[Truth.UNKNOWN])
    if said[Truth.YES]:
        return Known(True, said[Truth.YES])
    if said[Truth.NO]:
        return Known(False, said[Truth.NO], (*unclear, *open_))
    return Unknown((*unclear, *open_)) if unclear or open_ else Known(False)


def _conditions(chart: Chart) -> Iterator[tuple[Truth, Evidence]]:
    for found in chart.find("Condition", _CODED):
        on = begun(chart, found.resource)
        if not ahead(chart, found.resource, on):
            yield Truth.YES, Evidence(WHAT, "yes", on, name_of(found.resource))


def _observations(chart: Chart) -> Iterator[tuple[Truth, Evidence]]:
    for found in chart.find("Observation", _CODED):
        on = observed(chart, found.resource)
        if ahead(chart, found.resource, on):
            continue
        truth = yes_or_no(chart, found.part, _CODED)
        if truth is Truth.UNKNOWN:
            chart.set_unread(found.resource, "no-answer")
        yield truth, Evidence(WHAT, truth.value, on, name_of(found.resource))


def _relatives(chart: Chart) -> Iterator[tuple[Truth, Evidence]]:
    coded = list(chart.find("FamilyMemberHistory", _HIP, _CODED))
    in_words = [found for found in chart.named("FamilyMemberHistory", _HIP_WORDS) if not found.entries]
    for found in (*coded, *in_words):
        on = when(found.resource)
        truth, who = _parent(found)
        if truth is Truth.NO or ahead(chart, found.resource, on):
            continue  # a grandmother's fracture says nothing about the parents
        if truth is Truth.UNKNOWN:
            chart.set_unread(found.resource, "relative-not-clear")
        elif not found.entries:
            chart.set_unread(found.resource, "no-mapped-code")
            truth = Truth.UNKNOWN  # words alone do not count, and keep us from saying that there is none (D22)
        yield truth, Evidence(WHAT, who, on, name_of(found.resource))


def _parent(found: Found) -> tuple[Truth, str]:
    """Is the relative a parent? Unknown where the relationship has no role code we know and its words may name one."""
    relationship = found.resource.get("relationship")
    roles = set(_roles(relationship))
    if parents := roles & _PARENTS.keys():
        return Truth.YES, _PARENTS[sorted(parents)[0]]
    words = code_text(relationship)
    return (Truth.UNKNOWN if not roles or _PARENT_WORDS.search(words) else Truth.NO), ""


def _roles(relationship: object) -> Iterator[str]:
    for concept in items(relationship):
        for coding in items(mapping(concept).get("coding")):
            coded: Resource = mapping(coding)
            if _ROLES.search(string(coded.get("system"))) and (code := string(coded.get("code"))):
                yield code.upper()
