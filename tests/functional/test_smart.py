"""`/smart`: the one-page summary, launched from an EHR with OAuth 2 code and PKCE; and those who try to launch it otherwise.

An EHR on loopback (`tests.support.smart_ehr`) launches, this test is the browser between both.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bonecds_kit.faultfhir import FaultFhir
from bonecds_kit.forger import Forger
from cds_service.cli.compose import build_app
from cds_service.kernel.errors import ContentError
from cds_service.review.call import prefetch, request_of
from cds_service.sandbox.patients import patients
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF
from tests.support.smart_ehr import CLIENT_ID, LAUNCH, SmartEhr

Json = dict[str, Any]
PUBLIC = "http://127.0.0.1:8080"
WHO = "gc-very-high-risk-untreated"
JWKS = {"jwks_urls": ["https://ehr.example.org/jwks"]}
FOREIGN = "https://evil.example.org"
SAYS_NOTHING = "this page was not opened from a system that is registered here"


@pytest.fixture
def ehr() -> Iterator[SmartEhr]:
    held = [entry["resource"] for entry in patients()[WHO].record["entry"]]
    with SmartEhr(held, WHO) as running:
        yield running


@pytest.fixture
def opened(ehr: SmartEhr, tmp_path: Path) -> Callable[..., FlaskClient]:
    def open_service(public: str = PUBLIC, **more: Any) -> FlaskClient:
        client = {"name": "north", "issuer": "https://ehr.example.org", "fhir_bases": [ehr.base], **JWKS}
        settings = Settings(
            public_url=public,
            clients=({**client, "smart_client_id": CLIENT_ID, **more},),
            database_url=f"sqlite:///{tmp_path}/kept.sqlite3",
            as_of=AS_OF,
            profile="us",
            fetch_ms=10_000,
        )
        return build_app(settings).test_client()

    return open_service


@pytest.fixture
def browser(opened: Callable[..., FlaskClient]) -> FlaskClient:
    return opened()


def launched(browser: FlaskClient, iss: str, launch: str = LAUNCH) -> TestResponse:
    return browser.get("/smart/launch", query_string={"iss": iss, "launch": launch})


def sent_back(browser: FlaskClient, ehr: SmartEhr) -> str:
    """Launch, and go through the EHR's authorization: the path that the browser is sent back to."""
    answer = launched(browser, ehr.base)
    assert answer.status_code == 302, answer.text
    return ehr.browse(answer.headers["Location"]).removeprefix(PUBLIC)


def changed(path: str, **parts: str) -> str:
    before, _, query = path.partition("?")
    return f"{before}?{urlencode({**dict(parse_qsl(query)), **parts})}"


def not_shown(answer: TestResponse, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert "The summary is not shown" in answer.text
    assert words.lower() in answer.text.lower()
    assert answer.headers["X-Correlation-Id"] in answer.text


# --- it works --------------------------------------------------------------------------------------------------------
def test_a_launch_ends_with_the_page_of_the_patient_whose_chart_is_open(browser: FlaskClient, ehr: SmartEhr) -> None:
    page = browser.get(sent_back(browser, ehr))

    assert page.status_code == 200
    assert "Very high fracture risk on prednisolone 10 mg/day" in page.text
    assert page.text.count("data:image/svg+xml") == 4
    assert {each.headers["authorization"] for each in ehr.requests} == {f"Bearer {ehr.token}"}


def test_the_ehr_is_asked_for_no_more_than_the_look_ups_read(browser: FlaskClient, ehr: SmartEhr) -> None:
    asked = parse_qs(urlsplit(launched(browser, ehr.base).headers["Location"]).query)

    scopes = asked["scope"][0].split()
    assert scopes[0] == "launch"
    assert "patient/Observation.rs" in scopes
    assert "patient/Patient.r" in scopes
    assert not [each for each in scopes[1:] if not each.startswith("patient/") or "*" in each]
    assert asked["redirect_uri"] == [f"{PUBLIC}/smart/callback"]
    assert asked["aud"] == [ehr.base]
    assert len(asked["code_challenge"][0]) == 43


def test_the_page_runs_no_script_and_is_kept_nowhere(opened: Callable[..., FlaskClient], ehr: SmartEhr) -> None:
    page = (browser := opened()).get(sent_back(browser, ehr))

    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self' data:;")
    assert policy.endswith("frame-ancestors 'none'")
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert "<script" not in page.text
    assert "style=" not in page.text


def test_only_the_origins_that_a_site_registered_may_frame_the_page(
    opened: Callable[..., FlaskClient], ehr: SmartEhr
) -> None:
    browser = opened(frame_ancestors=["https://chart.example.org"])
    page = browser.get(sent_back(browser, ehr))

    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors https://chart.example.org")
    assert browser.get("/smart/launch").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize(("public", "secure"), [(PUBLIC, False), ("https://cds.example.org/bones", True)])
def test_the_cookie_of_a_launch(opened: Callable[..., FlaskClient], ehr: SmartEhr, public: str, secure: bool) -> None:
    cookie = launched(opened(public), ehr.base).headers["Set-Cookie"]

    parts = cookie.split("; ")[1:]
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(parts)
    assert f"Path={urlsplit(public).path}/smart" in parts
    assert ("Secure" in parts) is secure


def test_a_look_up_that_fails_is_told_on_the_page(browser: FlaskClient, ehr: SmartEhr) -> None:
    ehr.fault("503", on="Condition")
    page = browser.get(sent_back(browser, ehr))

    assert page.status_code == 200
    assert "failed" in page.text


def test_f5_who_looked_at_what_is_recorded_without_patient_or_token(
    browser: FlaskClient, ehr: SmartEhr, tmp_path: Path
) -> None:
    browser.get(sent_back(browser, ehr))

    with sqlite3.connect(tmp_path / "kept.sqlite3") as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("select * from calls")]
    assert [(row["hook"], row["service"], row["client"], row["status"]) for row in rows] == [
        ("smart-launch", "bone-health-summary", "north", 200)
    ]
    whole = (tmp_path / "kept.sqlite3").read_bytes()
    assert ehr.token.encode() not in whole
    assert WHO.encode() not in whole


def test_s8_the_token_is_in_no_log_no_page_and_no_header(
    browser: FlaskClient, ehr: SmartEhr, capfd: pytest.CaptureFixture[str]
) -> None:
    path = sent_back(browser, ehr)
    page = browser.get(path)
    ehr.raw = (400, {}, json.dumps({"error": "x", "access_token": ehr.token}).encode())
    refused = browser.get(sent_back(browser, ehr))
    ehr.raw = (200, {}, json.dumps({"access_token": ehr.token, "token_type": "mac"}).encode())
    other = browser.get(sent_back(browser, ehr))

    assert [page.status_code, refused.status_code, other.status_code] == [200, 502, 502]
    out, err = capfd.readouterr()
    told = [out, err, *(f"{each.headers}{each.text}" for each in (page, refused, other))]
    secrets = [ehr.token, *(form["code"] for form in ehr.forms), *(form["code_verifier"] for form in ehr.forms)]
    assert '"service": "bone-health-summary"' in err
    assert [each for each in secrets if any(each in text for text in told)] == []


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
    browser: FlaskClient, ehr: SmartEhr, change: Callable[[str], str]
) -> None:
    answer = launched(browser, change(ehr.base))

    not_shown(answer, 400, SAYS_NOTHING)
    assert "Set-Cookie" not in answer.headers
    assert ehr.requests == []


@pytest.mark.parametrize("launch", ["", "x" * 4001])
def test_a_launch_without_a_usable_launch_value_is_told_the_same(
    browser: FlaskClient, ehr: SmartEhr, launch: str
) -> None:
    not_shown(launched(browser, ehr.base, launch), 400, SAYS_NOTHING)


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
    browser = build_app(settings).test_client()

    assert {browser.get(path).status_code for path in ("/smart/launch", "/smart/callback", "/summary")} == {404}


# --- answers that belong to no launch --------------------------------------------------------------------------------
def test_an_answer_without_the_cookie_of_its_launch_is_not_used(browser: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(browser, ehr)
    browser.delete_cookie("bonecds-launch", path="/smart")

    not_shown(browser.get(path), 400, "there is no open launch in this browser")
    assert ehr.forms == []


@pytest.mark.parametrize("state", ["", "forged"])
def test_a_missing_or_forged_state_is_not_used(browser: FlaskClient, ehr: SmartEhr, state: str) -> None:
    not_shown(browser.get(changed(sent_back(browser, ehr), state=state)), 400, "there is no open launch")
    assert ehr.forms == []


def test_a_cookie_that_was_changed_is_not_used(browser: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(browser, ehr)
    cookie = browser.get_cookie("bonecds-launch", path="/smart")
    assert cookie is not None
    browser.set_cookie("bonecds-launch", f"A{cookie.value[1:]}", path="/smart")

    not_shown(browser.get(path), 400, "there is no open launch")
    assert ehr.forms == []


def test_an_answer_works_once_even_where_an_ehr_takes_a_code_twice(browser: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(browser, ehr)
    cookie = browser.get_cookie("bonecds-launch", path="/smart")
    assert cookie is not None
    token = {"access_token": ehr.token, "token_type": "Bearer", "patient": WHO}
    ehr.raw = (200, {"Content-Type": "application/json"}, json.dumps(token).encode())
    assert browser.get(path).status_code == 200
    looked_up = len(ehr.requests)
    browser.set_cookie("bonecds-launch", cookie.value, path="/smart")

    not_shown(browser.get(path), 400, "it was used")
    assert len(ehr.requests) == looked_up


@pytest.mark.parametrize("says_no", ["", "access_denied"])
def test_the_cookie_is_gone_once_its_answer_came(browser: FlaskClient, ehr: SmartEhr, says_no: str) -> None:
    ehr.says_no = says_no
    path = sent_back(browser, ehr)
    browser.get(changed(path, state="forged"))
    # somebody else's answer does not end the launch
    assert browser.get_cookie("bonecds-launch", path="/smart") is not None

    browser.get(path)
    assert browser.get_cookie("bonecds-launch", path="/smart") is None


def test_a16_whoever_has_no_code_of_the_ehr_writes_nothing_into_the_store(
    browser: FlaskClient, ehr: SmartEhr, tmp_path: Path
) -> None:
    browser.get(changed(sent_back(browser, ehr), code="made-up"))

    with sqlite3.connect(tmp_path / "kept.sqlite3") as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        held = {name: database.execute(f"select count(*) from {name}").fetchone()[0] for name in tables}  # noqa: S608
    assert {held["used_tokens"], held["calls"]} == {0}


def test_a_reload_says_what_to_do(browser: FlaskClient, ehr: SmartEhr) -> None:
    path = sent_back(browser, ehr)
    assert browser.get(path).status_code == 200

    not_shown(browser.get(path), 400, "Open the summary again from the chart")


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
    browser: FlaskClient, ehr: SmartEhr, which: str, where: str
) -> None:
    ehr.configuration[which] = where
    answer = launched(browser, ehr.base)

    not_shown(answer, 502, "the EHR did not complete the launch")
    assert "Location" not in answer.headers


def test_an_endpoint_at_an_origin_that_the_site_registered_is_used(
    opened: Callable[..., FlaskClient], ehr: SmartEhr
) -> None:
    ehr.configuration["authorization_endpoint"] = "https://login.example.org/authorize?tenant=1"
    answer = launched(opened(smart_origins=["https://login.example.org"]), ehr.base)

    assert answer.headers["Location"].startswith("https://login.example.org/authorize?tenant=1&response_type=code&")


def test_b6_a_token_endpoint_that_redirects_is_not_followed(browser: FlaskClient, ehr: SmartEhr) -> None:
    with FaultFhir() as elsewhere:
        ehr.raw = (307, {"Location": f"{elsewhere.base}/Patient"}, b"")
        not_shown(browser.get(sent_back(browser, ehr)), 502, "the EHR did not complete the launch")
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "body",
    [b"x" * 200_000, b"[]", b"access_token=a&token_type=Bearer&patient=p", b'{"access_token": 7}', b'{"patient": "p"}'],
)
def test_b15_an_answer_that_is_too_large_or_none_is_not_used(browser: FlaskClient, ehr: SmartEhr, body: bytes) -> None:
    ehr.raw = (200, {"Content-Type": "application/json"}, body)

    not_shown(browser.get(sent_back(browser, ehr)), 502, "the EHR did not complete the launch")


def test_b15_a_configuration_that_is_too_large_is_not_used(browser: FlaskClient, ehr: SmartEhr) -> None:
    ehr.configuration["x"] = "x" * 200_000

    not_shown(launched(browser, ehr.base), 502, "the EHR did not complete the launch")


def test_an_ehr_that_knows_no_s256_is_not_used(browser: FlaskClient, ehr: SmartEhr) -> None:
    ehr.configuration["code_challenge_methods_supported"] = ["plain"]

    not_shown(launched(browser, ehr.base), 502, "the EHR did not complete the launch")


def test_no_patient_in_the_answer_is_no_page(browser: FlaskClient, ehr: SmartEhr) -> None:
    ehr.answer_to_code = {}

    not_shown(browser.get(sent_back(browser, ehr)), 400, "no patient was open")


@pytest.mark.parametrize("ident", ["../Patient/other", "a b", "x" * 65])
def test_d1_a_patient_that_is_no_id_is_not_asked_for(browser: FlaskClient, ehr: SmartEhr, ident: str) -> None:
    ehr.answer_to_code = {"patient": ident}

    not_shown(browser.get(sent_back(browser, ehr)), 400, "must be a FHIR id")
    assert ehr.requests == []


def test_d1_another_patient_than_the_launch_is_about_is_no_page(browser: FlaskClient, ehr: SmartEhr) -> None:
    ehr.fault("other-patient", on="Patient")

    not_shown(browser.get(sent_back(browser, ehr)), 412, "a Patient other than the one")


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        ("access_denied", 403, "the EHR did not give access to this record"),
        ("server_error", 502, "the EHR did not complete the launch"),
        ("<b>x</b>", 502, "the EHR did not complete the launch"),
    ],
)
def test_what_an_ehr_refuses_is_told_calmly(
    browser: FlaskClient, ehr: SmartEhr, error: str, status: int, words: str
) -> None:
    ehr.says_no = error
    answer = browser.get(f"{sent_back(browser, ehr)}&error_description={quote('<b>x</b>')}")

    not_shown(answer, status, words)
    assert "<b>x" not in answer.text
    assert ehr.forms == []


# --- cards, and registrations ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("registered", [True, False])
def test_cards_lead_to_the_launch_where_the_caller_has_one(tmp_path: Path, registered: bool) -> None:
    woman = {
        "sex": "female",
        "age": 61,
        "menopause": "yes",
        "steroids": [{"drug": "prednisone", "mg": 10, "taken": 150}],
    }
    more = {"smart_client_id": CLIENT_ID, "fhir_bases": ["https://ehr.example.org/r4"]} if registered else {}
    path = "/cds-services/bone-health-patient-view"
    with Forger(f"{PUBLIC}{path}") as forger:
        settings = Settings(
            public_url=PUBLIC,
            clients=({**forger.registration(), **more},),
            database_url=f"sqlite:///{tmp_path}/x.sqlite3",
            as_of=AS_OF,
        )
        answer = (
            build_app(settings)
            .test_client()
            .post(path, json=request_of(prefetch(woman)), headers={"Authorization": f"Bearer {forger.good()}"})
        )

    cards = answer.get_json()["cards"]
    link = {"label": "One-page bone-health summary", "url": f"{PUBLIC}/smart/launch", "type": "smart"}
    assert cards
    assert {json.dumps(each.get("links")) for each in cards} == {json.dumps([link] if registered else None)}


def test_two_registrations_of_one_fhir_server_are_refused_at_the_start(tmp_path: Path) -> None:
    one = {"name": "a", "issuer": "https://a.example.org", "fhir_bases": [FOREIGN], "smart_client_id": "x", **JWKS}
    settings = Settings(
        public_url=PUBLIC,
        clients=(one, {**one, "name": "b", "issuer": "https://b.example.org"}),
        database_url=f"sqlite:///{tmp_path}/x.sqlite3",
    )

    with pytest.raises(ContentError, match="has the same FHIR server"):
        build_app(settings)
