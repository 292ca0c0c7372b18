"""Who may ask the servers: the loader by a fixed token, an EHR by those that the OAuth 2 server gives it."""

from __future__ import annotations

import json
import secrets
import time
import uuid
from dataclasses import dataclass

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

FHIR_SERVER_SECRET = secrets.token_urlsafe(24)
LOADER_TOKEN = secrets.token_urlsafe(24)
EVERYTHING = "system/*.rs"
SCOPES = (EVERYTHING, "system/Condition.rs")
_KEY_ID = "ehr-1"


@dataclass(frozen=True, slots=True)
class Issuer:
    """The OAuth 2 server, seen from the EHR that gets tokens there (SMART Backend Services)."""

    base: str
    key: rsa.RSAPrivateKey

    def token(self, scope: str = EVERYTHING) -> str:
        """A new access token."""
        answer = self._post("token", grant_type="client_credentials", scope=scope)
        assert answer.status_code == requests.codes.ok, answer.text
        return str(answer.json()["access_token"])

    def revoke(self, token: str) -> None:
        """The token is dead from now on."""
        answer = self._post("token/revocation", token=token)
        assert answer.status_code == requests.codes.ok, answer.text

    def assertion(self, **changed: object) -> str:
        """A client assertion, signed with the EHR's key."""
        now = int(time.time())
        claims = {
            "iss": "ehr",
            "sub": "ehr",
            "aud": f"{self.base}/token",
            "iat": now,
            "exp": now + 60,
            "jti": str(uuid.uuid4()),
            **changed,
        }
        return jwt.encode(claims, self.key, "RS384", headers={"kid": _KEY_ID})

    def _post(self, path: str, **form: str) -> requests.Response:
        return self.post(path, client_assertion=self.assertion(), **form)

    def post(self, path: str, **form: str) -> requests.Response:
        """A form, with the client assertion that is among it."""
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return requests.post(f"{self.base}/{path}", data={"client_assertion_type": kind, **form}, timeout=10)


def new_key() -> tuple[rsa.RSAPrivateKey, str]:
    """A key of the EHR, and its public half as a JWK Set."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": _KEY_ID, "alg": "RS384", "use": "sig"}
    return key, json.dumps({"keys": [public]})
