"""Starts `worker.py`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def started(*arguments: object, before: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A process under way."""
    return subprocess.Popen(
        [*before, sys.executable, "-m", "tests.store.worker", *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> list[str]:
    """The lines it wrote, once it has ended well."""
    said, complaints = process.communicate(timeout=120)
    assert process.returncode == 0, complaints
    return said.splitlines()
