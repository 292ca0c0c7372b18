"""`bonecds client` against this service: discovery, prefetch from a file and from a FHIR server, orders, tokens, a deck."""

from __future__ import annotations

import json
import socket
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from werkzeug.serving import make_server

from bonecds_kit.faultfhir import FaultFhir, Quirks
from bonecds_kit.forger import Forger
from cds_service.cli import main
from cds_service.cli.compose import build_app
from cds_service.kernel.errors import InputError
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF, FOLDER
from tests.support.served import Served, served

Json = dict[str, Any]
VIEW, SELECT = "bone-health-patient-view", "bone-health-order-select"
BUNDLE = str(FOLDER / "gc-very-high-risk-untreated" / "bundle.json")
PATIENT = "otto-beispiel"
TAPER = FOLDER / "order-steroid-taper-in-words"


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    with served() as found:
        yield found


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(main.bonecds, ["client", *arguments])
    if isinstance(done.exception, InputError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def called(*arguments: str) -> Json:
    """The only call of a JSON report."""
    (found,) = json.loads(run(*arguments, "--format", "json").stdout)["calls"]
    assert isinstance(found, dict)
    return found


def summaries(call: Json) -> list[str]:
    return [card["summary"] for card in call["response"]["cards"]]


def golden(folder: Path) -> list[str]:
    return [card["summary"] for card in json.loads((folder / "cards.json").read_text("utf-8"))["cards"]]


# --- discovery --------------------------------------------------------------------------------------------------------


def test_discovery_lists_services_templates_and_findings(service: Served) -> None:
    done = run(service.url, "discover")
    assert done.exit_code == 0
    assert f"{VIEW}  (patient-view)" in done.stdout
    assert "patient: Patient/{{context.patientId}}" in done.stdout
    assert "conforms to CDS Hooks 2.0.1" in done.stdout


@pytest.mark.parametrize("tail", ["", "/", "/cds-services", "/cds-services/"])
def test_the_address_may_be_given_with_or_without_its_last_part(service: Served, tail: str) -> None:
    found = json.loads(run(service.url + tail, "discover", "--format", "json").stdout)
    assert len(found["services"]) == 3


def test_where_no_service_answers_one_line_says_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(InputError, match="no discovery document: no connection"):
            run(f"http://127.0.0.1:{taken.getsockname()[1]}", "discover")


# --- one call ---------------------------------------------------------------------------------------------------------


def test_a_whole_record_in_a_file_gives_the_cards_of_the_scenario(service: Served) -> None:
    assert summaries(called(service.url, "call", VIEW, "--bundle", BUNDLE)) == golden(Path(BUNDLE).parent)


def test_the_text_shows_a_card_as_an_ehr_does(service: Served) -> None:
    done = run(service.url, "call", VIEW, "--bundle", BUNDLE)
    (summary,) = golden(Path(BUNDLE).parent)
    assert done.exit_code == 0
    for words in (
        f"[i] {summary}",
        "Source: ACR 2022",
        "[ ] Refer to bone health specialist",
        "create ServiceRequest",
        "Dismiss because: ",
    ):
        assert words in done.stdout
    assert done.stdout.rstrip().endswith("conforms to CDS Hooks 2.0.1")


def test_a_key_that_is_failed_or_left_out_is_named_on_the_card(service: Served) -> None:
    call = called(service.url, "call", VIEW, "--bundle", BUNDLE, "--fail", "boneDensity", "--omit", "vitaminD")
    assert call["prefetch"]["boneDensity"] == "failed: the server reported an error"
    assert call["prefetch"]["vitaminD"] == "left out as asked"
    assert "DXA results" in str(call["response"]["cards"])


def test_the_orders_of_a_basket_reach_the_service(service: Served) -> None:
    arguments = ("--bundle", str(TAPER / "bundle.json"), "--draft-order", str(TAPER / "orders.json"))
    assert summaries(called(service.url, "call", SELECT, *arguments)) == golden(TAPER)


def test_the_record_may_come_from_a_fhir_server(service: Served, tmp_path: Path) -> None:
    resources = [entry["resource"] for entry in json.loads(Path(BUNDLE).read_text("utf-8"))["entry"]]
    with FaultFhir(resources) as ehr:
        (tmp_path / "token").write_text(ehr.token)
        source = ("--fhir", ehr.base, "--patient", PATIENT, "--token-file", str(tmp_path / "token"))
        done = run(service.url, "call", VIEW, *source, "--format", "json")
        assert all(each.headers["authorization"] == f"Bearer {ehr.token}" for each in ehr.requests)
    (call,) = json.loads(done.stdout)["calls"]
    assert summaries(call) == golden(Path(BUNDLE).parent)
    assert "asking the FHIR server for Observation" in done.stderr
    assert PATIENT not in done.stderr


def test_only_the_first_page_of_a_search_is_sent_as_ehrs_do(service: Served, tmp_path: Path) -> None:
    resources = [entry["resource"] for entry in json.loads(Path(BUNDLE).read_text("utf-8"))["entry"]]
    with FaultFhir(resources, quirks=Quirks(page_size=1, denied=("Procedure",))) as ehr:
        (tmp_path / "token").write_text(ehr.token)
        source = ("--fhir", ehr.base, "--patient", PATIENT, "--token-file", str(tmp_path / "token"))
        prefetch = called(service.url, "call", VIEW, *source)["prefetch"]
    assert prefetch["medicationDispenses"] == "1 resource, incomplete: there are more pages than were sent"
    assert prefetch["procedures"].startswith("not-permitted")
    assert prefetch["patient"] == "1 resource"


@pytest.mark.parametrize("fault", ["500", "html", "reset", "truncated", "redirect", "nan", "large"])
def test_whatever_a_fhir_server_does_the_key_is_sent_as_failed(service: Served, fault: str, tmp_path: Path) -> None:
    with FaultFhir([{"resourceType": "Patient", "id": "p1", "birthDate": "1960-01-01", "gender": "female"}]) as ehr:
        ehr.fault(fault, on="Condition")
        (tmp_path / "token").write_text(ehr.token)
        source = ("--fhir", ehr.base, "--patient", "p1", "--token-file", str(tmp_path / "token"))
        prefetch = called(service.url, "call", VIEW, *source)["prefetch"]
    assert prefetch["conditions"].startswith("failed")
    assert prefetch["procedures"] == "empty"


def test_what_the_service_declines_is_said_and_is_no_fault(service: Served) -> None:
    foreign = run(service.url, "--deck", str(FOLDER / "foreign-patient"), "--format", "json")
    (call,) = json.loads(foreign.stdout)["calls"]
    assert (foreign.exit_code, call["status"], call["findings"]) == (0, 412, [])


def test_feedback_for_a_service_that_takes_none_is_a_warning(service: Served) -> None:
    done = run(service.url, "call", VIEW, "--bundle", BUNDLE, "--feedback", "accepted")
    assert (done.exit_code, "feedback address (404)" in done.stdout) == (0, True)


# --- tokens -----------------------------------------------------------------------------------------------------------


@contextmanager
def closed_service(folder: Path, forger: Forger) -> Iterator[str]:
    """This service for one registered client."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    client = {**forger.registration(), "tenants": []}
    app = build_app(
        Settings(public_url=url, clients=(client,), database_url=f"sqlite:///{folder}/b.sqlite3", as_of=AS_OF)
    )
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kid", ["ec-key", "rsa+key/1="])
def test_a_signed_call_is_let_in_and_an_unsigned_one_is_not(kid: str, tmp_path: Path) -> None:
    with Forger("unused") as forger, closed_service(tmp_path, forger) as url:
        key = tmp_path / "key.pem"
        key.write_bytes(forger.keys[kid].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        signed = ("--sign-with", str(key), "--iss", forger.issuer, "--kid", kid, "--jku", forger.jwks.url)
        call = ("call", VIEW, "--bundle", BUNDLE)
        assert called(url, *call, *signed)["status"] == 200
        assert called(url, *call, *signed)["status"] == 200  # each call has a token of its own
        refused = run(url, *call)
        assert (refused.exit_code, "refused with 401" in refused.stdout) == (1, True)
        elsewhere = ("--sign-with", str(key), "--iss", "https://other.example.org", "--kid", kid)
        assert called(url, *call, *elsewhere)["status"] == 401


# --- a deck -----------------------------------------------------------------------------------------------------------


def test_a_deck_of_recorded_calls_is_one_test_case_each(service: Served, tmp_path: Path) -> None:
    out = tmp_path / "junit.xml"
    done = run(service.url, "--deck", str(FOLDER), "--format", "junit", "--out", str(out))
    (suite,) = ET.parse(out).getroot()  # noqa: S314 (our own)
    names = [case.attrib["name"] for case in suite]
    assert (done.exit_code, suite.attrib["failures"], suite.attrib["skipped"]) == (0, "0", "1")
    assert names == sorted(f"{each.parent.name}/request.json" for each in FOLDER.glob("*/request.json"))
    assert done.stdout == ""
    assert "Beispiel" not in out.read_text("utf-8")


def test_a_folder_without_calls_is_refused(service: Served, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"resourceType": "Patient"}')
    with pytest.raises(InputError, match="holds no recorded call"):
        run(service.url, "--deck", str(tmp_path))


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("call", "absent", "--bundle", BUNDLE), "lists no such service"),
        (("call", VIEW), "one place"),
        (("call", VIEW, "--bundle", BUNDLE, "--fhir", "http://127.0.0.1:9"), "one place"),
        (("call", VIEW, "--fhir", "http://127.0.0.1:9"), "no patient was named"),
        (("call", VIEW, "--fhir", "http://127.0.0.1:9", "--patient", "../Patient"), "no FHIR id"),
        (("call", VIEW, "--fhir", "http://ehr.example.org", "--patient", "p"), "is http"),
        (("call", VIEW, "--bundle", BUNDLE, "--fail", "absent"), "asks for no absent"),
        (("call", VIEW, "--bundle", BUNDLE, "--hand-over"), "cannot be handed over"),
        (("call", VIEW, "--bundle", BUNDLE, "--draft-order", str(TAPER / "orders.json")), "takes no draft orders"),
        (("call", SELECT, "--bundle", BUNDLE), "needs draft orders"),
        (("call", VIEW, "--bundle", BUNDLE, "--iss", "i"), "no key to sign with"),
        (("call", VIEW, "--bundle", BUNDLE, "--sign-with", BUNDLE), "needs iss and kid"),
        (("call", VIEW, "--bundle", str(TAPER / "orders.json")), "holds 0 patients"),
    ],
)
def test_what_does_not_go_together_is_refused_with_one_line(
    service: Served, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(service.url, *arguments)


@pytest.mark.parametrize("words", [(), ("call",), ("discover", "x"), ("delete", "x")])
def test_what_to_do_has_to_be_said(words: tuple[str, ...]) -> None:
    done = run("http://127.0.0.1:9", *words)
    assert (done.exit_code, "discover, call SERVICE_ID, or --deck DIR" in done.stderr) == (2, True)
