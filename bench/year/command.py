"""What the commands of the simulated year are told, and where they tell what they found."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path


def run(
    arguments: Sequence[str] | None, description: str, patients: int, report: Callable[[int, int, int], str]
) -> None:
    """Read the options, report, print and keep it.

    Args:
        arguments: of the command line.
        description: what the command does.
        patients: how many unless told otherwise.
        report: from patients, seed and processes to Markdown.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--patients", type=int, default=patients)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, help="also write the figures to this file")
    asked = parser.parse_args(arguments)
    text = report(asked.patients, asked.seed, asked.processes) + "\n"
    print(text)
    if asked.out:
        asked.out.write_text(text)
