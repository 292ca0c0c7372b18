"""An EHR on loopback that launches SMART apps: discovery, authorization and tokens (code with PKCE) beside its FHIR server."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import requests

from bonecds_kit.faultfhir import FaultFhir

Json = dict[str, Any]
CLIENT_ID = "one-page"
LAUNCH = "launch-of-this-chart"


class SmartEhr(FaultFhir):
    """Its user allows everything.

    Args:
        resources: what it holds.
        patient_id: whose chart is open.

    Attributes:
        configuration: `smart-configuration`.
        says_no: the error that authorization ends with; "" for a code.
        answer_to_code: what the token endpoint adds to its answer, or takes out of it (`None`).
        raw: status, headers and body of the token endpoint in place of its answer.
        holds: the token endpoint does not answer until the test is over.
        forms: the forms that came to the token endpoint.
    """

    def __init__(self, resources: Iterable[Json], patient_id: str) -> None:
        super().__init__(resources)
        self.token = f"canary-token-{secrets.token_hex(8)}"
        self.origin = self.base.removesuffix(self.path)
        self.configuration: Json = {
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "code_challenge_methods_supported": ["S256"],
        }
        self.says_no = ""
        self.answer_to_code: Mapping[str, Any] = {"patient": patient_id}
        self.raw: tuple[int, Mapping[str, str], bytes] | None = None
        self.holds = False
        self.forms: list[Mapping[str, str]] = []
        self._codes: dict[str, Mapping[str, str]] = {}
        self._server.RequestHandlerClass.do_POST = lambda request: self.answer(request)  # type: ignore[attr-defined]

    def browse(self, url: str) -> str:
        """What a browser does that is sent to the authorization endpoint: where it is sent back to."""
        answer = requests.get(url, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """As a FHIR server, but for three addresses."""
        url = urlsplit(request.path)
        if url.path == f"{self.path}/.well-known/smart-configuration":
            self._send(request, 200, {"Content-Type": "application/json"}, json.dumps(self.configuration).encode())
        elif url.path == "/authorize":
            self._authorize(request, dict(parse_qsl(url.query)))
        elif url.path == "/token":
            length = int(request.headers["Content-Length"])
            form = {name: values[0] for name, values in parse_qs(request.rfile.read(length).decode()).items()}
            self.forms.append(form)
            if self.holds:
                self.released.wait(60)
            self._send(request, *(self.raw or self._exchanged(form)))
        else:
            super().answer(request)

    def _authorize(self, request: BaseHTTPRequestHandler, asked: Mapping[str, str]) -> None:
        wanted = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "aud": self.base,
            "launch": LAUNCH,
            "code_challenge_method": "S256",
        }
        if any(asked.get(name) != value for name, value in wanted.items()):
            self._send(request, 400, {}, json.dumps(asked).encode())
            return
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        told = {"error": self.says_no} if self.says_no else {"code": code}
        back = f"{asked['redirect_uri']}?{urlencode({**told, 'state': asked['state']})}"
        self._send(request, 302, {"Location": back}, b"")

    def _exchanged(self, form: Mapping[str, str]) -> tuple[int, Mapping[str, str], bytes]:
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        kind = {"Content-Type": "application/json"}
        good = asked and form["grant_type"] == "authorization_code" and form["redirect_uri"] == asked["redirect_uri"]
        if not asked or not good or proven != asked["code_challenge"] or form["client_id"] != CLIENT_ID:
            return 400, kind, b'{"error": "invalid_grant"}'
        told = {"access_token": self.token, "token_type": "Bearer", "expires_in": 300, "scope": asked["scope"]}
        return (
            200,
            kind,
            json.dumps({k: v for k, v in {**told, **self.answer_to_code}.items() if v is not None}).encode(),
        )

    @staticmethod
    def _send(request: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(body)
