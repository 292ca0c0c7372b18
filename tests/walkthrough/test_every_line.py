"""Every shell line of every document works as it is written, or is listed in lines.toml with what tries it instead."""

from __future__ import annotations

import re

import pytest

from tests.packaging.repository import ROOT
from tests.walkthrough import documents
from tests.walkthrough.checkout import SERVER, Checkout
from tests.walkthrough.conftest import TABLE
from tests.walkthrough.documents import Line

NOT_RUN: dict[str, dict[str, str]] = {entry["line"]: entry for entry in TABLE["not_run"]}


@pytest.mark.parametrize("document", documents.with_shell_lines())
def test_the_shell_lines_of_a_document_work_as_they_are_written(
    copy: Checkout, demo: str, fhir: str, document: str
) -> None:
    wrong = [
        f"{line}\n{said}"
        for line in documents.shell_lines(document)
        if (said := _tried(copy, demo, fhir, line)) is not None
    ]

    assert not wrong, "\n\n".join(wrong)


def _tried(copy: Checkout, demo: str, fhir: str, line: Line) -> str | None:
    """What went wrong, or `None`."""
    text = line.text
    if text in NOT_RUN and not text.startswith("make "):
        return None
    if text == "make demo":
        return None  # is running
    if SERVER.fullmatch(text):
        with copy.running(text):
            return None
    if text in NOT_RUN:
        text = text.replace("make ", "make --dry-run ", 1)
    done = copy.type(text, demo, SERVER=fhir)
    failed = done.status != 0 or "refused: " in done.output
    return f"status {done.status}\n{done.output}" if failed else None


def test_every_line_that_is_not_run_stands_in_a_document_once_in_the_table_and_says_why() -> None:
    written = {line.text for name in documents.with_shell_lines() for line in documents.shell_lines(name)}

    assert set(NOT_RUN) - written == set()
    assert len(NOT_RUN) == len(TABLE["not_run"])
    assert all(entry["why"] for entry in NOT_RUN.values())


def test_what_tries_such_a_line_instead_is_there() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    makefile = (ROOT / "Makefile").read_text("utf-8")
    parts = re.search(r"^test: ([\w -]+?) *##", makefile, re.MULTILINE)
    run = {*re.findall(r"^(?:if )?make ([\w-]+)", ci, re.MULTILINE), *(parts[1].split() if parts else ())}
    for entry in NOT_RUN.values():
        if entry["by"] == "ci":
            targets = [word for word in re.sub(r"=(\"[^\"]*\"|\S+)", "", entry["line"]).split()[1:] if word.islower()]
            assert targets, entry["line"]
            assert set(targets) <= run, entry["line"]
        elif entry["by"] != "nobody":
            assert (ROOT / entry["by"]).is_file(), entry["line"]


def test_files_put_in_place_are_named_by_a_document() -> None:
    written = "\n".join(line.text for name in documents.with_shell_lines() for line in documents.shell_lines(name))

    assert [name for name in TABLE["files"] if name not in written] == []


@pytest.mark.parametrize("document", documents.documents())
def test_every_fenced_block_says_what_it_holds(document: str) -> None:
    assert [f"{document}:{block.number}" for block in documents.blocks(document) if not block.language] == []


@pytest.mark.parametrize("document", documents.documents())
def test_what_is_typed_stands_in_a_shell_block(document: str) -> None:
    """Under another word nothing would try it."""
    commands = re.compile(r"(?:\$ |[A-Z_]+=\S+ )*(?:make|curl|pip|docker|python3?|(?:\.venv/bin/)?bonecds\S*) ")
    hidden = [
        f"{document}:{block.number}: {line}"
        for block in documents.blocks(document)
        if block.language != "sh"
        for line in block.lines
        if commands.match(line)
    ]

    assert hidden == []


def test_lines_that_belong_together_are_typed_together() -> None:
    block = documents.Block(
        "x.md", 1, "sh", ("# first", "a \\", "  --b   # why", "", "for x in 1 2; do", "  echo $x", "done", "c '# d'")
    )

    assert [(line.number, line.text) for line in documents.typed(block)] == [
        (3, "a --b"),
        (6, "for x in 1 2; do\n  echo $x\ndone"),
        (9, "c '# d'"),
    ]


def test_a_line_that_fails_is_reported_with_its_place_and_output(copy: Checkout, demo: str, fhir: str) -> None:
    said = _tried(copy, demo, fhir, Line("x.md", 1, "echo told; false"))

    assert said == "status 1\ntold\n"
