"""`bonecds export`: everything is there, the same content gives the same bytes, valid FHIR R4 under two validators."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import Result
from fhir.resources.R4B import get_fhir_model_class

from cds_service.cli import main
from cds_service.cli.export import INDEX
from cds_service.clinical.rules import RULES as DECLARED
from cds_service.clinical.terminology import terminology
from cds_service.kernel.errors import InputError
from tests.packaging.repository import ROOT
from tests.support.exported import BASE, RULES, TITLES, Json, artifact, run, strings

VALIDATORS = ROOT / "tests" / "validators"


# --- everything is there ------------------------------------------------------------------------------------------------
def test_every_concept_rule_and_order_is_exported(exported: Mapping[str, Json]) -> None:
    wanted = {f"{BASE}ValueSet/{name.replace('_', '-')}" for name in terminology().names()}
    wanted |= {f"{BASE}{kind}/{ident}" for kind in ("PlanDefinition", "Library") for ident in RULES}
    wanted |= {f"{BASE}ActivityDefinition/{key}" for key in TITLES}

    assert sorted(wanted - set(exported)) == []
    assert {rule.id for rule in DECLARED} <= set(RULES)


def test_the_index_names_every_artifact_and_its_version(export_folder: Path, exported: Mapping[str, Json]) -> None:
    index = json.loads((export_folder / INDEX).read_text("utf-8"))
    named = [each["resource"] for each in index["relatedArtifact"]]
    others = [each for url, each in exported.items() if url != index["url"]]

    assert sorted(named) == sorted(f"{each['url']}|{each['version']}" for each in others)
    assert len(others) == len(list(export_folder.iterdir())) - 1


def test_what_artifacts_refer_to_is_exported(exported: Mapping[str, Json]) -> None:
    ours = [text.split("|") for each in exported.values() for text in strings(each) if text.startswith(BASE)]

    assert [each for each in ours if each[0] not in exported] == []
    assert [each for each in ours if each[1:] not in ([], [exported[each[0]]["version"]])] == []


# --- the command --------------------------------------------------------------------------------------------------------
def _bytes(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A second export, into a folder with an old index and a file of somebody else's, and what the command said."""
    out = tmp_path_factory.mktemp("again")
    (out / "notes.txt").write_text("mine")
    (out / INDEX).write_text("old")
    return out, run(str(out), "--force")


def test_s6_the_same_content_gives_the_same_bytes(export_folder: Path, again: tuple[Path, Result]) -> None:
    assert _bytes(again[0]) == {**_bytes(export_folder), "notes.txt": b"mine"}


def test_progress_is_told_apart_from_the_result(again: tuple[Path, Result]) -> None:
    _, result = again

    assert result.stderr.splitlines()[0] == "writing ValueSet ..."
    assert re.fullmatch(
        r".*: \d+ artifacts \(\d+ ActivityDefinition, .*\) and index.json, rule set \S+\n", result.stdout
    )


def test_a_folder_with_something_in_it_is_refused_unless_forced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr("sys.argv", ["bonecds", "export", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        main.main()

    assert left.value.code == 2
    assert re.fullmatch(r"bonecds: .*the folder is not empty.*--force\.\n", capsys.readouterr().err)
    assert _bytes(tmp_path) == {"notes.txt": b"mine"}


def test_a_file_in_the_place_of_the_folder_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError, match="the folder cannot be used"):
        run(str(file))


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    first = min(terminology().names()).replace("_", "-")
    (tmp_path / f"ValueSet-{first}.json").mkdir()
    with pytest.raises(InputError, match=rf"the file cannot be written.*ValueSet-{first}\.json"):
        run(str(tmp_path), "--force")


# --- validity -----------------------------------------------------------------------------------------------------------
def test_every_artifact_is_valid_for_fhir_resources(exported: Mapping[str, Json]) -> None:
    for each in exported.values():
        get_fhir_model_class(each["resourceType"]).model_validate(each)
        assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", each["id"])
        assert re.fullmatch(r"[A-Z][A-Za-z0-9_]{0,254}", each["name"])


def _medplum(*files: Path) -> subprocess.CompletedProcess[str]:
    """The second validator on those files; skips where it is not installed."""
    node = shutil.which("node")
    if not node or not (VALIDATORS / "node_modules" / "@medplum" / "core").is_dir():
        absent = "tests/validators/node_modules is not there" if node else "node was not found"
        pytest.skip(f"SECOND FHIR VALIDATOR NOT RUN: {absent} (`make validators` installs it, with npm)")
    command = [node, str(VALIDATORS / "validate.mjs"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_every_artifact_is_valid_for_medplum(export_folder: Path) -> None:
    files = sorted(export_folder.iterdir())
    result = _medplum(*files)

    assert result.stdout == f"{len(files)} resources, 0 errors\n", result.stdout + result.stderr
    assert result.returncode == 0


def test_the_second_validator_finds_what_the_first_leaves_out(exported: Mapping[str, Json], tmp_path: Path) -> None:
    """A code outside a required binding, deep inside, and a broken invariant."""
    plan = json.loads(json.dumps(artifact(exported, "PlanDefinition", "GC-01")))
    plan["action"][0]["condition"][0]["kind"] = "sometimes"
    value_set = json.loads(json.dumps(artifact(exported, "ValueSet", "ms.condition")))
    value_set["compose"]["include"][0]["filter"] = [{"property": "concept", "op": "is-a", "value": "24700007"}]
    for each in (plan, value_set):
        get_fhir_model_class(each["resourceType"]).model_validate(each)
        (tmp_path / f"{each['id']}.json").write_text(json.dumps(each), "utf-8")
    result = _medplum(*sorted(tmp_path.iterdir()))

    assert result.returncode == 1
    assert "PlanDefinition.action.condition.kind: no such code: sometimes" in result.stdout
    assert "Constraint vsd-3 not met" in result.stdout
    assert "2 resources, 2 errors" in result.stdout


def test_the_lock_file_of_the_validators_names_no_host() -> None:
    """Packages are named by version and hash; where they come from is the user's configuration."""
    text = (VALIDATORS / "package-lock.json").read_text("utf-8")
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}

    assert "://" not in text
    assert [name for name, each in packages.items() if not each["integrity"].startswith("sha512-")] == []
