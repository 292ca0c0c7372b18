"""The key set endpoint of a CDS client on loopback, in health and in sickness."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

# what a real server once did, or a hostile one would do
FAULTS = (
    "hang",
    "hang-before-headers",
    "drip-headers",
    "drip-body",
    "status-500",
    "status-404",
    "redirect",
    "html",
    "not-a-set",
    "empty-set",
    "duplicate-keys",
    "truncated",
    "huge",
    "gzip-bomb",
    "reset",
)
_HUGE = 50_000_000


class KeyServer:
    """Serves keys at `url`; stops, and lets go of whoever hangs, when the `with` block ends.

    Args:
        keys: the JSON Web Keys served.
        port: 0 for any that is free.

    Attributes:
        keys: the JSON Web Keys served; change the list at any time.
        fault: "" or one of `FAULTS`.
        hits: how many requests came.
        headers: of the last one.
        cache_control: value of that header; "" for none.
        redirect_to: where "redirect" leads.
    """

    def __init__(self, keys: Sequence[Mapping[str, Any]] = (), port: int = 0) -> None:
        self.keys = list(keys)
        self.fault = ""
        self.hits = 0
        self.headers: dict[str, str] = {}
        self.cache_control = ""
        self.redirect_to = ""
        self.released = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.hits += 1
                server.headers = dict(self.headers)
                _answer(server, self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.url = address(self._server.server_port)

    def __enter__(self) -> KeyServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()


def address(port: int) -> str:
    """Where a key server on this port serves its keys."""
    return f"http://127.0.0.1:{port}/jwks.json"


def _answer(server: KeyServer, request: BaseHTTPRequestHandler) -> None:
    body = json.dumps({"keys": server.keys}).encode()
    with suppress(OSError):  # the other side had enough, which is what most of these faults are for
        _FAULTS.get(server.fault, _plain)(server, request, body)
    request.close_connection = True


def _send(
    server: KeyServer,
    request: BaseHTTPRequestHandler,
    body: bytes,
    *,
    status: int = 200,
    kind: str = "application/json",
    **more: str,
) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    if server.cache_control:
        request.send_header("Cache-Control", server.cache_control)
    for name, value in more.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def _plain(server: KeyServer, request: BaseHTTPRequestHandler, body: bytes) -> None:
    _send(server, request, body, Content_Length=str(len(body)))


def _drip(server: KeyServer, request: BaseHTTPRequestHandler, data: bytes) -> None:
    for byte in data:
        if server.released.wait(0.2):
            return
        request.wfile.write(bytes([byte]))
        request.wfile.flush()


def _hang(server: KeyServer, request: BaseHTTPRequestHandler, body: bytes) -> None:
    _send(server, request, body[:10], Content_Length=str(len(body)))
    server.released.wait(30)


def _drip_body(server: KeyServer, request: BaseHTTPRequestHandler, body: bytes) -> None:
    _send(server, request, b"", Content_Length=str(len(body)))
    _drip(server, request, body)


def _huge(server: KeyServer, request: BaseHTTPRequestHandler, body: bytes) -> None:
    _send(server, request, body[:-1])
    for _ in range(_HUGE // 100_000):
        request.wfile.write(b" " * 100_000)
    request.wfile.write(body[-1:])


def _bomb(server: KeyServer, request: BaseHTTPRequestHandler, body: bytes) -> None:
    _send(server, request, gzip.compress(body[:-1] + b" " * _HUGE + body[-1:], 1), Content_Encoding="gzip")


def _reset(server: KeyServer, request: BaseHTTPRequestHandler, body: bytes) -> None:
    request.connection.close()


_FAULTS: Mapping[str, Callable[[KeyServer, BaseHTTPRequestHandler, bytes], object]] = {
    "hang": _hang,
    "hang-before-headers": lambda server, _request, _body: server.released.wait(30),
    "drip-headers": lambda server, request, _: _drip(server, request, b"HTTP/1.0 200 OK\r\nX-Slow: " + b"x" * 500),
    "drip-body": _drip_body,
    "status-500": lambda server, request, body: _send(server, request, body, status=500),
    "status-404": lambda server, request, body: _send(server, request, body, status=404),
    "redirect": lambda server, request, body: _send(server, request, body, status=302, Location=server.redirect_to),
    "html": lambda server, request, _: _send(server, request, b"<html>Please log in</html>", kind="text/html"),
    "not-a-set": lambda server, request, _: _send(server, request, b'{"keys": {"kid": 1}}'),
    "empty-set": lambda server, request, _: _send(server, request, b'{"keys": []}'),
    "duplicate-keys": lambda server, request, body: _send(server, request, body[:-1] + b', "keys": []}'),
    "truncated": lambda server, request, body: _send(server, request, body[:-5], Content_Length=str(len(body))),
    "huge": _huge,
    "gzip-bomb": _bomb,
    "reset": _reset,
}
