"""A browser between an EHR on loopback and the service: launches, and what comes of them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.smart_ehr import LAUNCH, SmartEhr

PUBLIC = "http://127.0.0.1:8080"
WHO = "gc-very-high-risk-untreated"
JWKS = {"jwks_urls": ["https://ehr.example.org/jwks"]}
FOREIGN = "https://evil.example.org"
SAYS_NOTHING = "this page was not opened from a system that is registered here"


def launched(visitor: FlaskClient, iss: str, launch: str = LAUNCH) -> TestResponse:
    return visitor.get("/smart/launch", query_string={"iss": iss, "launch": launch})


def sent_back(visitor: FlaskClient, ehr: SmartEhr) -> str:
    """Launch, and go through the EHR's authorization: the path that the browser is sent back to."""
    answer = launched(visitor, ehr.base)
    assert answer.status_code == 302, answer.text
    return ehr.browse(answer.headers["Location"]).removeprefix(PUBLIC)


def changed(path: str, **parts: str) -> str:
    before, _, query = path.partition("?")
    return f"{before}?{urlencode({**dict(parse_qsl(query)), **parts})}"


def not_shown(answer: TestResponse, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert "The summary is not shown" in answer.text
    assert words.lower() in answer.text.lower()
    assert answer.headers["X-Correlation-Id"] in answer.text
