"""What a key set is worth to a client that signs with it."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bonecds_kit.forger import PrivateKey, public_jwk
from cds_service.doctor.checks.keys import key_set
from cds_service.doctor.finding import Finding, Level
from cds_service.security import jwks
from cds_service.security.clients import Client

CLIENT = Client("north", "https://ehr.example.org")


@cache
def key(kind: str) -> PrivateKey:
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key({"p384": ec.SECP384R1(), "p256": ec.SECP256R1()}[kind])


def found_in(*keys: Any, client: Client = CLIENT) -> list[Finding]:
    return list(key_set(client, "https://ehr.example.org/jwks", jwks.read({"keys": list(keys)}), 600))


def test_good_keys_are_named_with_kind_size_and_algorithms() -> None:
    (found,) = found_in(public_jwk("a", key("p384")), {**public_jwk("b", key("rsa2048")), "alg": "RS384"})
    assert found.level is Level.PASS
    assert found.seen == "https://ehr.example.org/jwks: EC 384 (ES384), RSA 2048 (RS384); kept for 600 s"


def test_a19_a_weak_key_is_left_out_and_said() -> None:
    good, warned = found_in(public_jwk("a", key("p384")), public_jwk("b", key("rsa1024")))
    assert (good.level, warned.level) == (Level.PASS, Level.WARN)
    assert warned.details == ("keys.1 is an RSA key of 1024 bits",)
    assert "2048" in warned.fix


def test_a19_where_there_are_only_weak_keys_nobody_gets_in() -> None:
    (found,) = found_in(public_jwk("b", key("rsa1024")))
    assert found.level is Level.FAIL
    assert "2048" in found.fix


@pytest.mark.parametrize(("document", "fix"), [({"keys": []}, "Have the client publish"), ({"x": 1}, "RFC 7517")])
def test_a_set_without_keys_fails(document: Any, fix: str) -> None:
    (found,) = key_set(CLIENT, "there", jwks.read(document))
    assert found.level is Level.FAIL
    assert fix in found.fix


def test_a_key_of_another_algorithm_than_the_registered_ones_does_not_help() -> None:
    (found,) = found_in(public_jwk("a", key("p256")))
    assert (found.level, found.seen[-20:]) == (Level.FAIL, "key that can be used with ES384, RS384"[-20:])
    assert "Add one of ES256" in found.fix


def test_a_key_beside_the_one_in_use_is_said() -> None:
    good, warned = found_in(public_jwk("a", key("p384")), public_jwk("b", key("p256")))
    assert (good.level, warned.level) == (Level.PASS, Level.WARN)
    assert "1 key for none of its algorithms" in warned.seen


def test_two_keys_of_one_name_are_said() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    good, warned = found_in(public_jwk("a", key("p384")), public_jwk("a", other))
    assert (good.level, warned.level) == (Level.PASS, Level.WARN)
    assert "1 kid stands for several keys" in warned.seen


def test_one_name_for_keys_of_two_kinds_is_fine() -> None:
    assert [each.level for each in found_in(public_jwk("a", key("p384")), public_jwk("a", key("rsa2048")))] == [
        Level.PASS
    ]


def test_no_kid_is_repeated() -> None:
    hostile = public_jwk("\x1b[2Jmy-secret-kid", key("rsa1024"))
    assert "my-secret-kid" not in str(found_in(hostile, public_jwk("my-secret-kid", key("p384"))))
