"""One ValueSet per concept of the terminology, and one per group of concepts that rules look for together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from fhir.resources.R4B.valueset import ValueSet

from cds_service.fhir.codes import DMD, SNOMED, Entry
from cds_service.fhir.knowledge.artifacts import Json, built, canonical, computer_name, head, terms

COMMENT = "http://hl7.org/fhir/StructureDefinition/valueset-concept-comments"
WARNING = "http://hl7.org/fhir/StructureDefinition/valueset-warning"
# FHIR describes no filter for ICD (hl7.org/fhir/R4/icd.html: "None are described yet") nor for ATC, so descendants
# cannot be told in a way that every terminology server understands.
_BY_PREFIX = "This code and every code that begins with it, dots aside."
_PREFIX_WARNING = (
    "Where a comment says so, a code stands for every code that begins with it. FHIR R4 describes no filter for ICD and ATC "
    "that could say this: expand these codes with your own copy of the classification. Read as a plain list, this value "
    "set is too narrow."
)
_REMARKS = {
    "historic": "Kept for old records.",
    "us": "In the US edition only.",
    "uk": "In the UK edition only.",
}
_RELEASE = re.compile(r"\d{4}-\d{2}")


def value_set(concept: str, rows: Collection[Entry], notices: Mapping[str, str], version: str) -> Json:
    """The codes of one concept.

    Args:
        concept: its name ("cond.osteoporosis").
        rows: its codes.
        notices: the terms of each licence.
        version: that of the terminology.
    """
    content = head("ValueSet", concept, version, f"Concept {concept}")
    by_prefix = any(row.match != "exact" for row in rows)
    content |= {
        "name": computer_name(concept),
        "description": f"Codes that Bone Health CDS reads as `{concept}`.",
        "copyright": terms((row.licence for row in rows), notices),
        "compose": {"include": list(_includes(rows))},
    }
    if by_prefix:
        content["extension"] = [{"url": WARNING, "valueMarkdown": _PREFIX_WARNING}]
    return built(ValueSet, content)


def _includes(rows: Iterable[Entry]) -> Iterator[Json]:
    """One include per code system and, where it is known, release."""
    parts: dict[tuple[str, str], list[Json]] = {}
    for row in rows:
        release = row.edition if _RELEASE.fullmatch(row.edition) else ""
        parts.setdefault((row.system, release), []).append(_concept(row))
        if row.system == DMD:
            # dm+d identifiers are SNOMED CT UK identifiers and travel under either system
            parts.setdefault((SNOMED, ""), []).append(_concept(row))
    for (system, release), concepts in parts.items():
        yield {"system": system, **({"version": release} if release else {}), "concept": concepts}


def _concept(row: Entry) -> Json:
    told: Json = {"code": row.code}
    if row.display:
        told["display"] = row.display
    if comment := _comment(row):
        told["extension"] = [{"url": COMMENT, "valueString": comment}]
    return told


def _comment(row: Entry) -> str:
    if row.match != "exact":
        return _BY_PREFIX
    if row.edition and not _RELEASE.fullmatch(row.edition):
        return _REMARKS.get(row.edition, f"Edition: {row.edition}.")
    return ""


def group(name: str, concepts: Iterable[str], version: str) -> Json:
    """The codes of several concepts: an include each, since value sets within one include would be intersected."""
    content = head("ValueSet", name, version, f"Concepts {name}.*")
    content |= {
        "name": computer_name(name),
        "description": f"All codes of the concepts of Bone Health CDS whose names begin with `{name}.`",
        "compose": {"include": [{"valueSet": [canonical("ValueSet", concept)]} for concept in concepts]},
    }
    return built(ValueSet, content)


def groups(looked_for: Iterable[Collection[str]], known: Collection[str]) -> Mapping[str, tuple[str, ...]]:
    """Groups of concepts of which some look-up wants every member, by name: "dxa.t_score".

    Args:
        looked_for: the concepts of each look-up.
        known: the names of all concepts.
    """
    names = {".".join(name.split(".")[:depth]) for name in known for depth in range(1, name.count(".") + 1)}
    members = {name: tuple(sorted(c for c in known if c.startswith(f"{name}."))) for name in names - set(known)}
    wanted = [set(concepts) for concepts in looked_for]
    return {
        name: of_name
        for name, of_name in sorted(members.items())
        if len(of_name) > 1 and any(wants.issuperset(of_name) for wants in wanted)
    }


def joined(concepts: Iterable[str], known_groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The concepts, with the name of the group in the place of its members; the widest group wins."""
    left = set(concepts)
    found = set()
    for name in sorted(known_groups, key=len):
        if left.issuperset(known_groups[name]):
            left -= set(known_groups[name])
            found.add(name)
    return tuple(sorted(left | found))
