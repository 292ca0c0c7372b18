"""The server: reads and searches, in threads, on loopback."""

from __future__ import annotations

import itertools
import json
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from bonecds_kit.faultfhir import pages
from bonecds_kit.faultfhir.faults import FAULTS, IN_WORDS, INSTEAD, ON_THE_WIRE, Fault, Wire, status
from bonecds_kit.faultfhir.pages import Json, Quirks, outcome

_HTML = b"<html>Unauthorized</html>"


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came: path with query, and headers by name in lower case."""

    path: str
    headers: Mapping[str, str]

    @property
    def kind(self) -> str:
        """The FHIR type."""
        return self.path.partition("?")[0].split("/")[-1 if "?" in self.path else -2]


class FaultFhir:
    """A FHIR R4 server; it stops, and lets go of whoever hangs, when the `with` block ends.

    Args:
        resources: what it holds.
        quirks: how it differs from others without anything being wrong.
        tls: serve https.
        delay: seconds before each response.
        path: of the base.

    Attributes:
        base: FHIR base.
        token: the bearer token it takes; any other is a 401.
        requests: what came, in order.
        capability: what `metadata` answers, to everybody.
        clock_off: how far its clock is ahead, in seconds.
        base_in_entries: base of each `fullUrl`; a server behind a careless proxy writes another one.
        most_at_once: most requests that waited for their response at one time; give it a `delay`.
    """

    def __init__(
        self,
        resources: Iterable[Json] = (),
        *,
        quirks: Quirks | None = None,
        tls: ssl.SSLContext | None = None,
        delay: float = 0,
        path: str = "/tenant/r4",
    ) -> None:
        self.resources = list(resources)
        self.quirks, self.delay, self.path = quirks or Quirks(), delay, path
        self.token = "let-me-in"  # noqa: S105 (of a test server)
        self.requests: list[Seen] = []
        self.released = threading.Event()
        self.most_at_once = self._at_once = 0
        self._faults: list[Fault] = []
        self._results: dict[str, tuple[str, dict[str, str], list[Json], int]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._server = _Server(self, tls)
        port = self._server.server_port
        self.base = f"https://localhost:{port}{path}" if tls else f"http://127.0.0.1:{port}{path}"
        self.base_in_entries = self.base
        self.capability: Json = pages.capability(self.base)
        self.clock_off = 0.0
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> FaultFhir:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def fault(self, kind: str, **where: Any) -> None:
        """Let something go wrong from now on: see `Fault`."""
        if kind not in FAULTS and not kind.isdigit():
            raise ValueError(f"no such fault: {kind}")
        self._faults.append(Fault(kind, **where))

    def heal(self) -> None:
        """Take back all faults."""
        self._faults.clear()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request, with whatever goes wrong."""
        with self._lock:
            self.requests.append(Seen(request.path, {k.lower(): v for k, v in request.headers.items()}))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self.released.wait(self.delay)
        with self._lock:  # before it is answered: the client may be faster with its next request than we with counting
            self._at_once -= 1
        self._answer(request)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        url = urlsplit(request.path)
        kind, query, number = self._asked(url.path, dict(parse_qsl(url.query)))
        with self._lock:
            fault = next((each for each in self._faults if each.strikes(kind, number)), Fault(""))
        code, body = self._respond(request, url.path, kind, query, number, fault)
        data = json.dumps(body).encode() if isinstance(body, dict | list) else body
        wire = Wire(request, data, self.quirks.content_type, self.released, fault)
        if fault.kind in ON_THE_WIRE or fault.kind.isdigit():
            request.close_connection = True
            ON_THE_WIRE.get(fault.kind, status)(wire)
        elif data == _HTML:
            wire.whole(data, code, Content_Type="text/html")
        elif not data:
            request.send_response(code)
            request.send_header("Content-Length", "0")
            request.end_headers()
        else:
            wire.whole(data, code)

    def _asked(self, path: str, query: dict[str, str]) -> tuple[str, dict[str, str], int]:
        """FHIR type, search and page number; of a later page, those of the first."""
        mark = query.get("sessionID", "")
        if mark:
            name, _, number = mark.partition(".")
            kind, first, _, _ = self._results[name]
            return kind, first, int(number)
        tail = path.lower().removeprefix(self.path.lower()).strip("/")
        start = len(path) - len(tail)
        return path[start:].partition("/")[0], query, 1

    def _respond(
        self,
        request: BaseHTTPRequestHandler,
        path: str,
        kind: str,
        query: dict[str, str],
        number: int,
        fault: Fault,
    ) -> tuple[int, Any]:
        quirks = self.quirks
        if path == f"{self.path}/metadata":
            return 200, IN_WORDS[fault.kind](self.capability, fault) if fault.kind in INSTEAD else self.capability
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, outcome("error", "login")
        if not path.lower().startswith(self.path.lower()):
            return 404, _HTML
        if kind in (*quirks.denied, *quirks.html_denied, *quirks.broken):
            return self._refused(kind)
        ident = path[len(self.path) :].strip("/").removeprefix(kind).strip("/")
        if ident:
            found = [each for each in self.resources if each["resourceType"] == kind and each["id"] == ident]
            if not found:
                return 404, outcome("error", "not-found")
            if fault.kind == "other-patient":
                return 200, {**found[0], "id": "somebody-else"}
            return 200, IN_WORDS[fault.kind](found[0], fault) if fault.kind in INSTEAD else found[0]
        if number == 1 and (refused := pages.refusal(quirks, kind, query)):
            return refused
        body: object = self._page(request.path, kind, query, number, fault)
        if fault.kind in IN_WORDS:
            body = IN_WORDS[fault.kind](body, fault)  # type: ignore[arg-type]
        return 200, body

    def _refused(self, kind: str) -> tuple[int, Any]:
        """What the client may not see at this server, or what this server cannot do."""
        if kind in self.quirks.denied:
            return 403, b""
        return (401, _HTML) if kind in self.quirks.html_denied else (500, outcome("fatal", "exception"))

    def _page(self, asked: str, kind: str, query: dict[str, str], number: int, fault: Fault) -> Json:
        quirks = self.quirks
        session = dict(parse_qsl(urlsplit(asked).query)).get("sessionID", "")
        if session:
            name = session.partition(".")[0]
            kind, query, found, size = self._results[name]
        else:
            name = f"s{next(self._numbers)}"
            used = _used(query, fault)
            found = pages.search(self.resources, kind, used)
            wanted = int(query.get("_count", 20))
            size = min(wanted, quirks.page_size) if quirks.page_size else max(len(found), 1)
            self._results[name] = (kind, query, found, size)
        start = (number - 1) * size
        if fault.kind == "shifted" and number > 1:
            start -= 1  # a result that came in while we paged moves the last of a page to the next
        own = asked if session else f"{self.path}/{kind}?{_query(_used(query, fault))}"
        links = {"self": self.base.removesuffix(self.path) + own}
        if fault.kind == "endless-pages" or start + size < len(found):
            links["next"] = self._next(kind, f"{name}.{number + 1}")
        if fault.kind == "lenient-silently":
            quirks = replace(quirks, self_link=False)
        return pages.page(quirks, self.base_in_entries, found, start if start < len(found) else 0, size, links)

    def _next(self, kind: str, mark: str) -> str:
        tail = f"{kind}?sessionID={mark}"
        if self.quirks.next_link == "relative":
            return tail
        base = self.base
        if self.quirks.next_link == "other-case":
            base = base.removesuffix(self.path) + self.path.upper()
        return f"{base}/{tail}"


_IGNORED = {"lenient-patient": "patient", "lenient-code": "code", "lenient-silently": "code", "lenient-id": "_id"}


def _used(query: Mapping[str, str], fault: Fault) -> dict[str, str]:
    """The parameters that the server looks at."""
    ignored = _IGNORED.get(fault.kind)
    return {name: value for name, value in query.items() if name != ignored}


def _query(query: Mapping[str, str]) -> str:
    return "&".join(f"{name}={value.replace('|', '%7C')}" for name, value in query.items())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, owner: FaultFhir, tls: ssl.SSLContext | None) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                owner.answer(self)

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((timestamp or time.time()) + owner.clock_off)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        """The other side had enough, or did not trust us: what most of these faults are for."""
