"""`make audit` never takes silence for an answer. The reports here are those of pip-audit 2.10, shortened."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.supply_chain import audit

CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
HOLE = {
    "name": "jinja2",
    "version": "3.1.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["3.1.6"], "aliases": [], "description": ""}],
}
NOT_ASKED = {"name": "click", "skip_reason": "Dependency not found on PyPI and could not be audited: click (8.5.1)"}


def test_i2_every_package_looked_up_and_nothing_found() -> None:
    assert audit.verdict({"dependencies": [CLEAN]}, 1) == (
        audit.FINE,
        ["1 packages looked up, no known vulnerability."],
    )


def test_a_vulnerability_is_named_with_the_version_that_helps() -> None:
    status, lines = audit.verdict({"dependencies": [CLEAN, HOLE]}, 2)

    assert status == audit.VULNERABLE
    assert lines == ["VULNERABLE jinja2 3.1.0: PYSEC-2026-1, fixed in 3.1.6"]


def test_i2_one_package_that_was_skipped_is_no_success() -> None:
    status, lines = audit.verdict({"dependencies": [CLEAN, NOT_ASKED]}, 2)

    assert status == audit.COULD_NOT_LOOK
    assert lines[0] == "COULD NOT LOOK: 1 of 2 packages. Nothing is known about them."
    assert "click" in lines[1]


def test_a_package_missing_from_the_report_is_no_success() -> None:
    assert audit.verdict({"dependencies": [CLEAN]}, 2)[0] == audit.COULD_NOT_LOOK


def test_nothing_locked_is_no_success() -> None:
    assert audit.verdict({"dependencies": []}, 0)[0] == audit.COULD_NOT_LOOK


def test_i2_what_was_found_fails_although_others_were_skipped() -> None:
    assert audit.verdict({"dependencies": [HOLE, NOT_ASKED]}, 2)[0] == audit.VULNERABLE


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in place of pip-audit that prints what `answer` holds, in a folder with a lock file of one package."""
    (tmp_path / audit.LOCK).write_text("flask==3.1.3 \\\n    --hash=sha256:00\n    # via bonecds\n", encoding="utf-8")
    program = tmp_path / "pip-audit"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib\nprint(pathlib.Path('answer').read_text())\n", encoding="utf-8"
    )
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    return program


@pytest.mark.parametrize(
    ("answer", "look", "expected"),
    [
        pytest.param({"dependencies": [CLEAN]}, "required", 0, id="clean"),
        pytest.param({"dependencies": [NOT_ASKED]}, "required", 3, id="not looked up"),
        pytest.param({"dependencies": [NOT_ASKED]}, "wanted", 0, id="not looked up, and allowed"),
        pytest.param({"dependencies": [HOLE]}, "wanted", 1, id="found, and never allowed"),
        pytest.param("no JSON", "required", 3, id="pip-audit broke down"),
    ],
)
def test_exit_status(stub: Path, answer: object, look: str, expected: int) -> None:
    Path("answer").write_text(answer if isinstance(answer, str) else json.dumps(answer), encoding="utf-8")

    assert audit.main([str(stub), "--look", look]) == expected


def test_going_on_without_an_audit_is_said_aloud(stub: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("answer").write_text(json.dumps({"dependencies": [NOT_ASKED]}), encoding="utf-8")

    audit.main([str(stub), "--look", "wanted"])

    said = capsys.readouterr().out
    assert "COULD NOT LOOK: 1 of 1 packages" in said
    assert "this was NOT an audit" in said
    assert "no known" not in said.lower()
