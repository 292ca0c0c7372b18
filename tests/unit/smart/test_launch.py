"""What a launch takes from an EHR and from a browser, and what it does not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.clinical.needs import CONDITIONS, PATIENT, VITAMIN_D
from cds_service.fhir.client.transport import Transport
from cds_service.formats.urls import parse_base
from cds_service.security.clients import registry
from cds_service.security.launchers import Ehr, ehr_of, ehrs, scopes_of
from cds_service.smart import wire
from cds_service.smart.launch import (
    Endpoints,
    Granted,
    LaunchRefused,
    Pending,
    Tickets,
    begin,
    read_configuration,
    read_token,
)
from tests.support.smart_ehr import SmartEhr

BASE = "https://ehr.example.org/api/r4"
ENTRY = {
    "name": "north",
    "issuer": "https://ehr.example.org",
    "jwks_urls": ["https://ehr.example.org/jwks"],
    "fhir_bases": [BASE],
    "smart_client_id": "one-page",
}
GOOD = {
    "authorization_endpoint": "https://ehr.example.org/oauth2/authorize",
    "token_endpoint": "https://ehr.example.org/oauth2/token",
    "code_challenge_methods_supported": ["S256"],
}
PENDING = Pending(BASE, GOOD["token_endpoint"], "state", "verifier")  # type: ignore[arg-type]


def ehr(**more: Any) -> Ehr:
    return next(iter(ehrs(registry([{**ENTRY, **more}], "settings").all()).values()))


def reason(configuration: Any, **more: Any) -> str:
    with pytest.raises(LaunchRefused) as problem:
        read_configuration(ehr(**more), json.dumps(configuration).encode())
    return problem.value.reason


# --- whose launches ---------------------------------------------------------------------------------------------------
def test_a_base_is_the_same_in_another_spelling_and_nothing_else_is() -> None:
    known = {each.base: each for each in [ehr()]}

    assert ehr_of(known, "HTTPS://EHR.example.org:443/api/r4/") is known[parse_base(BASE)]
    assert [ehr_of(known, f"{BASE}{more}") for more in ("/x", "x", "?a=b", "#a", "/../r4", "\\")] == [None] * 6


def test_a_client_without_a_registration_for_launches_has_none() -> None:
    plain = {name: value for name, value in ENTRY.items() if name != "smart_client_id"}

    assert ehrs(registry([plain], "settings").all()) == {}


def test_each_type_is_asked_for_once_and_for_no_more_than_its_look_up() -> None:
    assert scopes_of([PATIENT, CONDITIONS, CONDITIONS, VITAMIN_D]) == [
        "launch",
        "patient/Patient.r",
        "patient/Condition.rs",
        "patient/Observation.rs",
    ]


# --- where an EHR may send us -----------------------------------------------------------------------------------------
def test_endpoints_at_the_origin_of_the_fhir_base_are_taken() -> None:
    assert read_configuration(ehr(), json.dumps(GOOD).encode()) == Endpoints(
        "https://ehr.example.org/oauth2/authorize", "https://ehr.example.org/oauth2/token"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example.org/x",
        "http://ehr.example.org/x",
        "https://ehr.example.org:444/x",
        "https://ehr.example.org.evil.example.org/x",
        "https://ehr.example.org@evil.example.org/x",
        "https://ehr.example.org/x#fragment",
        "/x",
        7,
        None,
    ],
)
@pytest.mark.parametrize("which", ["authorization_endpoint", "token_endpoint"])
def test_b4_endpoints_elsewhere_are_not(which: str, address: object) -> None:
    assert reason({**GOOD, which: address}) == "smart-foreign-endpoint"


@pytest.mark.parametrize("told", [[], "x", 7])
def test_a_configuration_that_is_none(told: object) -> None:
    assert reason(told) == "smart-foreign-endpoint"


@pytest.mark.parametrize("methods", [["plain"], [], "S256", 7])
def test_an_ehr_that_says_it_does_not_take_s256(methods: object) -> None:
    assert reason({**GOOD, "code_challenge_methods_supported": methods}) == "smart-no-s256"


def test_two_launches_share_no_secret() -> None:
    def once() -> tuple[str, Pending]:
        return begin(
            ehr(), Endpoints("https://x/a", "https://x/t"), iss=BASE, launch="l", redirect_uri="r", scopes=["launch"]
        )

    (url, one), (_, other) = once(), once()
    assert one.state != other.state
    assert one.verifier != other.verifier
    assert one.verifier not in url
    assert one.state not in repr(one)
    assert one.verifier not in repr(one)


# --- what comes back --------------------------------------------------------------------------------------------------
def test_the_token_and_the_patient_are_read_and_shown_in_no_repr() -> None:
    found = read_token(
        b'{"access_token": "canary", "token_type": "bearer", "patient": "p1", "scope": 7, "expires_in": "x"}'
    )

    assert (found.token, found.patient_id) == ("canary", "p1")
    assert "canary" not in repr(Granted("canary", "p1"))


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"error": "invalid_grant", "access_token": "canary", "token_type": "bearer", "patient": "p"},
        {"access_token": "canary", "patient": "p"},
        {"access_token": "canary", "token_type": "mac", "patient": "p"},
        {"access_token": ["canary"], "token_type": "bearer", "patient": "p"},
        {"access_token": "", "token_type": "bearer", "patient": "p"},
    ],
)
def test_an_answer_without_a_bearer_token_is_refused_and_not_repeated(told: object) -> None:
    with pytest.raises(LaunchRefused) as problem:
        read_token(json.dumps(told).encode())

    assert problem.value.reason == "smart-token"
    assert "canary" not in str(problem.value)
    assert problem.value.__cause__ is None


def test_a_ticket_comes_back_as_it_was_for_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets = Tickets(b"k" * 32)
    cookie, now = tickets.write(PENDING), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 590)
    assert tickets.read(cookie) == PENDING

    monkeypatch.setattr(time, "time", lambda: now + 610)
    with pytest.raises(LaunchRefused) as problem:
        tickets.read(cookie)
    assert problem.value.reason == "smart-no-launch"


@pytest.mark.parametrize("key", [b"o" * 32, b""])
def test_a_ticket_of_another_key_is_not_read(key: bytes) -> None:
    with pytest.raises(LaunchRefused):
        Tickets(b"k" * 32).read(Tickets(key).write(PENDING))


# --- on the wire ------------------------------------------------------------------------------------------------------
@pytest.fixture
def local() -> Iterator[SmartEhr]:
    with SmartEhr([], "p1") as running:
        yield running


def test_b9_a_token_endpoint_that_hangs_is_given_up_in_time(local: SmartEhr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SECONDS", 0.3)
    local.holds = True
    here = ehr(fhir_bases=[local.base])
    began = time.monotonic()

    with pytest.raises(LaunchRefused) as problem:
        wire.Wire({here.base: here}, 2).token(here, f"{local.origin}/token", "code=x")

    assert problem.value.reason == "smart-token"
    assert 0.2 < time.monotonic() - began < 10


def test_b3_a_registered_name_that_leads_to_this_machine_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr("cds_service.fhir.client.transport.lookup_name", resolve)
    here = ehr()

    with pytest.raises(LaunchRefused) as problem:
        wire.Wire({here.base: here}, 2).configuration(here)
    assert (problem.value.reason, asked) == ("smart-configuration", ["ehr.example.org"])


def test_b8_the_transport_posts_to_no_other_origin(local: SmartEhr) -> None:
    way = Transport(parse_base(local.base, insecure=True))
    attempt = wire.Attempt(time.monotonic() + 5)

    with pytest.raises(ValueError, match="another origin"):
        way.post_form("http://127.0.0.1:1/token", "code=x", attempt=attempt, max_bytes=10, headers={})
