"""What is fetched for the checks: the only part of the doctor that opens sockets and files."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from cds_service.clinical.terminology import terminology
from cds_service.doctor.checks.network import Certificate
from cds_service.doctor.checks.store import KeyFile
from cds_service.engine.gather import gather
from cds_service.fhir import answers
from cds_service.fhir.answers import Answer
from cds_service.fhir.client.dialects import dialect
from cds_service.fhir.client.fetcher import HttpFetcher, Lanes, Server
from cds_service.fhir.client.transport import NoResponse, Transport
from cds_service.fhir.read import items, mapping, string
from cds_service.formats import strict_json
from cds_service.formats.urls import Base
from cds_service.kernel.errors import ContentError, InputError
from cds_service.kernel.needs import Need, Records
from cds_service.security import fetch as key_fetch
from cds_service.security import jwks, launchers
from cds_service.security.clients import Client
from cds_service.security.jwks import KeySet
from cds_service.security.launchers import Ehr
from cds_service.simulator.prefetch import MAX_BYTES, MAX_NODES, FhirSource, bounded_get
from cds_service.simulator.templates import fill
from cds_service.simulator.wire import NoAnswer, Wire
from cds_service.store import site_key

_SECONDS = 10.0
# Longer than any call may take: what is slow is told by its time, and what is found all the same is looked at
_PATIENT_SECONDS = 60.0
_UNAUTHORISED = (401, 403)


def certificate(base: Base, where: str, ca_file: str | None = None) -> Certificate:
    """Shake hands with the server of an https address.

    Args:
        base: of the server.
        where: which setting names it.
        ca_file: certificate authorities to trust in place of the public ones.
    """
    server = f"{base.host}:{base.port}"
    try:
        context = ssl.create_default_context(cafile=ca_file or DEFAULT_CA_BUNDLE_PATH)
        with (
            socket.create_connection((base.host, base.port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=base.host) as secure,
        ):
            shown = secure.getpeercert() or {}
            ends = ssl.cert_time_to_seconds(str(shown.get("notAfter", "")))
            return Certificate(server, where, ends, secure.version() or "")
    except ssl.SSLCertVerificationError as problem:
        return Certificate(server, where, problem=problem.verify_message)
    except ssl.SSLError as problem:
        return Certificate(server, where, problem=(problem.reason or "handshake failed").replace("_", " ").lower())
    except OSError:
        return Certificate(server, where, problem="connection")


@dataclass(frozen=True, slots=True)
class Discovered:
    """What `GET /cds-services` at the public address gave; `problem` says why there is no answer."""

    status: int = 0
    ids: tuple[str, ...] | None = None
    problem: str = ""


def discovery(base: Base, ca_file: str | None) -> Discovered:
    """Ask our own public address for the discovery document."""
    wire = Wire(base, ca_file=ca_file, seconds=_SECONDS)
    try:
        answer = wire.get("cds-services")
    except NoAnswer as problem:
        return Discovered(problem=str(problem))
    finally:
        wire.close()
    services = mapping(_parsed(answer.body)).get("services")
    ids = tuple(string(mapping(each).get("id")) for each in items(services)) if isinstance(services, list) else None
    return Discovered(answer.status, ids)


@dataclass(frozen=True, slots=True)
class Published:
    """What the address of a key set gave; `problem` says why there is no set."""

    keys: KeySet | None = None
    max_age: int | None = None
    date: str = ""
    problem: str = ""


def published(url: str) -> Published:
    """Fetch a key set the way the service does."""
    try:
        answer = key_fetch.fetch(url)
    except TimeoutError:
        return Published(problem=f"no answer within {key_fetch.DEADLINE} s")
    except requests.exceptions.SSLError:
        return Published(problem="its TLS certificate is not accepted")
    except requests.ConnectionError:
        return Published(problem="no connection")
    except OSError as problem:
        # of our own words only: "status 500", "more than ... bytes"
        own = type(problem) is OSError
        return Published(problem=str(problem) if own else "the answer broke off")
    body = _parsed(answer.body)
    if body is None:
        return Published(problem="the answer is not strict JSON", date=answer.date)
    return Published(jwks.read(body), answer.max_age, answer.date)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a FHIR server declares; `problem` says why that could not be read."""

    body: Any = field(default=None, repr=False)
    date: str = ""
    problem: str = ""


def metadata(base: Base, client: Client, token: str) -> Declared:
    """Read the CapabilityStatement: as anybody, and with the token where that is refused."""
    transport = Transport(base, ca_bundle=client.ca_bundle)
    try:
        found = bounded_get(transport, base.url("metadata"), None, _SECONDS)
        if found.status in _UNAUTHORISED and token:
            found = bounded_get(transport, base.url("metadata"), token, _SECONDS)
    except NoResponse as problem:
        return Declared(problem=problem.trouble.value)
    finally:
        transport.close()
    if found.status != 200:
        return Declared(date=found.date, problem=f"metadata is answered with status {found.status}")
    body = _parsed(found.body) if "json" in found.content_type else None
    return Declared(body, found.date) if body is not None else Declared(date=found.date, problem="metadata is not JSON")


def smart_configuration(ehr: Ehr) -> Declared:
    """Read `smart-configuration` as a launch does: without a token, and within its bounds."""
    transport = Transport(ehr.base, ca_bundle=ehr.client.ca_bundle)
    try:
        found = bounded_get(
            transport,
            f"{ehr.base}{launchers.WELL_KNOWN}",
            None,
            launchers.SECONDS,
            max_bytes=launchers.MAX_BYTES,
            headers={"Accept": "application/json"},
        )
    except NoResponse as problem:
        return Declared(problem=problem.trouble.value)
    finally:
        transport.close()
    if found.status != 200:
        return Declared(date=found.date, problem=f"answered with status {found.status}")
    body = _parsed(found.body)
    if not isinstance(body, dict):
        return Declared(date=found.date, problem="the answer is no JSON object")
    return Declared(body, found.date)


def _parsed(body: bytes) -> Any:
    try:
        return strict_json.load(body, max_bytes=MAX_BYTES, max_nodes=MAX_NODES)
    except InputError:
        return None


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that brings nothing, so that everything is looked up."""

    patient_id: str = field(repr=False)
    fhir_server: str
    access_token: str = field(repr=False)
    hook: str = "patient-view"
    encounter_id: str | None = None
    prefetch: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A patient's record as the service would fetch it.

    Attributes:
        records: the look-ups, checked for whose they are.
        seconds: what all of them took.
    """

    records: Records = field(repr=False)
    seconds: float


def looked_up(base: Base, client: Client, token: str, patient: str, needs: Sequence[Need]) -> LookedUp:
    """Look everything up, as in a call without prefetch.

    Raises:
        PatientMismatch: the server gave the Patient of somebody else.
    """
    server = Server(base, dialect(client.dialect or "generic"), client.ca_bundle, client.max_parallel_fetches)
    fetcher = HttpFetcher([server], terminology(), Lanes(), seconds=_PATIENT_SECONDS)
    began = time.monotonic()
    try:
        records = gather(_Call(patient, str(base), token), needs, fetcher)
    finally:
        fetcher.close()
    return LookedUp(records, time.monotonic() - began)


def sent_as_prefetch(
    base: Base, client: Client, token: str, patient: str, needs: Sequence[Need], templates: Mapping[str, str]
) -> dict[str, Answer]:
    """What an EHR would send for our templates: the first page of each, read as prefetch."""
    source = FhirSource(base, token, ca_file=client.ca_bundle)
    types = {need.key: need.resource_type for need in needs}
    filled = partial(fill, context={"patientId": patient})
    try:
        values = {key: source.answer(filled(template) or "") for key, template in templates.items()}
    finally:
        source.close()
    return {key: answers.read(value, present=True, resource_type=types.get(key, "")) for key, value in values.items()}


def readable(path: str) -> bool:
    """Whether a file of certificate authorities can be used."""
    try:
        ssl.create_default_context(cafile=path)
    except OSError:  # ssl.SSLError is one
        return False
    return True


def key_file(path: Path) -> KeyFile:
    """Look at a key; it is not made here, and nothing of it is kept."""
    try:
        if not path.exists():
            return KeyFile(made=False)
        mode = path.stat().st_mode & 0o777
        site_key.read(path)
    except ContentError as problem:
        return KeyFile(problem.problem.removesuffix("."))
    except OSError as problem:
        return KeyFile(f"the key cannot be looked at: {type(problem).__name__}")
    return KeyFile(mode=mode)
