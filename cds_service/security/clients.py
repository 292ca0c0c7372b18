"""The registered clients: who may call, whose keys prove it, and what each may have.

A client is one issuer (`iss`) of tokens, with its keys, tenants and FHIR servers. Everything a token names is looked up here first,
so that nothing in it ever decides where we connect to (`safety.md` A4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator

from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.errors import ContentError
from cds_service.security.jwks import ALGORITHMS, DEFAULT_ALGORITHMS, KeySet
from cds_service.security.jwks import read as read_keys

SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A registered client: one [[clients]] table",
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "issuer"],
    "properties": {
        "name": {
            "description": "Short name, for logs and metrics; used once.",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$",
        },
        "issuer": {
            "description": "The iss of its tokens, letter by letter; used once.",
            "type": "string",
            "minLength": 1,
            "maxLength": 512,
        },
        "jwks_urls": {
            "description": "Where its keys may be fetched: the jku of its tokens, letter by letter. Or give jwks.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": "string"},
        },
        "jwks": {
            "description": "Its public keys (RFC 7517), where they are exchanged by hand. Or give jwks_urls.",
            "type": "object",
            "required": ["keys"],
            "properties": {"keys": {"type": "array", "minItems": 1}},
        },
        "algorithms": {
            "description": "Signatures it may use; default ES384 and RS384.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {"enum": sorted(ALGORITHMS)},
        },
        "tenants": {
            "description": "The tenants it may name; none listed: its tokens name none.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "minLength": 1, "maxLength": 256},
        },
        "fhir_bases": {
            "description": "The FHIR servers it may send us to.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string"},
        },
        "profile": {
            "description": "Built-in profile of clinical choices for its calls.",
            "type": "string",
            "pattern": "^[a-z][a-z0-9_-]*$",
        },
        "site_file": {
            "description": "TOML file with this site's own choices.",
            "type": "string",
            "minLength": 1,
        },
        "silent": {
            "description": "Silent mode: its calls are answered without cards, and what would have been shown is recorded.",
            "type": "boolean",
        },
        "dialect": {"description": "What its software understands beyond the standard.", "type": "string"},
        "ca_bundle": {
            "description": "File with the certificate authorities of its FHIR servers, in place of the public ones.",
            "type": "string",
            "minLength": 1,
        },
        "max_token_seconds": {
            "description": "Longest life of its tokens, from iat to exp; default 300.",
            "type": "integer",
            "minimum": 1,
            "maximum": 3600,
        },
        "max_parallel_fetches": {
            "description": "Most requests to one of its FHIR servers at the same time; default 4.",
            "type": "integer",
            "minimum": 1,
            "maximum": 64,
        },
        "smart_client_id": {
            "description": "The client_id its EHR gave the one-page summary (SMART App Launch); none: it cannot be launched.",
            "type": "string",
            "pattern": "^[!-~]{1,256}$",
        },
        "smart_origins": {
            "description": "Where its authorization and token addresses may lie, beside the origins of its FHIR servers.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string"},
        },
        "frame_ancestors": {
            "description": "Origins of its EHR whose pages may show the summary in a frame; none listed: none.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string"},
        },
    },
}
_VALIDATOR = Draft202012Validator(SCHEMA)


@dataclass(frozen=True, slots=True)
class Client:
    """What `SCHEMA` describes, with the defaults; made by `registry`.

    Exactly one of `jwks_urls` and `jwks` is given.
    """

    name: str
    issuer: str
    jwks_urls: tuple[str, ...] = ()
    jwks: KeySet | None = None
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    tenants: frozenset[str] = frozenset()
    fhir_bases: tuple[Base, ...] = ()
    profile: str | None = None
    site_file: Path | None = None
    silent: bool = False
    dialect: str = ""
    ca_bundle: str | None = None
    max_token_seconds: int = 300
    max_parallel_fetches: int = 4
    smart_client_id: str = ""
    smart_origins: tuple[Base, ...] = ()
    frame_ancestors: tuple[Base, ...] = ()


class Registry:
    """The registered clients, by issuer."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self._by_issuer: Mapping[str, Client] = MappingProxyType({client.issuer: client for client in clients})

    def of_issuer(self, issuer: str) -> Client | None:
        """The client whose tokens carry this `iss`, if one is registered."""
        return self._by_issuer.get(issuer)

    def all(self) -> tuple[Client, ...]:
        """Every client, in the order of the file."""
        return tuple(self._by_issuer.values())


def registry(entries: Sequence[Mapping[str, Any]], file: str) -> Registry:
    """Read the registered clients.

    Args:
        entries: the `[[clients]]` tables.
        file: where they stand, for messages.

    Returns:
        The clients. Two of them may share a `jwks_urls` address (one vendor serves many sites); not an issuer or a name.

    Raises:
        ContentError: a client is not what `SCHEMA` allows, has a weak or private key, or an address that is not safe to call.
    """
    clients: list[Client] = []
    for number, entry in enumerate(entries):
        client = _client(entry, file, f"clients.{number}")
        for key in ("issuer", "name"):
            if any(getattr(client, key) == getattr(other, key) for other in clients):
                problem = f"another client has the same {key}"
                raise ContentError(file, f"clients.{number}.{key}", problem, f"Give each client its own {key}.")
        if any(client.smart_client_id and other.smart_client_id and _shared(client, other) for other in clients):
            problem = "another client with a smart_client_id has the same FHIR server"
            fix = "Register the launch once for each FHIR server."
            raise ContentError(file, f"clients.{number}.smart_client_id", problem, fix)
        clients.append(client)
    return Registry(clients)


def _shared(one: Client, other: Client) -> bool:
    """A launch says only which FHIR server it is from, so that has to name the registration."""
    return not frozenset(one.fhir_bases).isdisjoint(other.fhir_bases)


def _client(entry: Mapping[str, Any], file: str, place: str) -> Client:
    for error in sorted(_VALIDATOR.iter_errors(entry), key=lambda e: list(map(str, e.absolute_path))):
        where = ".".join([place, *map(str, error.absolute_path)])
        raise ContentError(file, where, error.message)
    if ("jwks_urls" in entry) == ("jwks" in entry):
        problem = "needs jwks_urls or jwks, and not both"
        raise ContentError(file, place, problem, "Say where its keys are published, or write them here.")
    given = dict(entry)
    for number, url in enumerate(entry.get("jwks_urls", ())):
        _base(url, file, f"{place}.jwks_urls.{number}")  # compared and called as it is written, so only looked at
    given["fhir_bases"] = tuple(
        _base(url, file, f"{place}.fhir_bases.{number}") for number, url in enumerate(entry.get("fhir_bases", ()))
    )
    _check_smart(entry, file, place)
    for name in ("smart_origins", "frame_ancestors"):
        given[name] = tuple(
            _origin(url, file, f"{place}.{name}.{number}") for number, url in enumerate(entry.get(name, ()))
        )
    for name, kind in (("jwks_urls", tuple), ("algorithms", tuple), ("tenants", frozenset), ("site_file", Path)):
        if name in entry:
            given[name] = kind(entry[name])
    if "jwks" in entry:
        given["jwks"] = _pinned(entry["jwks"], given.get("algorithms", DEFAULT_ALGORITHMS), file, f"{place}.jwks")
    return Client(**given)


def _base(text: str, file: str, place: str) -> Base:
    try:
        return parse_base(text, insecure=True)
    except ValueError as problem:
        raise ContentError(file, place, str(problem), "Write the address as https://host/path.") from None


def _check_smart(entry: Mapping[str, Any], file: str, place: str) -> None:
    if "smart_client_id" in entry and not entry.get("fhir_bases"):
        problem = "needs fhir_bases: a launch is known by its FHIR server"
        raise ContentError(file, f"{place}.smart_client_id", problem, "List the FHIR server that launches it.")
    for name in ("smart_origins", "frame_ancestors"):
        if name in entry and "smart_client_id" not in entry:
            fix = "Give smart_client_id, or take this out."
            raise ContentError(file, f"{place}.{name}", "is for clients with a smart_client_id", fix)


def _origin(text: str, file: str, place: str) -> Base:
    found = _base(text, file, place)
    if found.path:
        raise ContentError(file, place, "has a path", "Write the origin alone: https://host.")
    return found


def _pinned(document: Any, algorithms: Iterable[str], file: str, place: str) -> KeySet:
    """Every key an operator writes down must be fit: one left out silently would be missed on the day of rotation."""
    found = read_keys(document)
    for where, problem, fix in found.problems:
        raise ContentError(file, f"{place}.{where}", problem, fix)
    for number, key in enumerate(found.keys):
        if key.algorithms.isdisjoint(algorithms):
            fix = f"Add {' or '.join(sorted(key.algorithms))} to algorithms, or register another key."
            raise ContentError(file, f"{place}.keys.{number}", "is for none of the client's algorithms", fix)
    return found
