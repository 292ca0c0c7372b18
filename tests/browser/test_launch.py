"""The launch as a browser makes it: from the EHR and back, with its cookie, through two processes of the service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from cds_service.sandbox.patients import patients
from tests.support.served import Served, served
from tests.support.smart_ehr import CLIENT_ID, LAUNCH, SmartEhr

WHO = "gc-very-high-risk-untreated"
# the address of the service is known once its port is
PROGRAM = """
from cds_service.cli.serve import build_app
told = dict({settings})
settings = Settings(**told, public_url=f"http://127.0.0.1:{told['port']}")
serve(settings, partial(build_app, settings))
"""


@pytest.fixture(scope="module")
def ehr() -> Iterator[SmartEhr]:
    held = [entry["resource"] for entry in patients()[WHO].record["entry"]]
    with SmartEhr(held, WHO) as running:
        yield running


@pytest.fixture(scope="module")
def launched(ehr: SmartEhr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    kept = tmp_path_factory.mktemp("kept") / "kept.sqlite3"
    client = {
        "name": "north",
        "issuer": "https://ehr.example.org",
        "jwks_urls": ["https://ehr.example.org/jwks"],
        "fhir_bases": [ehr.base],
        "smart_client_id": CLIENT_ID,
    }
    told = f"workers=2, fetch_ms=10000, database_url='sqlite:///{Path(kept)}', clients=({client!r},)"
    with served(told, PROGRAM) as running:
        yield running


def address(service: Served, ehr: SmartEhr) -> str:
    return f"{service.url}/smart/launch?iss={quote(ehr.base, safe='')}&launch={LAUNCH}"


def test_a_launch_leads_to_the_page_and_leaves_no_cookie(page: Page, launched: Served, ehr: SmartEhr) -> None:
    for _ in range(3):  # whichever process answers
        page.goto(address(launched, ehr))

        expect(page.locator(".advice")).to_contain_text("Very high fracture risk")
        expect(page.locator("figure img")).to_have_count(4)
        assert page.context.cookies() == []
