"""Invented words that stand for what must not be found again: planted into a call, then looked for in everything that comes out.

Each kind has its own mark, letters and digits only, so that it survives escaping, cutting and change of case.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.support.golden import Json

_MARK = "zq7"
KINDS = ("name", "mrn", "address", "phone", "token", "user", "encounter", "instance", "note", "word", "drug", "field")
# Who somebody is, and what lets one act for somebody: not on a card either. A card may repeat the other words of the record,
# and its drafts name the encounter.
NEVER = frozenset({"name", "mrn", "address", "phone", "token", "user", "instance", "note"})
_FOUND = re.compile(rf"{_MARK}({'|'.join(KINDS)})", re.IGNORECASE)
_WORDS = frozenset({"text", "display", "conclusion", "description", "title"})

HEADERS: Mapping[str, str] = {
    "Authorization": f"Bearer {_MARK}token.{_MARK}token.{_MARK}token",
    "Cookie": f"session={_MARK}token",
    "User-Agent": f"EHR/1 ({_MARK}name)",
    "Referer": f"https://ehr.example.org/chart?mrn={_MARK}mrn",
    "X-Request-Id": f"{_MARK}mrn",
    "X-Forwarded-For": f"{_MARK}name",
    "Origin": f"https://{_MARK}name.example.org",
}


def of(kind: str) -> str:
    """The word of a kind."""
    assert kind in KINDS
    return f"{_MARK}{kind}"


def found_in(*outputs: str) -> set[str]:
    """The kinds that stand in some text."""
    return {each.lower() for output in outputs for each in _FOUND.findall(output)}


def planted(request: Json) -> Json:
    """The call with words planted wherever it stays answerable: names, numbers, notes, words, tokens, ids of the call."""
    call = copy.deepcopy(request)
    call["hookInstance"] = f"{of('instance')} of {of('name')}"
    call["context"] |= {"userId": f"Practitioner/{of('user')}", "encounterId": of("encounter")}
    call["fhirAuthorization"] = {
        "access_token": of("token"),
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": f"patient/*.read {of('token')}",
        "subject": of("user"),
    }
    call["extension"] = {"org.example.site": {of("note"): [of("note")]}}
    for resource in _resources(call):
        _plant(resource)
    call["prefetch"][of("note")] = {"resourceType": "Bundle", "type": "searchset", "entry": []}
    return call


def _plant(resource: Json) -> None:
    resource["text"] = {"status": "generated", "div": f"<div>{of('note')}</div>"}
    if resource.get("resourceType") == "Patient":
        resource["name"] = [{"family": of("name"), "given": [of("name")], "text": f"{of('name')} {of('name')}"}]
        resource["identifier"] = [{"system": "urn:oid:1.2.3", "value": of("mrn")}]
        resource["address"] = [{"line": [of("address")], "city": of("address"), "postalCode": of("address")}]
        resource["telecom"] = [{"system": "phone", "value": of("phone")}]
        return
    if "medicationCodeableConcept" in resource:
        resource["medicationCodeableConcept"].setdefault("text", "drug")
    resource["note"] = [{"text": of("note"), "authorString": of("user")}]
    for holder, key, path in list(strings(resource)):
        if key in _WORDS and not {"text", "note", "dosageInstruction"} & set(path[:-1]):
            holder[key] += f" {of('drug' if 'medication' in ''.join(path).lower() else 'word')}"


def _resources(node: Any) -> Iterator[Json]:
    """All resources in a call, contained ones too."""
    if isinstance(node, dict):
        if node.get("resourceType") not in (None, "Bundle", "OperationOutcome"):
            yield node
        for value in list(node.values()):
            yield from _resources(value)
    elif isinstance(node, list):
        for value in node:
            yield from _resources(value)


def strings(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[Any, Any, tuple[str, ...]]]:
    """Holder, key and path of every string; the path has names and no numbers."""
    pairs: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, dict):
        pairs = node.items()
    elif isinstance(node, list):
        pairs = enumerate(node)
    for key, value in pairs:
        if isinstance(value, str):
            yield node, key, (*path, key) if isinstance(key, str) else path
        else:
            yield from strings(value, (*path, key) if isinstance(key, str) else path)
