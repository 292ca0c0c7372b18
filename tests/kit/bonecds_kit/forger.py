"""A CDS client that signs good tokens, and a forger who signs the others.

Tokens are put together by hand: a library refuses to build most of what an attacker sends.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm, get_default_algorithms

from bonecds_kit.keyserver import KeyServer

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_SIGNERS = get_default_algorithms()
TENANT = "north"
ISSUER = "https://ehr.example.org"


class Forger:
    """Register `registration()` with the service under test, inside the `with` block, then send what the table holds.

    Args:
        audience: the address of the service called.
        issuer: of the client.
        port: of the key server; 0 for any that is free.
        mark: put behind every kid that is served, so that a service which has keys of an earlier run looks for new ones.
        clock: epoch seconds.

    Attributes:
        audience: of good tokens; may be changed at any time.
        keys: the client's private keys by kid, without the mark; their public parts are served.
        others: private keys that no service must trust.
        jwks: serves the client's keys.
        evil: serves the attacker's; a service that is right never calls it.
    """

    def __init__(
        self,
        audience: str,
        *,
        issuer: str = ISSUER,
        port: int = 0,
        mark: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.audience, self.issuer, self._mark, self._clock = audience, issuer, mark, clock
        self.keys: dict[str, PrivateKey] = {
            # as Epic's: + / and = in it
            "rsa+key/1=": rsa.generate_private_key(public_exponent=65537, key_size=2048),
            "ec-key": ec.generate_private_key(ec.SECP384R1()),
            "ec256-key": ec.generate_private_key(ec.SECP256R1()),
            "ec521-key": ec.generate_private_key(ec.SECP521R1()),
            "weak-key": rsa.generate_private_key(public_exponent=65537, key_size=1024),  # noqa: S505 on purpose
        }
        self.others: dict[str, PrivateKey] = {
            "ec": ec.generate_private_key(ec.SECP384R1()),
            "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        }
        self.jwks = KeyServer([public_jwk(self.served(kid), key) for kid, key in self.keys.items()], port)
        self.evil = KeyServer(
            [public_jwk(self.served("ec-key"), self.others["ec"]), public_jwk("evil", self.others["ec"])]
        )
        self.jwks.redirect_to = self.evil.url
        self._stack = ExitStack()

    def __enter__(self) -> Forger:
        self._stack.enter_context(self.jwks)
        self._stack.enter_context(self.evil)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def registration(self) -> dict[str, Any]:
        """What the service under test must know of the client."""
        return registration(self.issuer, self.jwks.url)

    def served(self, kid: str) -> str:
        """The kid under which the key set names this one of the client's keys."""
        return f"{kid}{self._mark}"

    def now(self) -> int:
        return int(self._clock())

    def header(self, **changes: Any) -> dict[str, Any]:
        """Of a good token; a change to `...` leaves the member out. A kid of the client's is written as it is served."""
        good = {"alg": "ES384", "typ": "JWT", "kid": "ec-key", "jku": self.jwks.url}
        found = {name: value for name, value in {**good, **changes}.items() if value is not ...}
        kid = found.get("kid")
        if isinstance(kid, str) and kid in self.keys:
            found["kid"] = self.served(kid)
        return found

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Of a good token, with an id of its own; a change to `...` leaves the claim out."""
        good = {
            "iss": self.issuer,
            "aud": self.audience,
            "iat": self.now(),
            "exp": self.now() + 300,
            "jti": uuid.uuid4().hex,
            "tenant": TENANT,
        }
        return {name: value for name, value in {**good, **changes}.items() if value is not ...}

    def good(self, **changes: Any) -> str:
        """A token signed as it says, with some of its claims changed."""
        return self.signed(self.header(), self.claims(**changes))

    def signed(
        self, header: Mapping[str, Any] | bytes, claims: Mapping[str, Any] | bytes, key: PrivateKey | None = None
    ) -> str:
        """A token with any header and claims, signed with the client's key that the header names, or with another.

        Where the header's algorithm does not fit the key, the signature is one that fits the key.
        """
        named = header if isinstance(header, Mapping) else self.header()
        key = key or self.keys.get(str(named.get("kid")).removesuffix(self._mark), self.keys["ec-key"])
        message = b".".join(map(b64, (_bytes(header), _bytes(claims)))).decode()
        algorithm = str(named.get("alg"))
        if algorithm not in algorithms_of(key):
            algorithm = algorithms_of(key)[0]
        return f"{message}.{b64(_SIGNERS[algorithm].sign(message.encode(), key)).decode()}"

    def unsigned(self, algorithm: str) -> str:
        parts = (_bytes(self.header(alg=algorithm)), _bytes(self.claims()), b"")
        return b".".join(map(b64, parts)).decode()

    def with_secret(self, algorithm: str, kid: str) -> str:
        """A symmetric signature whose secret is the client's public key, as everybody can read it."""
        message = b".".join(map(b64, (_bytes(self.header(alg=algorithm, kid=kid)), _bytes(self.claims()))))
        secret = self.keys[kid].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        digest = hmac.new(secret, message, getattr(hashlib, f"sha{algorithm[2:]}")).digest()
        return (message + b"." + b64(digest)).decode()

    def rotate(self) -> str:
        """Publish one more key; its kid."""
        kid = f"ec-key-{len(self.keys)}"
        self.keys[kid] = ec.generate_private_key(ec.SECP384R1())
        self.jwks.keys.append(public_jwk(self.served(kid), self.keys[kid]))
        return kid


def registration(issuer: str, jwks_url: str) -> dict[str, Any]:
    """A client as a service must know it; the names are those of Bone Health CDS."""
    return {
        "name": "forger",
        "issuer": issuer,
        "jwks_urls": [jwks_url],
        "algorithms": ["ES384", "RS384"],
        "tenants": [TENANT],
        "max_token_seconds": 300,
    }


def public_jwk(kid: str, key: PrivateKey) -> dict[str, Any]:
    """The public part of a key, as a client publishes it."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        jwk = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    jwk.pop("key_ops", None)
    return {**jwk, "kid": kid, "use": "sig"}


def algorithms_of(key: PrivateKey) -> tuple[str, ...]:
    """The signatures a key can make."""
    if isinstance(key, rsa.RSAPrivateKey):
        return ("RS384", "RS256", "RS512", "PS256", "PS384", "PS512")
    return ({256: "ES256", 384: "ES384", 521: "ES512"}[key.curve.key_size],)


def b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _bytes(part: Mapping[str, Any] | bytes) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()
