"""What several tests of the commands share."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cli.compose import build_app
from cds_service.sandbox.patients import patients
from cds_service.web.settings import Settings
from tests.support.exported import Json, run
from tests.support.golden import AS_OF
from tests.support.launches import JWKS, PUBLIC, WHO
from tests.support.smart_ehr import CLIENT_ID, SmartEhr


@pytest.fixture(scope="session")
def export_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of what is installed."""
    out = tmp_path_factory.mktemp("export") / "fhir"
    assert run(str(out)).exit_code == 0
    return out


@pytest.fixture(scope="session")
def exported(export_folder: Path) -> Mapping[str, Json]:
    """Every artifact by its canonical address, the index included."""
    read = [json.loads(file.read_text("utf-8")) for file in sorted(export_folder.iterdir())]
    return {each["url"]: each for each in read}


# --- launches ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def ehr() -> Iterator[SmartEhr]:
    held = [entry["resource"] for entry in patients()[WHO].record["entry"]]
    with SmartEhr(held, WHO) as running:
        yield running


@pytest.fixture
def opened(ehr: SmartEhr, tmp_path: Path) -> Callable[..., FlaskClient]:
    def open_service(public: str = PUBLIC, **more: Any) -> FlaskClient:
        client = {"name": "north", "issuer": "https://ehr.example.org", "fhir_bases": [ehr.base], **JWKS}
        settings = Settings(
            public_url=public,
            clients=({**client, "smart_client_id": CLIENT_ID, **more},),
            database_url=f"sqlite:///{tmp_path}/kept.sqlite3",
            as_of=AS_OF,
            profile="us",
            fetch_ms=10_000,
        )
        return build_app(settings).test_client()

    return open_service


@pytest.fixture
def visitor(opened: Callable[..., FlaskClient]) -> FlaskClient:
    return opened()
