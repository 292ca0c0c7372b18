"""`bonecds testkit` against the product, against a service that does everything wrong, and against none at all."""

from __future__ import annotations

import json
import socket
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from bonecds_kit import command
from bonecds_kit.forger import ISSUER, registration
from bonecds_kit.keyserver import FAULTS, address
from bonecds_kit.run import ROW_IDS
from bonecds_kit.steps import COOL_DOWN
from cds_service.cli.compose import build_app
from cds_service.web.settings import Settings, load
from tests.support.golden import AS_OF
from tests.support.served import PRODUCT, served
from tests.testkit.services import SECRET, bad_service, dying_service, free_port, listening, refusing_service

PUBLIC = "https://cds.example.org"
ORDER_SELECT = "bone-health-order-select"
BY_HAND = ["A16", "A22", "A23"]
# as served, but for how long it does not look for new keys
IMPATIENT = "from cds_service.security import keys\nkeys.COOL_DOWN = 0.1" + PRODUCT


@pytest.fixture
def port() -> int:
    return free_port()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command.testkit, [str(each) for each in arguments])


def states(result: Result) -> dict[str, list[str]]:
    """The rows of a report in JSON by their state."""
    found: dict[str, list[str]] = {"ok": [], "wrong": [], "not run": [], "by hand": []}
    for each in json.loads(result.stdout)["results"]:
        found[each["state"]].append(each["row"])
    return found


# --- the product -----------------------------------------------------------------------------------------------------


def test_the_product_withstands_every_row_and_a_second_run_with_other_keys(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "wait", lambda _: time.sleep(0.2))
    client = registration(ISSUER, address(port))
    settings = f"public_url={PUBLIC!r}, clients=({client!r},), database_url='sqlite:///{tmp_path}/bonecds.sqlite3'"
    with served(settings, IMPATIENT) as service:
        arguments = (service.url, "--audience", PUBLIC, "--keys-port", port, "--service", ORDER_SELECT)
        whole = run(*arguments)
        again = run(*arguments, "--only", "A13", "--format", "json")
    judged = [row for row in ("good", *ROW_IDS) if row not in BY_HAND]
    lines = [line.split() for line in whole.stdout.splitlines()]
    assert [words[1] for words in lines if words[:1] == ["ok"]] == judged
    assert (whole.exit_code, whole.stdout.splitlines()[-1]) == (0, f"{len(judged)} ok, 0 wrong, 0 not run, 3 by hand")
    assert states(again)["ok"] == ["good", "A13"]


def test_where_callers_are_not_authenticated_no_row_about_tokens_passes(port: int) -> None:
    with listening(build_app(Settings(as_of=AS_OF))) as url:
        result = run(url, "--keys-port", port, "--service", ORDER_SELECT, "--format", "json")
    found = states(result)
    tokens = [row for row in ROW_IDS if row.startswith("A") and row not in BY_HAND]
    assert (result.exit_code, found["not run"], found["by hand"]) == (0, tokens, BY_HAND)
    assert found["ok"] == ["good", *(row for row in ROW_IDS if not row.startswith("A"))]
    reasons = {each["why"] for each in json.loads(result.stdout)["results"] if each["state"] == "not run"}
    assert reasons == {"callers are not authenticated: without a token the answer was 200 (application/json)"}


def test_every_service_of_the_discovery_document_is_tested_unless_some_are_named(port: int) -> None:
    with listening(build_app(Settings(as_of=AS_OF))) as url:
        result = run(url, "--keys-port", port, "--only", "C13,d5", "--format", "json")
    found = [(each["service"], each["row"], each["state"]) for each in json.loads(result.stdout)["results"]]
    assert found == [
        *((ORDER_SELECT, row, "ok") for row in ("good", "C13", "D5")),
        *(("bone-health-order-sign", row, "ok") for row in ("good", "C13", "D5")),
        *(("bone-health-patient-view", row, "ok") for row in ("good", "C13")),
        ("bone-health-patient-view", "D5", "not run"),
    ]


def test_the_printed_registration_is_what_the_product_reads(tmp_path: Path) -> None:
    printed = run("http://127.0.0.1:8080", "--print-registration", "--keys-port", 8800, "--audience", PUBLIC).stdout
    file = tmp_path / "settings.toml"
    file.write_text(f'public_url = "{PUBLIC}"\ndatabase_url = "sqlite://"\n{printed}', "utf-8")
    assert [dict(client) for client in load(file, {}).clients] == tomllib.loads(printed)["clients"]
    assert f'# the service has to know itself as public_url = "{PUBLIC}"' in printed
    assert 'jwks_urls = ["http://127.0.0.1:8800/jwks.json"]' in printed


# --- a bad service ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def waits() -> list[float]:
    """What the run against the bad service waited for, in seconds."""
    return []


@pytest.fixture(scope="module")
def against_bad(waits: list[float]) -> Iterator[dict[str, Result]]:
    """Reports in each format about the bad service: everything as JSON, and some rows in the other two."""
    some = ("--only", "A12,A16,C11,D1")
    with pytest.MonkeyPatch.context() as patch, listening(bad_service()) as url:
        patch.setattr(command, "wait", waits.append)
        arguments = (url, "--keys-port", free_port())
        yield {
            "json": run(*arguments, "--format", "json"),
            "text": run(*arguments, *some),
            "junit": run(*arguments, *some, "--format", "junit"),
        }


def problems(result: Result, row: str) -> list[dict[str, str]]:
    (found,) = (each for each in json.loads(result.stdout)["results"] if each["row"] == row)
    told: list[dict[str, str]] = found["problems"]
    return told


def test_a_service_that_takes_everything_is_told_every_row_it_fails(against_bad: dict[str, Result]) -> None:
    found = states(against_bad["json"])
    assert (found["ok"], found["not run"], found["by hand"]) == (["good", "A7", "A13"], [], BY_HAND)
    assert against_bad["json"].exit_code == 1


@pytest.mark.parametrize(
    ("row", "call", "came", "right"),
    [
        ("A9", "expired, call 1", "200 (application/json)", "401"),
        ("A14", "the same token, call 2", "200 (application/json)", "401"),
        ("A17", "another's, call 1", "200 (application/json)", "403"),
        ("A4", "the attacker's, the attacker's key", "1 calls of the attacker's key server", "none"),
        ("C1", "32 MB in chunks", "200 (application/json)", "422 or 413 or 400 or the connection closed"),
        ("C2", "100000 lists", "500 (text/html)", "422 or 413 or 400"),
        ("C3", "NaN", "200 (application/json)", "422 or 400"),
        ("C8", "body 'null'", "500 (text/html)", "422 or 400"),
        ("C11", "NUL", "an answer that repeats what was sent", "one that does not"),
        ("C13", "no context", "500 (text/html)", "422 or 400"),
        ("D1", "under patient", "200 (application/json)", "422 or 412 or 409 or 403 or 400"),
        ("D5", "another patient's", "200 (application/json)", "422 or 412 or 409 or 403 or 400"),
    ],
)
def test_a_row_that_fails_says_what_was_sent_what_came_and_what_is_right(
    row: str, call: str, came: str, right: str, against_bad: dict[str, Result]
) -> None:
    assert {"call": call, "came": came, "right": right} in problems(against_bad["json"], row)


def test_what_is_right_even_there_is_not_held_against_it(against_bad: dict[str, Result]) -> None:
    assert [each["call"] for each in problems(against_bad["json"], "D5")] == ["another patient's"]
    assert [each["call"] for each in problems(against_bad["json"], "C6")] == ["5,000 digits"]


def test_the_cool_down_is_waited_for_and_said(against_bad: dict[str, Result], waits: list[float]) -> None:
    assert waits == [COOL_DOWN] * (1 + len(FAULTS))
    told = against_bad["json"].stderr.splitlines()
    assert len(told) == len(waits)
    assert told[0] == ("bad-order-select A7, rotation: waiting 11 s until the service may look for new keys")


def test_nothing_of_an_answers_body_is_printed(against_bad: dict[str, Result]) -> None:
    assert [form for form, result in against_bad.items() if SECRET in result.output] == []


def test_the_text_has_a_line_for_each_row_and_what_is_wrong_below_it(against_bad: dict[str, Result]) -> None:
    lines = against_bad["text"].stdout.splitlines()
    assert lines[:3] == [
        "bad-order-select",
        "  ok      good the request that the others are made from",
        "  WRONG   A12  another audience",
    ]
    assert "               the host, call 1: came 200 (application/json), right is 401" in lines
    assert any(
        line.startswith("  by hand A16  the store of used tokens is full or down (Stop the store:") for line in lines
    )
    assert lines[-1] == "1 ok, 3 wrong, 0 not run, 1 by hand"


def test_the_junit_report_has_a_case_for_each_row(against_bad: dict[str, Result]) -> None:
    suite = ET.fromstring(against_bad["junit"].stdout)  # noqa: S314 written by the kit
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "3", "1")
    cases: dict[str, Any] = {case.get("name", "").split()[0]: case for case in suite}
    assert [row for row, case in cases.items() if case.find("failure") is not None] == ["A12", "C11", "D1"]
    assert cases["A16"].find("skipped").get("message").startswith("by hand: Stop the store")


def test_where_the_good_request_is_refused_a_refusal_passes_for_nothing(port: int) -> None:
    with listening(refusing_service(412)) as url:
        result = run(url, "--keys-port", port, "--only", "C3,C7,D1,D5", "--format", "json")
    found = states(result)
    # 412 is right to C7, D1 and D5, and would be given for another reason; to C3 it is not right
    assert (found["ok"], found["wrong"], found["not run"]) == ([], ["C3"], ["good", "C7", "D1", "D5"])


def test_a_service_that_hangs_up_on_a_long_body_must_answer_the_next_call(port: int) -> None:
    with listening(dying_service()) as url:
        result = run(url, "--keys-port", port, "--only", "C1", "--format", "json")
    assert result.exit_code == 1
    assert problems(result, "C1")[0] == {
        "call": "the good request after 32 MB, with its length",
        "came": "no answer",
        "right": "200 (application/json)",
    }


# --- where the kit cannot run ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://cds.example.org",
        "http://10.0.0.1:8080",
        "http://0.0.0.0:8080",
        "http://2130706433:8080",
        "http://127.0.0.1.example.org",
        "http://localhost.example.org",
        "http://127.0.0.1@cds.example.org",
        "http://[2001:db8::1]:8080",
        "http://[::ffff:192.0.2.1]:8080",
        "https://127.0.0.1:8080",
        "http://127.0.0.1:port",
        "http://user@127.0.0.1:8080",
        "http://127.0.0.1:8080/?x=1",
        "127.0.0.1:8080",
        "",
    ],
)
def test_only_services_on_this_machine_are_called(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a call was made"))
    result = run(url)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)


def test_a_localhost_that_is_another_machine_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: elsewhere)
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("a call was made"))
    assert "localhost is not this machine" in run("http://localhost:8080").stderr


def test_a_client_that_is_not_registered_is_told_what_to_do(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "wait", lambda _: None)
    with listening(bad_service(lets_in=False)) as url:
        result = run(url, "--keys-port", port)
    assert (result.exit_code, result.stdout, SECRET in result.stderr) == (2, "", False)
    assert "a good token is answered 401 (text/html). Register the client (--print-registration)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--only", "A1,Z9"), "--only: there is no row Z9. The rows: A1, A2, "),
        (("--service", "x"), "--service: discovery does not list x. It lists: bad-order-select"),
        (("--only", "A16"), "no row could be judged: 1 ok, 0 wrong, 0 not run, 1 by hand"),
    ],
)
def test_what_cannot_be_run_is_one_clear_line(arguments: tuple[str, ...], message: str, port: int) -> None:
    with listening(bad_service()) as url:
        result = run(url, "--keys-port", port, *arguments)
    assert (result.exit_code, message in result.stderr) == (2, True)


def test_a_port_that_is_taken_is_named() -> None:
    with listening(bad_service()) as url:
        result = run(url, "--keys-port", url.rpartition(":")[2])
    assert (result.exit_code, "is taken. Choose another (--keys-port)" in result.stderr) == (2, True)


def test_a_service_that_is_not_started_is_told(port: int) -> None:
    result = run(f"http://127.0.0.1:{port}")
    assert (result.exit_code, "gives no answer. Is the service started?" in result.stderr) == (2, True)
