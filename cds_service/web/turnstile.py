"""Turns calls away for which there is no place and no room to wait, before Flask has looked at them (`safety.md` G1).

An EHR that is turned away at once can go on without us. Whatever a refusal costs is taken from the calls that are answered, and
under ten times the load there are far more refusals than answers: behind Flask one took a millisecond and a half.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Response
from werkzeug.wsgi import get_input_stream

from cds_service.protocol import outcome
from cds_service.web import logs
from cds_service.web.admission import RETRY_AFTER_S, Places, TooBusy
from cds_service.web.body import drain, to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from cds_service.web.metrics import Metrics

_PREFIX = "/cds-services/"


class Offered(Protocol):
    """What is told of a service."""

    @property
    def id(self) -> str:
        """Last part of its address."""

    @property
    def hook(self) -> str:
        """The hook it is called on."""


class Turnstile:
    """A WSGI application in front of another one.

    Args:
        app: the application behind.
        places: who may come in.
        services: what is called, by id; other addresses pass.
        dress: adds to the headers of an answer what all answers carry; told the origin and the correlation id.
        metrics: where calls are counted, if anywhere.
    """

    def __init__(
        self,
        app: WSGIApplication,
        places: Places,
        services: Mapping[str, Offered],
        dress: Callable[[Headers, str, str], None],
        metrics: Metrics | None = None,
    ) -> None:
        self._app, self._places, self._services, self._dress = app, places, services, dress
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, or let the application behind answer."""
        service = self._called(environ)
        if service is None or self._places.any():
            return self._app(environ, start_response)
        began = time.monotonic()
        correlation_id = str(uuid.uuid4())
        answer = Response(_refusal(correlation_id), 503, content_type="application/fhir+json")
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        self._dress(answer.headers, environ.get("HTTP_ORIGIN", ""), correlation_id)
        drain(get_input_stream(environ))
        self._note(service, correlation_id, time.monotonic() - began)
        return answer(environ, start_response)

    def _called(self, environ: WSGIEnvironment) -> Offered | None:
        path = environ.get("PATH_INFO", "")
        if environ["REQUEST_METHOD"] != "POST" or not path.startswith(_PREFIX):
            return None
        return self._services.get(path.removeprefix(_PREFIX).rstrip("/"))

    def _note(self, service: Offered, correlation_id: str, seconds: float) -> None:
        line = logs.Line(
            "refused",
            correlation_id=correlation_id,
            service=service.id,
            hook=service.hook,
            status=503,
            ms=round(seconds * 1000),
            problem=TooBusy.__name__,
        )
        logs.write(line)
        if self._metrics:
            self._metrics.shed()
            self._metrics.call(line, seconds)


def _refusal(correlation_id: str) -> bytes:
    return to_bytes(outcome.operation_outcome("throttled", str(TooBusy()), correlation_id))
