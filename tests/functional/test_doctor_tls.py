"""Certificates as the doctor sees them: handshakes on loopback with certificates made for the test."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from bonecds_kit.faultfhir import FaultFhir
from cds_service.doctor import probes
from cds_service.engine.services import installed
from cds_service.formats.urls import parse_base
from tests.support import ehr as example
from tests.support.doctored import run, settings, token_file


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


@contextlib.contextmanager
def public_service(certificate: trustme.LeafCert, services: list[str]) -> Iterator[str]:
    """The proxy in front of a service that offers these."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"services": [{"id": each} for each in services]}).encode()
            self.send_response(200 if self.path == "/bone/cds-services" else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """The other side did not trust us: what most of these tests are for."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"https://localhost:{server.server_port}/bone"
    finally:
        server.shutdown()
        server.server_close()


def looked_at(url: str, folder: Path, *arguments: str) -> tuple[list[str], list[str], str]:
    """Levels of the certificate and of the address, and what is to be done about the certificate."""
    file = folder / "settings.toml"
    file.write_text(f'public_url = "{url}"\n')
    told = run("--settings", str(file), *arguments)
    return told.levels("tls"), told.levels("public-url"), told.of("tls")[0]["fix"]


def test_a_good_certificate_and_the_right_service_pass(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    with public_service(authority.issue_cert("localhost"), [each.id for each in installed()]) as url:
        assert looked_at(url, tmp_path, "--ca-bundle", ca_file) == (["pass"], ["pass"], "")


def test_another_service_behind_the_address_fails(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    with public_service(authority.issue_cert("localhost"), ["another"]) as url:
        levels = looked_at(url, tmp_path, "--ca-bundle", ca_file)
        assert levels[:2] == (["pass"], ["fail"])
        assert looked_at(f"{url}/elsewhere", tmp_path, "--ca-bundle", ca_file)[1] == ["fail"]


@pytest.mark.parametrize(
    ("fault", "fix"), [("expired", "Renew"), ("other name", "Use the name"), ("other authority", "--ca-bundle")]
)
def test_b18_each_fault_of_a_certificate_shows_its_fix(
    fault: str, fix: str, authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    certificate = {
        "expired": authority.issue_cert("localhost", not_after=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        "other name": authority.issue_cert("cds.example.org"),
        "other authority": trustme.CA().issue_cert("localhost"),
    }[fault]
    with public_service(certificate, []) as url:
        tls, public, told = looked_at(url, tmp_path, "--ca-bundle", ca_file)
    assert (tls, public) == (["fail"], ["warn"])
    assert fix in told


def test_a_certificate_that_ends_soon_is_said(authority: trustme.CA, ca_file: str, tmp_path: Path) -> None:
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=10, hours=1)  # noqa: TID251 (certificates go by the clock)
    with public_service(authority.issue_cert("localhost", not_after=soon), []) as url:
        assert looked_at(url, tmp_path, "--ca-bundle", ca_file)[0] == ["warn"]


def test_a_port_where_nothing_listens_is_no_fault_of_a_certificate(ca_file: str) -> None:
    seen = probes.certificate(parse_base("https://127.0.0.1:9"), "public_url", ca_file)
    assert (seen.problem, seen.expires) == ("connection", 0)


def test_a_port_that_speaks_no_tls_fails() -> None:
    with FaultFhir() as plain:
        base = parse_base(plain.base.replace("http://", "https://"))
        assert probes.certificate(base, "fhir_bases of north").problem == "wrong version number"


def test_the_fhir_server_of_a_hospital_is_trusted_by_the_bundle_of_its_client(
    authority: trustme.CA, ca_file: str, tmp_path: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with FaultFhir([example.PATIENT], tls=context) as ehr:
        server = ehr.base.removeprefix("https://").partition("/")[0]
        for bundle, level in (({"ca_bundle": ca_file}, "pass"), ({}, "fail")):
            file = settings(tmp_path, fhir_bases=[ehr.base], jwks_urls=["http://127.0.0.1:9/j"], **bundle)
            token = token_file(tmp_path, ehr, patient="p1")
            told = run("--settings", str(file), "--token-file", str(token))
            about = f"{server} (fhir_bases of north)"
            assert told.levels("tls", about) == [level]
            assert set(told.levels("search")) == {level}
        assert "ca_bundle of the client" in told.of("tls", about)[0]["fix"]
        assert "certificate" in told.of("search", "conditions")[0]["fix"]


def test_a_bundle_that_holds_no_certificates_fails(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("not a certificate")
    file = settings(
        tmp_path,
        fhir_bases=["https://127.0.0.1:9/r4"],
        jwks_urls=["http://127.0.0.1:9/j"],
        ca_bundle=str(tmp_path / "ca.pem"),
    )
    assert "fail" in run("--settings", str(file)).levels("fhir-bases")
