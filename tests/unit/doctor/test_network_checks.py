"""Certificates that end soon, and clocks that are apart: on both sides of each line."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from cds_service.doctor.checks.network import Certificate, Told, certificate, clocks
from cds_service.doctor.finding import Level

NOW = 1_800_000_000.0
DAY = 86_400


def told(header: str) -> Told:
    return Told("ehr:443", header, NOW, NOW)


@pytest.mark.parametrize(("days", "level"), [(22, Level.PASS), (21, Level.PASS), (20, Level.WARN), (0, Level.WARN)])
def test_a_certificate_is_good_for_three_weeks_more(days: int, level: Level) -> None:
    found = certificate(Certificate("cds.example.org:443", "public_url", NOW + days * DAY + 60, "TLSv1.3"), NOW)
    assert found.level is level
    assert f"ends in {days} days" in found.seen


@pytest.mark.parametrize(
    ("problem", "level", "fix"),
    [
        ("certificate has expired", Level.FAIL, "Renew"),
        ("Hostname mismatch, certificate is not valid for 'localhost'.", Level.FAIL, "Use the name"),
        ("self-signed certificate in certificate chain", Level.FAIL, "--ca-bundle"),
        ("unable to get local issuer certificate", Level.FAIL, "whole chain"),
        ("tlsv1 alert protocol version", Level.FAIL, "TLS 1.2"),
        ("connection", Level.WARN, "firewall"),
    ],
)
def test_each_fault_of_a_certificate_shows_its_fix(problem: str, level: Level, fix: str) -> None:
    found = certificate(Certificate("cds.example.org:443", "public_url", problem=problem), NOW)
    assert found.level is level
    assert fix in found.fix


def test_the_authority_of_a_fhir_server_is_named_in_its_own_setting() -> None:
    seen = Certificate("ehr:443", "fhir_bases of north", problem="self-signed certificate")
    assert "ca_bundle of the client" in certificate(seen, NOW).fix


@pytest.mark.parametrize(
    ("seconds", "level"),
    [
        (0, Level.PASS),
        (5, Level.PASS),
        (-6, Level.PASS),
        (6, Level.WARN),
        (30, Level.WARN),
        (31, Level.FAIL),
        (-7, Level.WARN),
        (-31, Level.WARN),
        (-32, Level.FAIL),
    ],
)
def test_clocks_may_be_as_far_apart_as_a_token_is_tolerated(seconds: int, level: Level) -> None:
    (found,) = clocks([told(formatdate(NOW + seconds, usegmt=True))])
    assert found.level is level


def test_an_answer_that_took_its_time_says_nothing_about_the_clock() -> None:
    early, late = (formatdate(NOW + seconds, usegmt=True) for seconds in (0, 8))
    for header in (early, late):
        (found,) = clocks([Told("ehr:443", header, NOW, NOW + 8)])
        assert (found.level, found.seen) == (Level.PASS, "0 s apart")


@pytest.mark.parametrize("header", ["", "yesterday", "Mon, 99 Foo 2026"])
def test_a_server_that_tells_no_time_is_not_judged(header: str) -> None:
    (found,) = clocks([told(header)])
    assert found.level is Level.SKIPPED
