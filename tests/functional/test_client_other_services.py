"""`bonecds client` against services that are not ours: what they get wrong is found, and what they send is only shown."""

from __future__ import annotations

import contextlib
import json
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bonecds_kit.faultfhir import FaultFhir
from cds_service.cli import main
from cds_service.protocol import validate

Json = dict[str, Any]
ENTRY: Json = {
    "id": "greeter",
    "hook": "patient-view",
    "title": "Greeter",
    "description": "Greets.",
    "prefetch": {"patient": "Patient/{{context.patientId}}", "user": "Practitioner/{{userPractitionerId}}"},
}
CARD: Json = {
    "uuid": "45280f5f-ce3d-58d4-90ad-94f8b9dfb044",
    "summary": "Hello",
    "indicator": "info",
    "source": {"label": "Greeter", "topic": {"code": "hello", "system": "urn:x"}},
    "overrideReasons": [{"code": "busy", "system": "urn:x", "display": "Busy"}],
}
Answer = tuple[int, str, bytes]


def as_json(body: object, status: int = 200, kind: str = "application/json") -> Answer:
    return status, kind, json.dumps(body).encode()


@dataclass
class Stub:
    """A CDS service that answers as it is told.

    Attributes:
        answer: to a call, from its body.
        feedback: status of feedback calls.
        posted: address and body of what came.
    """

    answer: Callable[[Json], Answer]
    services: list[Json] = field(default_factory=lambda: [ENTRY])
    feedback: int = 200
    posted: list[tuple[str, Json]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


@contextlib.contextmanager
def stub(answer: Callable[[Json], Answer], **more: Any) -> Iterator[Stub]:
    found = Stub(answer, **more)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(*as_json({"services": found.services}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.posted.append((self.path, body))
            found.headers.append(dict(self.headers))
            self._send(*(as_json({}, found.feedback) if self.path.endswith("/feedback") else found.answer(body)))

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def run(*arguments: str) -> Result:
    done = CliRunner().invoke(main.bonecds, ["client", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    file = tmp_path / "bundle.json"
    entry = [{"resource": {"resourceType": "Patient", "id": "p1"}}]
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry}))
    return str(file)


def cards(*each: Json) -> Callable[[Json], Answer]:
    return lambda body: as_json({"cards": list(each)})


def test_a_call_that_another_service_gets_conforms_and_skips_what_cannot_be_filled(bundle: str) -> None:
    with stub(
        cards(CARD), services=[ENTRY | {"prefetch": ENTRY["prefetch"] | {"who": "X/{{context.absent}}"}}]
    ) as service:
        done = run(service.url, "call", "greeter", "--bundle", bundle, "--user", "Practitioner/dr1")
    ((path, body),) = service.posted
    assert path == "/cds-services/greeter"
    assert validate.violations_of_request(body) == []
    assert sorted(body["prefetch"]) == ["patient", "user"]
    assert body["context"] == {"userId": "Practitioner/dr1", "patientId": "p1"}
    assert "left out: a token of its template has no value here" in done.stdout
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("answer", "place"),
    [
        (lambda body: as_json({"cards": [{**CARD, "summary": "x" * 140}]}), "cards[0].summary"),
        (lambda body: as_json({"cards": None}), "cards"),
        (lambda body: (200, "text/html", b"<html>"), "(body)"),
        (lambda body: (200, "application/json", b'{"cards": [], "cards": []}'), "(body)"),
        (lambda body: as_json({}, 500), "status"),
        (lambda body: as_json({}, 302), "status"),
    ],
)
def test_what_breaks_the_specification_is_an_error_with_its_place(
    answer: Callable[[Json], Answer], place: str, bundle: str, tmp_path: Path
) -> None:
    with stub(answer) as service:
        done = run(service.url, "call", "greeter", "--bundle", bundle)
        assert (done.exit_code, f"error: {place}" in done.stdout) == (1, True)
        out = tmp_path / "junit.xml"
        assert (
            run(service.url, "call", "greeter", "--bundle", bundle, "--format", "junit", "--out", str(out)).exit_code
            == 1
        )
    (suite,) = ET.parse(out).getroot()  # noqa: S314 (our own)
    assert (suite.attrib["failures"], suite.find("testcase/failure") is not None) == ("1", True)


def test_a_service_that_hangs_is_left_in_time(bundle: str) -> None:
    release = threading.Event()

    def hang(body: Json) -> Answer:
        release.wait(20)
        return as_json({"cards": []})

    with stub(hang) as service:
        done = run(service.url, "call", "greeter", "--bundle", bundle, "--timeout", "0.3")
        release.set()
    assert (done.exit_code, "not in time" in done.stdout) == (1, True)


# --- secrets and hostile text -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slash", ["/", "\\/"])
@pytest.mark.parametrize("form", ["text", "json", "junit"])
def test_a_token_is_not_echoed_even_if_the_service_sends_it_back(form: str, slash: str, tmp_path: Path) -> None:
    def echo(body: Json) -> Answer:
        token = body["fhirAuthorization"]["access_token"]
        answer = {"cards": [{**CARD, "detail": f"You sent {token}", "summary": token}], token: [token]}
        return 200, "application/json", json.dumps(answer).replace("/", slash).encode()

    with FaultFhir([{"resourceType": "Patient", "id": "p1"}]) as ehr, stub(echo) as service:
        # as long as a JWT, so that it does not fit on a line; with a slash, which JSON may escape
        ehr.token = "zq7token/" + "very-secret." * 40
        (tmp_path / "token").write_text(ehr.token)
        source = ("--fhir", ehr.base, "--patient", "p1", "--token-file", str(tmp_path / "token"))
        done = run(service.url, "call", "greeter", *source, "--hand-over", "--format", form)
    assert service.posted[0][1]["fhirAuthorization"]["access_token"] == ehr.token
    assert service.posted[0][1]["fhirServer"] == ehr.base
    assert "zq7token" not in done.stdout + done.stderr
    assert "very-secret" not in done.stdout + done.stderr
    if form != "junit":
        assert "(token)" in done.stdout


def test_without_hand_over_the_service_learns_neither_token_nor_server(tmp_path: Path) -> None:
    with FaultFhir([{"resourceType": "Patient", "id": "p1"}]) as ehr, stub(cards()) as service:
        (tmp_path / "token").write_text(ehr.token)
        run(
            service.url,
            "call",
            "greeter",
            "--fhir",
            ehr.base,
            "--patient",
            "p1",
            "--token-file",
            str(tmp_path / "token"),
        )
    assert ehr.token not in json.dumps(service.posted)
    assert "fhirServer" not in service.posted[0][1]
    assert not any("Authorization" in each for each in service.headers)


def test_a_card_brings_no_control_characters_to_the_terminal(bundle: str) -> None:
    hostile = {**CARD, "summary": "\x1b[2J\x1b]0;owned\x07Hello\x9b", "detail": "a\x1b[31mb\r\nc\x08"}
    with stub(cards(hostile)) as service:
        done = run(service.url, "call", "greeter", "--bundle", bundle)
    assert not any(ord(each) < 32 and each != "\n" for each in done.stdout)
    assert "\x9b" not in done.stdout


def test_odd_cards_are_shown_as_far_as_they_go(bundle: str) -> None:
    odd: list[Any] = [
        None,
        7,
        [],
        {"summary": 5, "source": [], "suggestions": {"label": []}, "links": "x", "detail": {}},
    ]
    with stub(lambda body: as_json({"cards": odd})) as service:
        for form in ("text", "json", "junit"):
            assert run(service.url, "call", "greeter", "--bundle", bundle, "--format", form).exit_code == 1


# --- feedback -----------------------------------------------------------------------------------------------------------


def test_feedback_conforms_and_goes_to_its_own_address(bundle: str) -> None:
    suggestion = {"label": "Wave", "uuid": "45280f5f-ce3d-58d4-90ad-94f8b9dfb045"}
    action = {"type": "create", "description": "Wave", "resource": {"resourceType": "Task"}}
    card = {**CARD, "selectionBehavior": "any", "suggestions": [{**suggestion, "actions": [action]}]}
    with stub(cards(card)) as service:
        for outcome in ("accepted", "overridden"):
            done = run(service.url, "call", "greeter", "--bundle", bundle, "--feedback", outcome)
            assert (done.exit_code, f"feedback: {outcome}: 1 sent, status 200" in done.stdout) == (0, True)
    sent = [body for path, body in service.posted if path == "/cds-services/greeter/feedback"]
    assert [validate.violations_of_feedback(each) for each in sent] == [[], []]
    assert sent[0]["feedback"][0]["acceptedSuggestions"] == [{"id": suggestion["uuid"]}]
    assert sent[1]["feedback"][0]["overrideReason"]["reason"]["code"] == "busy"


@pytest.mark.parametrize(("status", "code"), [(204, 0), (404, 0), (400, 1), (500, 1)])
def test_what_becomes_of_feedback_is_told(status: int, code: int, bundle: str) -> None:
    with stub(cards(CARD), feedback=status) as service:
        done = run(service.url, "call", "greeter", "--bundle", bundle, "--feedback", "overridden")
    assert (done.exit_code, str(status) in done.stdout) == (code, True)


def test_a_card_without_a_uuid_gets_no_feedback_and_that_is_said(bundle: str) -> None:
    with stub(cards({name: value for name, value in CARD.items() if name != "uuid"})) as service:
        done = run(service.url, "call", "greeter", "--bundle", bundle, "--feedback", "overridden")
    assert "cards[0] has no uuid" in done.stdout
    assert len(service.posted) == 1


# --- a deck at another service ------------------------------------------------------------------------------------------


def test_a_hook_that_the_service_does_not_offer_is_skipped(tmp_path: Path) -> None:
    for hook in ("patient-view", "order-sign"):
        (tmp_path / f"{hook}.json").write_text(
            json.dumps({"hook": hook, "hookInstance": "1", "context": {}, "prefetch": {}})
        )
    with stub(cards(CARD), services=[ENTRY, {**ENTRY, "id": "second"}]) as service:
        done = run(service.url, "--deck", str(tmp_path), "--format", "junit")
    (suite,) = ET.fromstring(done.stdout)  # noqa: S314 (our own)
    assert [case.attrib["name"] for case in suite] == [
        "order-sign.json",
        "patient-view.json greeter",
        "patient-view.json second",
    ]
    assert (suite.attrib["skipped"], suite.attrib["failures"]) == ("1", "0")
    assert {body["hookInstance"] for _, body in service.posted}.isdisjoint({"1"})
