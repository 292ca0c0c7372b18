"""`make first-card` says how long each step took and shows a card. How long is for people to judge, not for a test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.repository import ROOT

pytestmark = pytest.mark.skipif(
    not (ROOT / ".git").exists() or shutil.which("curl") is None, reason="clones the checkout and calls with curl"
)


def test_with_an_existing_environment_it_times_the_rest_and_shows_the_card(tmp_path: Path) -> None:
    command = [sys.executable, "bench/first_card.py", "--environment", sys.prefix]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    *steps, card = done.stdout.splitlines()
    assert [re.split(r" +\d", line)[0] for line in steps] == ["clone", "start", "first call", "in all"]
    assert card.startswith("first card: Prednisone 10 mg/day since 2025-10-01")
    assert list(tmp_path.iterdir()) == []
