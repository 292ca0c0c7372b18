"""Dockerfile and docker-compose.yml as the tests read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from tests.packaging.repository import ROOT


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of a Dockerfile.

    Attributes:
        stage: number of the stage, from 1; 0 before the first FROM.
        word: FROM, RUN and so on.
        rest: what follows, on one line.
    """

    stage: int
    word: str
    rest: str


def instructions() -> list[Instruction]:
    """The instructions of the Dockerfile; comments gone, continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    found: list[Instruction] = []
    stage = 0
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, rest = line.split(maxsplit=1)
            stage += word == "FROM"
            found.append(Instruction(stage, word, rest.strip()))
    return found


def compose() -> dict[str, Any]:
    """docker-compose.yml, its anchors and merges resolved."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return read
