"""What a search finds and how its pages look; every way in which servers of vendors differ is a switch of `Quirks`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
_NAMES_PATIENT = ("subject", "patient")


@dataclass(frozen=True, slots=True)
class Quirks:
    """How a healthy server may differ from the next.

    Attributes:
        page_size: most entries of a page, whatever `_count` says; 0 for no limit.
        outcome_entry: every page holds an OperationOutcome with a harmless hint (Epic).
        total: "all", "page" (Epic: of this page) or "none".
        self_link: whether a page says what was searched for.
        next_link: "absolute", "relative" (Epic: a session id alone) or "other-case" (NextGen: /R4/ for /r4/).
        search_mode: whether entries say that they match.
        observation_needs: an Observation search needs one of these parameters.
        refused_parameters: parameters for which the server answers 400.
        suppressed: Observation categories that the client may not see: 400, severity warning (Epic).
        denied: types answered 403 with an empty body and no content type.
        html_denied: types answered 401 with an HTML page.
        broken: types answered 500.
        content_type: of all JSON.
    """

    page_size: int = 0
    outcome_entry: bool = False
    total: str = "all"
    self_link: bool = True
    next_link: str = "absolute"
    search_mode: bool = True
    observation_needs: tuple[str, ...] = ()
    refused_parameters: tuple[str, ...] = ()
    suppressed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    html_denied: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    content_type: str = "application/fhir+json;charset=UTF-8"


def outcome(severity: str, code: str, words: str = "") -> Json:
    """An OperationOutcome with one issue."""
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": severity, "code": code, "diagnostics": words}],
    }


def refusal(quirks: Quirks, kind: str, query: Mapping[str, str]) -> tuple[int, Json] | None:
    """Status and body where this server does not take such a search."""
    wanted = set(query.get("category", "").split(","))
    if kind == "Observation" and wanted & set(quirks.suppressed):
        return 400, outcome("warning", "suppressed", "4118: the client may not see this category")
    if kind == "Observation" and quirks.observation_needs and not set(quirks.observation_needs) & set(query):
        return 400, outcome("fatal", "required", "Must have either code or category.")
    if refused := sorted(set(quirks.refused_parameters) & set(query)):
        return 400, outcome("error", "processing", f"Does not know how to handle parameter [{','.join(refused)}]")
    return None


def search(resources: Sequence[Json], kind: str, query: Mapping[str, str]) -> list[Json]:
    """The resources of a type that fit `patient`, `code`, `category` and `_id`; other parameters are ignored."""
    return [each for each in resources if each["resourceType"] == kind and _fits(each, query)]


def _fits(resource: Json, query: Mapping[str, str]) -> bool:
    if "patient" in query and f"Patient/{query['patient']}" not in _patients(resource):
        return False
    if "_id" in query and resource["id"] not in query["_id"].split(","):
        return False
    if "code" in query and not _codes([resource.get("code", {})]) & set(query["code"].split(",")):
        return False
    return "category" not in query or bool(_codes(resource.get("category", [])) & set(query["category"].split(",")))


def _patients(resource: Json) -> set[str]:
    return {resource[name]["reference"] for name in _NAMES_PATIENT if name in resource}


def _codes(concepts: Sequence[Json]) -> set[str]:
    codings = [coding for concept in concepts for coding in concept.get("coding", ())]
    return {coding["code"] for coding in codings} | {f"{coding.get('system')}|{coding['code']}" for coding in codings}


def page(quirks: Quirks, base: str, found: Sequence[Json], start: int, size: int, links: Mapping[str, str]) -> Json:
    """One page.

    Args:
        quirks: of the server.
        base: for `fullUrl`.
        found: the whole result.
        start: index of the first entry.
        size: most entries.
        links: "self" and "next", where there are such.
    """
    entries = [_entry(quirks, base, each) for each in found[start : start + size]]
    if quirks.outcome_entry:
        hint = outcome("warning", "processing", "4119: this response includes information from other sources")
        entries.append({"fullUrl": "urn:uuid:hint", "resource": hint, "search": {"mode": "outcome"}})
    body: Json = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    kept = {name: url for name, url in links.items() if name != "self" or quirks.self_link}
    if kept:
        body["link"] = [{"relation": name, "url": url} for name, url in kept.items()]
    if quirks.total != "none":
        body["total"] = len(found) if quirks.total == "all" else len(found[start : start + size])
    return body


def _entry(quirks: Quirks, base: str, resource: Json) -> Json:
    entry = {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource}
    return {**entry, "search": {"mode": "match"}} if quirks.search_mode else entry


# What is looked for, by type; a server need not declare `_id`
_SEARCHED = {
    "Patient": (),
    "Condition": ("patient", "code", "category"),
    "Observation": ("patient", "code", "category", "date"),
    "DiagnosticReport": ("patient", "code", "category"),
    "Procedure": ("patient", "code"),
    "MedicationRequest": ("patient", "status", "intent"),
    "MedicationDispense": ("patient",),
    "MedicationAdministration": ("patient",),
    "MedicationStatement": ("patient",),
    "FamilyMemberHistory": ("patient",),
    "Medication": ("_id",),
}


def capability(base: str) -> Json:
    """A CapabilityStatement that declares every search of the server."""
    resources = [
        {
            "type": kind,
            "interaction": [{"code": "read"}, {"code": "search-type"}],
            "searchParam": [{"name": name, "type": "token"} for name in names],
        }
        for kind, names in _SEARCHED.items()
    ]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "implementation": {"description": "a server of tests", "url": base},
        "format": ["json"],
        "rest": [{"mode": "server", "resource": resources}],
    }
