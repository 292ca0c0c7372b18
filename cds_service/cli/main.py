"""`bonecds`: serve, explain, import-terminology."""

from __future__ import annotations

import sys

import click

from cds_service import __version__
from cds_service.cli.check import check
from cds_service.cli.docs import docs
from cds_service.cli.explain import explain
from cds_service.cli.export import export
from cds_service.cli.impact import impact_command
from cds_service.cli.import_terminology import import_terminology
from cds_service.cli.serve import serve
from cds_service.cli.sign import sign
from cds_service.kernel.errors import BoneCdsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bonecds")
def bonecds() -> None:
    """Bone health decision support for adults with multiple sclerosis or on glucocorticoids."""


bonecds.add_command(serve)
bonecds.add_command(check)
bonecds.add_command(docs)
bonecds.add_command(explain)
bonecds.add_command(impact_command)
bonecds.add_command(export)
bonecds.add_command(import_terminology)
bonecds.add_command(sign)


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
