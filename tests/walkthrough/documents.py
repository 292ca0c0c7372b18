"""The documents that people read, their fenced blocks and the shell lines in them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from tests.packaging.repository import ROOT, files

_FENCE = re.compile(r" *```(\S*)\s*")
_COMMENT = re.compile(r"(?:^|\s+)#\s.*$")
# written by `bonecds docs`, without a line to type
_GENERATED = "docs/reference/"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        document: path of the file in the checkout.
        number: line at which it begins, from 1.
        language: the word behind the fence, or empty.
        lines: what stands in it.
    """

    document: str
    number: int
    language: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """What is typed at once: one line, or several that belong together.

    Attributes:
        document: path of the file in the checkout.
        number: line at which it begins, from 1.
        text: without comments; continuations joined, the lines of a loop as they stand.
    """

    document: str
    number: int
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.number}: {self.text}"


def documents() -> list[str]:
    """Every Markdown file but the generated reference."""
    found = (path.relative_to(ROOT).as_posix() for path in files() if path.suffix == ".md")
    return [name for name in found if not name.startswith(_GENERATED)]


def blocks(document: str) -> Iterator[Block]:
    """The fenced blocks of a document."""
    start, language, held = 0, "", []
    for number, line in enumerate((ROOT / document).read_text("utf-8").splitlines(), 1):
        fence = _FENCE.fullmatch(line)
        if fence and start:
            yield Block(document, start, language, tuple(held))
            start = 0
        elif fence:
            start, language, held = number, fence[1], []
        else:
            held.append(line)
    assert not start, f"{document}:{start}: the block has no end"


def shell_lines(document: str) -> list[Line]:
    """Every line of every shell block of a document."""
    return [line for block in blocks(document) if block.language == "sh" for line in typed(block)]


def with_shell_lines() -> list[str]:
    """The documents that have any."""
    return [name for name in documents() if any(block.language == "sh" for block in blocks(name))]


def typed(block: Block) -> Iterator[Line]:
    """What is typed at once, in the order of the block."""
    held: list[str] = []
    number = 0
    for at, line in enumerate(block.lines, block.number + 1):
        bare = _COMMENT.sub("", line).rstrip()
        if not bare:
            continue
        number = number if held else at
        if held and held[-1].endswith("\\"):
            held[-1] = f"{held[-1][:-1].rstrip()} {bare.strip()}"
        else:
            held.append(bare.strip() if not held else bare)
        if _whole("\n".join(held)):
            yield Line(block.document, number, "\n".join(held))
            held = []
    assert not held, f"{block.document}:{number}: the shell waits for more"


def _whole(text: str) -> bool:
    """Whether the shell would run it, or wait for the rest of it."""
    if text.endswith("\\"):
        return False
    return subprocess.run(["sh", "-n", "-c", text], capture_output=True, check=False).returncode == 0
