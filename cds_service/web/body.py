"""The bytes that come in and go out."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import IO, Any

import orjson
from flask import Request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import RequestTimeout, UnsupportedMediaType

from cds_service.kernel.errors import JsonRefused, PayloadTooLarge

# most of what is left unread; a longer body costs its sender the connection
_DRAINED = 1_000_000
_CONTENT_TYPES = ("application/json", "application/fhir+json")
_UTF8 = ("utf-8", "utf8")


def read_body(sent: Request, max_bytes: int) -> bytes:
    """The body; its type and length are checked before it is read.

    Raises:
        UnsupportedMediaType: another content type, charset or encoding than JSON in plain UTF-8.
        RequestTimeout: the body did not come in time.
        PayloadTooLarge: too many bytes, stated or chunked.
        JsonRefused: less came than was said.
    """
    charset = sent.mimetype_params.get("charset", "utf-8").lower()
    encoding = sent.headers.get("Content-Encoding", "identity").lower()
    if sent.mimetype not in _CONTENT_TYPES or charset not in _UTF8 or encoding != "identity":
        raise UnsupportedMediaType("Send application/json or application/fhir+json, in UTF-8, not compressed.")
    stated = sent.content_length or 0
    if stated > max_bytes:
        raise PayloadTooLarge(f"the body has more than {max_bytes} bytes", next_step="Send fewer resources.")
    try:
        raw = _bytes(sent.stream, max_bytes + 1)
    except TimeoutError:
        raise RequestTimeout("The body took too long to come. Send it again.") from None
    except (OSError, ParseException):
        # chunks that are none, or a sender that has gone: gunicorn tells only while the body is read
        raise JsonRefused("the body broke off", next_step="Send it again.") from None
    if len(raw) < stated:
        raise JsonRefused("the body is shorter than its Content-Length", next_step="Send it again.")
    return raw


def _bytes(stream: IO[bytes], most: int) -> bytes:
    """The body, or its first bytes.

    Flask's own MAX_CONTENT_LENGTH cuts a chunked body off at the limit without a word (Werkzeug 3.1.9,
    `LimitedStream.readall`), so one byte more than allowed is read to notice.
    """
    found = bytearray()
    while len(found) < most and (part := stream.read(most - len(found))):
        found += part
    return bytes(found)


def drain(stream: IO[bytes]) -> None:
    """Read what is left of a request that was answered before it was read to its end.

    gunicorn 27 closes such a connection without telling, so the next call on it is lost to its sender.
    """
    with contextlib.suppress(OSError, ParseException):
        _bytes(stream, _DRAINED)


def to_bytes(body: Any) -> bytes:
    """JSON bytes; `Decimal` keeps its digits."""
    return orjson.dumps(body, default=_decimal)


def _decimal(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(type(value).__name__)
