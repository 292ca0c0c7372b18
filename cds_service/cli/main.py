"""`bonecds`: every command, each loaded when it is asked for."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click

from cds_service import __version__
from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import BoneCdsError, ContentError

# name: module and attribute. `explain` in a loop over many charts must not pay for the web server or the reference pages.
_COMMANDS = {
    "serve": ("serve", "serve"),
    "doctor": ("doctor", "doctor"),
    "client": ("client", "client"),
    "watch": ("watch", "watch"),
    "canary": ("canary", "canary"),
    "explain": ("explain", "explain"),
    "check": ("check", "check"),
    "docs": ("docs", "docs"),
    "impact": ("impact", "impact_command"),
    "sign": ("sign", "sign"),
    "export": ("export", "export"),
    "report": ("report", "report"),
    "purge": ("retention", "purge"),
    "erase": ("retention", "erase"),
    "import-terminology": ("import_terminology", "import_terminology"),
}
# Where other distributions declare commands. What stands above is never replaced by one of them.
GROUP = "bonecds.commands"
_ELSEWHERE = {
    "testkit": "it comes in the distribution bonecds-testkit: pip install ./tests/kit in a checkout, then again"
}


class _Commands(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of use; those of other distributions behind them."""
        return [*_COMMANDS, *(name for name in _installed() if name not in _COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name.

        Raises:
            UsageError: its distribution is known, and not installed.
            ContentError: its distribution is installed, and the command cannot be loaded.
        """
        if cmd_name not in _COMMANDS:
            return _from_elsewhere(cmd_name)
        module, attribute = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"cds_service.cli.{module}"), attribute)
        return command


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda each: each.name)}


def _from_elsewhere(name: str) -> click.Command | None:
    point = _installed().get(name)
    if point is None:
        if name in _ELSEWHERE:
            raise click.UsageError(f"{name} is not installed; {_ELSEWHERE[name]}.")
        return None
    try:
        command = point.load()
    except (ImportError, AttributeError) as problem:
        raise ContentError("entry points", name, f"cannot be loaded: {type(problem).__name__}.") from None
    if not isinstance(command, click.Command):
        raise ContentError("entry points", name, "is not a command.")
    return command


@click.group(cls=_Commands, context_settings=HELP)
@click.version_option(__version__, prog_name="bonecds")
def bonecds() -> None:
    """Bone health decision support for adults with multiple sclerosis or on glucocorticoids."""


def main() -> None:
    """Run the command; what is wrong with the input is one clear line and exit status 2."""
    try:
        sys.exit(bonecds(standalone_mode=False))
    except click.ClickException as problem:
        click.echo(f"bonecds: {problem.format_message()}", err=True)
    except BoneCdsError as problem:
        click.echo(f"bonecds: {problem}", err=True)
    except click.Abort:
        click.echo("bonecds: stopped", err=True)
    sys.exit(2)
