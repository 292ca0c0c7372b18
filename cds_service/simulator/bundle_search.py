"""FHIR reads and searches answered from a Bundle in memory: enough of a server for prefetch templates.

A parameter that is not known here is refused, as a server with strict handling does: to ignore it would send more than was
asked for, and the service could not tell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from cds_service.fhir.read import items, mapping, string, when
from cds_service.kernel.needs import Resource

Json = dict[str, Any]
_ELEMENT = {
    "category": "category",
    "clinical-status": "clinicalStatus",
    "code": "code",
    "intent": "intent",
    "status": "status",
    "type": "type",
    "verification-status": "verificationStatus",
}
_SUBJECT = ("patient", "subject")


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
        terms = parse_qsl(search, keep_blank_values=True)
        unknown = sorted({name for name, _ in terms if not _known(name)})
        if unknown:
            return outcome("not-supported", f"a file cannot be searched by {', '.join(unknown)}")
        return self._search(kind, terms)

    def _of(self, kind: str) -> list[Resource]:
        return [each for each in self._resources if each.get("resourceType") == kind]

    def _search(self, kind: str, terms: Sequence[tuple[str, str]]) -> Json:
        found = [each for each in self._of(kind) if all(_fits(each, name, value) for name, value in terms)]
        order = next((value for name, value in terms if name == "_sort"), "")
        if order:
            found.sort(key=_day, reverse=order.startswith("-"))
        most = next((int(value) for name, value in terms if name == "_count" and value.isdigit()), len(found))
        entries = [{"resource": each, "search": {"mode": "match"}} for each in found[:most]]
        if any(name == "_include" for name, _ in terms):
            entries += [{"resource": each, "search": {"mode": "include"}} for each in self._medications(found[:most])]
        link = [{"relation": "self", "url": f"{kind}?{'&'.join(f'{name}={value}' for name, value in terms)}"}]
        if len(found) > most:
            link.append({"relation": "next", "url": f"{kind}?page=2"})
        return {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": link, "entry": entries}

    def _medications(self, orders: Iterable[Resource]) -> list[Resource]:
        wanted = {_tail(string(mapping(each.get("medicationReference")).get("reference"))) for each in orders}
        return [each for each in self._of("Medication") if string(each.get("id")) in wanted]


def outcome(code: str, words: str) -> Json:
    """An OperationOutcome: what an EHR sends under a key whose query failed."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": words}],
    }


def _known(name: str) -> bool:
    return name in _ELEMENT or name in _SUBJECT or name in ("_id", "_count", "_sort", "_include")


def _fits(resource: Resource, name: str, value: str) -> bool:
    if name in _SUBJECT:
        return any(_tail(reference) == _tail(value) for reference in _subjects(resource))
    if name == "_id":
        return string(resource.get("id")) in value.split(",")
    if name in _ELEMENT:
        return any(_matches(resource.get(_ELEMENT[name]), wanted) for wanted in value.split(","))
    return True


def _subjects(resource: Resource) -> list[str]:
    return [string(mapping(resource.get(name)).get("reference")) for name in _SUBJECT if name in resource]


def _matches(value: object, wanted: str) -> bool:
    """Whether a code or CodeableConcept fits a token: "system|code", "code", "|code" or "system|"."""
    system, bar, code = wanted.rpartition("|")
    if isinstance(value, str):
        return value == code
    codings = (mapping(each) for concept in items(value) for each in items(mapping(concept).get("coding")))
    return any(
        (not code or string(coding.get("code")) == code) and (not bar or string(coding.get("system")) == system)
        for coding in codings
    )


def _tail(reference: str) -> str:
    return reference.rsplit("/", 1)[-1].removeprefix("urn:uuid:")


def _day(resource: Resource) -> dt.date:
    found = when(resource)
    return found.latest if found else dt.date.min
