"""`bonecds sign`: a signature on a rule as it is, in the release or in a site's own file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cds_service.cli.sign import sign
from cds_service.clinical import basis, content
from cds_service.clinical.clinic import CLINIC
from cds_service.kernel.errors import InputError
from cds_service.kernel.rules import Status
from hooks.patient_view import SERVICE

RULE = next(rule for rule in SERVICE.rules if rule.id == "GC-01")
PREVIEW = next(rule for rule in SERVICE.rules if rule.status is Status.PREVIEW)
WHO = ("--reviewer", 'Dr "A" Clinician', "--role", "consultant", "--on", "2026-06-01")


def run(*arguments: str) -> Result:
    """The command; what it raises goes on."""
    return CliRunner().invoke(sign, arguments, catch_exceptions=False)


def test_a_site_signs_in_its_own_file(tmp_path: Path) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text('base = "us"\nunsigned = false\n', "utf-8")
    assert run("GC-01", *WHO, "--note", "with local protocol", "--site", str(file)).exit_code == 0
    made = CLINIC.site(file.read_text("utf-8"), str(file))
    (signature,) = made.signatures
    assert (signature.reviewer, signature.note) == ('Dr "A" Clinician', "with local protocol")
    assert signature.content == basis.content_hash(RULE)
    assert CLINIC.signed(RULE, made)


def test_the_release_is_signed_beside_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "reviews").mkdir()
    monkeypatch.setattr(content, "__file__", str(tmp_path / "content.py"))
    assert run("GC-01", *WHO).exit_code == 0
    assert f'content = "{basis.content_hash(RULE)}"' in (tmp_path / "reviews" / "GC-01.toml").read_text("utf-8")


def test_a_rule_whose_source_nobody_read_cannot_be_signed() -> None:
    with pytest.raises(InputError, match="is a preview rule: its wording was not read in the source"):
        run(PREVIEW.id, *WHO)


def test_a_rule_that_does_not_exist_cannot_be_signed() -> None:
    with pytest.raises(InputError, match="there is no rule 'GC-99'"):
        run("GC-99", *WHO)


def test_a_site_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the site file cannot be written: FileNotFoundError"):
        run("GC-01", *WHO, "--site", str(tmp_path / "gone" / "clinic.toml"))
