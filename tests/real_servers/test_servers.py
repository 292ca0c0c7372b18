"""Whether the servers are what the other tests take them for: who may ask, what a search finds, and how it is paged."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.real_servers.loading import load
from tests.real_servers.servers import Server
from tests.real_servers.tokens import LOADER_TOKEN, Issuer

VITAMIN_D, WEIGHT = "http://loinc.org|62292-8", "http://loinc.org|29463-7"
PATIENT = "page-turner"
RESULTS = 130


@pytest.fixture(scope="module", params=["medplum", "hapi"])
def server(request: pytest.FixtureRequest) -> Server:
    """Each of the two, with one patient of 130 results and one other."""
    found: Server = request.getfixturevalue(request.param)
    resources: list[dict[str, Any]] = [{"resourceType": "Patient", "id": each} for each in (PATIENT, "12345")]
    for number in range(RESULTS):
        system, code = (VITAMIN_D if number % 2 else WEIGHT).split("|")
        resources.append(
            {
                "resourceType": "Observation",
                "id": f"result-{number}",
                "status": "final",
                "code": {"coding": [{"system": system, "code": code}]},
                "category": [{"coding": [{"code": "laboratory" if number % 2 else "vital-signs"}]}],
                "subject": {"reference": f"Patient/{PATIENT if number else '12345'}"},
                "valueQuantity": {"value": number},
            }
        )
    assert load(found.base, LOADER_TOKEN, {"entry": [{"resource": each} for each in resources]}) == []
    return found


def get(server: Server, path: str, token: str, **headers: str) -> requests.Response:
    return requests.get(f"{server.base}/{path}", headers={"Authorization": f"Bearer {token}", **headers}, timeout=30)


# --- who may ask -------------------------------------------------------------------------------------------------------
def test_without_a_token_nobody_reads(server: Server) -> None:
    assert requests.get(f"{server.base}/Patient/{PATIENT}", timeout=30).status_code == 401


def test_a_token_that_the_issuer_does_not_know_is_refused(server: Server) -> None:
    assert get(server, f"Patient/{PATIENT}", "made-up").status_code == 401


def test_a_token_of_the_issuer_is_accepted(server: Server, issuer: Issuer) -> None:
    assert get(server, f"Patient/{PATIENT}", issuer.token()).json()["id"] == PATIENT


def test_a_revoked_token_is_refused(server: Server, issuer: Issuer) -> None:
    token = issuer.token()
    assert get(server, f"Patient/{PATIENT}", token).status_code == 200
    issuer.revoke(token)
    assert get(server, f"Patient/{PATIENT}", token).status_code == 401


def test_a_type_outside_the_scope_is_refused(server: Server, issuer: Issuer) -> None:
    token = issuer.token("system/Condition.rs")
    assert get(server, f"Condition?patient={PATIENT}", token).status_code == 200
    assert get(server, f"Observation?patient={PATIENT}", token).status_code == 403


def test_a_reader_writes_nothing(server: Server, issuer: Issuer) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}", "Content-Type": "application/fhir+json"}
    body = {"resourceType": "Patient", "id": PATIENT}
    assert requests.put(f"{server.base}/Patient/{PATIENT}", json=body, headers=headers, timeout=30).status_code == 403


def test_the_issuer_takes_a_client_assertion_once(issuer: Issuer) -> None:
    assertion = issuer.assertion()
    form = {"grant_type": "client_credentials", "scope": "system/*.rs", "client_assertion": assertion}
    assert issuer.post("token", **form).status_code == 200
    assert issuer.post("token", **form).status_code == 401


# --- what is found -----------------------------------------------------------------------------------------------------
def test_ids_are_those_that_were_sent_digits_too(server: Server, issuer: Issuer) -> None:
    found = get(server, "Patient/12345", issuer.token()).json()
    assert (found["resourceType"], found["id"]) == ("Patient", "12345")


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (f"code={VITAMIN_D}", 65),
        (f"code={VITAMIN_D},{WEIGHT}", 129),
        ("category=laboratory,vital-signs", 129),
        ("_id=result-1,result-2,result-0", 2),
    ],
)
def test_a_search_finds_what_matches_and_is_the_patients(
    server: Server, issuer: Issuer, query: str, number: int
) -> None:
    assert len(pages(server, f"Observation?patient={PATIENT}&{query}&_count=500", issuer.token())[0]) == number


def test_long_results_come_in_pages_that_next_leads_through(server: Server, issuer: Issuer) -> None:
    ids, number = pages(server, f"Observation?patient={PATIENT}&_count=50", issuer.token())
    assert (len(set(ids)), number) == (RESULTS - 1, 3)


def test_hapi_refuses_a_parameter_it_does_not_know_where_asked_to_be_strict(hapi: Server, issuer: Issuer) -> None:
    query = "Observation?patient=nobody&colour=blue"
    assert get(hapi, query, issuer.token(), Prefer="handling=strict").status_code == 400
    assert get(hapi, query, issuer.token(), Prefer="handling=lenient").status_code == 200


def pages(server: Server, path: str, token: str) -> tuple[list[str], int]:
    """Ids of all pages, and how many pages there were."""
    url: str | None = f"{server.base}/{path}"
    ids: list[str] = []
    number = 0
    while url:
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.status_code == 200, answer.text
        ids += [entry["resource"]["id"] for entry in answer.json().get("entry", ())]
        url = next((link["url"] for link in answer.json().get("link", ()) if link["relation"] == "next"), None)
        number += 1
    return ids, number
