"""Tokens of the simulator: what CDS Hooks asks for, verified by the library and refused where the key is not fit."""

from __future__ import annotations

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cds_service.kernel.errors import InputError
from cds_service.simulator.signing import signer

URL = "https://cds.example.org/cds-services/x"
P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(("key", "algorithm"), [(P384, "ES384"), (RSA, "RS384")], ids=["P-384", "RSA"])
def test_a_token_says_who_calls_what_and_for_how_long(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, algorithm: str
) -> None:
    made = signer(pem(key), issuer="https://ehr.example.org", kid="k1", jku="https://ehr.example.org/jwks")
    token = made.token(URL, 1_800_000_000)
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        token, key.public_key(), [algorithm], audience=URL, issuer="https://ehr.example.org", options=options
    )
    assert claims["exp"] - claims["iat"] == 300
    header = jwt.get_unverified_header(token)
    assert header == {"alg": algorithm, "typ": "JWT", "kid": "k1", "jku": "https://ehr.example.org/jwks"}


def test_every_token_has_an_id_of_its_own_and_no_jku_unless_given() -> None:
    made = signer(pem(P384), issuer="i", kid="k")
    tokens = {made.token(URL, 1) for _ in range(5)}
    assert len(tokens) == 5
    assert "jku" not in jwt.get_unverified_header(tokens.pop())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not a key",
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1())),
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 on purpose
    ],
    ids=["empty", "text", "ed25519", "P-256", "RSA-1024"],
)
def test_a_key_that_is_not_fit_is_refused(raw: bytes) -> None:
    with pytest.raises(InputError, match="--sign-with"):
        signer(raw, issuer="i", kid="k")


def test_the_key_is_not_in_the_repr() -> None:
    assert "key=" not in repr(signer(pem(P384), issuer="i", kid="k")).replace("_key=", "key=")
