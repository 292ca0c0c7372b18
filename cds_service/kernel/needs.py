"""What a fact must read, and how the look-up of it went.

A fact declares its needs once; prefetch templates, FHIR searches and the "data we read" page are derived
from them. The five prefetch states of CDS Hooks are carried to the card as `LookupState`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from cds_service.kernel.facts import Gap, GapKind

Resource: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Need:
    """One look-up.

    Attributes:
        key: prefetch key and name of the need in `texts/` [needs] ("bone-density" is "DXA results").
        resource_type: FHIR resource type.
        concepts: concepts of `valuesets/` whose codes the search lists; empty for all of the type.
        by_id: true for the patient itself (a read, not a search).
    """

    key: str
    resource_type: str
    concepts: tuple[str, ...] = ()
    by_id: bool = False


class LookupState(Enum):
    """How a look-up went. Only `COMPLETE` proves absence (S2)."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"
    NOT_PERMITTED = "not-permitted"
    NOT_SUPPLIED = "not-supplied"


_GAP_OF = {
    LookupState.PARTIAL: GapKind.PARTIAL,
    LookupState.FAILED: GapKind.FAILED,
    LookupState.NOT_PERMITTED: GapKind.NOT_PERMITTED,
    LookupState.NOT_SUPPLIED: GapKind.NOT_SUPPLIED,
}


@dataclass(frozen=True, slots=True)
class Lookup:
    """The outcome of one look-up.

    Attributes:
        state: see `LookupState`.
        resources: what was found; always empty unless the state is COMPLETE or PARTIAL.
        detail: why it failed, for the operator and the gap note; never a value from the record.
    """

    state: LookupState
    resources: tuple[Resource, ...] = field(default=(), repr=False)
    detail: str = ""

    def gap(self, key: str) -> Gap | None:
        """The gap this look-up leaves, `None` when it completed."""
        kind = _GAP_OF.get(self.state)
        return None if kind is None else Gap(kind, key, self.detail)


@dataclass(frozen=True, slots=True)
class Drafts:
    """Orders that are being written, not signed.

    Attributes:
        selected: those the call is about.
        others: what else is in the basket, and the medications that the orders refer to.
    """

    selected: tuple[Resource, ...] = field(default=(), repr=False)
    others: tuple[Resource, ...] = field(default=(), repr=False)

    @property
    def everything(self) -> tuple[Resource, ...]:
        """All of them, the selected ones first."""
        return (*self.selected, *self.others)


@dataclass(frozen=True, slots=True)
class Records:
    """Everything that one call may read: one patient, proven (S4). Nothing of the record stands in a `repr` (S8).

    Attributes:
        patient_id: logical id of the patient the call is about.
        lookups: outcome per need key.
        extra: resources supplied under keys we did not ask for; they may show presence, never absence.
        problems: what the operator must hear about (foreign data, odd entries); no values.
        drafts: the orders being written; `None` where the call is not about orders.
        encounter_id: logical id of the encounter the call came from, if any.
        bases: the FHIR servers, as `fhir.identity.normal_base` writes them, whose ids mean the records of this call.
    """

    patient_id: str = field(repr=False)
    lookups: Mapping[str, Lookup]
    extra: tuple[Resource, ...] = field(default=(), repr=False)
    problems: tuple[str, ...] = ()
    drafts: Drafts | None = None
    encounter_id: str | None = field(default=None, repr=False)
    bases: frozenset[str] = field(default=frozenset(), repr=False)

    def lookup(self, key: str) -> Lookup:
        """How the look-up under that key went; never asked for counts as not supplied."""
        return self.lookups.get(key, Lookup(LookupState.NOT_SUPPLIED))

    def resources(self) -> tuple[Resource, ...]:
        """All resources, each object once, in no particular order."""
        found = {id(r): r for lookup in self.lookups.values() for r in lookup.resources}
        found.update((id(r), r) for r in self.extra)
        return tuple(found.values())
