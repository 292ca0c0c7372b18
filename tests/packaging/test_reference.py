"""docs/reference/ is what `bonecds docs` writes today. When this fails: run `bonecds docs` and look at what changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli.docs import docs
from tests.packaging.repository import ROOT

pytestmark = pytest.mark.reference


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def test_the_reference_is_current() -> None:
    told = CliRunner().invoke(docs, ["--check"])

    assert told.exit_code == 0, told.stdout


def test_a_stale_a_missing_and_a_superfluous_page_are_named_with_the_command_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"index.md": "new\n", "rules/GC-01.md": "page\n"}
    monkeypatch.setattr("cds_service.cli.docs.pages", lambda book, progress: made)
    (tmp_path / "index.md").write_text("old\n", encoding="utf-8")
    (tmp_path / "gone.md").write_text("<!-- Written by `bonecds docs`: change the rule, its numbers, words or vignettes, "
                                      "then run it again. -->\n", encoding="utf-8")  # fmt: skip
    (tmp_path / "own.md").write_text("Notes of a reviewer\n", encoding="utf-8")

    told = CliRunner().invoke(docs, ["--check", "--out", str(tmp_path)])
    written = CliRunner().invoke(docs, ["--out", str(tmp_path)])
    current = CliRunner().invoke(docs, ["--check", "--out", str(tmp_path)])

    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        f"{tmp_path}/index.md: stale",
        f"{tmp_path}/rules/GC-01.md: missing",
        f"{tmp_path}/gone.md: superfluous",
    ]
    assert f"bonecds docs --out {tmp_path}" in told.stderr
    assert written.exit_code == 0
    assert current.exit_code == 0
    assert (tmp_path / "own.md").is_file()
