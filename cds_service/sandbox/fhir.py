"""`/fhir`: read and search over the invented patients, for SMART clients, the public CDS Hooks sandbox and curl."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, request

from cds_service import __version__
from cds_service.fhir import in_memory
from cds_service.kernel.errors import InputError
from cds_service.sandbox import guard
from cds_service.sandbox.patients import patients
from cds_service.web import cors
from cds_service.web.body import to_bytes
from cds_service.web.routes import refusal

Json = dict[str, Any]
# What is asked for in `Accept` is not looked at: the public sandbox asks for application/json+fhir, as in DSTU2, and takes this
CONTENT_TYPE = "application/fhir+json"
_LONGEST_QUERY = 10_000

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
blueprint.before_request(guard.on_this_machine)


@blueprint.after_request
def _with_prefer(response: Response) -> Response:
    """FHIR clients in a page may ask for strict handling, as those without a page may."""
    response.headers["Access-Control-Allow-Headers"] = f"{cors.HEADERS}, Prefer"
    return response


@lru_cache(maxsize=1)
def resources() -> Mapping[str, Mapping[str, Json]]:
    """Everything that can be read, by type and id."""
    found: dict[str, dict[str, Json]] = {kind: {} for kind in in_memory.PARAMETERS}
    for patient in patients().values():
        for entry in patient.record["entry"]:
            resource = entry["resource"]
            found.setdefault(resource["resourceType"], {})[resource["id"]] = resource
    return found


@blueprint.get("/metadata")
def metadata() -> Response:
    """The CapabilityStatement."""
    return _fhir(capability_statement(_base()))


@blueprint.get("/<kind>/<ident>")
def read(kind: str, ident: str) -> Response:
    """One resource."""
    resource = resources().get(kind, {}).get(ident)
    if resource is None:
        return refusal(404, "not-found", "There is no such resource here. GET /fhir/Patient lists the patients.")
    return _fhir(resource)


@blueprint.get("/<kind>")
@blueprint.post("/<kind>/_search")
def find(kind: str) -> Response:
    """A search, by query or by form."""
    if kind not in in_memory.PARAMETERS:
        return refusal(404, "not-supported", f"This type is not served. Served: {', '.join(in_memory.PARAMETERS)}.")
    try:
        asked = _asked()
        found = in_memory.search(kind, resources()[kind].values(), asked)
    except InputError as problem:
        return refusal(400, "invalid", str(problem), problem.where)
    strict = "handling=strict" in request.headers.get("Prefer", "").replace(" ", "").lower()
    if found.not_applied and strict:
        names = ", ".join(sorted({**in_memory.PARAMETERS[kind], "_id": in_memory.ID}))
        return refusal(400, "not-supported", f"A parameter is not known for {kind}. Known: {names}.")
    return _fhir(in_memory.bundle(kind, found, _base(), urlencode))


def _asked() -> in_memory.Pairs:
    """The parameters in their order: of the address, and of a form."""
    texts = [request.query_string.decode("utf-8", "replace")]
    if request.method == "POST":
        if request.mimetype != "application/x-www-form-urlencoded":
            raise InputError("a search by POST is a form", "_search", "Send application/x-www-form-urlencoded.")
        texts.append(request.stream.read(_LONGEST_QUERY + 1).decode("utf-8", "replace"))
    if sum(map(len, texts)) > _LONGEST_QUERY:
        raise InputError("the search is too long", "_search", f"Send at most {_LONGEST_QUERY} characters.")
    return [pair for text in texts for pair in parse_qsl(text, keep_blank_values=False)]


def _base() -> str:
    return f"{request.host_url}fhir"


def _fhir(body: Json) -> Response:
    return Response(to_bytes(body), content_type=CONTENT_TYPE)


def capability_statement(base: str) -> Json:
    """What `/fhir` can do, as R4 has it."""
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "experimental": True,
        "date": "2026-06-15",
        "kind": "instance",
        "software": {"name": "Bone Health CDS sandbox", "version": __version__},
        "implementation": {"description": "Invented patients, read only", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {"cors": True, "description": "None: only invented patients, only on this machine."},
                "resource": [
                    {
                        "type": kind,
                        "interaction": [{"code": "read"}, {"code": "search-type"}],
                        "searchParam": [
                            {"name": name, "type": each.type} for name, each in {"_id": in_memory.ID, **known}.items()
                        ],
                    }
                    for kind, known in in_memory.PARAMETERS.items()
                ],
            }
        ],
    }
