"""`/smart`: the one-page summary, launched from an EHR with OAuth 2 code and PKCE.

An EHR on loopback (`tests.support.smart_ehr`) launches, the test is the browser between both.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from bonecds_kit.forger import Forger
from cds_service.cli.compose import build_app
from cds_service.kernel.errors import ContentError
from cds_service.review.call import prefetch, request_of
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF
from tests.support.launches import FOREIGN, JWKS, PUBLIC, WHO, launched, sent_back
from tests.support.smart_ehr import CLIENT_ID, SmartEhr


# --- it works --------------------------------------------------------------------------------------------------------
def test_a_launch_ends_with_the_page_of_the_patient_whose_chart_is_open(visitor: FlaskClient, ehr: SmartEhr) -> None:
    page = visitor.get(sent_back(visitor, ehr))

    assert page.status_code == 200
    assert "Very high fracture risk on prednisolone 10 mg/day" in page.text
    assert page.text.count("data:image/svg+xml") == 4
    assert {each.headers["authorization"] for each in ehr.requests} == {f"Bearer {ehr.token}"}


def test_the_ehr_is_asked_for_no_more_than_the_look_ups_read(visitor: FlaskClient, ehr: SmartEhr) -> None:
    asked = parse_qs(urlsplit(launched(visitor, ehr.base).headers["Location"]).query)

    scopes = asked["scope"][0].split()
    assert scopes[0] == "launch"
    assert "patient/Observation.rs" in scopes
    assert "patient/Patient.r" in scopes
    assert not [each for each in scopes[1:] if not each.startswith("patient/") or "*" in each]
    assert asked["redirect_uri"] == [f"{PUBLIC}/smart/callback"]
    assert asked["aud"] == [ehr.base]
    assert len(asked["code_challenge"][0]) == 43


def test_the_page_runs_no_script_and_is_kept_nowhere(opened: Callable[..., FlaskClient], ehr: SmartEhr) -> None:
    page = (visitor := opened()).get(sent_back(visitor, ehr))

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
    visitor = opened(frame_ancestors=["https://chart.example.org"])
    page = visitor.get(sent_back(visitor, ehr))

    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors https://chart.example.org")
    assert visitor.get("/smart/launch").headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


@pytest.mark.parametrize(("public", "secure"), [(PUBLIC, False), ("https://cds.example.org/bones", True)])
def test_the_cookie_of_a_launch(opened: Callable[..., FlaskClient], ehr: SmartEhr, public: str, secure: bool) -> None:
    cookie = launched(opened(public), ehr.base).headers["Set-Cookie"]

    parts = cookie.split("; ")[1:]
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(parts)
    assert f"Path={urlsplit(public).path}/smart" in parts
    assert ("Secure" in parts) is secure


def test_a_look_up_that_fails_is_told_on_the_page(visitor: FlaskClient, ehr: SmartEhr) -> None:
    ehr.fault("503", on="Condition")
    page = visitor.get(sent_back(visitor, ehr))

    assert page.status_code == 200
    assert "failed" in page.text


def test_f5_who_looked_at_what_is_recorded_without_patient_or_token(
    visitor: FlaskClient, ehr: SmartEhr, tmp_path: Path
) -> None:
    visitor.get(sent_back(visitor, ehr))

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
    visitor: FlaskClient, ehr: SmartEhr, capfd: pytest.CaptureFixture[str]
) -> None:
    path = sent_back(visitor, ehr)
    page = visitor.get(path)
    ehr.raw = (400, {}, json.dumps({"error": "x", "access_token": ehr.token}).encode())
    refused = visitor.get(sent_back(visitor, ehr))
    ehr.raw = (200, {}, json.dumps({"access_token": ehr.token, "token_type": "mac"}).encode())
    other = visitor.get(sent_back(visitor, ehr))

    assert [page.status_code, refused.status_code, other.status_code] == [200, 502, 502]
    out, err = capfd.readouterr()
    told = [out, err, *(f"{each.headers}{each.text}" for each in (page, refused, other))]
    secrets = [ehr.token, *(form["code"] for form in ehr.forms), *(form["code_verifier"] for form in ehr.forms)]
    assert '"service": "bone-health-summary"' in err
    assert [each for each in secrets if any(each in text for text in told)] == []


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
