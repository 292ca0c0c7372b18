"""What this service answers as an OpenAPI 3.1 document, derived from the JSON Schemas and from what is offered.

OpenAPI 3.1 uses JSON Schema 2020-12 as it is, so the schemas are taken over; only their `$defs` move to where OpenAPI
readers look for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cds_service import __version__
from cds_service.protocol.discovery import ServiceEntry
from cds_service.protocol.validate import schema

_COMPONENTS = "#/components/schemas/"
_JSON, _FHIR = "application/json", "application/fhir+json"
_HEADERS: Mapping[str, Any] = {
    "X-Correlation-Id": {
        "description": "Finds the call in the log of the operator.",
        "required": True,
        "schema": {"type": "string", "format": "uuid"},
    }
}
_OUTCOME: Mapping[str, Any] = {
    "title": "FHIR OperationOutcome",
    "type": "object",
    "required": ["resourceType", "issue"],
    "additionalProperties": False,
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "maxItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code", "diagnostics"],
                "additionalProperties": False,
                "properties": {
                    "severity": {"const": "error"},
                    "code": {"type": "string", "minLength": 1},
                    "diagnostics": {"type": "string", "minLength": 1},
                    "expression": {"type": "array", "minItems": 1, "maxItems": 1, "items": {"type": "string"}},
                },
            },
        },
    },
}
_REFUSALS: Mapping[str, str] = {
    "400": "Not strict JSON, not a request of CDS Hooks, or a request of another hook.",
    "401": "Where callers are registered: no valid, unused token of one of them.",
    "403": "A tenant that is not the caller's.",
    "408": "The body took too long to come.",
    "412": "Data of another patient, or too little to tell whether the patient is in scope.",
    "413": "More bytes or more JSON values than are read.",
    "415": "Another content type, charset or encoding than JSON in plain UTF-8.",
    "500": "A fault of ours.",
    "503": "Too many calls at the same time; the header Retry-After says when to try again.",
}


def document(entries: Iterable[ServiceEntry]) -> dict[str, Any]:
    """The OpenAPI document of a service that offers these.

    Args:
        entries: the services, in the order of discovery.

    Returns:
        The document as JSON.
    """
    schemas: dict[str, Any] = {"outcome": _OUTCOME}
    for name in ("discovery", "request", "response", "feedback"):
        schemas |= _hoisted(name, schema(name))
    # each service takes the request of its own hook alone, which `_request_of` adds
    request = schemas.pop("request")
    paths: dict[str, Any] = {
        "/cds-services": {"get": _read("The services on offer.", "discovery", unchanged=True)},
        "/sources": {"get": _read("Source attributes of every rule.", None, unchanged=True)},
        "/openapi.json": {"get": _read("This document.", None, unchanged=True)},
        "/docs": {"get": _read("This document as a page.", None, kind="text/html", unchanged=True)},
        "/docs.css": {"get": _read("Its style sheet.", None, kind="text/css", unchanged=True)},
        "/healthz": {"get": _read("The process answers.", None)},
        "/readyz": {"get": _read("The service can answer.", None, {"503": "It cannot; the diagnostics say why."})},
    }
    for entry in entries:
        schemas[f"request-of-{entry.hook}"] = _request_of(entry.hook, request)
        paths[f"/cds-services/{entry.id}"] = {"post": _call(entry)}
        paths[f"/cds-services/{entry.id}/feedback"] = {"post": _feedback(entry)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bone Health CDS",
            "version": __version__,
            "description": "A CDS Hooks 2.0.1 service. Every answer that is not 2xx is a FHIR OperationOutcome.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"client": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _call(entry: ServiceEntry) -> dict[str, Any]:
    body = {"schema": {"$ref": f"{_COMPONENTS}request-of-{entry.hook}"}}
    return {
        "operationId": entry.id,
        "summary": entry.title,
        "description": entry.description,
        # on loopback callers need not be registered
        "security": [{}, {"client": []}],
        "requestBody": {"required": True, "content": {_JSON: body, _FHIR: body}},
        "responses": {"200": _answer("Cards; none means no advice.", "response"), **_refused(_REFUSALS)},
    }


def _feedback(entry: ServiceEntry) -> dict[str, Any]:
    body = {"schema": {"$ref": f"{_COMPONENTS}feedback"}}
    refusals = {status: words for status, words in _REFUSALS.items() if status != "412"}
    told = {
        "404": "There is no database, so feedback is not kept.",
        "503": "It could not be kept; the header Retry-After says when to try again.",
    }
    return {
        "operationId": f"{entry.id}-feedback",
        "summary": "What became of cards.",
        "description": "Kept before it is acknowledged; the same telling is kept once.",
        "security": [{}, {"client": []}],
        "requestBody": {"required": True, "content": {_JSON: body, _FHIR: body}},
        "responses": {"200": {"description": "Kept.", "headers": _HEADERS}, **_refused({**refusals, **told})},
    }


def _read(
    summary: str,
    schema_name: str | None,
    refusals: Mapping[str, str] | None = None,
    *,
    kind: str = _JSON,
    unchanged: bool = False,
) -> dict[str, Any]:
    """A GET; `unchanged` when it may be asked for again with the ETag of its answer."""
    known = {"304": {"description": "As it was.", "headers": _HEADERS}} if unchanged else {}
    return {
        "summary": summary,
        "responses": {"200": _answer(summary, schema_name, kind), **known, **_refused(refusals or {})},
    }


def _answer(description: str, schema_name: str | None, kind: str = _JSON) -> dict[str, Any]:
    bare = {"type": "object" if kind == _JSON else "string"}
    held = {"$ref": _COMPONENTS + schema_name} if schema_name else bare
    return {"description": description, "headers": _HEADERS, "content": {kind: {"schema": held}}}


def _refused(words: Mapping[str, str]) -> dict[str, Any]:
    return {status: _answer(said, "outcome", _FHIR) for status, said in words.items()}


def _request_of(hook: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """The request of one hook: its name fixed, its context that of the hook."""
    properties = {**request["properties"], "hook": {"const": hook}}
    if hook in schema("request")["$defs"]:
        properties["context"] = {"$ref": f"{_COMPONENTS}request-{hook}"}
    return {key: value for key, value in request.items() if key != "allOf"} | {
        "title": f"Request of {hook}",
        "properties": properties,
        # cds-r-1; stands in `parse` and in the invariants for everybody else
        "dependentRequired": {"fhirAuthorization": ["fhirServer"]},
    }


def _hoisted(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """A schema and its definitions as components of their own."""
    held = {f"{name}-{part}": _repointed(name, value) for part, value in found.get("$defs", {}).items()}
    bare = {key: value for key, value in found.items() if key not in ("$schema", "$id", "$defs")}
    return {name: _repointed(name, bare), **held}


def _repointed(name: str, node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _repointed(name, value) for key, value in node.items()}
    if isinstance(node, list):
        return [_repointed(name, each) for each in node]
    return node.replace("#/$defs/", f"{_COMPONENTS}{name}-") if isinstance(node, str) else node
