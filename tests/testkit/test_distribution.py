"""The kit is a distribution of its own: it needs nothing of the product, and the product finds it by entry point."""

from __future__ import annotations

import ast
import configparser
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import click
import pytest

import bonecds_kit
from bonecds_kit import command

KIT = Path(__file__).resolve().parents[1] / "kit"
PROJECT = tomllib.loads((KIT / "pyproject.toml").read_text("utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as hatchling builds it, without network, from a copy."""
    copy = tmp_path_factory.mktemp("kit") / "source"
    shutil.copytree(KIT, copy, ignore=shutil.ignore_patterns("__pycache__", "dist"))
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "out"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (found,) = (copy / "out").glob("*.whl")
    return zipfile.ZipFile(found)


def read(wheel: zipfile.ZipFile, ending: str) -> str:
    (name,) = (name for name in wheel.namelist() if name.endswith(ending))
    return wheel.read(name).decode()


def test_the_wheel_declares_the_command_twice(wheel: zipfile.ZipFile) -> None:
    points = configparser.ConfigParser(delimiters=("=",))
    points.read_string(read(wheel, "entry_points.txt"))
    assert dict(points["bonecds.commands"]) == {"testkit": "bonecds_kit.command:testkit"}
    assert dict(points["console_scripts"]) == {"bonecds-testkit": "bonecds_kit.command:main"}
    assert isinstance(command.testkit, click.Command)
    assert callable(command.main)


def test_the_wheel_holds_every_module_and_the_licence(wheel: zipfile.ZipFile) -> None:
    modules = {path.relative_to(KIT).as_posix() for path in (KIT / "bonecds_kit").rglob("*.py")}
    assert {name for name in wheel.namelist() if ".dist-info/" not in name} == modules
    assert "License-Expression: Apache-2.0" in read(wheel, "METADATA").splitlines()
    assert "Apache License" in read(wheel, "licenses/LICENSE")


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["version"] == bonecds_kit.__version__


def test_the_kit_imports_what_it_declares_and_nothing_of_the_product() -> None:
    named = set()
    for path in (KIT / "bonecds_kit").rglob("*.py"):
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        named |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    foreign = {name.split(".")[0] for name in named} - sys.stdlib_module_names - {"bonecds_kit"}
    assert foreign == {"click", "cryptography", "jwt"}
    assert [each.split(">")[0] for each in PROJECT["dependencies"]] == ["click", "cryptography", "pyjwt[crypto]"]


@pytest.mark.parametrize(("arguments", "status"), [(("-h",), 0), (("http://cds.example.org",), 2)])
def test_on_its_own_it_ends_with_the_same_status(arguments: tuple[str, ...], status: int) -> None:
    program = [sys.executable, "-c", "from bonecds_kit.command import main; main()", *arguments]
    done = subprocess.run(program, cwd=KIT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)
