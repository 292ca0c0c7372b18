"""What the EHR publishes about launches, against the registration of the one-page summary."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.doctor.checks import smart
from cds_service.doctor.finding import Finding, Level
from cds_service.engine.services import installed
from cds_service.security.clients import Client, registry
from cds_service.security.launchers import Ehr, ehrs, scopes_of

NEEDS = installed()[0].needs
BASE = "https://ehr.example.org/api/r4"
ENTRY = {
    "name": "north",
    "issuer": "https://ehr.example.org",
    "jwks_urls": ["https://ehr.example.org/jwks"],
    "fhir_bases": [BASE],
    "smart_client_id": "one-page",
    "smart_origins": ["https://login.example.org"],
}
GOOD = {
    "authorization_endpoint": "https://login.example.org/authorize",
    "token_endpoint": "https://ehr.example.org/token",
    "code_challenge_methods_supported": ["S256"],
    "capabilities": ["launch-ehr", "client-public", "context-ehr-patient", "permission-v2", "sso-openid-connect"],
    "scopes_supported": scopes_of(NEEDS),
}


def ehr() -> Ehr:
    return next(iter(ehrs(registry([ENTRY], "settings").all()).values()))


def told(*not_kept: str, **changes: Any) -> list[Finding]:
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return list(smart.launch(ehr(), body, NEEDS, not_kept))


def test_an_ehr_that_is_all_right_passes() -> None:
    (found,) = told()
    assert (found.level, found.about) == (Level.PASS, BASE)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_an_endpoint_outside_of_the_registered_origins_fails_with_the_line_to_add(name: str) -> None:
    (found,) = told(**{name: "https://sso.example.net:8443/oauth2/x?tenant=1"})
    assert found.level is Level.FAIL
    assert 'smart_origins = ["https://sso.example.net:8443"]' in found.fix
    # what others wrote is not repeated
    assert "tenant" not in found.seen + found.fix


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
@pytest.mark.parametrize("url", [None, "", 7, "javascript:alert(1)", "http://ehr.example.org/token", "/token"])
def test_an_endpoint_that_is_none_fails(name: str, url: object) -> None:
    (found,) = told(**{name: url})
    assert (found.level, bool(found.fix)) == (Level.FAIL, True)
    assert name in found.seen
    assert "alert" not in found.seen + found.fix


@pytest.mark.parametrize(
    ("methods", "level"), [(["plain"], Level.FAIL), ([], Level.FAIL), ("S256", Level.FAIL), (None, Level.WARN)]
)
def test_pkce_with_s256_is_listed(methods: object, level: Level) -> None:
    """As at a launch: a list without it is refused, silence is not."""
    (found,) = told(code_challenge_methods_supported=methods)
    assert (found.level, "S256" in found.seen + found.fix) == (level, True)


@pytest.mark.parametrize("gone", ["launch-ehr", "client-public", "context-ehr-patient", "permission-v2"])
def test_a_capability_that_is_not_listed_is_named(gone: str) -> None:
    (found,) = told(capabilities=[each for each in GOOD["capabilities"] if each != gone])
    assert (found.level, found.seen) == (Level.WARN, f"not among its capabilities: {gone}")


def test_scopes_that_are_not_listed_are_named() -> None:
    (found,) = told(
        scopes_supported=["launch", "patient/Patient.rs", "patient/Condition.read", "patient/Observation.r"]
    )
    assert found.level is Level.WARN
    assert "patient/Observation.rs" in found.details
    assert {"launch", "patient/Patient.r", "patient/Condition.rs"}.isdisjoint(found.details)
    (found,) = told(scopes_supported=["patient/*.rs"])
    assert found.details == ("launch",)


def test_what_the_site_does_not_keep_needs_no_scope() -> None:
    kind = "FamilyMemberHistory"
    keys = [need.key for need in NEEDS if need.resource_type == kind]
    listed = [each for each in scopes_of(NEEDS) if kind not in each]
    assert keys
    assert told(scopes_supported=listed)[0].details == (f"patient/{kind}.rs",)
    assert [each.level for each in told(*keys, scopes_supported=listed)] == [Level.PASS]


def test_a_server_that_lists_no_scopes_is_not_judged_by_them() -> None:
    assert [each.level for each in told(scopes_supported=None)] == [Level.PASS]


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "x"]), inner, max_size=4),
    max_leaves=8,
)


@given(_JUNK)
def test_an_odd_document_never_raises_and_never_passes(junk: Any) -> None:
    found = list(smart.launch(ehr(), junk, NEEDS, ()))
    assert found
    assert {each.level for each in found} <= {Level.WARN, Level.FAIL}


@pytest.mark.parametrize(
    ("problem", "fix"),
    [
        ("answered with status 404", "FHIR base"),
        ("the TLS certificate or version of the FHIR server was not accepted", "certificate"),
        ("not in time", "three seconds"),
    ],
)
def test_a_document_that_cannot_be_read_fails_with_its_fix(problem: str, fix: str) -> None:
    found = smart.unreadable(ehr(), problem)
    assert (found.level, found.about) == (Level.FAIL, BASE)
    assert problem in found.seen
    assert fix in found.fix


def test_a_client_that_launches_nothing_is_not_looked_at() -> None:
    found = smart.not_launched(Client("north", "https://ehr.example.org"))
    assert (found.level, found.about) == (Level.SKIPPED, "north")
    assert "smart_client_id" in found.seen
