"""A distribution of its own, under its own licence, that the service finds by entry point."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import bonecds_qfracture

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "bonecds_qfracture"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as hatchling builds it, without network, from a copy."""
    copy = tmp_path_factory.mktemp("qfracture") / "source"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "out"]
    built = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (found,) = (copy / "out").glob("*.whl")
    return zipfile.ZipFile(found)


def read(wheel: zipfile.ZipFile, ending: str) -> str:
    (name,) = (name for name in wheel.namelist() if name.endswith(ending))
    return wheel.read(name).decode()


def test_the_wheel_declares_the_model(wheel: zipfile.ZipFile) -> None:
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(read(wheel, "entry_points.txt"))
    assert dict(points["cds_service.risk_models"]) == {"qfracture-2012": "bonecds_qfracture.model:MODEL"}


def test_the_wheel_holds_the_numbers_the_words_and_both_licences(wheel: zipfile.ZipFile) -> None:
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.iterdir() if path.is_file()}
    assert files <= set(wheel.namelist())
    assert "License-Expression: LGPL-3.0-or-later" in read(wheel, "METADATA").splitlines()
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in read(wheel, "licenses/COPYING.LESSER")
    assert "GNU GENERAL PUBLIC LICENSE" in read(wheel, "licenses/COPYING")


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == bonecds_qfracture.__version__


def test_the_equations_need_nothing_but_the_standard_library() -> None:
    tree = ast.parse((PACKAGE / "equations.py").read_text("utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in named} <= sys.stdlib_module_names
