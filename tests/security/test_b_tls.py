"""Whom we talk to is proven by TLS, whatever the address: row B18, with certificates made for the test."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from bonecds_kit.faultfhir import FaultFhir
from cds_service.clinical.needs import CONDITIONS
from cds_service.engine.gather import gather
from cds_service.formats.urls import parse_base
from cds_service.kernel.needs import Lookup, LookupState
from tests.support import ehr as example
from tests.support.ehr import Call, condition, fetcher, gathered, server_of

SOON = 0.6
COMPLETE, FAILED = LookupState.COMPLETE, LookupState.FAILED


@contextlib.contextmanager
def https(
    certificate: trustme.LeafCert, authority: trustme.CA, file: Path, context: ssl.SSLContext | None = None
) -> Iterator[Lookup]:
    """Look up at a server with that certificate, trusting that authority."""
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    authority.cert_pem.write_to_path(str(file))
    with FaultFhir([condition(1)], tls=context) as ehr:
        to = server_of(ehr, ca_bundle=str(file))
        yield gather(Call(ehr.base), [CONDITIONS], fetcher(to)).lookup("conditions")


def test_b18_a_good_certificate_of_a_private_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    with https(authority.issue_cert("localhost"), authority, tmp_path / "ca.pem") as found:
        assert found.state is COMPLETE


@pytest.mark.parametrize("fault", ["expired", "other name", "other authority"])
def test_b18_a_certificate_that_is_not_good(fault: str, tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    certificate = {
        "expired": authority.issue_cert("localhost", not_after=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)),
        "other name": authority.issue_cert("ehr.example.org"),
        "other authority": other.issue_cert("localhost"),
    }[fault]
    with https(certificate, authority, tmp_path / "ca.pem") as found:
        assert (found.state, found.resources) == (FAILED, ())
        assert found.detail == "the TLS certificate or version of the FHIR server was not accepted"


def test_b18_without_a_bundle_only_public_authorities_are_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with FaultFhir([condition(1)], tls=context) as ehr:
        assert gathered(ehr, CONDITIONS).lookup("conditions").state is FAILED
        assert ehr.requests == []


def test_b18_old_tls_is_refused(tmp_path: Path) -> None:
    authority, old = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT@SECLEVEL=0")  # or OpenSSL would refuse on the server's side
    with https(authority.issue_cert("localhost"), authority, tmp_path / "ca.pem", old) as found:
        assert (found.state, found.detail[:19]) == (FAILED, "the TLS certificate")


def test_b18_b10_a_handshake_that_never_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        base = f"https://localhost:{listening.getsockname()[1]}/r4"
        registered = example.Server(parse_base(base), example.dialect("generic"))
        begin = time.monotonic()
        found = gather(Call(base), [CONDITIONS], fetcher(registered, seconds=SOON)).lookup("conditions")
        assert (found.state, found.detail) == (FAILED, "not in time")
        assert time.monotonic() - begin < SOON + 0.5
