"""House rules that hold for every file, and promises the README makes about the checkout."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.repository import PACKAGES, ROOT, files

MAX_LINES = 400
# Spelled in pieces so that this file does not find itself.
_OWN_MACHINE = re.compile(r"(?<![\w.\-/])/(?:work" + r"|home/\w+|Users/\w+|root)/")
_OWN_INDEX = re.compile(
    r"(?<!emit)-(?:-extra)?-?index"
    + r"-url|PIP_(?:EXTRA_)?INDEX"
    + r"_URL|--trusted"
    + r"-host|https?://\S+/simple"
    + r"\b"
)
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#|mailto:)([^)#\s]+)")


def text_of(path: Path) -> str:
    """The text of a file; nothing for images and other binary files."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def places(pattern: re.Pattern[str]) -> list[str]:
    """file:line of every hit in the checkout."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in files()
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert places(_OWN_MACHINE) == []


def test_no_file_names_a_package_index() -> None:
    """Where packages come from is the user's pip configuration, never ours."""
    assert places(_OWN_INDEX) == []


def test_python_files_stay_readable_in_one_go() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in files(*PACKAGES, "tests", "bench")
        if path.suffix == ".py" and (lines := len(text_of(path).splitlines())) > MAX_LINES
    }

    assert long == {}


def test_links_in_the_documentation_lead_somewhere() -> None:
    pages = [path for path in files() if path.suffix == ".md"]
    dead = [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in pages
        for target in _LINK.findall(text_of(page))
        if not (page.parent / target).exists()
    ]

    assert dead == []


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_of_the_readme_are_make_targets(target: str) -> None:
    """First screen of the README: what it is, these two commands, one card."""
    first_screen = text_of(ROOT / "README.md").splitlines()[:45]
    dry_run = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)

    assert f"make {target}" in "\n".join(first_screen)
    assert dry_run.returncode == 0, dry_run.stderr


def test_make_targets_in_the_documentation_exist() -> None:
    known = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    named = {
        target
        for page in files()
        if page.suffix == ".md"
        for target in re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)", text_of(page))
    }

    assert set() == named - known


def test_ci_runs_the_checks_and_can_be_executed() -> None:
    script = ROOT / ".ci" / "run"

    assert "make test" in text_of(script)
    assert script.stat().st_mode & 0o111
