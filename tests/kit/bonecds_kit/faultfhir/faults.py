"""What can go wrong with one response: on the wire, or in what it says."""

from __future__ import annotations

import copy
import gzip
import json
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Any
from urllib.parse import parse_qsl, urlencode

from bonecds_kit.faultfhir.pages import Json, outcome

_LARGE = 200 * 1024 * 1024
_DRIP = 0.05


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: one of `FAULTS`, or an HTTP status ("503").
        on: FHIR type it happens on; "" for all.
        page: page it happens on, from 1; 0 for all.
        times: how often; -1 for always.
        retry_after: header of a status.
        target: where "redirect" or "next-elsewhere" leads.
    """

    kind: str
    on: str = ""
    page: int = 0
    times: int = -1
    retry_after: str = ""
    target: str = ""

    def strikes(self, kind: str, page: int) -> bool:
        """Whether it happens now; counts."""
        if self.times == 0 or (self.on and self.on != kind) or (self.page and self.page != page):
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Wire:
    """What a fault on the wire may use."""

    request: BaseHTTPRequestHandler
    body: bytes
    kind: str
    released: Event
    fault: Fault

    def head(self, status: int = 200, **headers: str) -> None:
        """Send status and headers; `Content_Length` is not added."""
        self.request.send_response(status)
        if "Content_Type" not in headers:
            self.request.send_header("Content-Type", self.kind)
        for name, value in headers.items():
            self.request.send_header(name.replace("_", "-"), value)
        self.request.end_headers()

    def send(self, data: bytes) -> None:
        """Send bytes of the body."""
        self.request.wfile.write(data)
        self.request.wfile.flush()

    def whole(self, body: bytes, status: int = 200, **headers: str) -> None:
        """Send a whole response."""
        self.head(status, Content_Length=str(len(body)), **headers)
        self.send(body)

    def drip(self, data: bytes) -> None:
        """A byte at a time, until the test is over."""
        for byte in data:
            if self.released.wait(_DRIP):
                return
            self.send(bytes([byte]))

    def hang(self) -> None:
        """Nothing more, until the test is over."""
        self.released.wait(60)

    def reset(self) -> None:
        """RST instead of FIN: what a firewall does."""
        self.request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.wfile.flush()
        self.request.connection.close()


def status(wire: Wire) -> None:
    """An HTTP status, with an OperationOutcome."""
    # said, since it is done: a client that took the connection for open would lose its next request there
    more = {"Connection": "close"}
    if wire.fault.retry_after:
        more["Retry_After"] = wire.fault.retry_after
    code = "security" if wire.fault.kind in ("401", "403") else "exception"
    wire.whole(json.dumps(outcome("error", code)).encode(), int(wire.fault.kind), **more)


def _bomb(wire: Wire) -> None:
    wire.head(Content_Encoding="gzip")
    packer = _Packed(wire)
    with gzip.GzipFile(fileobj=packer, mode="wb", compresslevel=9) as out:
        out.write(wire.body[:-1])
        for _ in range(_LARGE // 1_048_576):
            out.write(b" " * 1_048_576)
        out.write(wire.body[-1:])


class _Packed:
    def __init__(self, wire: Wire) -> None:
        self.write = wire.request.wfile.write
        self.flush = wire.request.wfile.flush


def _large(wire: Wire) -> None:
    wire.head()
    wire.send(wire.body[:-1])
    for _ in range(300):
        wire.send(b" " * 1_000_000)
    wire.send(wire.body[-1:])


def _endless_head(wire: Wire) -> None:
    wire.send(b"HTTP/1.1 200 OK\r\n")
    wire.drip(b"X-Slow: " + b"x" * 2_000)


def _continues(wire: Wire) -> None:
    while not wire.released.wait(_DRIP):
        wire.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def _then(*steps: Callable[[Wire], object]) -> Callable[[Wire], None]:
    def run(wire: Wire) -> None:
        for step in steps:
            step(wire)

    return run


def _head(part: int = 0, **headers: str) -> Callable[[Wire], None]:
    """Headers that promise the body and `part` bytes more."""
    return lambda wire: wire.head(200, **{"Content_Length": str(len(wire.body) + part), **headers})


def _half(wire: Wire) -> None:
    wire.send(wire.body[: len(wire.body) // 2])


ON_THE_WIRE: Mapping[str, Callable[[Wire], object]] = {
    "hang": Wire.hang,
    "hang-in-body": _then(_head(), _half, Wire.hang),
    "hang-after-body": _then(_head(10), lambda wire: wire.send(wire.body), Wire.hang),
    "drip-headers": _endless_head,
    "drip-body": _then(_head(), lambda wire: wire.drip(wire.body)),
    "drip-body-closing": _then(lambda wire: wire.head(Connection="close"), lambda wire: wire.drip(wire.body)),
    "endless-continue": _continues,
    "reset": Wire.reset,
    "reset-in-body": _then(_head(), _half, Wire.reset),
    "truncated": _then(_head(), _half),
    "truncated-without-length": _then(Wire.head, _half),
    "length-too-long": _then(_head(10), lambda wire: wire.send(wire.body)),
    "length-too-short": _then(_head(-10), lambda wire: wire.send(wire.body)),
    "chunked-without-end": _then(
        lambda wire: wire.head(Transfer_Encoding="chunked"),
        lambda wire: wire.send(b"%x\r\n%b\r\n" % (len(wire.body), wire.body)),
    ),
    "malformed-chunk": _then(
        lambda wire: wire.head(Transfer_Encoding="chunked"), lambda wire: wire.send(b"zz\r\n" + wire.body)
    ),
    "malformed-gzip": lambda wire: wire.whole(wire.body, Content_Encoding="gzip"),
    "gzip-bomb": _bomb,
    "large": _large,
    "redirect": lambda wire: wire.whole(b"", 302, Location=wire.fault.target),
    "html": lambda wire: wire.whole(b"<html>Please log in</html>", Content_Type="text/html"),
    "html-as-json": lambda wire: wire.whole(b"<html>Please log in</html>"),
    "no-content": lambda wire: wire.head(204),
    "denied-empty": lambda wire: wire.whole(b"", 403),
    "empty-body": lambda wire: wire.whole(b""),
    "null": lambda wire: wire.whole(b"null"),
    "not-utf-8": lambda wire: wire.whole(wire.body[:-1] + b', "x": "\xff"}'),
    "duplicate-keys": lambda wire: wire.whole(wire.body[:-1] + b', "total": 0}'),
    "nan": lambda wire: wire.whole(wire.body[:-1] + b', "x": NaN}'),
    "nested": lambda wire: wire.whole(wire.body[:-1] + b', "x": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
}


def _without(*names: str) -> Callable[[Json, Fault], Json]:
    return lambda page, _: {name: value for name, value in page.items() if name not in names}


def _with(**values: Any) -> Callable[[Json, Fault], Json]:
    return lambda page, _: {**page, **values}


def _links(page: Json, **changed: str) -> Json:
    kept = [each for each in page.get("link", ()) if each["relation"] not in changed]
    return {**page, "link": [*kept, *({"relation": name, "url": url} for name, url in changed.items())]}


def _own(page: Json) -> str:
    return next((each["url"] for each in page.get("link", ()) if each["relation"] == "self"), "")


def _self_without(name: str) -> Callable[[Json, Fault], Json]:
    def change(page: Json, _: Fault) -> Json:
        head, _mark, query = _own(page).partition("?")
        return _links(page, self=f"{head}?{'&'.join(t for t in query.split('&') if not t.startswith(f'{name}='))}")

    return change


def _self_spelt(page: Json, fault: Fault) -> Json:
    """The patient as a reference, the parameter by its other name, everything percent-encoded."""
    head, _, query = _own(page).partition("?")
    terms = dict(parse_qsl(query))
    subject = {"subject": fault.target, **{name: value for name, value in terms.items() if name != "patient"}}
    return _links(page, self=f"{head}?{urlencode(subject)}")


def _next_is_self(page: Json, _: Fault) -> Json:
    return _links(page, next=_own(page))


def _foreign(page: Json, _: Fault) -> Json:
    stranger: Json = (
        copy.deepcopy(page["entry"][0]) if page.get("entry") else {"resource": {"resourceType": "Observation"}}
    )
    stranger["resource"]["id"] = "somebody-elses"
    stranger["resource"]["subject"] = {"reference": "Patient/somebody-else"}
    stranger.pop("fullUrl", None)
    return {**page, "entry": [*page.get("entry", ()), stranger]}


# What a page may say that it should not. Each takes a healthy page.
IN_WORDS: Mapping[str, Callable[[Json, Fault], object]] = {
    "outcome-error": lambda _page, _fault: outcome("error", "exception"),
    "outcome-warning": lambda _page, _fault: outcome("warning", "processing"),
    "outcome-suppressed": lambda _page, _fault: outcome("warning", "suppressed"),
    "outcome-entry-error": lambda page, _: {
        **page,
        "entry": [*page["entry"], {"resource": outcome("error", "exception"), "search": {"mode": "outcome"}}],
    },
    "outcome-entry-incomplete": lambda page, _: {
        **page,
        "entry": [*page["entry"], {"resource": outcome("warning", "incomplete"), "search": {"mode": "outcome"}}],
    },
    "empty-object": lambda _page, _fault: {},
    "list": lambda page, _: [page],
    "count-only-alone": lambda page, _: {"resourceType": "Bundle", "type": "searchset", "total": 7},
    "self-spelt": _self_spelt,
    "count-only": lambda page, _: {**_without("entry")(page, _), "total": 7},
    "total-too-high": lambda page, _: {**page, "total": len(page.get("entry", ())) + 1_000},
    "no-self-no-entries": _without("entry", "link", "total"),
    "collection": _with(type="collection"),
    "no-type": _without("type"),
    "next-elsewhere": lambda page, fault: _links(page, next=fault.target or "http://evil.example/fhir/Observation?p=2"),
    "next-outside-base": lambda page, _: _links(page, next="/admin/Observation?p=2"),
    "next-dot-dot": lambda page, _: _links(page, next="Observation/../../admin?p=2"),
    "next-empty": lambda page, _: _links(page, next=""),
    "next-loop": _next_is_self,
    "self-without-patient": _self_without("patient"),
    "self-without-code": _self_without("code"),
    "foreign-entry": _foreign,
    "unreadable-entry": lambda page, _: {**page, "entry": [*page["entry"], None]},
    "other-type": lambda page, _: {
        **page,
        "entry": [{"resource": {**e["resource"], "resourceType": "Basic"}} for e in page["entry"]],
    },
}
# Those that need no page: a read of one resource can go wrong in the same way
INSTEAD = ("outcome-error", "outcome-warning", "outcome-suppressed", "empty-object", "list")
# What needs the whole search to go wrong: see `server`
IN_THE_SEARCH = (
    "lenient-patient",
    "lenient-code",
    "lenient-silently",
    "lenient-id",
    "endless-pages",
    "shifted",
    "other-patient",
)

FAULTS = (*ON_THE_WIRE, *IN_WORDS, *IN_THE_SEARCH)
