"""From a need to its codes, its scope and its prefetch template: CDS Hooks 2.0 tokens and query subset only (`protocol.md` F)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.fhir.codes import Terminology
from cds_service.kernel.needs import Need

_SUBJECT = {"Patient": "_id"}
# High enough that the client need not page (item 38)
_COUNT = 500


def prefetch(needs: Iterable[Need], terminology: Terminology) -> Mapping[str, str]:
    """One template per need: read by id, or a type search by patient and LOINC codes.

    No relative dates (they exist only in the 3.0 draft), no `_include`, no repeated parameter: the public
    sandbox merges repeats with a comma, which turns AND into OR.
    """
    return {need.key: _template(need, terminology) for need in needs}


def _template(need: Need, terminology: Terminology) -> str:
    if need.by_id:
        return f"{need.resource_type}/{{{{context.patientId}}}}"
    query = f"{need.resource_type}?patient={{{{context.patientId}}}}"
    codes = codes_of(need, terminology)
    if codes:
        query += f"&code={','.join(codes)}"
    return f"{query}&_count={_COUNT}"


def codes_of(need: Need, terminology: Terminology) -> list[str]:
    """System-qualified codes of the need's concepts; prefixes and classes cannot be searched for and are left out."""
    if not need.concepts:
        return []
    return [f"{system}|{code}" for system, code in terminology.codes(*need.concepts)]


def scope_of(need: Need) -> str:
    """The SMART App Launch 2 scope a look-up needs: `r` to read by id, `rs` to search and read what was found."""
    return f"patient/{need.resource_type}.{'r' if need.by_id else 'rs'}"
