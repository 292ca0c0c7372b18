"""The check of a token, where table A does not say it all: limits on both sides, the order of checks, any byte changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bonecds_kit.forger import TENANT, Forger
from cds_service.kernel.errors import NotAllowed, NotAuthenticated, RequestRefused
from cds_service.security.clients import registry
from cds_service.security.fetch import Fetched
from cds_service.security.keys import Keys
from cds_service.security.tokens import SKEW, verify
from tests.security.service import AUDIENCE, NOW, Service


class AlwaysNew:
    """Remembers nothing; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        self.asked.append((issuer, token_id, expires))
        return True


def _no_network(url: str) -> Fetched:
    raise AssertionError("nothing is fetched for a client with pinned keys")


class Pinned:
    """A service that holds the forger's keys itself."""

    def __init__(self, forger: Forger, **more: object) -> None:
        entry = {name: value for name, value in forger.registration().items() if name != "jwks_urls"}
        keys = [key for key in forger.jwks.keys if key["kid"] in {"ec-key", "rsa+key/1="}]
        self.forger = forger
        self.registry = registry([{**entry, "jwks": {"keys": keys}, **more}], "settings.toml")
        self.keys, self.seen = Keys(fetch=_no_network), AlwaysNew()

    def answers(self, *headers: str, audience: str = AUDIENCE) -> str:
        try:
            caller = verify(headers, audience=audience, registry=self.registry, keys=self.keys, seen=self.seen, now=NOW)
        except NotAuthenticated as refused:
            return refused.reason
        except (NotAllowed, RequestRefused) as refused:
            return type(refused).__name__
        return f"{caller.client.name}/{caller.tenant}/{caller.token_id}"

    def takes(self, **claims: object) -> str:
        return self.answers("Bearer " + self.forger.good(**{"jti": "id", **claims}))


@pytest.fixture
def pinned(forger: Forger) -> Pinned:
    return Pinned(forger)


GOOD = f"forger/{TENANT}/id"


@pytest.mark.parametrize(("algorithm", "kid"), [("ES384", "ec-key"), ("RS384", "rsa+key/1=")])
def test_a_good_token_tells_who_calls(pinned: Pinned, forger: Forger, algorithm: str, kid: str) -> None:
    token = forger.signed(forger.header(alg=algorithm, kid=kid), forger.claims(jti="id"))
    assert pinned.answers(f"Bearer {token}") == GOOD


def test_the_rfc_makes_the_scheme_case_insensitive_and_allows_spaces(pinned: Pinned, forger: Forger) -> None:
    assert {pinned.answers(f"{scheme} {forger.good(jti='id')}") for scheme in ("Bearer", "bearer", "BEARER ")} == {GOOD}


@pytest.mark.parametrize(
    ("issued", "expires", "expected"),
    [
        (0, 300, GOOD),
        (0, 301, "lives-too-long"),
        (-SKEW + 1, 300 - SKEW, GOOD),
        (SKEW, 300, GOOD),
        (SKEW + 1, 300, "not-yet-valid"),
        (-300, 0, GOOD),
        (-100, -SKEW + 1, GOOD),
        (-100, -SKEW, "expired"),
        (10, 10, GOOD),
        (10, 9, "lives-too-long"),
    ],
)
def test_a9_a10_a11_times_on_both_sides_of_each_limit(pinned: Pinned, issued: int, expires: int, expected: str) -> None:
    assert pinned.takes(iat=NOW + issued, exp=NOW + expires) == expected


@pytest.mark.parametrize(("starts", "expected"), [(-300, GOOD), (SKEW, GOOD), (SKEW + 1, "not-yet-valid")])
def test_a11_nbf_may_lie_before_iat_as_epics_does(pinned: Pinned, starts: int, expected: str) -> None:
    assert pinned.takes(nbf=NOW + starts) == expected


@pytest.mark.parametrize("value", [True, "0", None, [], -1, 10**11])
@pytest.mark.parametrize("claim", ["iat", "exp", "nbf"])
def test_a9_a_time_is_a_number_of_seconds_since_1970(pinned: Pinned, claim: str, value: object) -> None:
    assert pinned.takes(**{claim: value}) == "bad-time"


def test_a9_times_may_have_fractions(pinned: Pinned) -> None:
    assert pinned.takes(iat=NOW - 0.5, exp=NOW + 200.25) == GOOD


@pytest.mark.parametrize(("life", "expected"), [(3_600, GOOD), (3_601, "lives-too-long")])
def test_a10_a_client_may_be_allowed_longer_lives(forger: Forger, life: int, expected: str) -> None:
    assert Pinned(forger, max_token_seconds=3_600).takes(iat=NOW, exp=NOW + life) == expected


def test_a14_a_token_is_remembered_until_no_tolerated_clock_lets_it_pass(pinned: Pinned, forger: Forger) -> None:
    pinned.takes(exp=NOW + 200)
    assert pinned.seen.asked == [(forger.issuer, "id", NOW + 200 + SKEW)]


def test_a12_the_audience_is_that_of_the_service_called(pinned: Pinned, forger: Forger) -> None:
    token = "Bearer " + forger.good(jti="id")
    assert [pinned.answers(token, audience=other) for other in (AUDIENCE, AUDIENCE + "/feedback")] == [
        GOOD,
        "other-audience",
    ]


@pytest.mark.parametrize(
    ("tenants", "tenant", "expected"),
    [
        ([], ..., "forger//id"),
        ([], "", "forger//id"),
        ([], "north", "NotAllowed"),
        (["north", "south"], "south", "forger/south/id"),
        (["north", "south"], "NORTH", "NotAllowed"),
        (["north", "south"], ..., "NotAllowed"),
    ],
)
def test_a17_tenants(forger: Forger, tenants: list[str], tenant: object, expected: str) -> None:
    assert Pinned(forger, tenants=tenants).takes(tenant=tenant) == expected


@pytest.mark.parametrize(
    ("typ", "expected"), [("JWT", GOOD), ("jwt", GOOD), (..., GOOD), ("at+jwt", "typ"), (None, "typ"), (1, "typ")]
)
def test_a_token_of_another_type_is_none_of_ours(pinned: Pinned, forger: Forger, typ: object, expected: str) -> None:
    assert pinned.answers("Bearer " + forger.signed(forger.header(typ=typ), forger.claims(jti="id"))) == expected


def test_a_token_of_an_unknown_issuer_is_refused(pinned: Pinned) -> None:
    assert {
        pinned.takes(iss=iss) for iss in ("https://other.example", "", None, 7, ["https://ehr.example.org"], ...)
    } == {"unknown-issuer"}


@pytest.mark.parametrize(
    "text", [b"[]", b'"x"', b"1", b"", b"{", b"\xff", b"{}{}", b"[" * 2_000, b'{"a":' * 500 + b"1" + b"}" * 500]
)
def test_what_is_no_json_object_is_refused(pinned: Pinned, forger: Forger, text: bytes) -> None:
    refused = {"malformed", "no-token", "algorithm", "unknown-issuer"}
    assert pinned.answers("Bearer " + forger.signed(text, forger.claims())) in refused
    assert pinned.answers("Bearer " + forger.signed(forger.header(), text)) in refused


def test_a_token_of_more_than_8_kb_is_refused_unread(pinned: Pinned, forger: Forger) -> None:
    assert pinned.takes(x="x" * 8_000) == "too-long"


@pytest.mark.parametrize("claim", ["iat", "exp", "jti", "aud", "tenant"])
def test_nothing_is_remembered_of_a_token_that_is_refused(pinned: Pinned, claim: str) -> None:
    assert pinned.takes(**{claim: {}}) != GOOD
    assert pinned.seen.asked == []


def test_nothing_is_remembered_of_a_token_that_was_not_signed_by_its_client(pinned: Pinned, forger: Forger) -> None:
    token = forger.signed(forger.header(), forger.claims(), forger.others["ec"])
    assert (pinned.answers(f"Bearer {token}"), pinned.seen.asked) == ("bad-signature", [])


def test_nothing_is_fetched_for_a_stranger(service: Service, forger: Forger) -> None:
    token = forger.signed(forger.header(), forger.claims(iss="https://other.example"))
    with pytest.raises(NotAuthenticated):
        service.verify(f"Bearer {token}")
    assert service.fetched == []


def test_two_keys_with_one_id_are_both_tried(forger: Forger) -> None:
    """RFC 7517 lets keys of one type share an id."""
    twin = next(key for key in forger.evil.keys if key["kid"] == "ec-key")
    own = next(key for key in forger.jwks.keys if key["kid"] == "ec-key")
    service = Pinned(forger)
    service.registry = registry(
        [{"name": "forger", "issuer": forger.issuer, "tenants": [TENANT], "jwks": {"keys": [twin, own]}}],
        "settings.toml",
    )
    assert service.takes() == GOOD


def test_the_reason_and_the_message_hold_nothing_of_the_token(pinned: Pinned, forger: Forger) -> None:
    token = forger.good(aud="https://secret.example", jti="secret-id")
    with pytest.raises(NotAuthenticated) as refused:
        verify(
            [f"Bearer {token}"],
            audience=AUDIENCE,
            registry=pinned.registry,
            keys=pinned.keys,
            seen=pinned.seen,
            now=NOW,
        )
    assert "secret" not in str(refused.value) + refused.value.reason


# --- whatever is sent

_UNHURRIED = settings(deadline=None)  # a signature takes milliseconds, on a busy machine more


@pytest.fixture(scope="module")
def shared(the_forger: Forger) -> tuple[Pinned, dict[str, str]]:
    """Made once: Hypothesis calls a test many times."""
    tokens = {
        "ES384": the_forger.good(jti="id"),
        "RS384": the_forger.signed(the_forger.header(alg="RS384", kid="rsa+key/1="), the_forger.claims(jti="id")),
    }
    return Pinned(the_forger), tokens


@given(st.data())
@_UNHURRIED
def test_a_valid_token_with_any_byte_changed_is_not_authenticated(
    shared: tuple[Pinned, dict[str, str]], data: st.DataObject
) -> None:
    service, tokens = shared
    token = tokens[data.draw(st.sampled_from(sorted(tokens)))]
    at = data.draw(st.integers(0, len(token) - 1))
    # a comma would make it two headers in one
    byte = chr(data.draw(st.integers(0, 255).filter(lambda b: chr(b) not in {token[at], ","})))
    changed = f"Bearer {token[:at]}{byte}{token[at + 1 :]}"
    with pytest.raises(NotAuthenticated):
        verify([changed], audience=AUDIENCE, registry=service.registry, keys=service.keys, seen=service.seen, now=NOW)


def test_the_last_character_of_a_signature_has_no_idle_bits(shared: tuple[Pinned, dict[str, str]]) -> None:
    """Base64 leaves bits over at the end of RS384's 256 bytes: sixteen letters would decode to the same signature."""
    service, tokens = shared
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    for token in tokens.values():
        accepted = [letter for letter in letters if service.answers(f"Bearer {token[:-1]}{letter}") == GOOD]
        assert accepted == [token[-1]]


@given(
    st.lists(
        st.text(max_size=60)
        | st.from_regex(r"(?i)bearer [A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True),
        max_size=2,
    )
)
@_UNHURRIED
def test_no_header_makes_anything_but_a_refusal(shared: tuple[Pinned, dict[str, str]], headers: list[str]) -> None:
    service, _ = shared
    with pytest.raises((NotAuthenticated, RequestRefused)):
        verify(headers, audience=AUDIENCE, registry=service.registry, keys=service.keys, seen=service.seen, now=NOW)


_CLAIM = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
)


@given(st.sampled_from(["iss", "aud", "iat", "exp", "nbf", "jti", "tenant"]), _CLAIM)
@_UNHURRIED
def test_no_claim_makes_anything_but_a_caller_or_a_refusal(
    shared: tuple[Pinned, dict[str, str]], name: str, value: object
) -> None:
    service, _ = shared
    assert service.takes(**{name: value})


@given(st.sampled_from(["alg", "typ", "kid", "jku", "crit", "b64"]), _CLAIM)
@_UNHURRIED
def test_no_header_member_makes_anything_but_a_caller_or_a_refusal(
    shared: tuple[Pinned, dict[str, str]], name: str, value: object
) -> None:
    service, _ = shared
    assert service.answers(
        "Bearer " + service.forger.signed(service.forger.header(**{name: value}), service.forger.claims())
    )
