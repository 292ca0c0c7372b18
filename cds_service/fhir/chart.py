"""One patient's usable resources, indexed by concept: each resource is looked at once per call.

A resource counts only if its status says so (`fhir.status`, D8); what was set aside and why is kept in
`unread`. Concepts are those of the value sets; unmapped look-alikes are reported, never counted (D22).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cds_service.fhir import status
from cds_service.fhir.codes import Entry, Terminology
from cds_service.fhir.identity import base_of
from cds_service.fhir.read import code_text, items, mapping, name_of, string
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.needs import Drafts, Need, Records, Resource

_MEDICATION_TYPES = frozenset(
    {"MedicationRequest", "MedicationDispense", "MedicationAdministration", "MedicationStatement"}
)
_FAMILY = "FamilyMemberHistory"
_CODED_TYPES = frozenset({"Observation", "Condition", "Procedure", "DiagnosticReport", _FAMILY}) | _MEDICATION_TYPES
# Reasons for which a resource does not count that do not say it is untrue
_MAY_STILL_HOLD = frozenset({status.UNKNOWN, status.NO_STATUS, status.MODIFIED})
# What an order may be before it is signed: the public sandbox sends no intent, others plan or propose
_STILL_TO_BE_SIGNED = frozenset({status.DRAFT, status.NO_STATUS, status.NOT_AN_ORDER, status.ON_HOLD, status.UNKNOWN})
_LOOKS_LIKE = {
    "Observation": re.compile(
        r"25.?\(?oh|25.hydroxy|\bvitamin d\b|t-?score|z-?score|bone (mineral )?density|\bdexa?\b|\bdxa\b|\bfrax\b", re.I
    ),
    "Condition": re.compile(r"multiple sclerosis|osteoporosis|pathological fracture|fragility fracture", re.I),
}
_CONCEPT_OF_WORDS = {"multiple sclerosis": "ms.condition", "osteoporosis": "cond.osteoporosis"}


@dataclass(frozen=True, slots=True)
class Found:
    """A resource, or a part of one, that carries a concept.

    Attributes:
        resource: the resource.
        part: where the code stands: the resource itself, one of its components, or a condition of a relative.
        entries: the value-set rows its codes matched.
    """

    resource: Resource = field(repr=False)
    part: Resource = field(repr=False)
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Unread:
    """A resource that was set aside, and why: `reason` is a key of `texts/` [unread]."""

    resource: str
    reason: str


@dataclass(slots=True, repr=False)
class Chart:
    """What facts read; its `repr` tells nothing of it (S8).

    Attributes:
        records: everything supplied for the call.
        terminology: the value sets.
        as_of: the day the patient is looked at.
    """

    records: Records
    terminology: Terminology
    as_of: dt.date
    unread: list[Unread] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)
    resource_count: int = 0
    _index: dict[tuple[str, str], list[Found]] = field(default_factory=dict)
    _parts: dict[str, list[Found]] = field(default_factory=dict)
    _worded: dict[str, list[tuple[Found, str]]] = field(default_factory=dict)
    _drugs: list[Found] = field(default_factory=list)
    _by_id: dict[str, Resource] = field(default_factory=dict)
    _refuted: list[Found] = field(default_factory=list)
    _doubtful: dict[str, dict[str, Gap]] = field(default_factory=dict)
    _gaps: dict[tuple[Need, ...], tuple[Gap, ...]] = field(default_factory=dict)
    patient: Resource = field(default_factory=dict)
    _ordered: list[Found] = field(default_factory=list)
    _basket: list[Found] = field(default_factory=list)

    def __post_init__(self) -> None:
        drafts = self.records.drafts or Drafts()
        being_signed = {name_of(order) for order in drafts.everything if order.get("id")}
        resources = [
            each for each in status.newest_versions(self.records.resources()) if name_of(each) not in being_signed
        ]
        self.resource_count = len(resources)
        for resource in resources:
            if ident := string(resource.get("id")):
                self._by_id[f"{resource.get('resourceType')}/{ident}"] = resource
        for resource in drafts.everything:
            if ident := string(resource.get("id")):
                self._by_id.setdefault(f"{resource.get('resourceType')}/{ident}", resource)
        for resource in resources:
            self._add(resource)
        self._ordered = list(self._drafts_of(drafts.selected))
        self._basket = [*self._ordered, *self._drafts_of(drafts.others)]

    def find(self, resource_type: str, *concepts: str) -> Iterator[Found]:
        """Usable resources (or components) of that type with one of the concepts, each once."""
        seen: set[int] = set()
        for concept in concepts:
            for found in self._index.get((resource_type, concept), ()):
                if id(found.part) not in seen:
                    seen.add(id(found.part))
                    yield found

    def named(self, resource_type: str, pattern: re.Pattern[str]) -> Iterator[Found]:
        """The same by the words of the code: for what has no verified code, and for look-alikes (D22)."""
        return (found for found, words in self._in_words(resource_type) if pattern.search(words))

    def _in_words(self, resource_type: str) -> list[tuple[Found, str]]:
        """Each part with the words of its code; put together once, since a dozen patterns look for theirs."""
        if resource_type not in self._worded:
            parts = self._parts.get(resource_type, ())
            self._worded[resource_type] = [(found, _words(found.part.get("code"))) for found in parts]
        return self._worded[resource_type]

    def refuted(self, *concepts: str) -> Iterator[Found]:
        """Conditions on record as refuted: somebody looked and said no."""
        return (f for f in self._refuted if any(e.concept in concepts for e in f.entries))

    def drugs(self, prefix: str) -> Iterator[Found]:
        """Medication resources whose drug matched a concept that starts like this; `part` is the Medication."""
        return (f for f in self._drugs if any(e.concept.startswith(prefix) for e in f.entries))

    def ordered(self, prefix: str) -> Iterator[Found]:
        """Medication orders the call is about whose drug matched a concept that starts like this."""
        return (f for f in self._ordered if any(e.concept.startswith(prefix) for e in f.entries))

    def in_basket(self, prefix: str) -> Iterator[Found]:
        """The same, with the other orders being written beside them."""
        return (f for f in self._basket if any(e.concept.startswith(prefix) for e in f.entries))

    def gaps(self, *needs: Need) -> tuple[Gap, ...]:
        """What those needs leave open; empty only when all completed and all of it could be read (S2)."""
        if needs not in self._gaps:
            self._gaps[needs] = self._open(needs)
        return self._gaps[needs]

    def _open(self, needs: tuple[Need, ...]) -> tuple[Gap, ...]:
        found: dict[Gap, None] = {}
        for need in needs:
            if gap := self.records.lookup(need.key).gap(need.key):
                found[gap] = None
            for concept, doubt in self._doubtful.get(need.resource_type, {}).items():
                if not need.concepts or any(concept.startswith(wanted) for wanted in need.concepts):
                    found[doubt] = None
        return tuple(found)

    def resolve(self, reference: object, resource_type: str) -> Resource | None:
        """The resource of that type that a reference names, when it is among the records.

        An address on another server names another resource, whatever its id (B7).
        """
        base = base_of(string(reference))
        if base and self.records.bases and base not in self.records.bases:
            return None
        parts = string(reference).split("/_history/")[0].removeprefix("urn:uuid:").rsplit("/", 1)
        return self._by_id.get(f"{resource_type}/{parts[-1]}")

    def set_unread(self, resource: Resource, reason: str) -> None:
        """Note that a resource could not be used for its value."""
        note = Unread(name_of(resource), reason)
        if note not in self.unread:
            self.unread.append(note)

    def _add(self, resource: Resource) -> None:
        kind = resource.get("resourceType")
        if kind == "Patient":
            self.patient = resource
        if kind not in _CODED_TYPES:
            return
        usable, reason = status.usability(resource)
        if reason == "refuted":
            self._refuted.append(Found(resource, resource, self.terminology.of_concept(resource.get("code"))))
        if not usable:
            self.set_aside[f"{kind}: {reason}"] += 1
            if reason in _MAY_STILL_HOLD:
                self._doubt(resource, reason)
            return
        if kind in _MEDICATION_TYPES:
            self._add_drug(resource)
            return
        for part in _coded_parts(resource):
            self._add_coded(resource, part)
        for contained in items(resource.get("contained")):
            if mapping(contained).get("resourceType") == "Observation":
                self._add(_inherit(mapping(contained), resource))

    def _doubt(self, resource: Resource, reason: str) -> None:
        """A resource that cannot be used may still hold: while it is there, absence is not proven (S2, D8)."""
        kind = string(resource.get("resourceType"))
        doubtful = self._doubtful.setdefault(kind, {})
        if kind == _FAMILY:  # "health unknown" names no condition, and may stand for any
            doubtful[""] = Gap(GapKind.UNREADABLE, "kind:family", reason)
            return
        drug = self._medication(resource) if kind in _MEDICATION_TYPES else None
        entries = self.terminology.of_drug(drug) if drug else self.terminology.of_concept(resource.get("code"))
        for entry in entries:
            what = entry.concept.split(".")[0]
            doubtful[entry.concept] = Gap(GapKind.UNREADABLE, f"kind:{what}", reason)

    def _doubt_words(self, resource: Resource, words: str) -> None:
        """A diagnosis we know by its words only does not count, and keeps us from saying that there is none (D22)."""
        concept = _CONCEPT_OF_WORDS.get(words)
        if concept:
            what = f"kind:{concept.split('.')[0]}"
            self._doubtful.setdefault("Condition", {})[concept] = Gap(GapKind.UNREADABLE, what, "no mapped code")

    def _add_coded(self, resource: Resource, part: Resource) -> None:
        code = part.get("code")
        entries = self.terminology.of_concept(code)
        kind = string(resource.get("resourceType"))
        found = Found(resource, part, entries)
        self._parts.setdefault(kind, []).append(found)
        if not entries:
            pattern = _LOOKS_LIKE.get(kind)
            if part is resource and pattern and (hit := pattern.search(str(code))):
                self.set_unread(resource, "no-mapped-code")
                self._doubt_words(resource, hit[0].lower())
            return
        for concept in dict.fromkeys(entry.concept for entry in entries):
            self._index.setdefault((kind, concept), []).append(found)

    def _add_drug(self, resource: Resource) -> None:
        drug = self._medication(resource)
        if drug is None:
            self.set_unread(resource, "medication-not-resolved")
            kind = string(resource.get("resourceType"))
            self._doubtful.setdefault(kind, {})[""] = Gap(GapKind.NOT_SUPPLIED, "medication-names")
            return
        entries = self.terminology.of_drug(drug)
        if entries:
            self._drugs.append(Found(resource, drug, entries))

    def _drafts_of(self, orders: Iterable[Resource]) -> Iterator[Found]:
        """Medication orders among those being written; a draft is no order yet, but here it is what is asked about."""
        for order in orders:
            if order.get("resourceType") != "MedicationRequest":
                continue
            usable, reason = status.usability(order)
            if reason in _STILL_TO_BE_SIGNED:  # what else speaks against it, such as "do not perform"
                usable, reason = status.usability({**order, "status": "active", "intent": "order"})
            if not usable:
                self.set_aside[f"draft order: {reason}"] += 1
                continue
            drug = self._medication(order)
            if drug is None:
                self.set_unread(order, "medication-not-resolved")
            elif entries := self.terminology.of_drug(drug):
                yield Found(order, drug, entries)

    def _medication(self, resource: Resource) -> Resource | None:
        """The drug as a Medication-shaped object: from a code, contained, or elsewhere in the records."""
        if concept := resource.get("medicationCodeableConcept"):
            return {"code": concept}
        reference = string(mapping(resource.get("medicationReference")).get("reference"))
        if not reference:
            return None
        if reference.startswith("#"):
            contained = (mapping(c) for c in items(resource.get("contained")))
            return next((c for c in contained if c.get("id") == reference[1:]), None)
        return self.resolve(reference, "Medication")


def _coded_parts(resource: Resource) -> Iterator[Resource]:
    """Where the codes of a resource stand: in itself and its components; for a relative in what the relative had."""
    if resource.get("resourceType") == _FAMILY:
        yield from map(mapping, items(resource.get("condition")))
        return
    yield resource
    yield from map(mapping, items(resource.get("component")))


def _words(codeable: object) -> str:
    """All words of a CodeableConcept: its text and every display."""
    codings = items(mapping(codeable).get("coding"))
    return " ".join((code_text(codeable), *(string(mapping(coding).get("display")) for coding in codings)))


def _inherit(contained: Resource, parent: Resource) -> Resource:
    """A contained Observation, with the date and status it leaves to the report around it."""
    dates: Iterable[str] = ("effectiveDateTime", "effectivePeriod", "issued", "status")
    inherited = {name: parent[name] for name in dates if name in parent and name not in contained}
    return {**contained, **inherited, "id": f"{parent.get('id', '')}#{contained.get('id', '')}"}
