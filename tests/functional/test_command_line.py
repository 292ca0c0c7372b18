"""`bonecds` as it is installed: a process with a status, and a help that names every command and option."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

from cds_service.cli import main
from tests.support.golden import FOLDER

DAY = "2026-06-15"


def console(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).with_name("bonecds")
    return subprocess.run([script, "explain", *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_the_installed_command_answers_with_status_0_and_nothing_on_stderr() -> None:
    folder = FOLDER / "gc-very-high-risk-untreated"
    done = console(str(folder / "bundle.json"), "--as-of", DAY, "--format", "json")
    summaries = [card["summary"] for card in json.loads((folder / "cards.json").read_text("utf-8"))["cards"]]
    assert (done.returncode, done.stderr) == (0, "")
    assert [card["summary"] for card in json.loads(done.stdout)["cards"]] == summaries


def test_the_installed_command_refuses_with_status_2_and_no_traceback(tmp_path: Path) -> None:
    done = console(str(tmp_path / "absent.json"))
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "bonecds: the file cannot be read: FileNotFoundError (at absent.json).\n",
    )


def test_the_help_names_every_option() -> None:
    helped = CliRunner().invoke(main.bonecds, ["explain", "-h"])
    options = ["--hook", "--draft-orders", "--as-of", "--profile", "--only", "--format"]
    assert [option for option in options if option not in helped.output] == []


COMMANDS = ["serve", "explain", "check", "docs", "impact", "sign", "export", "import-terminology"]


def test_the_help_names_every_command_in_the_order_of_use() -> None:
    helped = CliRunner().invoke(main.bonecds, ["-h"])
    places = [helped.output.find(f"\n  {name} ") for name in COMMANDS]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_help_of_its_own(name: str) -> None:
    helped = CliRunner().invoke(main.bonecds, [name, "-h"])
    assert helped.exit_code == 0
    assert helped.output.startswith(f"Usage: bonecds {name} ")


def test_a_command_used_by_itself_first_still_knows_h_in_the_group() -> None:
    """click keeps the help option of a command from its first use."""
    assert CliRunner().invoke(main.bonecds.get_command(Context(main.bonecds), "sign"), ["-h"]).exit_code == 0
    assert CliRunner().invoke(main.bonecds, ["sign", "-h"]).exit_code == 0


def test_a_command_that_does_not_exist_is_refused() -> None:
    assert "No such command 'explainer'" in CliRunner().invoke(main.bonecds, ["explainer"]).output
