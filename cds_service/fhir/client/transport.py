"""One request to a FHIR server, to a deadline that nothing the server does can outlast (`safety.md` B3-B10, B15, B18).

The timeouts of requests bound one read, not a call: a body that drips a byte a second lasts as long as the server likes
(measured: 10.5 s at `timeout=1`). So every socket is known to the `Attempt` that uses it, and whoever waits for the attempt
shuts its sockets when the time is over; a blocked read then ends at once. Only the look-up of a host name cannot be
interrupted: nobody waits for it longer than the deadline either, and the thread it holds is one of a few.

requests' adapter is used without its Session: a Session keeps cookies and follows redirects, and reads `.netrc` and
the environment unless told not to (a `.netrc` entry replaced our bearer token by Basic).
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from cds_service.formats.urls import Base, is_loopback

_CHUNK = 65_536
# RFC 6750, 2.1, and any other visible character: nothing that could start a new header
_TOKEN = re.compile(r"[!-~]{1,16000}")
_SECONDS = re.compile(r"\s*([0-9]{1,5})\s*")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

Resolver = Callable[..., list[tuple[Any, ...]]]
lookup_name: Resolver = socket.getaddrinfo


class Trouble(Enum):
    """Why there is no response; the value is what the operator reads."""

    NOT_IN_TIME = "not in time"
    NO_CONNECTION = "no connection to the FHIR server"  # or one kept open that the server had closed meanwhile
    ADDRESS = "the name of the FHIR server leads to an address that is not called"
    TLS = "the TLS certificate or version of the FHIR server was not accepted"
    BROKEN = "the answer broke off"
    TOO_LARGE = "the answer is larger than the limit"
    TOKEN = "the access token is not one that can be sent"  # noqa: S105 (words, not a token)


class NoResponse(Exception):
    """A GET failed before its response was complete; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(trouble.value)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back, whole.

    Attributes:
        status: HTTP status.
        content_type: in lower case, without parameters.
        body: decoded bytes.
        retry_after: seconds that the server asks us to wait; `None` where it names none, or a date.
        date: the server's clock, as its `Date` header writes it; "" where there is none.
    """

    status: int
    content_type: str
    body: bytes
    retry_after: int | None = None
    date: str = ""


class _Forbidden(OSError):
    """The host name leads to an address that is not called (B3)."""


_FAILURES = (requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError)


class Attempt:
    """The time that a piece of work has, and the sockets it uses. One thread works on it; any other may cut it.

    Args:
        until: when the time is over, on `time.monotonic`.

    Attributes:
        connected: whether the GET that runs has made a connection of its own (with TLS where there is TLS), or had an
            answer on one that was kept open.
    """

    def __init__(self, until: float) -> None:
        self.until = until
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()
        self._closed: set[socket.socket] = set()
        self._over = False
        self.connected = False

    def left(self) -> float:
        """Seconds left.

        Raises:
            NoResponse: none are, or the attempt was cut.
        """
        seconds = self.until - time.monotonic()
        if self._over or seconds <= 0:
            raise NoResponse(Trouble.NOT_IN_TIME)
        return seconds

    @property
    def is_over(self) -> bool:
        """Whether the time is over, or the attempt was cut."""
        return self._over or time.monotonic() >= self.until

    def cut(self) -> None:
        """End it now: reads that wait on its sockets return at once, and it opens no new ones."""
        with self._lock:
            self._over = True
            for each in self._sockets:
                _shut(each)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """While inside, sockets that this thread uses belong to this attempt; afterwards they may serve another."""
        self.connected = False
        mark = _current.set(self)
        try:
            yield
        finally:
            _current.reset(mark)
            with self._lock:
                for each in self._closed:
                    each.close()
                self._closed.clear()
                self._sockets.clear()

    def watch(self, handle: socket.socket) -> None:
        """A socket that is used from now on."""
        with self._lock:
            self._sockets.add(handle)
            if self._over:
                _shut(handle)

    def release(self, handle: socket.socket) -> None:
        """A socket whose connection is closed. Its response may still be read, after `Connection: close`."""
        with self._lock:
            self._closed.add(handle)


_current: ContextVar[Attempt] = ContextVar("attempt")


def _shut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was first
        handle.shutdown(socket.SHUT_RDWR)


class Transport:
    """Connections to one server.

    Args:
        base: the registered FHIR base; only its scheme, host and port count here.
        ca_bundle: file of the certificate authorities to trust instead of the public ones.
        connections: how many are kept open.
        resolve: what gives the addresses of a name, if not the operating system.
    """

    def __init__(
        self,
        base: Base,
        *,
        ca_bundle: str | None = None,
        connections: int = 8,
        resolve: Resolver | None = None,
    ) -> None:
        self._origin, self._verify = replace(base, path=""), ca_bundle or True
        self._adapter = _Adapter(_Dialler(base, resolve or lookup_name), connections)

    def get(
        self, url: str, *, token: str | None, attempt: Attempt, max_bytes: int, headers: dict[str, str]
    ) -> Response:
        """Send one GET and read its response.

        Args:
            url: at the origin of the base.
            token: the bearer token; it goes into the `Authorization` header and nowhere else. `None` for what a server
                tells everybody.
            attempt: how long it may take.
            max_bytes: most decoded bytes of a body.
            headers: further headers.

        Raises:
            NoResponse: no complete response; the message holds neither the address nor the token.
            ValueError: `url` is at another origin.
        """
        if token is not None and not _TOKEN.fullmatch(token):
            raise NoResponse(Trouble.TOKEN)
        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        return self._send("GET", url, None, attempt, max_bytes, headers)

    def post_form(self, url: str, form: str, *, attempt: Attempt, max_bytes: int, headers: dict[str, str]) -> Response:
        """Send one POST of an encoded form, and read its response as `get` does; with the same errors.

        Args:
            url: at the origin of the base.
            form: `application/x-www-form-urlencoded`; it may hold secrets, and stands in no message.
            attempt: how long it may take.
            max_bytes: most decoded bytes of a body.
            headers: further headers.
        """
        headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        return self._send("POST", url, form, attempt, max_bytes, headers)

    def _send(
        self, method: str, url: str, body: str | None, attempt: Attempt, max_bytes: int, headers: dict[str, str]
    ) -> Response:
        if not self._origin.covers(url):  # the last door before the socket (B8)
            raise ValueError("the address is at another origin than the registered base")
        request = requests.Request(method, url, headers={**headers, "Accept-Encoding": "gzip"}, data=body).prepare()
        with attempt.watching():
            try:
                seconds = attempt.left()
                response = self._adapter.send(request, stream=True, timeout=(seconds, seconds), verify=self._verify)
                attempt.connected = True
                return _read(response, attempt, max_bytes)
            except _FAILURES as problem:
                trouble = Trouble.NOT_IN_TIME if attempt.is_over else _trouble(problem, connected=attempt.connected)
        # outside of `except`: the causes hold the request with its headers, and none of them goes along
        raise NoResponse(trouble)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._adapter.close()


def _read(response: requests.Response, attempt: Attempt, max_bytes: int) -> Response:
    """The body, decoded bytes counted while they come: 204 kB of gzip can hold 200 MiB (B15)."""
    body = bytearray()
    with contextlib.closing(response):
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > max_bytes:
                raise NoResponse(Trouble.TOO_LARGE)
    attempt.left()  # a body without a length ends where the socket does: also where the attempt was cut
    wait = _SECONDS.fullmatch(response.headers.get("Retry-After", ""))
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    date = response.headers.get("Date", "")
    return Response(response.status_code, kind, bytes(body), int(wait[1]) if wait else None, date)


def _trouble(problem: BaseException, *, connected: bool) -> Trouble:
    causes = list(_causes(problem))
    if any(isinstance(each, _Forbidden) for each in causes):
        return Trouble.ADDRESS
    if not connected and any(isinstance(each, ssl.SSLError | urllib3.exceptions.SSLError) for each in causes):
        return Trouble.TLS
    return Trouble.BROKEN if connected else Trouble.NO_CONNECTION


def _causes(problem: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from; requests and urllib3 also wrap as an argument."""
    waiting: list[object] = [problem]
    for _ in range(20):
        if not waiting:
            return
        each = waiting.pop()
        if isinstance(each, BaseException):
            yield each
            waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]


class _Dialler:
    """Opens connections: resolves the name once, refuses addresses of this machine and its cloud, keeps the time."""

    def __init__(self, base: Base, resolve: Resolver) -> None:
        self._resolve = resolve
        self._may_be_here = is_loopback(base.host)

    def dial(self, host: str, port: int | None) -> socket.socket:
        attempt = _current.get()
        attempt.left()
        found = self._resolve(host, port, type=socket.SOCK_STREAM)
        if any(_is_forbidden(each[4][0], here=self._may_be_here) for each in found):
            raise _Forbidden("address not called")
        problem: OSError = OSError("no address")
        for number, (family, kind, protocol, _, address) in enumerate(found):
            # a share of the time each: the first address may be one that never answers
            seconds = attempt.left() / (len(found) - number)
            try:
                return self._open(socket.socket(family, kind, protocol), address, seconds, attempt)
            except OSError as failed:
                problem = failed
        raise problem

    def _open(self, new: socket.socket, address: Any, seconds: float, attempt: Attempt) -> socket.socket:
        try:
            new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            new.settimeout(seconds)
            new.connect(address)
            new.settimeout(attempt.left())
        except BaseException:
            new.close()
            raise
        return new


def _is_forbidden(text: str, *, here: bool) -> bool:
    """Hospital servers are on private addresses, so those are called; these never are (B3)."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address in _NAT64:
            address = ipaddress.IPv4Address(address.packed[-4:])
    if address.is_loopback:
        return not here
    return address.is_link_local or address.is_multicast or address.is_unspecified


class _Watched(HTTPConnection):
    """A connection whose socket the current attempt knows.

    The attempt holds a duplicate of the file descriptor: the original is swallowed by the TLS layer in the middle of the
    handshake, and a shutdown of either ends both.
    """

    dialler: _Dialler
    _handle: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        new = self.dialler.dial(self.host, self.port)
        self._handle = new.dup()
        _current.get().watch(self._handle)
        return new

    def connect(self) -> None:
        super().connect()
        _current.get().connected = True

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self._handle is not None:  # kept open by an earlier call
            _current.get().watch(self._handle)
        super().request(*args, **kwargs)

    def close(self) -> None:
        super().close()
        handle, self._handle = self._handle, None
        if handle is not None:
            attempt = _current.get(None)
            if attempt is not None:
                attempt.release(handle)
            else:
                handle.close()


class _WatchedTls(_Watched, HTTPSConnection):
    """The same with TLS; name and certificate are checked against the host, whatever address it had."""


class _Adapter(HTTPAdapter):
    def __init__(self, dialler: _Dialler, connections: int) -> None:
        self.dialler = dialler
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        of_this = {"dialler": self.dialler}
        plain = type("Plain", (_Watched,), of_this)
        secure = type("Secure", (_WatchedTls,), of_this)
        self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }
