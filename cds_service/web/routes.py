"""What each address answers. Everything that is not 2xx is an OperationOutcome with a correlation id."""

from __future__ import annotations

import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from flask import Response, g, request
from werkzeug.exceptions import HTTPException, NotFound

from cds_service.formats import strict_json
from cds_service.kernel.errors import (
    InputError,
    JsonRefused,
    NotAllowed,
    NotAuthenticated,
    PatientMismatch,
    PayloadTooLarge,
    RequestRefused,
    StoreUnavailable,
    Unassessable,
)
from cds_service.protocol import discovery, feedback, openapi, outcome
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.response import HookResponse
from cds_service.security.tokens import Caller
from cds_service.web import interface, observe
from cds_service.web.admission import RETRY_AFTER_S, TURNS, Places, Shares, TooBusy
from cds_service.web.body import read_body, to_bytes
from cds_service.web.door import Door
from cds_service.web.ledger import Ledger
from cds_service.web.logs import Alarm
from cds_service.web.settings import Settings

_PUBLIC_SECONDS = 60

# FHIR issue types: hl7.org/fhir/R4/valueset-issue-type.html
_REFUSALS: Mapping[type[InputError], tuple[int, str]] = {
    NotAuthenticated: (401, "login"),
    NotAllowed: (403, "forbidden"),
    TooBusy: (503, "throttled"),
    JsonRefused: (400, "structure"),
    RequestRefused: (400, "invalid"),
    PayloadTooLarge: (413, "too-long"),
    PatientMismatch: (412, "business-rule"),
    Unassessable: (412, "incomplete"),
}
_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "Bearer"},  # without a word on what was wrong (A23)
    503: {"Retry-After": str(RETRY_AFTER_S)},
}
_ISSUES: Mapping[int, str] = {
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    413: "too-long",
    415: "not-supported",
}
# in place of the words that Flask has for people who type addresses
_NEXT_STEPS: Mapping[int, str] = {
    404: "There is nothing at this address. GET /cds-services lists the services.",
    405: "This address does not take that method. GET /cds-services lists the services; POST a call to one of them.",
}


class Service(Protocol):
    """What a service must tell about itself to be offered; `engine.services.Service` does."""

    @property
    def id(self) -> str:
        """Last part of its address."""

    @property
    def hook(self) -> str:
        """The hook it is called on."""

    @property
    def title(self) -> str:
        """Short name."""

    @property
    def description(self) -> str:
        """What it does."""

    @property
    def usage_requirements(self) -> str:
        """What a site must know first."""

    @property
    def prefetch(self) -> Mapping[str, str]:
        """Key to FHIR query template."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """The functions behind the addresses.

    Attributes:
        settings: see `Settings`.
        services: what is offered, by id.
        answer: from a call and its caller to its cards.
        door: lets registered callers in; `None` where nobody is registered and everybody is answered.
        places: how many calls are worked on at the same time.
        shares: what each client may have of them.
        problems: self-check; what keeps us from working, none when ready.
        degraded: what does not work although cards are given.
        attributes: the source attributes of every rule; JSON without anything about a patient.
        document: the discovery document as bytes.
        interface: the OpenAPI document as bytes.
        reading: the same as a page.
        ledger: keeps what became of cards; `None` where there is no database.
        rule_set: version of rules and content; empty: not told.
    """

    settings: Settings
    services: Mapping[str, Service]
    answer: Callable[[Service, HookRequest, Caller | None], HookResponse]
    problems: Callable[[], Sequence[str]]
    degraded: Callable[[], Sequence[str]]
    attributes: Callable[[], Any]
    door: Door | None
    places: Places
    shares: Shares
    ledger: Ledger | None
    rule_set: str = ""
    document: bytes = field(init=False)
    interface: bytes = field(init=False)
    reading: bytes = field(init=False)

    def __post_init__(self) -> None:
        entries = [
            discovery.ServiceEntry(s.id, s.hook, s.title, s.description, s.prefetch, s.usage_requirements)
            for s in self.services.values()
        ]
        object.__setattr__(self, "document", to_bytes(discovery.document(entries)))
        described = openapi.document(entries)
        object.__setattr__(self, "interface", to_bytes(described))
        object.__setattr__(self, "reading", interface.page(described))

    def discover(self) -> Response:
        """`GET /cds-services`."""
        return _cacheable(self.document)

    def openapi(self) -> Response:
        """`GET /openapi.json`."""
        return _cacheable(self.interface)

    def docs(self) -> Response:
        """`GET /docs`: the OpenAPI document as a page."""
        answer = _cacheable(self.reading, "text/html")
        answer.headers["Content-Security-Policy"] = interface.POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"
        return answer

    def docs_style(self) -> Response:
        """`GET /docs.css`: its style sheet."""
        return _cacheable(interface.style(), "text/css")

    def sources(self) -> Response:
        """`GET /sources`: the source attributes of every rule (45 CFR 170.315(b)(11)(iv)(A))."""
        return _cacheable(to_bytes(self.attributes()))

    def call(self, service_id: str) -> Response:
        """`POST /cds-services/{id}`."""
        service = self.services.get(service_id)
        if service is None:
            raise NotFound("There is no such service. GET /cds-services lists all.")
        g.service = service
        caller = self._admitted(service_id)
        # read before a place is taken: a sender that dawdles must not keep it from others (C12)
        raw = read_body(request, self.settings.max_body_bytes)
        with self.shares.of(caller.client.name if caller else ""), self.places.one(), TURNS.one():
            g.call = call = parse(strict_json.load(raw, max_bytes=self.settings.max_body_bytes), hook=service.hook)
            g.hook_instance = call.hook_instance
            g.found = self.answer(service, call, caller)
            return Response(to_bytes(g.found.to_json()), content_type="application/json")

    def feedback(self, service_id: str) -> Response:
        """`POST /cds-services/{id}/feedback`: what became of cards. Kept before it is acknowledged."""
        service = self.services.get(service_id)
        if service is None:
            raise NotFound("There is no such service. GET /cds-services lists all.")
        g.service = service
        caller = self._admitted(f"{service_id}/feedback")
        if self.ledger is None:
            raise NotFound("Feedback is not kept here. The operator may set database_url.")
        raw = read_body(request, self.settings.max_body_bytes)
        told = feedback.parse(strict_json.load(raw, max_bytes=self.settings.max_body_bytes))
        known = self.ledger.keep(told, caller.client.name if caller else "", service.id)
        observe.feedback(told, known)
        return Response(status=200)

    def _admitted(self, service_id: str) -> Caller | None:
        """Who calls; `None` where callers do not authenticate."""
        caller = self.door.admit(request.headers.getlist("Authorization"), service_id) if self.door else None
        if caller:
            g.client, g.issuer = caller.client.name, caller.client.issuer
        g.admitted = True
        return caller

    def alive(self) -> Response:
        """`GET /healthz`: the process answers."""
        return Response(b'{"status":"alive"}', content_type="application/json")

    def ready(self) -> Response:
        """`GET /readyz`: the self-check finds nothing that keeps us from giving cards; what else is wrong is told (G6)."""
        if found := self.problems():
            return refusal(503, "transient", f"Not ready: {'; '.join(found)}.")
        lacking = self.degraded()
        told: dict[str, Any] = {"status": "degraded", "problems": lacking} if lacking else {"status": "ready"}
        if self.rule_set:
            told["rule_set"] = self.rule_set
        return Response(to_bytes(told), content_type="application/json")


def _cacheable(body: bytes, mimetype: str = "application/json") -> Response:
    """What is the same for everybody until the service is started anew."""
    answer = Response(body, mimetype=mimetype)
    answer.cache_control.public = True
    answer.cache_control.max_age = _PUBLIC_SECONDS
    answer.add_etag()
    answer.make_conditional(request)
    return answer


def refused(problem: InputError) -> Response:
    """The answer to what came from outside and cannot be used."""
    status, issue = status_of(problem)
    if isinstance(problem, NotAuthenticated):
        g.reason = problem.reason
    observe.refused(status, problem)
    if isinstance(problem, TooBusy):
        observe.shed()
    if isinstance(problem, PatientMismatch):
        observe.alarm(Alarm.FOREIGN_PATIENT)
    answer = refusal(status, issue, str(problem), problem.where)
    answer.headers.update(_HEADERS.get(status, {}))
    return answer


def status_of(problem: InputError) -> tuple[int, str]:
    """HTTP status and FHIR issue type of a refusal."""
    return next((known for kind, known in _REFUSALS.items() if isinstance(problem, kind)), (400, "invalid"))


def http_error(problem: HTTPException) -> Response:
    """The answer to what HTTP itself refuses: unknown address, method, content type, length."""
    status = problem.code or 500
    observe.refused(status, problem)
    own_words = problem.description != type(problem).description
    words = problem.description if own_words else _NEXT_STEPS.get(status, problem.description)
    answer = refusal(status, _ISSUES.get(status, "processing"), words or problem.name)
    for name, value in problem.get_headers(request.environ):
        if name == "Allow":
            answer.headers[name] = value
    return answer


def store_away(problem: StoreUnavailable) -> Response:
    """The answer to what has to be kept and cannot be: nothing is acknowledged, so the sender sends it again."""
    observe.refused(503, problem)
    answer = refusal(503, "transient", "What was sent could not be kept. Send it again later.")
    answer.headers.update(_HEADERS[503])
    return answer


def fault(problem: Exception) -> Response:
    """The answer to our own mistakes: nothing about them goes out, and only their place into the log (F2)."""
    frame = traceback.extract_tb(problem.__traceback__)[-1]
    observe.fault(problem, f"{Path(frame.filename).name}:{frame.lineno}")
    return refusal(500, "exception", "The service failed. Tell its operator the correlation id.")


def refusal(status: int, issue: str, diagnostics: str, where: str = "") -> Response:
    """An OperationOutcome as an answer."""
    body = outcome.operation_outcome(issue, diagnostics, g.correlation_id, where)
    return Response(to_bytes(body), status, content_type="application/fhir+json")


def begin() -> Response | None:
    """Give every call its correlation id; answer preflights, which come without credentials."""
    g.correlation_id = str(uuid.uuid4())
    observe.begins()
    return Response(status=204) if request.method == "OPTIONS" else None


def note_answered() -> None:
    """Tell the operator of a call that was answered."""
    if found := g.get("found"):
        observe.answered(found)
