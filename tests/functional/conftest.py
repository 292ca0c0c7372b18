"""What several tests of the commands share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.exported import Json, run


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
