"""What the prefetch of a call lacks, fetched from its FHIR server: which keys, and how both are put together.

Prefetch comes first and is never asked for again where it is complete. What was found before a failure is kept, and
what two look-ups of one key found counts once; only a look-up that completed proves absence (S2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from cds_service.fhir.answers import Fetched
from cds_service.fhir.read import mapping, string
from cds_service.kernel.needs import Lookup, LookupState, Need, Resource

_WORTH_FETCHING = frozenset({LookupState.NOT_SUPPLIED, LookupState.FAILED, LookupState.PARTIAL})


class Fetcher(Protocol):
    """Looks up at the FHIR server of a call, within the time that the caller of the service can wait."""

    def fetch(
        self, fhir_server: str, token: str, patient_id: str, needs: Sequence[Need], known: Iterable[Resource]
    ) -> Fetched:
        """Look up the needs, and the Medications that `known` and what is found refer to.

        Never raises for anything a server does, and never connects to a server that was not registered.
        """
        ...


def lacking(needs: Iterable[Need], lookups: Mapping[str, Lookup]) -> tuple[Need, ...]:
    """The needs to fetch. What the client may not see, it need not be asked for a second time."""
    return tuple(need for need in needs if lookups[need.key].state in _WORTH_FETCHING)


def merged(supplied: Lookup, fetched: Lookup) -> Lookup:
    """One look-up from what was supplied under a key and what the FHIR server gave for it."""
    resources = _each_once((*fetched.resources, *supplied.resources))
    if fetched.state is LookupState.COMPLETE:
        return Lookup(LookupState.COMPLETE, resources)
    detail = "; ".join(dict.fromkeys(filter(None, (supplied.detail, fetched.detail))))
    if resources or LookupState.PARTIAL in (supplied.state, fetched.state):
        return Lookup(LookupState.PARTIAL, resources, detail)
    return Lookup(fetched.state, (), detail)


def _each_once(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The same version of the same resource counts once, whichever way it came."""
    found: dict[object, Resource] = {}
    for each in resources:
        ident = string(each.get("id"))
        key = (each.get("resourceType"), ident, string(mapping(each.get("meta")).get("versionId")))
        found.setdefault(key if ident else id(each), each)
    return tuple(found.values())
