"""One request for a key set, on real sockets: rows A8, B6, B9, B10, B15."""

from __future__ import annotations

import http.server
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from bonecds_kit.keyserver import KeyServer
from cds_service.security.fetch import MAX_BYTES, Fetched, fetch

PATIENT = 20.0


@pytest.fixture
def ehr() -> Iterator[KeyServer]:
    with KeyServer([{"kid": "k1"}]) as server:
        yield server


def test_the_body_comes_back_as_it_was_sent(ehr: KeyServer) -> None:
    assert fetch(ehr.url, deadline=PATIENT) == Fetched(b'{"keys": [{"kid": "k1"}]}', None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("max-age=600", 600),
        ("public, max-age=600, must-revalidate", 600),
        ("MAX-AGE = 5", 5),
        ("no-store", 0),
        ("No-Cache, max-age=600", 0),
        ("public", None),
        ("max-age=-1", None),
        ("max-age=soon", None),
        ("s-maxage=9", None),
    ],
)
def test_cache_control_is_read(ehr: KeyServer, header: str, seconds: int | None) -> None:
    ehr.cache_control = header
    assert fetch(ehr.url, deadline=PATIENT).max_age == seconds


def _nobody_is_left_behind() -> bool:
    """Whether the thread of the request ends, though the server goes on for a minute."""
    for thread in threading.enumerate():
        if thread.name == "jwks":
            thread.join(5)
    return not any(thread.name == "jwks" for thread in threading.enumerate())


@pytest.mark.parametrize("fault", ["hang", "hang-before-headers", "drip-headers", "drip-body"])
def test_b10_no_server_outlasts_the_deadline(ehr: KeyServer, fault: str) -> None:
    ehr.fault = fault
    started = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011 of whatever kind
        fetch(ehr.url, deadline=0.4)
    assert 0.3 < time.monotonic() - started < 5
    assert _nobody_is_left_behind()


def test_b10_a_name_look_up_that_hangs_does_not_outlast_the_deadline(
    ehr: KeyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ehr.fault = "drip-headers"
    look_up, found = socket.getaddrinfo, threading.Event()

    def slow(*args: object, **kwargs: object) -> object:
        found.wait(20)
        return look_up(*args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with pytest.raises(OSError):  # noqa: PT011 of whatever kind
        fetch(ehr.url, deadline=0.4)
    assert time.monotonic() - started < 5
    found.set()  # too late: the connection that is made now is ended at once
    assert _nobody_is_left_behind()


def test_b10_a_tls_handshake_that_never_ends_does_not_outlast_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT011 of whatever kind
            fetch(f"https://127.0.0.1:{listener.getsockname()[1]}/jwks.json", deadline=0.4)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("fault", "message"),
    [("status-500", "status 500"), ("status-404", "status 404"), ("huge", "more than"), ("gzip-bomb", "more than")],
)
def test_a8_what_is_no_small_answer_of_200_fails(ehr: KeyServer, fault: str, message: str) -> None:
    ehr.fault = fault
    with pytest.raises(OSError, match=message):
        fetch(ehr.url, deadline=PATIENT)


@pytest.mark.parametrize("fault", ["truncated", "reset"])
def test_a8_an_answer_that_breaks_off_fails(ehr: KeyServer, fault: str) -> None:
    ehr.fault = fault
    with pytest.raises(OSError):  # noqa: PT011 of whatever kind
        fetch(ehr.url, deadline=PATIENT)


def test_b6_a_redirect_is_not_followed(ehr: KeyServer) -> None:
    with KeyServer() as elsewhere:
        ehr.fault, ehr.redirect_to = "redirect", elsewhere.url
        with pytest.raises(OSError, match="status 302"):
            fetch(ehr.url, deadline=PATIENT)
        assert elsewhere.hits == 0


@pytest.mark.parametrize(("size", "fits"), [(MAX_BYTES, True), (MAX_BYTES + 1, False)])
def test_b15_the_limit_is_on_decoded_bytes(ehr: KeyServer, size: int, fits: bool) -> None:
    ehr.keys = [{"kid": "x" * (size - len('{"keys": [{"kid": ""}]}'))}]
    if fits:
        assert len(fetch(ehr.url, deadline=PATIENT).body) == size
    else:
        with pytest.raises(OSError, match="more than"):
            fetch(ehr.url, deadline=PATIENT)


def test_nobody_listening_fails(ehr: KeyServer) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match="refused"):
            fetch(f"http://127.0.0.1:{unused.getsockname()[1]}/", deadline=PATIENT)


def test_b9_proxies_netrc_and_certificates_of_the_environment_take_no_part(
    ehr: KeyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    with KeyServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
        fetch(ehr.url, deadline=PATIENT)
        assert (proxy.hits, ehr.hits, ehr.headers.get("Authorization")) == (0, 1, None)


# --- TLS


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def _serve_tls(authority: trustme.CA, name: str) -> http.server.HTTPServer:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

        def log_error(self, *_: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # the client that does not trust us hangs up

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


@pytest.mark.parametrize(
    ("name", "trusted", "works"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("other.example", True, False)],
)
def test_b18_the_certificate_must_be_trusted_and_bear_the_name(
    authority: trustme.CA, tmp_path: Path, name: str, trusted: bool, works: bool
) -> None:
    server = _serve_tls(authority, name)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    url = f"https://127.0.0.1:{server.server_port}/jwks.json"
    try:
        if works:
            assert fetch(url, deadline=PATIENT, ca_file=str(ca_file)).body == b"{}"
        else:
            with pytest.raises(OSError, match=r"(?i)certificate"):
                fetch(url, deadline=PATIENT, ca_file=str(ca_file) if trusted else None)
    finally:
        server.shutdown()
        server.server_close()
