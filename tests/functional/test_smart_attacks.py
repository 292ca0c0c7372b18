"""`/smart`: launches and answers that are none, and EHRs that do not do their part: a calm page, and nothing is called or kept."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest
from flask.testing import FlaskClient

from bonecds_kit.faultfhir import FaultFhir
from cds_service.cli.compose import build_app
from cds_service.web.settings import Settings
from tests.support.launches import FOREIGN, JWKS, PUBLIC, SAYS_NOTHING, WHO, changed, launched, not_shown, sent_back
from tests.support.smart_ehr import CLIENT_ID, SmartEhr


# --- launches that are none ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "change",
    [
        lambda base: "",
        lambda base: FOREIGN,
        lambda base: f"{base}/below",
        lambda base: f"{base}.evil.example.org",
        lambda base: base.replace("127.0.0.1", "127.0.0.1@evil.example.org"),
        lambda base: base.rpartition("/")[0],
        lambda base: f"{base}?x=1",
        lambda base: base.replace("http", "javascript", 1),
    ],
)
def test_b1_an_iss_that_is_not_registered_is_called_by_nobody(
    visitor: FlaskClient, ehr: SmartEhr, change: Callable[[str], str]
) -> None:
    answer = launched(visitor, change(ehr.base))

    not_shown(answer, 400, SAYS_NOTHING)
    assert "Set-Cookie" not in answer.headers
    assert ehr.requests == []


@pytest.mark.parametrize("launch", ["", "x" * 4001])
def test_a_launch_without_a_usable_launch_value_is_told_the_same(
    visitor: FlaskClient, ehr: SmartEhr, launch: str
) -> None:
    not_shown(launched(visitor, ehr.base, launch), 400, SAYS_NOTHING)


def test_a_fhir_server_without_a_registration_for_launches_is_told_the_same(ehr: SmartEhr, tmp_path: Path) -> None:
    both = [
        {"name": "north", "issuer": "https://a.example.org", "fhir_bases": [ehr.base], **JWKS},
        {
            "name": "south",
            "issuer": "https://b.example.org",
            "fhir_bases": [FOREIGN],
            "smart_client_id": CLIENT_ID,
            **JWKS,
        },
    ]
    settings = Settings(public_url=PUBLIC, clients=tuple(both), database_url=f"sqlite:///{tmp_path}/x.sqlite3")

    not_shown(launched(build_app(settings).test_client(), ehr.base), 400, SAYS_NOTHING)


def test_without_any_registration_there_are_no_such_addresses(tmp_path: Path) -> None:
    client = {"name": "north", "issuer": "https://a.example.org", **JWKS}
    settings = Settings(public_url=PUBLIC, clients=(client,), database_url=f"sqlite:///{tmp_path}/x.sqlite3")
    visitor = build_app(settings).test_client()

    assert {visitor.get(path).status_code for path in ("/smart/launch", "/smart/callback", "/summary")} == {404}


# --- answers that belong to no launch --------------------------------------------------------------------------------
def test_an_answer_without_the_cookie_of_its_launch_is_not_used(visitor: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(visitor, ehr)
    visitor.delete_cookie("bonecds-launch", path="/smart")

    not_shown(visitor.get(path), 400, "there is no open launch in this browser")
    assert ehr.forms == []


@pytest.mark.parametrize("state", ["", "forged"])
def test_a_missing_or_forged_state_is_not_used(visitor: FlaskClient, ehr: SmartEhr, state: str) -> None:
    not_shown(visitor.get(changed(sent_back(visitor, ehr), state=state)), 400, "there is no open launch")
    assert ehr.forms == []


def test_a_cookie_that_was_changed_is_not_used(visitor: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(visitor, ehr)
    cookie = visitor.get_cookie("bonecds-launch", path="/smart")
    assert cookie is not None
    visitor.set_cookie("bonecds-launch", f"A{cookie.value[1:]}", path="/smart")

    not_shown(visitor.get(path), 400, "there is no open launch")
    assert ehr.forms == []


def test_an_answer_works_once_even_where_an_ehr_takes_a_code_twice(visitor: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(visitor, ehr)
    cookie = visitor.get_cookie("bonecds-launch", path="/smart")
    assert cookie is not None
    token = {"access_token": ehr.token, "token_type": "Bearer", "patient": WHO}
    ehr.raw = (200, {"Content-Type": "application/json"}, json.dumps(token).encode())
    assert visitor.get(path).status_code == 200
    looked_up = len(ehr.requests)
    visitor.set_cookie("bonecds-launch", cookie.value, path="/smart")

    not_shown(visitor.get(path), 400, "it was used")
    assert len(ehr.requests) == looked_up


@pytest.mark.parametrize("says_no", ["", "access_denied"])
def test_the_cookie_is_gone_once_its_answer_came(visitor: FlaskClient, ehr: SmartEhr, says_no: str) -> None:
    ehr.says_no = says_no
    path = sent_back(visitor, ehr)
    visitor.get(changed(path, state="forged"))
    # somebody else's answer does not end the launch
    assert visitor.get_cookie("bonecds-launch", path="/smart") is not None

    visitor.get(path)
    assert visitor.get_cookie("bonecds-launch", path="/smart") is None


def test_a16_whoever_has_no_code_of_the_ehr_writes_nothing_into_the_store(
    visitor: FlaskClient, ehr: SmartEhr, tmp_path: Path
) -> None:
    visitor.get(changed(sent_back(visitor, ehr), code="made-up"))

    with sqlite3.connect(tmp_path / "kept.sqlite3") as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        held = {name: database.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}  # noqa: S608
    assert {held["used_tokens"], held["calls"]} == {0}


def test_a_reload_says_what_to_do(visitor: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(visitor, ehr)
    assert visitor.get(path).status_code == 200

    not_shown(visitor.get(path), 400, "Open the summary again from the chart")


def test_a_code_from_another_session_is_worth_nothing_here(opened: Callable[..., FlaskClient], ehr: SmartEhr) -> None:
    """An attacker has somebody use a code of the attacker's: it was asked for with another verifier."""
    victim = opened()
    theirs = dict(parse_qsl(sent_back(opened(), ehr).partition("?")[2]))["code"]

    not_shown(victim.get(changed(sent_back(victim, ehr), code=theirs)), 502, "the EHR did not complete the launch")


def test_a_cookie_of_another_start_of_the_service_is_not_used(
    opened: Callable[..., FlaskClient], ehr: SmartEhr
) -> None:
    first, second = opened(), opened()
    path = sent_back(first, ehr)
    cookie = first.get_cookie("bonecds-launch", path="/smart")
    assert cookie is not None
    second.set_cookie("bonecds-launch", cookie.value, path="/smart")

    not_shown(second.get(path), 400, "there is no open launch")


# --- EHRs that do not do their part ----------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ["authorization_endpoint", "token_endpoint"])
@pytest.mark.parametrize("where", [f"{FOREIGN}/x", "", "//evil.example.org/x", "javascript:alert(1)"])
def test_b4_an_endpoint_at_an_origin_that_is_not_registered_is_not_used(
    visitor: FlaskClient, ehr: SmartEhr, which: str, where: str
) -> None:
    ehr.configuration[which] = where
    answer = launched(visitor, ehr.base)

    not_shown(answer, 502, "the EHR did not complete the launch")
    assert "Location" not in answer.headers


def test_an_endpoint_at_an_origin_that_the_site_registered_is_used(
    opened: Callable[..., FlaskClient], ehr: SmartEhr
) -> None:
    ehr.configuration["authorization_endpoint"] = "https://login.example.org/authorize?tenant=1"
    answer = launched(opened(smart_origins=["https://login.example.org"]), ehr.base)

    assert answer.headers["Location"].startswith("https://login.example.org/authorize?tenant=1&response_type=code&")


@pytest.mark.parametrize("status", [201, 307, 400, 500])
def test_b6_a_token_endpoint_that_redirects_or_fails_is_neither_followed_nor_read(
    visitor: FlaskClient, ehr: SmartEhr, status: int
) -> None:
    token = json.dumps({"access_token": ehr.token, "token_type": "Bearer", "patient": WHO}).encode()
    with FaultFhir() as elsewhere:
        ehr.raw = (status, {"Location": f"{elsewhere.base}/Patient"}, token)
        not_shown(visitor.get(sent_back(visitor, ehr)), 502, "the EHR did not complete the launch")
        assert (elsewhere.requests, ehr.requests) == ([], [])


@pytest.mark.parametrize(
    "body",
    [b"x" * 200_000, b"[]", b"access_token=a&token_type=Bearer&patient=p", b'{"access_token": 7}', b'{"patient": "p"}'],
)
def test_b15_an_answer_that_is_too_large_or_none_is_not_used(visitor: FlaskClient, ehr: SmartEhr, body: bytes) -> None:
    ehr.raw = (200, {"Content-Type": "application/json"}, body)

    not_shown(visitor.get(sent_back(visitor, ehr)), 502, "the EHR did not complete the launch")


def test_b15_a_configuration_that_is_too_large_is_not_used(visitor: FlaskClient, ehr: SmartEhr) -> None:
    ehr.configuration["x"] = "x" * 200_000

    not_shown(launched(visitor, ehr.base), 502, "the EHR did not complete the launch")


def test_an_ehr_that_knows_no_s256_is_not_used(visitor: FlaskClient, ehr: SmartEhr) -> None:
    ehr.configuration["code_challenge_methods_supported"] = ["plain"]

    not_shown(launched(visitor, ehr.base), 502, "the EHR did not complete the launch")


def test_no_patient_in_the_answer_is_no_page(visitor: FlaskClient, ehr: SmartEhr) -> None:
    ehr.answer_to_code = {}

    not_shown(visitor.get(sent_back(visitor, ehr)), 400, "no patient was open")


@pytest.mark.parametrize("ident", ["../Patient/other", "a b", "x" * 65])
def test_d1_a_patient_that_is_no_id_is_not_asked_for(visitor: FlaskClient, ehr: SmartEhr, ident: str) -> None:
    ehr.answer_to_code = {"patient": ident}

    not_shown(visitor.get(sent_back(visitor, ehr)), 400, "must be a FHIR id")
    assert ehr.requests == []


def test_d1_another_patient_than_the_launch_is_about_is_no_page(visitor: FlaskClient, ehr: SmartEhr) -> None:
    ehr.fault("other-patient", on="Patient")

    not_shown(visitor.get(sent_back(visitor, ehr)), 412, "a Patient other than the one")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("access_denied", 403, "the EHR did not give access to this record"),
        ("server_error", 502, "the EHR did not complete the launch"),
        ("<b>x</b>", 502, "the EHR did not complete the launch"),
    ],
)
def test_what_an_ehr_refuses_is_told_calmly(
    visitor: FlaskClient, ehr: SmartEhr, error: str, status: int, words: str
) -> None:
    ehr.says_no = error
    answer = visitor.get(f"{sent_back(visitor, ehr)}&error_description={quote('<b>x</b>')}")

    not_shown(answer, status, words)
    assert "<b>x" not in answer.text
    assert ehr.forms == []
