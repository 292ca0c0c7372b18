"""The loader of the invented patients, against a small server on loopback that keeps what it is sent."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle

from deploy import load_patients
from tests.packaging.repository import ROOT

SCENARIOS = ROOT / "fixtures" / "scenarios"
BUNDLES = sorted(SCENARIOS.glob("*/bundle.json"))
BASE = "http://fhir.example.org/fhir"


class Server(ThreadingHTTPServer):
    """Takes transactions, or answers the status it is told to."""

    posted: list[dict[str, Any]]
    starting: int  # how many more times /metadata is not there yet
    refuse: str  # a transaction with this text gets 422
    types: set[str]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.starting -= 1
        self._answer(503 if self.server.starting >= 0 else 200, "{}")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.types.add(self.headers["Content-Type"])
        if self.server.refuse and self.server.refuse in body:
            return self._answer(422, '{"resourceType": "OperationOutcome", "issue": [{"diagnostics": "not that one"}]}')
        self.server.posted.append(json.loads(body))
        return self._answer(200, '{"resourceType": "Bundle", "type": "transaction-response"}')

    def _answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), _Handler)
    made.posted, made.starting, made.refuse, made.types = [], 0, "", set()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def address(server: Server) -> str:
    return f"http://127.0.0.1:{server.server_port}/fhir"


def put(bundle: dict[str, Any]) -> list[str]:
    """What a transaction puts, in order."""
    return [entry["request"]["url"] for entry in bundle["entry"]]


def transaction(path: Path) -> dict[str, Any]:
    return load_patients.transaction(path.parent.name, json.loads(path.read_text("utf-8")), BASE)


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.parent.name)
def test_every_scenario_becomes_a_valid_transaction_in_which_every_reference_leads_somewhere(path: Path) -> None:
    made = transaction(path)
    names = put(made)
    references = re.findall(r'"reference": "([^#"]+)"', json.dumps(made))

    Bundle.model_validate(made)
    assert set(references) - set(names) == set()
    assert {entry["request"]["method"] for entry in made["entry"]} == {"PUT"}
    assert [name for name in names if not re.fullmatch(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}", name)] == []
    assert f"Patient/{path.parent.name}" in names


@pytest.mark.parametrize("path", BUNDLES, ids=lambda path: path.parent.name)
def test_nothing_but_names_is_changed(path: Path) -> None:
    """With the names taken out, the resources are those of the scenario, and all of them."""

    def nameless(resources: list[dict[str, Any]]) -> list[Any]:
        text = json.dumps([each | {"id": ""} for each in resources])
        return list(json.loads(re.sub(r'("reference": ")[^#"]+"', r'\1"', text)))

    ours = [entry["resource"] for entry in json.loads(path.read_text("utf-8"))["entry"]]
    made = [entry["resource"] for entry in transaction(path)["entry"]]

    assert nameless(made[-len(ours) :]) == nameless(ours)
    assert all(set(each) == {"resourceType", "id"} for each in made[: -len(ours)])


def test_no_two_scenarios_write_the_same_resource() -> None:
    """All of them have a condition-1, and two the same patient; only the empty prescriber is common."""
    names = [name for path in BUNDLES for name in put(transaction(path))]

    assert {name for name in names if names.count(name) > 1} == {"Practitioner/example"}


def test_every_scenario_is_loaded(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    status = load_patients.main([address(server) + "/", str(SCENARIOS)])

    assert status == 0
    assert len(server.posted) == len(BUNDLES)
    assert server.types == {"application/fhir+json"}
    assert f"{address(server)}/Patient/gc-assessment-due" in capsys.readouterr().err


def test_a_scenario_that_is_refused_is_named_with_the_reason_and_the_others_are_loaded(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.refuse = "Patient/nothing-to-say"

    status = load_patients.main([address(server), str(SCENARIOS)])

    assert status == 1
    assert len(server.posted) == len(BUNDLES) - 1
    assert re.search(r"NOT LOADED nothing-to-say: 422 .*not that one", capsys.readouterr().err)


def test_a_server_that_is_starting_is_waited_for(server: Server) -> None:
    server.starting = 2

    assert load_patients.main(["--wait", "10", address(server), str(SCENARIOS)]) == 0


def test_a_server_that_never_answers_is_given_up(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    server.starting = 10**6

    status = load_patients.main(["--wait", "0.1", address(server), str(SCENARIOS)])

    assert status == 1
    assert server.posted == []
    assert "nothing was loaded" in capsys.readouterr().err


def test_a_folder_without_scenarios_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert load_patients.main(["http://127.0.0.1:1/fhir", str(tmp_path)]) == 2
    assert "holds no scenario" in capsys.readouterr().err
