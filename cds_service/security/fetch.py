"""One bounded request for a client's key set (`safety.md` A8, B6, B9, B10, B15)."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

DEADLINE = 1.5
MAX_BYTES = 256_000
_CHUNK = 16_384
_MAX_AGE = re.compile(r"\s*max-age\s*=\s*\"?([0-9]{1,9})\"?\s*", re.IGNORECASE)
_NOT_CACHED = frozenset({"no-store", "no-cache"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer.

    Attributes:
        body: its decoded bytes.
        max_age: seconds the sender lets us keep it; `None`: not said.
        date: the sender's clock, as its `Date` header writes it; "": not said.
    """

    body: bytes
    max_age: int | None
    date: str = field(default="", compare=False)


Fetch = Callable[[str], Fetched]


def fetch(url: str, *, deadline: float = DEADLINE, ca_file: str | None = None) -> Fetched:
    """Fetch a key set; nothing from the environment (proxy, `.netrc`, certificates) takes part, no redirect is followed.

    Args:
        url: a registered address.
        deadline: seconds for everything, name look-up and a dripping body included.
        ca_file: certificates to trust instead of the usual public ones.

    Returns:
        The answer.

    Raises:
        OSError: no answer with status 200, in time, of at most `MAX_BYTES`.
    """
    answer: Future[Fetched] = Future()
    sockets = _Sockets()
    # requests' timeout is per read: a server that sends a byte a second outlasts it (10.5 s measured at timeout=1)
    Thread(target=_work, args=(answer, sockets, url, deadline, ca_file), name="jwks", daemon=True).start()
    try:
        return answer.result(timeout=deadline)
    finally:
        sockets.shut()


class _Sockets:
    """The connections of one request, to be ended from another thread."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []
        self._over = False

    def watch(self, connection: socket.socket) -> socket.socket:
        # a duplicate: TLS takes the original's descriptor away, and a handshake can drip as well
        self._open.append(connection.dup())
        if self._over:
            self.shut()
        return connection

    def shut(self) -> None:
        self._over = True
        while self._open:
            connection = self._open.pop()
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _work(answer: Future[Fetched], sockets: _Sockets, url: str, deadline: float, ca_file: str | None) -> None:
    try:
        answer.set_result(_get(sockets, url, deadline, ca_file))
    except Exception as problem:  # of any kind: it belongs to the thread that waits
        answer.set_exception(problem if isinstance(problem, OSError) else OSError(type(problem).__name__))


def _get(sockets: _Sockets, url: str, deadline: float, ca_file: str | None) -> Fetched:
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _Adapter(sockets))
        session.mount("http://", _Adapter(sockets))
        with session.get(
            url,
            timeout=deadline,
            allow_redirects=False,
            stream=True,
            verify=ca_file or True,
            headers={"Accept": "application/json"},
        ) as response:
            if response.status_code != requests.codes.ok:
                raise OSError(f"status {response.status_code}")
            age = _max_age(response.headers.get("Cache-Control", ""))
            return Fetched(_body(response), age, response.headers.get("Date", ""))


def _body(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise OSError(f"more than {MAX_BYTES} bytes")
    return bytes(body)


def _max_age(cache_control: str) -> int | None:
    directives = cache_control.split(",")
    if any(directive.strip().lower() in _NOT_CACHED for directive in directives):
        return 0
    return next((int(found[1]) for found in map(_MAX_AGE.fullmatch, directives) if found), None)


class _Adapter(HTTPAdapter):
    """The usual transport, with connections that can be ended from another thread."""

    def __init__(self, sockets: _Sockets) -> None:
        self._sockets = sockets
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        sockets = self._sockets

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return sockets.watch(super()._new_conn())

        class Secure(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return sockets.watch(super()._new_conn())

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
