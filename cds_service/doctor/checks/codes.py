"""Which codes of a record are known, counted by code system. No code, value or word of the record is kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from cds_service.doctor.finding import CODES, Finding, counted
from cds_service.fhir.codes import NAMES, Terminology, canonical_system
from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.needs import Resource

# An object identifier names a code system and nobody; any other text might hold anything, so it is only counted.
_OID = re.compile(r"urn:oid:[0-2](\.[0-9]{1,20}){2,20}")
_OTHER = "other systems"
_UNMAPPED = "no-mapped-code"


@dataclass(slots=True)
class Counted:
    """Codings of one type of resource.

    Attributes:
        resources: how many there are.
        uncoded: how many of them have no code at all.
        known: codings we know, by name of the system.
        unknown: codings we do not.
    """

    resources: int = 0
    uncoded: int = 0
    known: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)


def count(resources: Iterable[Resource], terminology: Terminology) -> dict[str, Counted]:
    """Count the codings of records, by resource type."""
    every = tuple(resources)
    drugs = {string(each.get("id")): each for each in every if each.get("resourceType") == "Medication"}
    found: dict[str, Counted] = {}
    for each in every:
        kind = string(each.get("resourceType"))
        if kind in ("Medication", "Patient"):
            continue
        counted = found.setdefault(kind, Counted())
        counted.resources += 1
        codings = list(_codings(each, drugs))
        counted.uncoded += not codings
        for coding in codings:
            side = counted.known if terminology.of_coding(coding) else counted.unknown
            side[_system(string(coding.get("system")))] += 1
    return found


def _codings(resource: Resource, drugs: Mapping[str, Resource]) -> Iterator[Mapping[str, object]]:
    concepts = [resource.get("code"), resource.get("medicationCodeableConcept")]
    concepts += [mapping(each).get("code") for each in items(resource.get("condition"))]
    reference = string(mapping(resource.get("medicationReference")).get("reference"))
    concepts.append(mapping(drugs.get(reference.rpartition("/")[2])).get("code") if reference else None)
    for concept in concepts:
        yield from (mapping(each) for each in items(mapping(concept).get("coding")) if mapping(each).get("code"))


def _system(uri: str) -> str:
    canonical = canonical_system(uri)
    if canonical in NAMES:
        return NAMES[canonical]
    if not canonical:
        return "no system"
    return canonical if _OID.fullmatch(canonical) else _OTHER


def told(found: Mapping[str, Counted]) -> Iterator[Finding]:
    """One line for each type of resource. A code we do not know is usually about something else."""
    for kind, each in sorted(found.items()):
        systems = sorted(each.known.keys() | each.unknown.keys())
        details = tuple(f"{name}: {each.known[name]} known, {each.unknown[name]} not" for name in systems)
        seen = f"{counted(each.resources, 'resource')}, {each.uncoded} without a code"
        ours = (each.known + each.unknown).keys() & set(NAMES.values())
        if each.resources > each.uncoded and not ours:
            yield CODES.warned(
                f"{seen}; no code is of a system we know",
                "Have the EHR send LOINC, SNOMED CT, RxNorm or ICD codes beside its own (several codings).",
                kind,
                details,
            )
        elif each.uncoded == each.resources:
            yield CODES.warned(seen, "Have the EHR send codes: words alone name drugs only.", kind)
        else:
            yield CODES.passed(seen, kind, details)


def unread(kinds: Mapping[tuple[str, str], int]) -> Iterator[Finding]:
    """Resources that look like ones we need and could not be used."""
    for (kind, reason), number in sorted(kinds.items()):
        fix = (
            "Map the local code, or import its catalogue: docs/reviewing.md."
            if reason == _UNMAPPED
            else "See the units and windows in docs/reference/data-read.md."
        )
        yield CODES.warned(f"{number} of these could not be used: {reason}", fix, kind)
