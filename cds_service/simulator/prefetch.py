"""The prefetch of a call: a service's own templates, filled and looked up at a FHIR server or in a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from cds_service.fhir import answers
from cds_service.fhir.answers import AnswerState
from cds_service.fhir.client.transport import Attempt, NoResponse, Response, Transport
from cds_service.fhir.read import mapping
from cds_service.formats import strict_json
from cds_service.formats.urls import Base
from cds_service.kernel.errors import InputError
from cds_service.simulator.bundle_search import BundleSearch, outcome
from cds_service.simulator.templates import fill

SECONDS = 20.0
MAX_BYTES = 20_000_000
MAX_NODES = 2_000_000
_HEADERS = {"Accept": "application/fhir+json", "User-Agent": "bonecds"}
_CODES = {401: "login", 403: "forbidden", 404: "not-found", 429: "throttled"}


class Source(Protocol):
    """Answers a filled template."""

    def answer(self, query: str) -> Any:
        """JSON that an EHR would put under the key: a resource, a Bundle, or an OperationOutcome for what failed."""
        ...


class FhirSource:
    """A FHIR server. One page of each search, as EHRs send it; the token goes to this server and nowhere else.

    Args:
        base: of the server.
        token: bearer token; `None` for a server that asks for none.
        ca_file: certificate authorities to trust in place of the public ones.
        seconds: longest wait for one answer.
    """

    def __init__(self, base: Base, token: str | None, *, ca_file: str | None = None, seconds: float = SECONDS) -> None:
        self.base, self._token, self._seconds = base, token, seconds
        self._transport = Transport(base, ca_bundle=ca_file)

    def answer(self, query: str) -> Any:
        """As `Source`."""
        try:
            url = self.base.url(query)
        except ValueError:
            return outcome("invalid", "the filled template is no address below the FHIR base")
        try:
            with _bounded(self._seconds) as attempt:
                response = self._transport.get(
                    url, token=self._token, attempt=attempt, max_bytes=MAX_BYTES, headers=_HEADERS
                )
        except NoResponse as problem:
            return outcome("transient", problem.trouble.value)
        body = _parsed(response.body) if "json" in response.content_type else None
        if response.status == 200 and body is not None:
            return body
        if mapping(body).get("resourceType") == "OperationOutcome":
            return body
        said = f"HTTP {response.status}" if response.status != 200 else "the answer is not valid JSON"
        return outcome(_CODES.get(response.status, "exception"), f"the FHIR server: {said}")

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._transport.close()


@contextmanager
def _bounded(seconds: float) -> Iterator[Attempt]:
    """An attempt that is cut when its time is over, whatever the server does."""
    attempt = Attempt(time.monotonic() + seconds)
    timer = threading.Timer(seconds, attempt.cut)
    timer.daemon = True
    timer.start()
    try:
        yield attempt
    finally:
        timer.cancel()


def bounded_get(
    transport: Transport,
    url: str,
    token: str | None,
    seconds: float = SECONDS,
    *,
    max_bytes: int = MAX_BYTES,
    headers: Mapping[str, str] = _HEADERS,
) -> Response:
    """One GET of JSON for a tool; the response, whatever its status.

    Raises:
        NoResponse: no complete response in time.
    """
    with _bounded(seconds) as attempt:
        return transport.get(url, token=token, attempt=attempt, max_bytes=max_bytes, headers=dict(headers))


def _parsed(body: bytes) -> Any:
    try:
        return strict_json.load(body, max_bytes=MAX_BYTES, max_nodes=MAX_NODES)
    except InputError:
        return None


def bundle_source(data: object) -> tuple[BundleSearch, str]:
    """A record from a file, and the id of its only patient.

    Raises:
        InputError: it holds no Patient, or several.
    """
    found = answers.read_all(data)
    patients = {str(each.get("id")) for each in found.resources if each.get("resourceType") == "Patient"}
    if len(patients) != 1:
        raise InputError(
            f"the file holds {len(patients)} patients", "--bundle", "Give the whole record of one, with its Patient."
        )
    return BundleSearch(found.resources), patients.pop()


@dataclass(frozen=True, slots=True)
class Filled:
    """The prefetch of one call.

    Attributes:
        values: what is sent, by key.
        told: for each key of the service, how the look-up went: words of ours and counts.
    """

    values: Mapping[str, Any] = field(repr=False)
    told: Mapping[str, str]


def filled(
    templates: Mapping[str, object],
    context: Mapping[str, object],
    source: Source,
    *,
    fail: Collection[str] = (),
    omit: Collection[str] = (),
) -> Filled:
    """Look up every template.

    Args:
        templates: of the service, by key.
        context: of the call.
        source: where to look.
        fail: keys that are sent as failed.
        omit: keys that are not sent.
    """
    values: dict[str, Any] = {}
    told: dict[str, str] = {}
    for key, template in templates.items():
        if key in omit:
            told[key] = "left out as asked"
            continue
        query = fill(template, context) if isinstance(template, str) else None
        if query is None:
            told[key] = "left out: a token of its template has no value here"
            continue
        values[key] = outcome("exception", "sent as failed on request") if key in fail else source.answer(query)
        told[key] = describe(values[key], query.partition("?")[0].partition("/")[0])
    return Filled(values, told)


def describe(value: object, resource_type: str) -> str:
    """How a look-up went, without a word of the record."""
    found = answers.read(value, present=True, resource_type=resource_type)
    count = f"{len(found.resources)} resource{'' if len(found.resources) == 1 else 's'}"
    if found.state is AnswerState.DATA:
        return count
    if found.state is AnswerState.PARTIAL:
        return f"{count}, incomplete: {found.detail}"
    state: str = found.state.value
    return f"{state}: {found.detail}" if found.detail else state
