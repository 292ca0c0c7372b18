"""Table C, over real sockets: what HTTP itself can be made to do to the service as it is started (C12).

The server is gunicorn with the limits of `cds_service/web/wsgi.py`; only the time a request may take is shorter here.
"""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.wire import CALL, PATIENT

ROOT = Path(__file__).parents[2]
THREADS = 2
SECONDS = 1.0
PROGRAM = f"""
from cds_service.web import worker
from cds_service.web.settings import Settings
from cds_service.web.wsgi import serve
from tests.conformance.stub import stub_app
worker.SECONDS = {SECONDS}
settings = Settings(port=PORT, workers=1, threads={THREADS}, max_body_bytes=3_000_000)
serve(settings, lambda: stub_app(settings))
"""
BODY = CALL.replace("PREFETCH", PATIENT).encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HEAD = b"POST /cds-services/stub-patient-view HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
WHOLE = HEAD + LENGTH + b"\r\n" + BODY
# what a smuggler wants answered as a request of its own
HIDDEN = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Server:
    """A running service."""

    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, raw: bytes) -> str:
        """Everything that comes back until the service closes the connection."""
        with self.connect() as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode("latin-1")

    def statuses(self, raw: bytes) -> list[str]:
        """The status of every answer to what was sent."""
        return re.findall(r"HTTP/1\.1 (\d{3}) ", self.send(raw))

    def answers(self) -> bool:
        """Does it still answer a call?"""
        return self.statuses(WHOLE) == ["200"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-c", PROGRAM.replace("PORT", str(port))]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)
        yield Server(port)
    finally:
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=20)[1]
    # whatever was sent: every line is JSON, nothing of it was a fault of ours, and nothing that was sent stands there
    events = [json.loads(line)["event"] for line in log.splitlines()]
    assert "call" in events
    assert "fault" not in events
    assert "smuggled" not in log


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (*parts, b""))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(HEAD + LENGTH + CHUNKED + b"\r\n" + chunked(BODY) + HIDDEN, id="length-then-chunked"),
        pytest.param(HEAD + CHUNKED + LENGTH + b"\r\n" + chunked(BODY) + HIDDEN, id="chunked-then-length"),
        pytest.param(HEAD + LENGTH + b"Content-Length: 4\r\n\r\n" + BODY + HIDDEN, id="two-lengths"),
        pytest.param(HEAD + LENGTH + LENGTH + b"\r\n" + BODY + HIDDEN, id="the-same-length-twice"),
        pytest.param(HEAD + b"Content-Length: 4, 4\r\n\r\n" + BODY + HIDDEN, id="two-lengths-in-one-line"),
        pytest.param(HEAD + b"Content-Length: +4\r\n\r\n" + BODY + HIDDEN, id="length-with-a-sign"),
        pytest.param(HEAD + b"Content-Length: 0x4\r\n\r\n" + BODY + HIDDEN, id="length-in-hexadecimal"),
        pytest.param(HEAD + b"Content-Length : 4\r\n\r\n" + BODY + HIDDEN, id="blank-before-the-colon"),
        pytest.param(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n" + chunked(BODY) + HIDDEN, id="unknown-encoding"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + chunked(BODY) + HIDDEN, id="chunked-not-last"),
        pytest.param(HEAD + CHUNKED + CHUNKED + b"\r\n" + chunked(BODY) + HIDDEN, id="chunked-twice"),
        pytest.param(HEAD + b" Transfer-Encoding: chunked\r\n\r\n" + chunked(BODY) + HIDDEN, id="folded-header"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + b"-1\r\n" + BODY + b"\r\n0\r\n\r\n" + HIDDEN, id="negative-chunk"),
        pytest.param(HEAD + CHUNKED + b"\r\n" + b"5\r\nsmuggled\r\n0\r\n\r\n" + HIDDEN, id="chunk-longer-than-it-says"),
        pytest.param(HEAD + LENGTH + b"X: smug\0gled\r\n\r\n" + BODY + HIDDEN, id="nul-in-a-header"),
        pytest.param(HEAD + LENGTH + b"X: smug\rgled\r\n\r\n" + BODY + HIDDEN, id="bare-carriage-return"),
        pytest.param(b"POST /cds-services/a HTTP/1.1 HTTP/1.1\r\n" + LENGTH + b"\r\n" + BODY + HIDDEN, id="two-versions"),
        pytest.param(b"POST /cds-services/a HTTP/9.9\r\n" + LENGTH + b"\r\n" + BODY + HIDDEN, id="unknown-version"),
    ],
)  # fmt: skip
def test_c12_an_ambiguous_request_is_refused_and_what_hides_behind_it_is_not_answered(
    server: Server, raw: bytes
) -> None:
    found = server.statuses(raw)

    assert len(found) <= 1
    assert set(found) <= {"400", "415", "501", "505"}
    assert server.answers()


def test_c12_two_whole_requests_on_one_connection_are_two_requests(server: Server) -> None:
    """So that the test above can fail: what stands behind a well-formed request is answered."""
    assert server.statuses(WHOLE + HIDDEN) == ["200", "200"]


@pytest.mark.parametrize(
    ("raw", "statuses"),
    [
        pytest.param(HEAD + b"".join(b"X-%d: smuggled\r\n" % n for n in range(10_000)) + b"\r\n", {"400", "431"}, id="many"),
        pytest.param(HEAD + b"X: " + b"smuggled" * 10_000 + b"\r\n\r\n", {"400", "431"}, id="one-of-80-kilobytes"),
        pytest.param(HEAD + b"X" * 80_000 + b": y\r\n\r\n", {"400", "431"}, id="a-name-of-80-kilobytes"),
        pytest.param(b"GET /" + b"smuggled" * 10_000 + b" HTTP/1.1\r\n\r\n", {"400", "414"}, id="address-of-80-kilobytes"),
    ],
)  # fmt: skip
def test_c12_header_bombs_are_refused(server: Server, raw: bytes, statuses: set[str]) -> None:
    with server.connect() as connection:
        try:
            connection.sendall(raw)
            status = connection.recv(12).decode()[9:12]
        except (BrokenPipeError, ConnectionResetError):
            status = "400"  # closed before all of it was sent
    assert status in statuses
    assert server.answers()


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(b"P", id="in-the-request-line"),
        pytest.param(HEAD + b"X-Slow: ", id="in-a-header"),
        pytest.param(HEAD + LENGTH + b"\r\n" + BODY[:10], id="in-the-body"),
        pytest.param(HEAD + CHUNKED + b"\r\n5\r\nab", id="in-a-chunk"),
    ],
)
def test_c12_callers_that_stop_in_the_middle_hold_no_thread(server: Server, first: bytes) -> None:
    """As many as there are threads, and more; each sends a beginning, and nothing any more."""
    slow = [server.connect() for _ in range(3 * THREADS)]
    try:
        for connection in slow:
            connection.sendall(first)
        assert server.answers()
        assert {last_word(connection) for connection in slow} <= {b"", b"HTTP/1.1 408"}
    finally:
        for connection in slow:
            connection.close()


def test_c12_bytes_that_trickle_in_hold_no_thread_either(server: Server) -> None:
    """Every byte comes in good time; all of them together take too long."""
    slow = [server.connect() for _ in range(THREADS)]
    deadline = time.monotonic() + 20 * SECONDS
    try:
        for connection in slow:
            connection.sendall(HEAD + b"X: ")
        while any(taking := [takes(connection) for connection in slow]) and time.monotonic() < deadline:
            time.sleep(SECONDS / 5)
        assert taking == [False] * len(slow)
        assert server.answers()
    finally:
        for connection in slow:
            connection.close()


def test_c12_a_caller_that_does_not_take_its_answers_holds_no_thread(server: Server) -> None:
    """It asks many times for a long document, and never reads."""
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 500
    slow = []
    try:
        for _ in range(2 * THREADS):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", server.port))
            connection.sendall(asked)
            slow.append(connection)
        # the buffers between the two take some time to fill
        for _ in range(15):
            assert server.answers()
            time.sleep(SECONDS / 5)
    finally:
        for connection in slow:
            connection.close()


def test_c12_a_call_that_comes_in_two_pieces_is_answered(server: Server) -> None:
    """The limit is not so tight that an ordinary pause ends a call."""
    with server.connect() as connection:
        connection.sendall(WHOLE[:100])
        time.sleep(SECONDS / 5)
        connection.sendall(WHOLE[100:])
        assert connection.recv(12).decode()[9:12] == "200"


def last_word(connection: socket.socket) -> bytes:
    """What the service says to a caller it gives up on, which may be nothing; it must not keep it waiting."""
    try:
        return connection.recv(12)
    except ConnectionResetError:
        return b""


def takes(connection: socket.socket) -> bool:
    """Does the service still take a byte of this caller?"""
    try:
        connection.sendall(b"a")
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True
