"""`bonecds doctor` on the launch of the one-page summary, at an EHR on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from cds_service.security import launchers
from tests.support import ehr as example
from tests.support.doctored import Told, public_key, run, settings, token_file
from tests.support.smart_ehr import CLIENT_ID, SmartEhr

CAPABILITIES = ["launch-ehr", "client-public", "context-ehr-patient", "permission-v2"]


@pytest.fixture
def ehr() -> Iterator[SmartEhr]:
    with SmartEhr([example.PATIENT], "p1") as running:
        running.configuration["capabilities"] = CAPABILITIES
        yield running


def looked_at(folder: Path, ehr: SmartEhr, arguments: Sequence[str] = (), **client: Any) -> Told:
    more = {"smart_client_id": CLIENT_ID, **client}
    file = settings(folder, fhir_bases=[ehr.base], jwks={"keys": [public_key()]}, **more)
    return run("--settings", str(file), *arguments)


def test_an_ehr_that_can_launch_passes(tmp_path: Path, ehr: SmartEhr) -> None:
    told = looked_at(tmp_path, ehr)
    (found,) = told.of("smart-launch")
    assert (found["level"], found["about"], told.status) == ("pass", ehr.base, 0)


def test_b8_the_document_is_read_without_the_token(
    tmp_path: Path, ehr: SmartEhr, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent, seen = ehr._send, []

    def send(request: Any, *more: Any) -> None:
        seen.append((request.path.rpartition("/")[2], "Authorization" in request.headers))
        sent(request, *more)

    monkeypatch.setattr(ehr, "_send", send)
    token = token_file(tmp_path, ehr, patient="p1")
    assert looked_at(tmp_path, ehr, arguments=("--token-file", str(token))).levels("smart-launch") == ["pass"]
    assert ("smart-configuration", False) in seen
    assert ("smart-configuration", True) not in seen
    # it was there to be sent: the look-ups had it
    assert any("authorization" in each.headers for each in ehr.requests)


def test_a_foreign_token_endpoint_fails_until_its_origin_is_registered(tmp_path: Path, ehr: SmartEhr) -> None:
    ehr.configuration["token_endpoint"] = "https://login.invalid/token"  # noqa: S105 an address
    told = looked_at(tmp_path, ehr)
    (found,) = told.of("smart-launch")
    assert (found["level"], found["doc"], told.status) == ("fail", "docs/smart.md#when-it-does-not-work", 1)
    assert 'smart_origins = ["https://login.invalid"]' in found["fix"]
    # nobody was called there: the name has no server, and nothing says so
    assert looked_at(tmp_path, ehr, smart_origins=["https://login.invalid"]).levels("smart-launch") == ["pass"]


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("status-404", "status 404"),
        ("status-500", "status 500"),
        ("redirect", "status 302"),
        ("html", "no JSON object"),
        ("list", "no JSON object"),
        ("huge", "larger than the limit"),
    ],
)
def test_a_document_that_no_launch_could_read_fails(
    tmp_path: Path, ehr: SmartEhr, monkeypatch: pytest.MonkeyPatch, fault: str, seen: str
) -> None:
    status, body = {
        "status-404": (404, b"{}"),
        "status-500": (500, b"{}"),
        "redirect": (302, b"{}"),
        "html": (200, b"<html>"),
        "list": (200, b"[]"),
        "huge": (200, b" " * launchers.MAX_BYTES + b"{}"),
    }[fault]
    sent = ehr._send

    def send(request: Any, code: int, headers: Any, content: bytes) -> None:
        known = "smart-configuration" in request.path
        more = {"Location": f"{ehr.base}/metadata"} if status == 302 else {}
        sent(request, *((status, {**headers, **more}, body) if known else (code, headers, content)))

    monkeypatch.setattr(ehr, "_send", send)
    told = looked_at(tmp_path, ehr)
    (found,) = told.of("smart-launch")
    assert (found["level"], bool(found["fix"]), told.status) == ("fail", True, 1)
    assert seen in found["seen"]


def test_a_client_without_a_smart_client_id_is_skipped(tmp_path: Path, ehr: SmartEhr) -> None:
    file = settings(tmp_path, fhir_bases=[ehr.base], jwks={"keys": [public_key()]})
    assert run("--settings", str(file)).levels("smart-launch", "north") == ["skipped"]
