"""`/sandbox` and its API: the page that plays the EHR.

Everything on it comes from this origin, and what it posts carries a header that no other page can send (H1, H4).
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, g, render_template, request

from cds_service.cards.texts import Texts
from cds_service.clinical.profiles import built_in, profile
from cds_service.engine.services import Service
from cds_service.formats import strict_json
from cds_service.kernel.dates import completed_years, parse_date
from cds_service.kernel.errors import InputError
from cds_service.kernel.recall import forget
from cds_service.sandbox import calls, drawn, fhir, guard, words
from cds_service.sandbox.patients import SandboxPatient, patients
from cds_service.web.body import read_body, to_bytes
from cds_service.web.routes import refusal, status_of
from cds_service.web.settings import Settings

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
# whose chart is open at first
_FIRST = "gc-assessment-due"
# what a page of this kind needs besides its policy
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Windows may have another type for it in its registry, and a browser that is told not to sniff runs no module then
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The functions behind the addresses of the page.

    Attributes:
        settings: see `Settings`.
        services: what can be called, by id.
    """

    settings: Settings
    services: Mapping[str, Service]

    def page(self) -> str:
        """`GET /sandbox`."""
        return render_template("sandbox.html")

    def start(self) -> Response:
        """`GET /sandbox/api/start`: what the page offers to choose from."""
        first = next(iter(self.services.values()))
        texts: Texts = first.texts("en")
        return _json(
            {
                "as_of": self.settings.day().isoformat(),
                "profile": self.settings.profile,
                "profiles": [{"id": name, "title": profile(name).title} for name in reversed(built_in())],
                "services": {each.hook: each.id for each in self.services.values()},
                "keys": [
                    {"key": need.key, "name": texts.names.get(need.key, need.key), "type": need.resource_type}
                    for need in first.needs
                ],
                "failures": calls.FAILURES,
                "units": list(calls.UNITS),
                "first": _FIRST if _FIRST in patients() else next(iter(patients())),
            }
        )

    def listed(self) -> Response:
        """`GET /sandbox/api/patients`."""
        return _json([self._listed(each) for each in patients().values()])

    def _listed(self, patient: SandboxPatient) -> dict[str, Any]:
        born = parse_date(patient.birth_date)
        return {
            "id": patient.id,
            "name": patient.name,
            "shows": patient.shows,
            "expected": patient.expected,
            "sex": patient.gender,
            "birthDate": patient.birth_date,
            "age": completed_years(born, self.settings.day())[0] if born else None,
            "failing": patient.failing,
            "orders": patient.orders,
        }

    def patient(self, ident: str) -> Response:
        """`GET /sandbox/api/patients/{id}`: the record as a Bundle."""
        found = patients().get(ident)
        if found is None:
            return refusal(404, "not-found", "There is no such patient. GET /sandbox/api/patients lists them.")
        return _json(found.record)

    def drugs(self) -> Response:
        """`GET /sandbox/api/drugs`: what can be ordered."""
        return _json(words.drugs())

    def names(self) -> Response:
        """`GET /sandbox/api/names`: names of codes."""
        return _json(words.names())

    def call(self) -> Response:
        """`POST /sandbox/api/call`: see `calls.run`. A refusal of the service is part of the answer; one of the page is a 4xx."""
        as_card = self.settings.on_unassessable == "card"
        return self._answered(partial(calls.run, as_card=as_card, correlation_id=g.correlation_id))

    def pictures(self) -> Response:
        """`POST /sandbox/api/pictures`: the pictures of a chart; asked as a call is."""
        return self._answered(drawn.pictures)

    def what_if(self) -> Response:
        """`POST /sandbox/api/what-if`: the rule map; asked as a call is, with `vary` and `held`."""
        return self._answered(drawn.rule_map)

    def _answered(self, answer: Callable[[calls.Asked], Any]) -> Response:
        limit = self.settings.max_body_bytes
        try:
            told = strict_json.load(read_body(request, limit), max_bytes=limit)
            found = answer(calls.read(self.services, told, self.settings.day()))
        except InputError as problem:
            # answered here: the log of the service is for calls of EHRs
            status, issue = status_of(problem)
            return refusal(status, issue, str(problem), problem.where)
        finally:
            # whatever became of it: text of a record does not outlive the call (S8)
            forget()
        return _json(found)


def register(app: Flask, settings: Settings, services: Mapping[str, Service]) -> None:
    """Put the page, its API and `/fhir` into the application."""
    sandbox = Sandbox(settings, services)
    pages = Blueprint("sandbox", __name__, template_folder="templates", static_folder="static", url_prefix="/sandbox")
    pages.add_url_rule("", view_func=sandbox.page, methods=["GET"])
    pages.add_url_rule("/api/start", view_func=sandbox.start, methods=["GET"])
    pages.add_url_rule("/api/patients", view_func=sandbox.listed, methods=["GET"])
    pages.add_url_rule("/api/patients/<ident>", view_func=sandbox.patient, methods=["GET"])
    pages.add_url_rule("/api/drugs", view_func=sandbox.drugs, methods=["GET"])
    pages.add_url_rule("/api/names", view_func=sandbox.names, methods=["GET"])
    pages.add_url_rule("/api/call", view_func=sandbox.call, methods=["POST"])
    pages.add_url_rule("/api/pictures", view_func=sandbox.pictures, methods=["POST"])
    pages.add_url_rule("/api/what-if", view_func=sandbox.what_if, methods=["POST"])
    pages.before_request(guard.on_this_machine)
    pages.before_request(guard.from_our_page)
    pages.after_request(_with_policy)
    app.register_blueprint(pages)
    app.register_blueprint(fhir.blueprint)


def _with_policy(response: Response) -> Response:
    response.headers.update(_HEADERS)
    return response


def _json(body: Any) -> Response:
    return Response(to_bytes(body), content_type="application/json")
