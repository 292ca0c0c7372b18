"""Calls to a CDS service, bounded in time and size. Nothing of the environment takes part, and no redirect is followed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import requests

from cds_service.formats.urls import Base

MAX_BYTES = 20_000_000
SECONDS = 30.0
_CHUNK = 65_536


class NoAnswer(Exception):
    """The service gave no complete answer; the text says why, and holds neither the address nor a token."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole.

    Attributes:
        status: HTTP status.
        content_type: in lower case, without parameters.
        body: decoded bytes.
        seconds: from sending to the last byte.
        date: the `Date` header as it came; "" for none.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    seconds: float
    date: str = ""


class Wire:
    """The way to one CDS service.

    Args:
        base: what stands before `/cds-services`.
        ca_file: certificate authorities to trust in place of the public ones.
        seconds: longest wait for a whole answer.
    """

    def __init__(self, base: Base, *, ca_file: str | None = None, seconds: float = SECONDS) -> None:
        self.base, self._seconds = base, seconds
        self._session = requests.Session()
        # a .netrc entry would replace the token of a call, and a proxy would see the record in it
        self._session.trust_env = False
        self._session.verify = ca_file or True

    def get(self, path: str) -> Answer:
        """GET an address below the base.

        Raises:
            NoAnswer: no complete answer.
        """
        return self._send("GET", path, None, {})

    def post(self, path: str, body: bytes, token: str = "") -> Answer:
        """POST JSON to an address below the base, with a bearer token if there is one.

        Raises:
            NoAnswer: no complete answer.
        """
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return self._send("POST", path, body, headers)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._session.close()

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        began = time.monotonic()
        try:
            with self._session.request(
                method,
                self.base.url(path),
                data=body,
                headers={"Accept": "application/json", "User-Agent": "bonecds", **headers},
                timeout=self._seconds,
                allow_redirects=False,
                stream=True,
            ) as response:
                found = _read(response, began + self._seconds)
                kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                date = response.headers.get("Date", "")
                return Answer(response.status_code, kind, found, time.monotonic() - began, date)
        except (requests.RequestException, OSError) as problem:
            words = _words(problem)
        # outside of `except`: the causes hold the request with its headers, and none of them goes along
        raise NoAnswer(words)


def _read(response: requests.Response, until: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BYTES:
            raise NoAnswer(f"the answer has more than {MAX_BYTES} bytes")
        if time.monotonic() > until:
            raise NoAnswer("not in time")
    return bytes(body)


def _words(problem: Exception) -> str:
    if isinstance(problem, requests.exceptions.SSLError):
        return "the TLS certificate was not accepted"
    if isinstance(problem, requests.exceptions.Timeout):
        return "not in time"
    if isinstance(problem, requests.exceptions.ConnectionError) and "Read timed out" not in str(problem):
        return "no connection, or it was closed without an answer"
    if isinstance(problem, OSError) and "timed out" in str(problem):
        return "not in time"
    return "the answer broke off"
