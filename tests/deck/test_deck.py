"""The acceptance deck beside the checkout: exactly the vignettes listed in docs/acceptance.md are open.

Skipped, with a message, where the deck is absent.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from cds_service.cli.main import bonecds

ROOT = Path(__file__).resolve().parents[2]
DECK = ROOT.parent / "shared" / "deck"
RUNNER = DECK / "run_deck.py"
BONECDS = Path(sys.executable).parent / "bonecds"
PAGE = (ROOT / "docs" / "acceptance.md").read_text("utf-8")
ALL = (
    frozenset(re.findall(r"\{id: (V\d+)", (DECK / "vignettes.yaml").read_text("utf-8")))
    if RUNNER.is_file()
    else frozenset()
)
OPEN = frozenset(re.findall(r"^\| (V\d+) \|", PAGE, re.MULTILINE))

pytestmark = pytest.mark.skipif(not RUNNER.is_file(), reason="the acceptance deck is not beside the checkout")


@pytest.mark.parametrize("encoding", ["a", "b", "c"])
def test_only_the_listed_vignettes_are_open(encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    # what is open is open in every encoding: asking once is enough
    asked = ALL if encoding == "a" else ALL - OPEN
    failed = _failed(_in_this_process(_options(encoding, asked, tmp_path), monkeypatch), asked)
    still = OPEN & asked
    assert set(failed) == still, {name: failed.get(name, "passes now: strike it off") for name in set(failed) ^ still}


def test_the_installed_command_passes_where_it_is_asked(tmp_path: Path):
    """One in twelve, each with a Python of its own; `make deck` does so with all."""
    asked = frozenset(sorted(ALL - OPEN)[::12])
    options = _options("a", asked, tmp_path)
    run = subprocess.run([sys.executable, str(RUNNER), *options], cwd=DECK, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    assert _failed(tmp_path / "report.json", asked) == {}


def _options(encoding: str, asked: frozenset[str], folder: Path) -> list[str]:
    return [
        *("--encoding", encoding),
        *("--command", str(BONECDS)),
        *("--json", str(folder / "report.json")),
        *("--only-ids", ",".join(sorted(asked))),
    ]


def _failed(report: Path, asked: frozenset[str]) -> dict[str, object]:
    results = json.loads(report.read_text("utf-8"))["results"]
    assert {each["id"] for each in results} == asked
    return {each["id"]: each["differences"] for each in results if not each["passed"]}


def _in_this_process(options: list[str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same runner and the same command, without a new Python for each vignette; where the report is."""
    monkeypatch.chdir(DECK)
    monkeypatch.syspath_prepend(str(DECK))
    runner = importlib.import_module("run_deck")

    def run(call: Sequence[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert call[0] == str(BONECDS)
        done = CliRunner().invoke(bonecds, call[1:])
        return subprocess.CompletedProcess(call, done.exit_code, done.stdout, done.stderr)

    monkeypatch.setattr(runner, "subprocess", SimpleNamespace(run=run, TimeoutExpired=subprocess.TimeoutExpired))
    runner.main([*options, "--jobs", "1"])  # what a command prints is caught for the whole process
    return Path(options[options.index("--json") + 1])
