"""`bonecds impact`: which patients get another answer between two versions, told by rule."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli.impact import impact_command
from cds_service.kernel.errors import InputError
from cds_service.review.impact import Change, as_text, impact
from tests.packaging.repository import ROOT


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it is, and one in which long-term use begins at 5 mg a day; with a few vignettes, to be quick."""
    root = tmp_path_factory.mktemp("versions")
    for name in ("now", "then"):
        for package in ("cds_service", "hooks"):
            shutil.copytree(ROOT / package, root / name / package, ignore=shutil.ignore_patterns("__pycache__"))
        (root / name / "tests" / "vignettes").mkdir(parents=True)
        shutil.copy(ROOT / "tests" / "vignettes" / "GC-13.toml", root / name / "tests" / "vignettes")
        shutil.copytree(
            ROOT / "fixtures" / "scenarios" / "gc-assessment-due", root / name / "fixtures" / "scenarios" / "a"
        )
    file = root / "then" / "cds_service" / "clinical" / "guidelines" / "acr2022.toml"
    changed = file.read_text("utf-8").replace("value = 24, source", "value = 30, source")
    file.write_text(changed, "utf-8")
    return root


def test_patients_who_get_another_answer_are_listed_with_verdicts_and_cards(two_versions: Path) -> None:
    asked, changes = impact("then", "now", two_versions)
    moved = {each.patient: each.verdicts.get("GC-13") for each in changes}
    assert asked > len(changes) > 0
    assert ("satisfied", "recommend") in moved.values()
    assert all(each.cards for each in changes if ("GC-13" in each.verdicts))


def test_the_same_version_twice_changes_nothing(two_versions: Path) -> None:
    assert impact("now", "now", two_versions)[1] == ()


def test_a_version_that_does_not_run_is_said(two_versions: Path) -> None:
    broken = two_versions / "broken"
    shutil.copytree(two_versions / "now", broken)
    (broken / "cds_service" / "engine" / "answer.py").write_text("raise RuntimeError('half a file')", "utf-8")
    with pytest.raises(InputError, match="this version does not run: RuntimeError: half a file"):
        impact("broken", "now", two_versions)


def test_neither_a_folder_nor_a_revision(two_versions: Path) -> None:
    with pytest.raises(InputError, match="'nope' is neither a folder with cds_service/ nor a revision"):
        impact("nope", "now", two_versions)


def test_the_command_gives_the_changelog_entry_as_text_and_as_json(
    two_versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(two_versions)
    text = CliRunner().invoke(impact_command, ["then", "now"])
    told = CliRunner().invoke(impact_command, ["then", "now", "--format", "json"])
    assert "GC-13: satisfied -> recommend" in text.stdout
    assert {each["patient"] for each in json.loads(told.stdout)["changes"]} >= {
        line.removeprefix("  - ") for line in text.stdout.splitlines() if line.startswith("  - GC-13")
    }


def test_what_only_one_version_can_answer_is_said_and_not_guessed() -> None:
    changes = (
        Change("A", {"GC-01": ("", "recommend")}, (("old card",), ("new card",))),
        Change("B", {}, (("same",), ("same",))),
        Change("C", {}, None, "before: KeyError: 'x'"),
    )
    assert list(as_text(9, changes)) == [
        "3 of 9 patients get another answer.",
        "",
        "GC-01: no such rule -> recommend (1)",
        "  - A",
        "",
        "Cards that read differently (2)",
        "  - A",
        "      - old card",
        "      + new card",
        "  - B",
        "      the detail changed",
        "  ! C: before: KeyError: 'x'",
    ]
