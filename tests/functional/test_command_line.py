"""`bonecds` as it is installed: a process with a status, and a help that names every command and option."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import click
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


OPTIONS = {
    "explain": "--hook --draft-orders --as-of --profile --only --format",
    "report": "--settings --from --to --client --format --export --with-comments --smallest --out",
    "purge": "--settings --before --only",
    "erase": "--settings --issuer --patient",
    "doctor": "--settings --client --fhir --patient --token-file --token-env --ca-bundle --json",
    "client": "--deck --bundle --fhir --patient --token-file --token-env --hand-over --user --encounter --draft-order --fail"
    " --omit --sign-with --iss --kid --jku --feedback --ca-bundle --timeout --format --out",
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_help_names_every_option(name: str) -> None:
    helped = CliRunner().invoke(main.bonecds, [name, "-h"])
    assert [option for option in OPTIONS[name].split() if f"{option} " not in helped.output] == []


def test_the_help_of_the_client_says_what_is_sent_where() -> None:
    helped = " ".join(CliRunner().invoke(main.bonecds, ["client", "-h"]).output.split())
    assert "What is sent where: to URL, the record you name" in helped
    assert "the access token only with --hand-over" in helped


COMMANDS = ["serve", "doctor", "client", "explain", "check", "docs", "impact", "sign", "export", "import-terminology"]


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


# --- commands of other distributions ---------------------------------------------------------------------------------


@click.command()
@click.pass_context
def elsewhere(ctx: Context) -> None:
    """Come from another distribution."""
    click.echo("from elsewhere")
    ctx.exit(1)


def declared(monkeypatch: pytest.MonkeyPatch, **commands: str) -> None:
    """Have these names declared as commands by installed distributions."""
    points = [EntryPoint(name, value, main.GROUP) for name, value in commands.items()]
    monkeypatch.setattr(main, "entry_points", lambda group: EntryPoints(points).select(group=group))


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The status with which `bonecds` ends."""
    monkeypatch.setattr(sys, "argv", ["bonecds", *arguments])
    with pytest.raises(SystemExit) as end:
        main.main()
    return end.value.code


def test_a_command_of_another_distribution_is_listed_and_run_and_its_status_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declared(monkeypatch, testkit=f"{__name__}:elsewhere")
    assert ended(monkeypatch, "testkit") == 1
    assert capsys.readouterr().out == "from elsewhere\n"
    assert "\n  testkit " in CliRunner().invoke(main.bonecds, ["-h"]).output


def test_no_distribution_replaces_a_command_of_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    declared(monkeypatch, serve="absent_package:serve")
    helped = CliRunner().invoke(main.bonecds, ["-h"]).output
    assert helped.count("\n  serve ") == 1
    assert CliRunner().invoke(main.bonecds, ["serve", "-h"]).exit_code == 0


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("absent_package:command", "cannot be loaded: ModuleNotFoundError"),
        ("json:absent", "cannot be loaded: AttributeError"),
        ("json:dumps", "is not a command"),
    ],
)
def test_a_command_that_cannot_be_loaded_is_one_clear_line(
    value: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declared(monkeypatch, broken=value)
    assert ended(monkeypatch, "broken") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_the_kit_says_how_to_install_it_where_it_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    declared(monkeypatch)
    assert ended(monkeypatch, "testkit", "http://127.0.0.1:8080") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(
        "bonecds: testkit is not installed; it comes in the distribution bonecds-testkit: pip install"
    )
