"""The Flask application: addresses, error answers and headers, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from cds_service.kernel.errors import ContentError, InputError, StoreUnavailable
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import HookResponse
from cds_service.security.tokens import Caller
from cds_service.web import cors, observe, routes
from cds_service.web.admission import Places, Shares
from cds_service.web.body import drain
from cds_service.web.door import Door
from cds_service.web.ledger import Ledger
from cds_service.web.routes import Service
from cds_service.web.settings import Settings
from cds_service.web.turnstile import Turnstile

if TYPE_CHECKING:
    from cds_service.web.metrics import Metrics

__all__ = ["Service", "create_app"]


def create_app(
    settings: Settings,
    services: Sequence[Service],
    answer: Callable[[Service, HookRequest, Caller | None], HookResponse],
    *,
    door: Door | None = None,
    ledger: Ledger | None = None,
    self_check: Callable[[], Sequence[str]] = tuple,
    degraded: Callable[[], Sequence[str]] = tuple,
    attributes: Callable[[], Any] = dict,
    metrics: Metrics | None = None,
    rule_set: str = "",
) -> Flask:
    """Build the application.

    Args:
        settings: see `Settings`.
        services: what is offered, in the order of the discovery document.
        answer: from a call and its caller to its cards. May raise `PatientMismatch` and `Unassessable` (both 412).
        door: lets registered callers in; without one everybody is answered, and the caller is `None`.
        ledger: where calls are recorded, if anywhere.
        self_check: for `/readyz`: what keeps us from working, in words without PHI; none when ready.
        degraded: for `/readyz`: what does not work although cards are given, such as the database (G6).
        attributes: the source attributes of every rule, for `/sources`; JSON without anything about a patient.
        metrics: where calls are counted, if anywhere.
        rule_set: version of rules and content, for `/readyz`.

    Returns:
        The WSGI application.

    Raises:
        ContentError: two services share an id (the public sandbox would call only the last).
    """
    by_id = {service.id: service for service in services}
    if len(by_id) != len(services):
        raise ContentError("services", "id", "two services have the same id.", "Give each hook its own.")
    places = Places(settings.threads, settings.waiting)
    shares = Shares(settings.threads, [client.name for client in door.registry.all()] if door else [])
    handlers = routes.Handlers(
        settings, by_id, answer, self_check, degraded, attributes, door, places, shares, ledger, rule_set
    )
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False

    app.extensions[observe.EXTENSION] = metrics
    app.extensions[observe.LEDGER] = ledger
    dress = partial(_dress, settings)
    app.wsgi_app = Turnstile(app.wsgi_app, places, by_id, dress, metrics)  # type: ignore[method-assign]
    if metrics and settings.metrics_port:
        app.wsgi_app = metrics.beside(app.wsgi_app, settings.metrics_port)  # type: ignore[assignment]
    app.before_request(routes.begin)
    app.teardown_request(observe.ends)
    _answers(app, handlers)

    @app.after_request
    def finish(response: Response) -> Response:
        dress(response.headers, request.headers.get("Origin", ""), g.correlation_id)
        routes.note_answered()
        drain(request.stream)
        return response

    return app


def _dress(settings: Settings, headers: Headers, origin: str, correlation_id: str) -> None:
    """What every answer carries."""
    cors.add_headers(headers, origin, settings.cors_origins)
    headers["X-Correlation-Id"] = correlation_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Cache-Control", "no-store")


def _answers(app: Flask, handlers: routes.Handlers) -> None:
    """Every address, and what becomes of whatever is raised behind one."""
    app.add_url_rule("/cds-services", view_func=handlers.discover, methods=["GET"])
    app.add_url_rule("/cds-services/<service_id>", view_func=handlers.call, methods=["POST"])
    app.add_url_rule("/cds-services/<service_id>/feedback", view_func=handlers.feedback, methods=["POST"])
    app.add_url_rule("/sources", view_func=handlers.sources, methods=["GET"])
    app.add_url_rule("/openapi.json", view_func=handlers.openapi, methods=["GET"])
    app.add_url_rule("/docs", view_func=handlers.docs, methods=["GET"])
    app.add_url_rule("/docs.css", view_func=handlers.docs_style, methods=["GET"])
    app.add_url_rule("/healthz", view_func=handlers.alive, methods=["GET"])
    app.add_url_rule("/readyz", view_func=handlers.ready, methods=["GET"])
    app.register_error_handler(InputError, routes.refused)
    app.register_error_handler(StoreUnavailable, routes.store_away)
    app.register_error_handler(HTTPException, routes.http_error)
    app.register_error_handler(Exception, routes.fault)
