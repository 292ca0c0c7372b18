"""FHIR reads and searches answered from a Bundle in memory: enough of a server for prefetch templates.

A parameter that is not known here is refused, as a server with strict handling does: to ignore it would send more than was
asked for, and the service could not tell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from cds_service.fhir import in_memory
from cds_service.fhir.read import mapping, string, when
from cds_service.kernel.errors import InputError
from cds_service.kernel.needs import Resource

Json = dict[str, Any]
# parameters of the result that are worked out here
_SORT, _INCLUDE = "_sort", "_include"


class BundleSearch:
    """One record as a FHIR server.

    Args:
        resources: the record.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._resources = tuple(resources)

    def answer(self, query: str) -> Json:
        """A read (`Patient/1`) or a search (`Observation?patient=1&code=...`).

        Returns:
            The resource, a searchset Bundle, or an OperationOutcome that says what could not be done.
        """
        path, _, search = query.partition("?")
        kind, _, ident = unquote(path).strip("/").partition("/")
        if not search:
            found = [each for each in self._of(kind) if string(each.get("id")) == ident]
            return dict(found[0]) if found else outcome("not-found", "no resource of this type and id is in the file")
        return self._search(kind, parse_qsl(search, keep_blank_values=True))

    def _of(self, kind: str) -> list[Resource]:
        return [each for each in self._resources if each.get("resourceType") == kind]

    def _search(self, kind: str, terms: Sequence[tuple[str, str]]) -> Json:
        told = dict(terms)
        held = self._of(kind)
        if order := told.get(_SORT):
            held.sort(key=_day, reverse=order.startswith("-"))
        try:
            asked = [(name, value) for name, value in terms if name not in (_SORT, _INCLUDE)]
            found = in_memory.search(kind, held, asked, most=len(held))
        except InputError as problem:
            return outcome("invalid", f"{problem}")
        if found.not_applied:
            return outcome("not-supported", f"a file cannot be searched by {', '.join(sorted(found.not_applied))}")
        entries = [{"resource": each, "search": {"mode": "match"}} for each in found.page]
        if _INCLUDE in told:
            entries += [{"resource": each, "search": {"mode": "include"}} for each in self._medications(found.page)]
        link = [{"relation": "self", "url": f"{kind}?{'&'.join(f'{name}={value}' for name, value in terms)}"}]
        if found.total > len(found.page):
            link.append({"relation": "next", "url": f"{kind}?page=2"})
        return {"resourceType": "Bundle", "type": "searchset", "total": found.total, "link": link, "entry": entries}

    def _medications(self, orders: Iterable[Resource]) -> list[Resource]:
        wanted = {_tail(string(mapping(each.get("medicationReference")).get("reference"))) for each in orders}
        return [each for each in self._of("Medication") if string(each.get("id")) in wanted]


def outcome(code: str, words: str) -> Json:
    """An OperationOutcome: what an EHR sends under a key whose query failed."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": words}],
    }


def _tail(reference: str) -> str:
    return reference.rsplit("/", 1)[-1].removeprefix("urn:uuid:")


def _day(resource: Resource) -> dt.date:
    found = when(resource)
    return found.latest if found else dt.date.min
