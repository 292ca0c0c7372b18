"""The Flask application: addresses, error answers and headers, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from cds_service.kernel.errors import ContentError, InputError
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import HookResponse
from cds_service.web import cors, routes
from cds_service.web.routes import Service
from cds_service.web.settings import Settings

__all__ = ["Service", "create_app"]


def create_app(
    settings: Settings,
    services: Sequence[Service],
    answer: Callable[[Service, HookRequest], HookResponse],
    *,
    self_check: Callable[[], Sequence[str]] = tuple,
    unassessable_card: Callable[[Service, HookRequest], HookResponse] | None = None,
    attributes: Callable[[], Any] = dict,
) -> Flask:
    """Build the application.

    Args:
        settings: see `Settings`.
        services: what is offered, in the order of the discovery document.
        answer: from a call to its cards. May raise `PatientMismatch` and `Unassessable` (both 412).
        self_check: for `/readyz`: what keeps us from working, in words without PHI; none when ready.
        unassessable_card: the answer in place of an `Unassessable`; needed for `on_unassessable = "card"`.
        attributes: the source attributes of every rule, for `/sources`; JSON without anything about a patient.

    Returns:
        The WSGI application.

    Raises:
        ContentError: two services share an id (the public sandbox would call only the last), or the settings
            ask for a card that was not supplied.
    """
    by_id = {service.id: service for service in services}
    if len(by_id) != len(services):
        raise ContentError("services", "id", "two services have the same id.", "Give each hook its own.")
    if settings.on_unassessable == "card" and unassessable_card is None:
        raise ContentError("settings", "on_unassessable", "no card was supplied.", 'Set it to "412".')
    handlers = routes.Handlers(settings, by_id, answer, self_check, unassessable_card, attributes)
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    app.before_request(routes.begin)
    app.add_url_rule("/cds-services", view_func=handlers.discover, methods=["GET"])
    app.add_url_rule("/cds-services/<service_id>", view_func=handlers.call, methods=["POST"])
    app.add_url_rule("/sources", view_func=handlers.sources, methods=["GET"])
    app.add_url_rule("/openapi.json", view_func=handlers.openapi, methods=["GET"])
    app.add_url_rule("/healthz", view_func=handlers.alive, methods=["GET"])
    app.add_url_rule("/readyz", view_func=handlers.ready, methods=["GET"])
    app.register_error_handler(InputError, routes.refused)
    app.register_error_handler(HTTPException, routes.http_error)
    app.register_error_handler(Exception, routes.fault)

    @app.after_request
    def finish(response: Response) -> Response:
        cors.add_headers(response.headers, request.headers.get("Origin", ""), settings.cors_origins)
        response.headers["X-Correlation-Id"] = g.correlation_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        routes.log_answered()
        return response

    return app
