"""The JWT of a CDS client (CDS Hooks 2.0.1, Trusting CDS Clients)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cds_service.kernel.errors import InputError

SECONDS = 300


@dataclass(frozen=True, slots=True)
class Signer:
    """A client's key and names; made by `signer`.

    Attributes:
        algorithm: "RS384" or "ES384", by the kind of key.
        issuer: `iss`.
        kid: id of the key.
        jku: address of the key set; "" where the keys were exchanged by hand.
    """

    _key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    algorithm: str
    issuer: str
    kid: str
    jku: str = ""

    def token(self, audience: str, now: int) -> str:
        """A token for one call.

        Args:
            audience: the exact address that is called.
            now: seconds since 1970.
        """
        claims = {"iss": self.issuer, "aud": audience, "iat": now, "exp": now + SECONDS, "jti": str(uuid.uuid4())}
        header = {"kid": self.kid, **({"jku": self.jku} if self.jku else {})}
        return jwt.encode(claims, self._key, self.algorithm, header)


def signer(pem: bytes, *, issuer: str, kid: str, jku: str = "") -> Signer:
    """Read a private key.

    Args:
        pem: the key, PKCS#8 or older, without a password.
        issuer: `iss` as the service registered it.
        kid: id of the key in the set that the service knows.
        jku: address of that set.

    Raises:
        InputError: not such a key, or of a kind that CDS Hooks does not recommend; nothing of it is repeated.
    """
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        raise InputError(
            "the key cannot be read",
            "--sign-with",
            "Give a private key in PEM without a password: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        ) from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return Signer(key, "RS384", issuer, kid, jku)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP384R1):
        return Signer(key, "ES384", issuer, kid, jku)
    raise InputError("the key is for neither RS384 nor ES384", "--sign-with", "Use RSA of 2048 bits or more, or P-384.")
