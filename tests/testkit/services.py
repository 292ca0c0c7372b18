"""Services under test: one that does everything wrong, and whatever else is an application, each on a port of its own."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler, make_server

SECRET = "Doe^Jane^born-1950"  # noqa: S105 of a record, not for a door
_SERVICES = [
    {
        "id": "bad-order-select",
        "hook": "order-select",
        "title": "Bad",
        "description": "Bad",
        "prefetch": {
            "patient": "Patient/{{context.patientId}}",
            "results": "Observation?patient={{context.patientId}}",
        },
    }
]


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def listening(app: Flask) -> Iterator[str]:
    """Serve an application in this process; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def bad_service(*, lets_in: bool = True) -> Flask:
    """Takes every token for good, fetches the keys that it names, and answers odd input with 500 and with what was sent.

    Args:
        lets_in: False: takes none for good.
    """
    app = Flask(__name__)
    app.logger.disabled = True

    @app.get("/cds-services")
    def discovery() -> Any:
        return {"services": _SERVICES}

    @app.post("/cds-services/<ident>")
    def call(ident: str) -> Any:
        token = request.headers.get("Authorization", "")
        if not token or not lets_in:
            return Response(SECRET, 401)
        _fetch_keys(token)
        body = json.loads(request.get_data())
        if not isinstance(body["hookInstance"], str):
            return Response(json.dumps(body), 400)
        return {"cards": [], "patient": [SECRET, body["context"]["patientId"].lower()]}

    return app


def refusing_service(status: int) -> Flask:
    """Answers every call with this status."""
    app = Flask(__name__)
    app.add_url_rule("/cds-services", "discovery", lambda: {"services": _SERVICES})
    app.add_url_rule("/cds-services/<ident>", "call", lambda ident: Response("", status), methods=["POST"])
    return app


def dying_service() -> Flask:
    """Answers 200 without a token, until a long body comes: then nothing any more."""
    app = Flask(__name__)
    died = threading.Event()

    @app.get("/cds-services")
    def discovery() -> Any:
        return {"services": _SERVICES}

    @app.post("/cds-services/<ident>")
    def call(ident: str) -> Any:
        if died.is_set() or len(request.get_data()) > 1_000_000:
            died.set()
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return {"cards": []}

    return app


def _fetch_keys(token: str) -> None:
    """Ask where the token says, and wait for the first byte of the answer."""
    with suppress(Exception):
        first = token.split()[1].split(".")[0]
        address = urlsplit(json.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))["jku"])
        with socket.create_connection((address.hostname, address.port), timeout=0.5) as connection:
            connection.sendall(f"GET {address.path} HTTP/1.0\r\n\r\n".encode())
            connection.recv(1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
