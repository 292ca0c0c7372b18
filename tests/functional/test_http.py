"""The real server on a real port: what the README promises works with curl, and it stops when it is told to."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from cds_service.protocol import validate
from tests.support import golden
from tests.support.golden import AS_OF, PATH, Scenario

ROOT = Path(__file__).resolve().parents[2]
DEMO = "http://127.0.0.1:8080"
_CURLS = re.search(
    r"<!-- curl:begin -->\n```sh\n(.*?)```\n<!-- curl:end -->", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
)
CURLS = _CURLS[1].splitlines() if _CURLS else []


@dataclass(frozen=True, slots=True)
class Server:
    """A running service."""

    url: str
    process: subprocess.Popen[str]


@contextmanager
def serving() -> Iterator[Server]:
    """`bonecds serve` on a free port of the loopback interface, as `make demo` starts it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("bonecds")), "serve", "--port", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BONECDS_")}
    environment["BONECDS_AS_OF"] = AS_OF.isoformat()
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process)
        yield Server(url, process)
    finally:
        process.kill()
        process.communicate()


def _wait_for(url: str, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            requests.get(f"{url}/healthz", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the service did not start")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def _scenario(name: str) -> Scenario:
    return Scenario(golden.FOLDER / name)


def _post(server: Server, scenario: Scenario, **headers: str) -> requests.Response:
    headers = {"Content-Type": "application/json", **headers}
    body = scenario.text("request.json").encode()
    return requests.post(f"{server.url}{PATH}", data=body, headers=headers, timeout=10)


def test_discovery_lists_the_services(server: Server) -> None:
    answer = requests.get(f"{server.url}/cds-services", timeout=10)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert validate.violations_of_discovery(answer.json()) == []
    assert [service["id"] for service in answer.json()["services"]] == [
        "bone-health-order-select",
        "bone-health-order-sign",
        golden.SERVICE,
    ]


def test_a_call_gives_the_golden_cards(server: Server) -> None:
    scenario = _scenario("gc-assessment-due")
    answer = _post(server, scenario)

    assert answer.status_code == 200
    assert answer.json() == scenario.json("cards.json")


def test_d1_a_foreign_patient_is_refused_with_412_and_an_operation_outcome(server: Server) -> None:
    scenario = _scenario("foreign-patient")
    answer = _post(server, scenario)
    said = answer.text.replace(answer.headers["X-Correlation-Id"], golden.CORRELATION_ID)

    assert answer.status_code == 412
    assert answer.headers["Content-Type"] == "application/fhir+json"
    assert json.loads(said) == scenario.json("error.json")


def test_a_page_on_loopback_may_call_after_a_preflight(server: Server) -> None:
    origin = "http://localhost:9000"
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = requests.options(f"{server.url}{PATH}", headers=asked, timeout=10)

    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Content-Type" in preflight.headers["Access-Control-Allow-Headers"]
    assert _post(server, _scenario("nothing-to-say"), Origin=origin).headers["Access-Control-Allow-Origin"] == origin


def test_a_page_elsewhere_may_not_call(server: Server) -> None:
    answer = _post(server, _scenario("nothing-to-say"), Origin="https://evil.example")

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_readme_has_three_calls_and_the_second_and_third_give_cards() -> None:
    assert [line.split(" ", 1)[0] for line in CURLS] == ["curl"] * 3
    assert CURLS[0] == f"curl -sS {DEMO}/cds-services"
    assert [bool(_sent(line).json("cards.json")["cards"]) for line in CURLS[1:]] == [True, True]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", CURLS)
def test_the_calls_of_the_readme_work_as_they_are_pasted(server: Server, line: str) -> None:
    command = line.replace(DEMO, server.url)
    # a proxy of the user's would be asked for the loopback address too
    environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    if line == CURLS[0]:
        assert validate.violations_of_discovery(json.loads(done.stdout)) == []
    else:
        assert json.loads(done.stdout) == _sent(line).json("cards.json")


def test_the_demo_prints_the_calls_of_the_readme() -> None:
    """`make demo` names the files by their full path, so that its lines work from any folder."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    chosen = dict(re.findall(r"^(DEMO_FIRST|DEMO_SECOND) \?= (\S+)$", makefile, re.MULTILINE))

    assert [str(_sent(line)) for line in CURLS[1:]] == [chosen["DEMO_FIRST"], chosen["DEMO_SECOND"]]
    assert f"DEMO_AS_OF ?= {AS_OF.isoformat()}" in makefile


def test_the_card_in_the_readme_is_the_one_the_service_sends() -> None:
    assert golden.card_in_readme() == golden.as_seen(_scenario(golden.IN_README).json("cards.json")["cards"][0])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_stops_when_told_to_and_says_so_with_status_0(sign: signal.Signals) -> None:
    with serving() as running:
        assert _post(running, _scenario("nothing-to-say")).json() == {"cards": []}
        running.process.send_signal(sign)
        said = running.process.communicate(timeout=20)[1]

        assert running.process.returncode == 0
        assert "felix" not in said.lower()


def _sent(line: str) -> Scenario:
    """The scenario whose request a curl line sends."""
    match = re.search(r"@fixtures/scenarios/([a-z0-9-]+)/request\.json", line)
    assert match is not None
    return _scenario(match[1])
