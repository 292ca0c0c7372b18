"""The acceptance deck beside the checkout: exactly the vignettes listed in docs/acceptance.md are open.

Skipped, with a message, where the deck is absent.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
def test_only_the_listed_vignettes_are_open(encoding: str, tmp_path: Path):
    report = tmp_path / "report.json"
    command = [sys.executable, str(RUNNER), "--encoding", encoding, "--command", str(BONECDS), "--json", str(report)]
    # what is open is open in every encoding: asking once is enough
    asked = ALL if encoding == "a" else ALL - OPEN
    command += ["--only-ids", ",".join(sorted(asked))]
    run = subprocess.run(command, cwd=DECK, capture_output=True, text=True, timeout=300, check=False)
    assert report.is_file(), run.stderr
    results = json.loads(report.read_text("utf-8"))["results"]
    failed = {each["id"]: each["differences"] for each in results if not each["passed"]}
    assert {each["id"] for each in results} == asked
    still = OPEN & asked
    assert set(failed) == still, {name: failed.get(name, "passes now: strike it off") for name in set(failed) ^ still}
