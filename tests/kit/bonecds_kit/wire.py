"""Calls to a service on this machine, with the standard library: a client for ordinary use mends what is to be sent broken."""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

import click

from bonecds_kit.inbound import Entry

# longer than any EHR waits
_SECONDS = 60.0
CLOSED, LATE = 0, -1
_NONE = {CLOSED: "no answer", LATE: f"no answer in {_SECONDS:.0f} s"}
_LONGEST_ANSWER = 10_000_000
_PIECE = 65_536
_ID = re.compile(r"[A-Za-z0-9._~-]{1,200}")
_KIND = re.compile(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}")


class CannotRun(click.ClickException):
    """The kit cannot do its work; one clear line, and exit status 2."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of the answer; or `CLOSED` without one, or `LATE`.
        content_type: of the answer, without its parameters.
        body: for comparison only; it is never shown, since it may hold anything.
    """

    status: int
    content_type: str = ""
    body: bytes = b""

    def __str__(self) -> str:
        if self.status in _NONE:
            return _NONE[self.status]
        return f"{self.status} ({self.content_type or 'no content type'})"


class Target:
    """A service's address on loopback.

    Args:
        url: the address under which `/cds-services` is found.

    Raises:
        CannotRun: the address is not plain HTTP on this machine.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or 80
        except ValueError:
            raise CannotRun("URL is not an address. Write http://127.0.0.1:8080") from None
        if parts.scheme != "http" or parts.username is not None or parts.query or parts.fragment:
            raise CannotRun("URL must be http://HOST:PORT, or that with a path. Write http://127.0.0.1:8080")
        self._host, self._port = _on_this_machine(host), port
        self._base = parts.path.rstrip("/")
        self.url = url.rstrip("/")

    def get(self, path: str) -> Answer:
        """GET below the base."""
        return self._send("GET", path, (), b"")

    def post(self, path: str, headers: Iterable[tuple[str, str]], body: bytes, *, chunked: bool = False) -> Answer:
        """POST below the base, each header as it is, also twice."""
        length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
        return self._send("POST", path, (*headers, length), _in_chunks(body) if chunked else body)

    def _send(
        self, method: str, path: str, headers: Iterable[tuple[str, str]], body: bytes | Iterator[bytes]
    ) -> Answer:
        connection = HTTPConnection(self._host, self._port, timeout=_SECONDS)
        try:
            connection.putrequest(method, self._base + path)
            for name, value in headers:
                connection.putheader(name, value)
            # who refuses a body answers before all of it was sent
            connection.endheaders()
            with suppress(BrokenPipeError, ConnectionResetError):
                for piece in _pieces(body):
                    connection.send(piece)
            answer = connection.getresponse()
            kind = answer.headers.get_content_type() if "Content-Type" in answer.headers else ""
            shown = kind if not kind or _KIND.fullmatch(kind) else "odd content type"
            return Answer(answer.status, shown, answer.read(_LONGEST_ANSWER))
        except TimeoutError:
            return Answer(LATE)
        except (OSError, HTTPException):
            return Answer(CLOSED)
        finally:
            connection.close()


def discovery(target: Target) -> tuple[Entry, ...]:
    """The services that the discovery document lists, as far as they can be called.

    Raises:
        CannotRun: there is none that can be read.
    """
    answer = target.get("/cds-services")
    if answer.status in _NONE:
        raise CannotRun(f"{target.url} gives {answer}. Is the service started?")
    if answer.status != 200:
        raise CannotRun(f"{target.url}/cds-services was answered {answer}; discovery is answered 200, without a token.")
    try:
        listed = [each for each in json.loads(answer.body)["services"] if _callable(each)]
    except (ValueError, KeyError, TypeError, RecursionError):
        listed = []
    if not listed:
        raise CannotRun(f"{target.url}/cds-services lists no service with an id and a hook.")
    hooks = frozenset(each["hook"] for each in listed)
    return tuple(Entry(each["id"], each["hook"], _templates(each.get("prefetch")), hooks) for each in listed)


def _callable(listed: Any) -> bool:
    if not isinstance(listed, dict):
        return False
    ident, hook = listed.get("id"), listed.get("hook")
    # the id goes into an address and onto a terminal
    return isinstance(ident, str) and _ID.fullmatch(ident) is not None and isinstance(hook, str)


def _templates(prefetch: Any) -> dict[str, str]:
    found = prefetch.items() if isinstance(prefetch, dict) else ()
    return {key: template for key, template in found if isinstance(template, str)}


def _on_this_machine(host: str) -> str:
    """The address to connect to.

    Raises:
        CannotRun: the host is another machine, or may be.
    """
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    if host == "localhost":
        with suppress(OSError):
            # somebody's hosts file may send the name elsewhere
            found = [str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]
            if all(ipaddress.ip_address(each).is_loopback for each in found):
                return "localhost"
    raise CannotRun(
        f"{host or 'no host'} is not this machine; the kit attacks services on 127.0.0.1, [::1] and localhost only."
    )


def _in_chunks(body: bytes) -> Iterator[bytes]:
    for piece in _pieces(body):
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


def _pieces(body: bytes | Iterator[bytes]) -> Iterator[bytes]:
    if isinstance(body, bytes):
        for start in range(0, len(body), _PIECE):
            yield body[start : start + _PIECE]
    else:
        yield from body
