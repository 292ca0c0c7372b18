"""What is installed is what was reviewed: the wheel holds both packages with their data, and nothing else."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.packaging.repository import PACKAGES, ROOT, files

DATA = {".csv", ".toml", ".json"}
# hatchling leaves out what git ignores, so .gitignore belongs to the build.
LOOSE = [ROOT / name for name in (".gitignore", "pyproject.toml", "README.md", "LICENSE")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as hatchling builds it, without network, from a copy of the checkout."""
    copy = tmp_path_factory.mktemp("checkout")
    for path in [
        *files(*PACKAGES, "fixtures", "tests"),
        ROOT / "pyproject.toml",
        ROOT / "README.md",
        ROOT / "LICENSE",
    ]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "out"]
    built = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (found,) = (copy / "out").glob("*.whl")
    return zipfile.ZipFile(found)


def test_wheel_holds_every_file_of_both_packages(wheel: zipfile.ZipFile) -> None:
    """A rule book without its numbers, codes or words must not be installable."""
    expected = {path.relative_to(ROOT).as_posix() for path in files(*PACKAGES)}
    scenarios = ROOT / "fixtures" / "scenarios"
    expected |= {
        f"cds_service/sandbox/scenarios/{path.relative_to(scenarios).as_posix()}"
        for path in files("fixtures/scenarios")
    }
    in_packages = {name for name in wheel.namelist() if name.startswith(PACKAGES)}

    assert expected == in_packages


@pytest.mark.parametrize("ending", sorted(DATA))
def test_wheel_holds_data_of_each_kind(wheel: zipfile.ZipFile, ending: str) -> None:
    assert [name for name in wheel.namelist() if Path(name).suffix == ending]


def test_wheel_holds_nothing_but_the_two_packages(wheel: zipfile.ZipFile) -> None:
    """PyPI has a package `fixtures`; ours is data and must never be importable."""
    tops = {name.split("/")[0] for name in wheel.namelist()}

    assert {*PACKAGES} == {top for top in tops if not top.endswith(".dist-info")}


def test_wheel_names_the_command_and_the_services(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    entry_points = configparser.ConfigParser(delimiters=("=",))
    entry_points.read_string(wheel.read(name).decode())

    assert entry_points["console_scripts"]["bonecds"] == "cds_service.cli.main:main"
    assert entry_points["cds_service.services"]["bone-health-patient-view"] == "hooks.patient_view:SERVICE"


def test_wheel_states_its_licence(wheel: zipfile.ZipFile) -> None:
    (metadata,) = (wheel.read(name).decode() for name in wheel.namelist() if name.endswith("METADATA"))

    assert "License-Expression: Apache-2.0" in metadata.splitlines()
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in wheel.namelist())


def test_hooks_is_a_regular_package() -> None:
    """A namespace package would lose against any other `hooks` on the path."""
    assert (ROOT / "hooks" / "__init__.py").is_file()


def test_version_is_the_same_everywhere() -> None:
    import cds_service

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == cds_service.__version__
