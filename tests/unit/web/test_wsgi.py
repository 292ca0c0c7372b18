"""The service behind gunicorn, over real sockets (C1, C12, F1)."""

from __future__ import annotations

import json
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

from cds_service.web.settings import Settings
from cds_service.web.worker import BoundedWorker
from cds_service.web.wsgi import gunicorn_options
from tests.conformance.wire import CALL, PATIENT

ROOT = Path(__file__).parents[3]
PROGRAM = """
from cds_service.web.settings import Settings
from cds_service.web.wsgi import serve
from tests.conformance.stub import stub_app
settings = Settings(port=PORT, workers=2, threads=2, max_body_bytes=1000)
serve(settings, lambda: stub_app(settings))
"""
BODY = CALL.replace("PREFETCH", PATIENT).encode()
PATH = b"/cds-services/stub-patient-view"


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    process: subprocess.Popen[str]

    def send(self, raw: bytes) -> str:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()

    def post(self, headers: bytes, body: bytes) -> str:
        head = b"POST " + PATH + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        return self.send(head + b"Content-Type: application/json\r\n" + headers + b"\r\n\r\n" + body)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started() -> Iterator[Server]:
    """The stub behind gunicorn; stopped at the end, if it still runs."""
    port = free_port()
    program = PROGRAM.replace("PORT", str(port))
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 20
        while not listens(port):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < deadline, "the server did not start in 20 s"
            time.sleep(0.05)
        yield Server(port, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=15)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with started() as found:
        yield found


def status_of(answer: str) -> str:
    return answer.split("\r\n")[0].removeprefix("HTTP/1.1 ")[:3]


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


def test_a_call_is_answered(server: Server):
    answer = server.post(b"Content-Length: %d" % len(BODY), BODY)
    assert status_of(answer) == "200"
    assert [card["indicator"] for card in json.loads(answer.partition("\r\n\r\n")[2])["cards"]] == ["warning"]


def test_c1_a_chunked_body_is_read(server: Server):
    assert status_of(server.post(b"Transfer-Encoding: chunked", chunked(BODY[:50], BODY[50:]))) == "200"


def test_c1_a_chunked_body_over_the_limit_is_413(server: Server):
    assert status_of(server.post(b"Transfer-Encoding: chunked", chunked(BODY, b" " * 1000))) == "413"


def test_c1_a_stated_length_over_the_limit_is_413_before_anything_is_read(server: Server):
    assert status_of(server.post(b"Content-Length: 5000000000", b"")) == "413"


def test_c12_length_and_chunked_together_are_refused(server: Server):
    smuggled = b"Content-Length: 5\r\nTransfer-Encoding: chunked"
    assert status_of(server.post(smuggled, chunked(BODY))) == "400"


@pytest.mark.parametrize("length", [b"-1", b"five", b"5\r\nContent-Length: 6"])
def test_c12_odd_lengths_are_refused(server: Server, length: bytes):
    assert status_of(server.post(b"Content-Length: " + length, BODY)) == "400"


def test_c12_too_many_headers_are_refused(server: Server):
    many = b"\r\n".join(b"X-%d: y" % number for number in range(100))
    assert status_of(server.post(many + b"\r\nContent-Length: 0", b"")) in {"400", "431"}


def test_a_body_cut_off_is_400(server: Server):
    assert status_of(server.post(b"Content-Length: %d" % (len(BODY) + 10), BODY)) == "400"


def test_no_control_socket_no_access_log_and_the_content_is_read_before_the_processes_part():
    options = gunicorn_options(Settings())
    found = (options["control_socket_disable"], options["accesslog"], options["preload_app"], options["worker_class"])
    assert found == (True, None, True, BoundedWorker)


@pytest.mark.parametrize(
    ("host", "bind"), [("127.0.0.1", "127.0.0.1:8080"), ("::1", "[::1]:8080"), ("[::1]", "[::1]:8080")]
)
def test_addresses_are_written_as_gunicorn_reads_them(host: str, bind: str):
    assert gunicorn_options(Settings(host=host))["bind"] == [bind]


def test_stopping_is_graceful_and_every_line_of_the_log_is_json():
    with started() as server:
        server.post(b"Content-Length: %d" % len(BODY), BODY)
        server.process.send_signal(signal.SIGTERM)
        lines = [json.loads(line) for line in server.process.communicate(timeout=15)[1].splitlines()]
    assert server.process.returncode == 0
    assert [line["status"] for line in lines if line["event"] == "call"] == [200]
    assert {line["event"] for line in lines} == {"server", "call"}
