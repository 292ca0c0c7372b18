"""Registering a client: what a settings file may say, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm

from bonecds_kit.forger import Forger, public_jwk
from cds_service.formats import strict_toml
from cds_service.formats.urls import Base
from cds_service.kernel.errors import ContentError
from cds_service.security import jwks
from cds_service.security.clients import SCHEMA, registry

EHR: dict[str, Any] = {
    "name": "north",
    "issuer": "https://ehr.example.org",
    "jwks_urls": ["https://ehr.example.org/jwks.json"],
}
EC_KEY = ec.generate_private_key(ec.SECP384R1())
EC_JWK = public_jwk("k1", EC_KEY)
WEAK_JWK = public_jwk("k1", rsa.generate_private_key(65537, 1024))  # noqa: S505 on purpose
FHIR = {"fhir_bases": ["https://ehr.example.org/fhir"]}
SMART = {**EHR, **FHIR, "smart_client_id": "one-page"}


def _refused(*entries: dict[str, Any]) -> str:
    with pytest.raises(ContentError) as refused:
        registry(entries, "settings.toml")
    return str(refused.value)


def _without(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != name}


# --- what is read


def test_a_client_is_found_by_its_issuer_letter_by_letter() -> None:
    clients = registry([EHR, {**EHR, "name": "south", "issuer": "https://ehr.example.org/"}], "settings.toml")
    assert [client.name for client in clients.all()] == ["north", "south"]
    assert clients.of_issuer("https://ehr.example.org").name == "north"
    assert clients.of_issuer("https://ehr.example.org/").name == "south"
    assert clients.of_issuer("HTTPS://ehr.example.org") is None


def test_a_client_says_little_and_gets_the_recommended_rest() -> None:
    client = registry([EHR], "settings.toml").of_issuer(EHR["issuer"])
    assert client.algorithms == ("ES384", "RS384")
    assert (client.max_token_seconds, client.max_parallel_fetches) == (300, 4)
    assert (client.tenants, client.fhir_bases, client.profile, client.site_file) == (frozenset(), (), None, None)


def test_a_client_can_say_everything() -> None:
    entry = {
        **EHR,
        "algorithms": ["RS256"],
        "tenants": ["a", "b"],
        "fhir_bases": ["https://ehr.example.org:443/fhir/"],
        "profile": "uk",
        "site_file": "sites/north.toml",
        "dialect": "epic",
        "max_token_seconds": 3600,
        "max_parallel_fetches": 2,
    }
    client = registry([entry], "settings.toml").of_issuer(EHR["issuer"])
    assert client.fhir_bases == (Base("https", "ehr.example.org", 443, "/fhir"),)
    assert (client.tenants, client.algorithms, client.site_file) == ({"a", "b"}, ("RS256",), Path("sites/north.toml"))


def test_the_schema_reads_the_tables_of_a_settings_file() -> None:
    text = """
    [[clients]]
    name = "north"
    issuer = "https://ehr.example.org"
    [[clients.jwks.keys]]
    kty = "EC"
    """
    whole = {"type": "object", "properties": {"clients": {"type": "array", "items": SCHEMA}}}
    assert strict_toml.load(text, "settings.toml", whole)["clients"][0]["jwks"] == {"keys": [{"kty": "EC"}]}


def test_two_sites_of_one_vendor_may_share_its_keys() -> None:
    clients = registry([EHR, {**EHR, "name": "south", "issuer": "https://south.example.org"}], "settings.toml")
    assert clients.of_issuer("https://south.example.org").jwks_urls == clients.of_issuer(EHR["issuer"]).jwks_urls


# --- what is refused


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (_without(EHR, "name"), "clients.0: 'name' is a required property"),
        (_without(EHR, "issuer"), "clients.0: 'issuer' is a required property"),
        ({**EHR, "isuer": "x"}, "clients.0: Additional properties are not allowed ('isuer' was unexpected)"),
        ({**EHR, "issuer": ""}, "clients.0.issuer: '' should be non-empty"),
        ({**EHR, "max_token_seconds": 3601}, "clients.0.max_token_seconds: 3601 is greater than the maximum of 3600"),
        ({**EHR, "max_token_seconds": 0}, "clients.0.max_token_seconds: 0 is less than the minimum of 1"),
        (_without(EHR, "jwks_urls"), "clients.0: needs jwks_urls or jwks, and not both. Say where"),
        ({**EHR, "jwks": {"keys": [EC_JWK]}}, "clients.0: needs jwks_urls or jwks, and not both. Say where"),
        ({**EHR, "jwks_urls": ["http://ehr.example.org/jwks"]}, "clients.0.jwks_urls.0: is http: write https"),
        ({**EHR, "jwks_urls": ["https://a.example/k", "https://a@b/k"]}, "clients.0.jwks_urls.1: has user information"),
        ({**EHR, "fhir_bases": ["https://ehr.example.org/fhir?x"]}, "clients.0.fhir_bases.0: has a query"),
        ({**EHR, "smart_client_id": "x", "fhir_bases": []}, "clients.0.smart_client_id: needs fhir_bases"),
        ({**EHR, "smart_client_id": "a b", **FHIR}, "clients.0.smart_client_id: 'a b' does not match"),
        ({**EHR, "frame_ancestors": []}, "clients.0.frame_ancestors: is for clients with a smart_client_id"),
        ({**SMART, "smart_origins": ["https://login.example.org/x"]}, "clients.0.smart_origins.0: has a path"),
        ({**SMART, "smart_origins": ["http://login.example.org"]}, "clients.0.smart_origins.0: is http: write https"),
        ({**SMART, "frame_ancestors": ["*"]}, "clients.0.frame_ancestors.0: is not an absolute https address"),
        ({**SMART, "frame_ancestors": ["https://a.example; x"]}, "clients.0.frame_ancestors.0: has a space"),
        ({**SMART, "frame_ancestors": ["https://a.example;x"]}, "clients.0.frame_ancestors.0: has a host"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(entry: dict[str, Any], message: str) -> None:
    assert _refused(entry).startswith(f"settings.toml: {message}")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS384", "HS512", "ES256K", "EdDSA", "RS1"])
def test_a1_a2_no_client_can_register_a_weak_or_symmetric_algorithm(algorithm: str) -> None:
    assert _refused({**EHR, "algorithms": [algorithm]}).startswith("settings.toml: clients.0.algorithms.0: ")


def test_b4_keys_come_over_http_from_this_machine_only() -> None:
    client = registry([{**EHR, "jwks_urls": ["http://127.0.0.1:8000/jwks"]}], "settings.toml").all()[0]
    assert client.jwks_urls == ("http://127.0.0.1:8000/jwks",)


@pytest.mark.parametrize("key", ["name", "issuer"])
def test_two_clients_cannot_have_the_same_name_or_issuer(key: str) -> None:
    other = {**EHR, "name": "south", "issuer": "https://south.example.org", key: EHR[key]}
    assert _refused(EHR, other) == (
        f"settings.toml: clients.1.{key}: another client has the same {key}. Give each client its own {key}."
    )


# --- pinned keys


def _pinned(*keys: Any, **more: Any) -> dict[str, Any]:
    return {**_without(EHR, "jwks_urls"), "jwks": {"keys": list(keys)}, **more}


def test_pinned_keys_are_ready_to_verify() -> None:
    client = registry([_pinned(EC_JWK)], "settings.toml").all()[0]
    assert client.jwks.fit("k1", "ES384")[0].public == EC_KEY.public_key()
    assert client.jwks.fit("k1", "ES256") == client.jwks.fit("K1", "ES384") == ()


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (WEAK_JWK, "is an RSA key of 1024 bits. Use 2048 to 8192 bits."),
        ({**EC_JWK, "crv": "secp256k1"}, "has a curve that is weak or not for these signatures"),
        ({**EC_JWK, "crv": "P-192"}, "has a curve that is weak or not for these signatures"),
        ({**EC_JWK, "crv": "P-256"}, "cannot be read"),
        ({**EC_JWK, "x": EC_JWK["y"]}, "cannot be read"),
        ({**EC_JWK, "x": "***"}, "cannot be read"),
        ({**EC_JWK, "x": 7}, "lacks one of crv, x, y"),
        ({**EC_JWK, "use": "enc"}, "is not meant for signatures"),
        ({**EC_JWK, "key_ops": ["sign"]}, "is not meant for signatures"),
        ({**EC_JWK, "alg": "ES256"}, "names an algorithm that is not for a key of its type"),
        ({**EC_JWK, "alg": ["ES384"]}, "names an algorithm that is not for a key of its type"),
        ({**EC_JWK, "kid": ""}, "has no kid"),
        (_without(EC_JWK, "kid"), "has no kid"),
        ({"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}, "holds a private or secret key"),
        ({**EC_JWK, "d": "AAAA"}, "holds a private or secret key"),
        ({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "AAAA"}, "is neither an RSA nor an EC key"),
        ("k1", "is not an object"),
    ],
)
def test_a19_an_unfit_key_is_refused_when_it_is_registered(key: Any, message: str) -> None:
    assert _refused(_pinned(EC_JWK, key)).startswith(f"settings.toml: clients.0.jwks.keys.1: {message}")


def test_a19_a_private_key_is_not_repeated_in_the_message() -> None:
    private = {**ECAlgorithm.to_jwk(EC_KEY, as_dict=True), "kid": "k1"}
    assert private["d"] not in _refused(_pinned(private))


def test_a_pinned_key_that_no_algorithm_of_the_client_can_use_is_refused() -> None:
    key = public_jwk("k1", ec.generate_private_key(ec.SECP256R1()))
    assert _refused(_pinned(key)) == (
        "settings.toml: clients.0.jwks.keys.0: is for none of the client's algorithms. "
        "Add ES256 to algorithms, or register another key."
    )
    assert registry([_pinned(key, algorithms=["ES256"])], "settings.toml").all()[0].jwks.has("k1")


def test_a_key_that_names_its_algorithm_verifies_no_other(forger: Forger) -> None:
    key = {**public_jwk("k1", forger.keys["rsa+key/1="]), "alg": "RS384"}
    found = jwks.read({"keys": [key]})
    assert [bool(found.fit("k1", algorithm)) for algorithm in ("RS384", "RS256", "PS384")] == [True, False, False]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from([*EC_JWK, "n", "e", "alg", "key_ops"]), _JSON, st.sampled_from(["EC", "RSA"]))
def test_whatever_a_key_set_holds_reading_it_never_fails(member: str, value: Any, kind: str) -> None:
    found = jwks.read({"keys": [{**EC_JWK, "n": "AQAB" * 100, "e": "AQAB", "kty": kind, member: value}]})
    assert len(found.keys) + len(found.problems) == 1


@pytest.mark.parametrize("document", [None, [], "keys", {}, {"keys": {}}, {"keys": None}, 7])
def test_what_is_no_key_set_has_no_keys_and_says_so(document: Any) -> None:
    found = jwks.read(document)
    assert (found.keys, found.problems[0][1]) == ((), "is not a list of keys")
