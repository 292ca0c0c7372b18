"""From a need to the searches that answer it: by code first, by category where the server refuses that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from cds_service.fhir.client.dialects import Dialect
from cds_service.kernel.needs import Need

# IIS refuses a query of more than 2,048 bytes unless told otherwise (requestLimits, maxQueryString)
_MAX_VALUES = 1_800
# Legal as they stand in a query (RFC 3986, 3.4); a pipe is not
_SAFE = ":/,.-"


@dataclass(frozen=True, slots=True)
class Query:
    """One search.

    Attributes:
        resource_type: what is searched for.
        by: search parameters, each with the values of which any may match.
        count: `_count`; 0 for none.
    """

    resource_type: str
    by: tuple[tuple[str, tuple[str, ...]], ...]
    count: int = 0

    def __str__(self) -> str:
        terms = [f"{name}={quote(','.join(values), safe=_SAFE)}" for name, values in self.by]
        return f"{self.resource_type}?{'&'.join([*terms, f'_count={self.count}'] if self.count else terms)}"


@dataclass(frozen=True, slots=True)
class Way:
    """Searches that together answer a need.

    Attributes:
        queries: all of them are made.
        caveat: why they do not prove absence even when all complete; "" where they do.
    """

    queries: tuple[Query, ...]
    caveat: str = ""


def ways(need: Need, codes: Sequence[str], patient_id: str, dialect: Dialect) -> tuple[Way, ...]:
    """The ways to look a need up, the best first; the next is gone when the server does not know the one before.

    Args:
        need: a search, not a read by id.
        codes: system-qualified codes of the need ("http://loinc.org|1989-3"); none: all of the type.
        patient_id: logical id.
        dialect: of the server.
    """
    patient = ("patient", (patient_id,))
    if not codes:
        return (Way((Query(need.resource_type, (patient,), dialect.count),)),)
    by_code = tuple(
        Query(need.resource_type, (patient, ("code", part)), dialect.count) for part in _parts(codes, _MAX_VALUES)
    )
    if need.resource_type != "Observation":
        return (Way(by_code),)
    # T-scores were seen under imaging, procedure and laboratory, and an Observation need not have any category
    by_category = Query(need.resource_type, (patient, ("category", dialect.categories)), dialect.count)
    return Way(by_code), Way((by_category,), "searched by category: what has none, or another, was not looked at")


def medications(ids: Sequence[str]) -> Way:
    """The search for Medications by id."""
    return Way(tuple(Query("Medication", (("_id", part),)) for part in _parts(ids, _MAX_VALUES)))


def _parts(values: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """The values in runs that each fit into one address."""
    parts: list[list[str]] = [[]]
    length = 0
    for value in values:
        size = len(quote(value, safe=_SAFE)) + 1
        if parts[-1] and length + size > most:
            parts.append([])
            length = 0
        parts[-1].append(value)
        length += size
    return [tuple(part) for part in parts]
