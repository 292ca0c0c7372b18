"""`/summary`, `/smart/launch` and `/smart/callback`: pages without any script, and what becomes of errors on them."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request
from werkzeug.exceptions import HTTPException

from cds_service.formats.urls import Base, is_loopback
from cds_service.kernel.account import Account
from cds_service.kernel.errors import InputError
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.response import HookResponse
from cds_service.security.launchers import Ehr, ehr_of
from cds_service.smart.launch import (
    SECONDS,
    LaunchRefused,
    Pending,
    Tickets,
    begin,
    ehr_fault,
    not_started,
    out_of_order,
    read_token,
    same,
    token_request,
    usable,
)
from cds_service.smart.wire import Wire
from cds_service.summary import Summary
from cds_service.web import observe, routes
from cds_service.web.admission import TURNS, Places

COOKIE = "bonecds-launch"
ID = "bone-health-summary"
_DENIED = frozenset({"access_denied", "interaction_required", "login_required", "consent_required"})
_SIGNS = {"critical": "■", "warning": "▲", "info": "●"}


class Read(Protocol):
    """Reads a record at its FHIR server and looks at it."""

    def __call__(self, client: str, call: HookRequest) -> tuple[Summary, Account]:
        """The page of one patient, for the client of that name."""


class Invented(Protocol):
    """An invented patient."""

    @property
    def id(self) -> str:
        """Its name in addresses."""

    @property
    def shows(self) -> str:
        """Who it is, in a sentence."""


class Demo(Protocol):
    """The invented patients."""

    def refuse(self) -> Response | None:
        """A refusal for callers who may not see them."""

    def listed(self) -> Sequence[Invented]:
        """All of them."""

    def choices(self) -> Mapping[str, Sequence[str]]:
        """What can be asked for, by name of the parameter."""

    def summary(self, ident: str, told: Mapping[str, str]) -> Summary | None:
        """The page of one of them; `None` where there is no such.

        Raises:
            InputError: a choice or a day that there is not.
        """


@dataclass(frozen=True, slots=True)
class _Opened:
    """What log, metrics and audit call a launch."""

    id: str = ID
    hook: str = "smart-launch"


@dataclass(frozen=True, slots=True)
class Launches:
    """The functions behind `/smart`.

    Attributes:
        public_url: where browsers reach this service.
        ehrs: by FHIR base.
        scopes: what is asked for.
        tickets: signs what waits in the browser.
        wire: to the EHRs.
        places: how many launches are worked on at a time.
        first_use: remembers used states for all processes (issuer, id, epoch seconds until it may be forgotten).
        read: gathers and evaluates.
    """

    public_url: str
    ehrs: Mapping[Base, Ehr]
    scopes: list[str]
    tickets: Tickets
    wire: Wire
    places: Places
    first_use: Callable[[str, str, int], bool]
    read: Read

    @property
    def redirect_uri(self) -> str:
        """What is registered at the EHR."""
        return f"{self.public_url.rstrip('/')}/smart/callback"

    def launch(self) -> Response:
        """`GET /smart/launch`: from the chart to the EHR's authorization."""
        iss, launch = request.args.get("iss", ""), request.args.get("launch", "")
        ehr = ehr_of(self.ehrs, iss)
        if ehr is None or not usable(launch):
            raise not_started()
        _known(ehr)
        with self.places.one():
            to = self.wire.configuration(ehr)
        where, pending = begin(ehr, to, iss=iss, launch=launch, redirect_uri=self.redirect_uri, scopes=self.scopes)
        answer = make_response(redirect(where))
        answer.set_cookie(COOKIE, self.tickets.write(pending), max_age=SECONDS, **self._cookie())
        return answer

    def callback(self) -> Response:
        """`GET /smart/callback`: the EHR's answer; the page."""
        pending = self.tickets.read(request.cookies.get(COOKIE, ""))
        ehr = ehr_of(self.ehrs, pending.iss)
        if ehr is None or not same(request.args.get("state", ""), pending.state):
            raise out_of_order("smart-state")
        _known(ehr)
        # whatever becomes of it, this was the answer to that launch
        g.forget = self._cookie()
        if error := request.args.get("error"):
            raise _said_no(error)
        code = request.args.get("code", "")
        if not usable(code):
            raise ehr_fault("smart-no-code")
        with self.places.one():
            summary = self._opened(ehr, self._call(ehr, pending, code))
        return _page(summary)

    def _call(self, ehr: Ehr, pending: Pending, code: str) -> HookRequest:
        """The call that an open chart would send, with the token that the code is worth; it is kept nowhere else."""
        form = token_request(ehr, pending, code, self.redirect_uri)
        granted = read_token(self.wire.token(ehr, pending.token, form))
        # only now: whoever has no code of the EHR's must not be able to fill the store (A16)
        if not self.first_use(f"smart-launch {ehr.base}", pending.state, int(time.time()) + SECONDS):
            raise out_of_order("smart-used")
        body = {
            "hook": "patient-view",
            "hookInstance": str(uuid.uuid4()),
            "context": {"userId": "Practitioner/unknown", "patientId": granted.patient_id},
            "fhirServer": str(ehr.base),
            "fhirAuthorization": {"access_token": granted.token},
        }
        # checked like any call; who opened it was not asked for
        return replace(parse(body, hook="patient-view"), user_type="", user_id="")

    def _opened(self, ehr: Ehr, call: HookRequest) -> Summary:
        g.admitted, g.call = True, call
        with TURNS.one():
            summary, account = self.read(ehr.client.name, call)
        g.found = HookResponse((), account)
        return summary

    def _cookie(self) -> dict[str, Any]:
        parts = urlsplit(self.public_url)
        secure = not (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        return {"path": f"{parts.path.rstrip('/')}/smart", "httponly": True, "secure": secure, "samesite": "Lax"}


def _known(ehr: Ehr) -> None:
    g.client, g.issuer, g.service = ehr.client.name, ehr.client.issuer, _Opened()
    g.frame_ancestors = " ".join(map(str, ehr.client.frame_ancestors))


def _said_no(error: str) -> LaunchRefused:
    """What the EHR gave instead of a code; its words are not repeated."""
    if error in _DENIED:
        return LaunchRefused(
            "smart-denied",
            "the EHR did not give access to this record",
            "Open the summary again from the chart and allow it, or ask whoever manages access to the EHR.",
            403,
        )
    return ehr_fault("smart-error")


# --- the pages -------------------------------------------------------------------------------------------------------
def _page(summary: Summary, demo: str = "") -> Response:
    images = [
        (each, "data:image/svg+xml;base64," + base64.b64encode(each.svg.encode()).decode()) for each in summary.pictures
    ]
    return make_response(render_template("summary.html", s=summary, images=images, signs=_SIGNS, demo=demo))


def _demo(demo: Demo) -> Response:
    if refusal := demo.refuse():
        return refusal
    told = request.args.to_dict()
    ident = told.pop("patient", "")
    if not ident:
        return make_response(render_template("patients.html", patients=demo.listed(), choices=demo.choices()))
    summary = demo.summary(ident, {name: value for name, value in told.items() if value})
    if summary is None:
        raise LaunchRefused("no-patient", "there is no such invented patient", "GET /summary lists them.", 404)
    return _page(summary, ident)


def _told(status: int, problem: str, next_step: str) -> Response:
    return make_response(
        render_template("message.html", problem=problem, next_step=next_step, id=g.correlation_id), status
    )


def _refused(problem: InputError) -> Response:
    if not isinstance(problem, LaunchRefused):
        return _instead_of(routes.refused(problem), problem.what, problem.next_step)
    g.reason = problem.reason
    observe.refused(problem.status, problem)
    return _told(problem.status, problem.what, problem.next_step)


def _http_error(problem: HTTPException) -> Response:
    found = routes.http_error(problem)
    return _instead_of(found, "there is no page for this request", "Open the summary from the chart.")


def _fault(problem: Exception) -> Response:
    return _instead_of(routes.fault(problem), "the service failed", "Tell its operator the correlation id.")


def _instead_of(answer: Response, problem: str, next_step: str) -> Response:
    """A page in place of an answer for programs."""
    told = _told(answer.status_code, problem, next_step)
    for name in ("Allow", "Retry-After"):
        if value := answer.headers.get(name):
            told.headers[name] = value
    return told


def _with_policy(response: Response) -> Response:
    """What every page carries, errors included."""
    ancestors = g.get("frame_ancestors") or "'none'"
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
        f" frame-ancestors {ancestors}"
    )
    if cookie := g.get("forget"):
        response.delete_cookie(COOKIE, **cookie)
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask, *, public_url: str, launches: Launches | None = None, demo: Demo | None = None) -> None:
    """Put the pages into the application: `/smart` for launches, `/summary` for the invented patients.

    Args:
        app: the application.
        public_url: where browsers reach it; a path of it stands before every address.
        launches: see `Launches`; `None` where no EHR is registered for launches.
        demo: the invented patients; `None` where there is no sandbox.
    """
    pages = Blueprint(
        "smart", __name__, template_folder="templates", static_folder="static", static_url_path="/summary/static"
    )
    prefix = urlsplit(public_url).path.rstrip("/")
    pages.context_processor(lambda: {"prefix": prefix})
    if launches:
        pages.add_url_rule("/smart/launch", view_func=launches.launch, methods=["GET"])
        pages.add_url_rule("/smart/callback", view_func=launches.callback, methods=["GET"])
    if demo:
        pages.add_url_rule("/summary", view_func=lambda: _demo(demo), endpoint="summary", methods=["GET"])
    pages.register_error_handler(InputError, _refused)
    pages.register_error_handler(HTTPException, _http_error)
    pages.register_error_handler(Exception, _fault)
    pages.after_request(_with_policy)
    app.register_blueprint(pages)
