"""The one-page summary, launched as a SMART app with an authorization server and a FHIR server that nobody here wrote.

oidc-provider asks for login and consent, checks PKCE and gives the token; Medplum asks it about that token at every read.
What SMART adds (`launch`, `patient` beside the token, `smart-configuration`) is a few lines of ours in both servers' scripts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.cli.compose import build_app
from cds_service.sandbox.patients import patients
from cds_service.security.launchers import Ehr
from cds_service.smart.wire import Wire
from cds_service.web.settings import Settings
from tests.real_servers.browsing import LAUNCH_WITHOUT_CHART, Browser, smart_scopes
from tests.real_servers.loading import load
from tests.real_servers.servers import Server
from tests.real_servers.tokens import LOADER_TOKEN, Issuer
from tests.support.golden import AS_OF
from tests.support.launches import FOREIGN, JWKS, PUBLIC, SAYS_NOTHING, WHO, changed, launched, not_shown
from tests.support.smart_ehr import CLIENT_ID, LAUNCH

COOKIE = "bonecds-launch"
REFUSED = "the EHR did not complete the launch"


@dataclass(slots=True)
class Opening:
    """A user between the chart, the authorization server and the service.

    Attributes:
        service: the service, with the cookies that it set in this browser.
        browser: the same browser at the authorization server.
        iss: the FHIR base.
        told: what the token endpoint answered to the service.
        forms: what the service sent there.
    """

    service: FlaskClient
    browser: Browser
    iss: str
    told: list[bytes]
    forms: list[str]
    where: str = field(default="", init=False)

    def begin(self, launch: str = LAUNCH) -> dict[str, str]:
        """Launch; what the authorization server is asked."""
        answer = launched(self.service, self.iss, launch)
        assert answer.status_code == 302, answer.text
        self.where = answer.headers["Location"]
        return dict(parse_qsl(urlsplit(self.where).query))

    def allow(self, *, cancel: bool = False) -> str:
        """Log in and allow what was asked: the path that the browser is sent back to."""
        return self.browser.authorize(self.where, PUBLIC, cancel=cancel).removeprefix(PUBLIC)

    def sent_back(self, launch: str = LAUNCH) -> str:
        self.begin(launch)
        return self.allow()

    @property
    def cookie(self) -> str:
        found = self.service.get_cookie(COOKIE, path="/smart")
        assert found is not None
        return found.value

    def keep(self, cookie: str) -> None:
        """Put a cookie back that the service took away."""
        self.service.set_cookie(COOKIE, cookie, path="/smart")


@pytest.fixture(scope="module")
def fhir(medplum: Server) -> Server:
    """Medplum, with one invented patient."""
    headers = {"Authorization": f"Bearer {LOADER_TOKEN}"}
    assert requests.delete(medplum.base, headers=headers, timeout=30).status_code == 204
    assert load(medplum.base, LOADER_TOKEN, dict(patients()[WHO].record)) == []
    return medplum


@pytest.fixture
def opening(fhir: Server, issuer: Issuer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opening:
    told: list[bytes] = []
    forms: list[str] = []
    token = Wire.token

    def listening(wire: Wire, ehr: Ehr, url: str, form: str) -> bytes:
        forms.append(form)
        told.append(token(wire, ehr, url, form))
        return told[-1]

    # the service keeps the token nowhere, and a test that looks for it has to know it
    monkeypatch.setattr(Wire, "token", listening)
    client = {
        "name": "north",
        "issuer": "https://ehr.example.org",
        "fhir_bases": [fhir.base],
        "smart_client_id": CLIENT_ID,
        # another port is another origin
        "smart_origins": [issuer.base],
        **JWKS,
    }
    settings = Settings(
        public_url=PUBLIC,
        clients=(client,),
        database_url=f"sqlite:///{tmp_path}/kept.sqlite3",
        as_of=AS_OF,
        profile="us",
        fetch_ms=20_000,
    )
    return Opening(build_app(settings).test_client(), Browser(), fhir.base, told, forms)


def code_and_state(path: str) -> tuple[str, str]:
    told = parse_qs(urlsplit(path).query)
    return told["code"][0], told["state"][0]


def shown(page: TestResponse) -> None:
    assert page.status_code == 200, page.text
    assert "Very high fracture risk on prednisolone 10 mg/day" in page.text
    assert page.text.count("data:image/svg+xml") == 4


def bring(issuer: Issuer, code: str, verifier: str) -> requests.Response:
    """Bring a code to the token endpoint, as somebody who got hold of it would."""
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT_ID,
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": f"{PUBLIC}/smart/callback",
    }
    return requests.post(f"{issuer.base}/token", data=form, timeout=10)


# --- it works --------------------------------------------------------------------------------------------------------
def test_after_login_and_consent_the_page_of_the_patient_is_shown(
    opening: Opening, capfd: pytest.CaptureFixture[str]
) -> None:
    page = opening.service.get(opening.sent_back())

    shown(page)
    assert opening.browser.prompts == ["login", "consent"]
    # every look-up came through with the scopes that the documentation says to register
    (call,) = [line for line in map(json.loads, capfd.readouterr().err.splitlines()) if line["event"] == "call"]
    assert set(call["key_states"]) == {"complete"}


def test_the_authorization_server_is_asked_with_a_challenge_a_state_and_the_fhir_base(
    opening: Opening, issuer: Issuer
) -> None:
    first, second = opening.begin(), opening.begin()

    assert opening.where.startswith(f"{issuer.base}/auth?")
    assert first["response_type"] == "code"
    assert (first["aud"], first["launch"]) == (opening.iss, LAUNCH)
    assert first["code_challenge_method"] == "S256"
    assert set(first["scope"].split()) == set(smart_scopes())
    assert first["state"] != second["state"]
    assert first["code_challenge"] != second["code_challenge"]


def test_the_token_reaches_what_was_asked_for_and_nothing_more(opening: Opening, fhir: Server) -> None:
    shown(opening.service.get(opening.sent_back()))

    granted = json.loads(opening.told[0])
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    assert set(granted["scope"].split()) == set(smart_scopes())
    assert "refresh_token" not in granted
    assert requests.get(f"{fhir.base}/Patient/{WHO}", headers=headers, timeout=30).status_code == 200
    assert requests.get(f"{fhir.base}/Encounter?patient={WHO}", headers=headers, timeout=30).status_code == 403


def test_who_is_logged_in_already_is_asked_nothing_at_the_second_launch(opening: Opening) -> None:
    shown(opening.service.get(opening.sent_back()))
    shown(opening.service.get(opening.sent_back()))

    assert opening.browser.prompts == ["login", "consent"]


# --- what is refused -------------------------------------------------------------------------------------------------
def test_a_code_with_another_verifier_is_worth_nothing(opening: Opening, issuer: Issuer) -> None:
    path = opening.sent_back()
    stolen = bring(issuer, code_and_state(path)[0], "x" * 64)

    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def test_a_code_of_another_launch_is_worth_nothing_here(opening: Opening) -> None:
    theirs, _ = code_and_state(opening.sent_back())

    # the same user, a new launch: a new verifier
    not_shown(opening.service.get(changed(opening.sent_back(), code=theirs)), 502, REFUSED)
    assert opening.told == []


def test_a_code_that_was_used_is_refused_and_ends_its_token(opening: Opening, fhir: Server) -> None:
    path, cookie = opening.sent_back(), opening.cookie
    shown(opening.service.get(path))
    opening.keep(cookie)

    not_shown(opening.service.get(path), 502, REFUSED)
    # it was brought with the right verifier both times
    assert opening.forms[0] == opening.forms[1]
    assert len(opening.told) == 1
    headers = {"Authorization": f"Bearer {json.loads(opening.told[0])['access_token']}"}
    assert requests.get(f"{fhir.base}/Patient/{WHO}", headers=headers, timeout=30).status_code == 401


def test_a_state_that_was_used_is_refused_with_a_new_code_too(opening: Opening) -> None:
    path, cookie = opening.sent_back(), opening.cookie
    shown(opening.service.get(path))
    opening.keep(cookie)
    # back to the page before: the authorization server gives another good code for the same state and challenge
    again = opening.allow()
    assert code_and_state(again)[0] != code_and_state(path)[0]
    assert code_and_state(again)[1] == code_and_state(path)[1]

    not_shown(opening.service.get(again), 400, "it was used")
    assert len(opening.told) == 2


def test_b1_an_iss_that_is_not_registered_is_told_nothing(opening: Opening, issuer: Issuer) -> None:
    for iss in (FOREIGN, issuer.base, f"{opening.iss}/Patient"):
        answer = launched(opening.service, iss)

        not_shown(answer, 400, SAYS_NOTHING)
        assert "Location" not in answer.headers
        assert "Set-Cookie" not in answer.headers


def test_a_launch_that_the_ehr_does_not_know_ends_with_its_refusal(opening: Opening) -> None:
    path = opening.sent_back("made-up")

    assert dict(parse_qsl(urlsplit(path).query))["error"] == "invalid_request"
    not_shown(opening.service.get(path), 502, REFUSED)


def test_a_user_who_cancels_is_told_calmly(opening: Opening) -> None:
    opening.begin()
    path = opening.allow(cancel=True)

    not_shown(opening.service.get(path), 403, "the EHR did not give access to this record")
    assert opening.forms == []


def test_without_an_open_chart_there_is_no_page(opening: Opening) -> None:
    not_shown(opening.service.get(opening.sent_back(LAUNCH_WITHOUT_CHART)), 400, "no patient was open")
    assert "patient" not in json.loads(opening.told[0])


# --- the token -------------------------------------------------------------------------------------------------------
def test_s8_the_token_is_in_no_log_line_no_page_and_no_file(
    opening: Opening, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, cookie = opening.sent_back(), opening.cookie
    page = opening.service.get(path)
    opening.keep(cookie)
    refused = opening.service.get(path)

    shown(page)
    assert refused.status_code == 502
    form: dict[str, Any] = dict(parse_qsl(opening.forms[0]))
    secrets = [json.loads(opening.told[0])["access_token"], form["code"], form["code_verifier"]]
    out, err = capfd.readouterr()
    assert '"service": "bone-health-summary"' in err
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir()).decode("latin-1")
    told = [out, err, kept, *(f"{each.headers}{each.text}" for each in (page, refused))]
    assert [each for each in secrets if any(each in text for text in told)] == []
