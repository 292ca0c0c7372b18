"""`bonecds impact`: which patients get another answer between two versions."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cds_service.cli.help_option import HELP
from cds_service.review.impact import as_text, impact


@click.command("impact", context_settings=HELP)
@click.argument("base")
@click.argument("head", default=".")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def impact_command(base: str, head: str, form: str) -> None:
    """List the vignettes and scenarios whose verdicts or cards changed from BASE to HEAD: the changelog entry.

    BASE and HEAD are revisions of this checkout or folders; HEAD is the working tree if not given. Takes about half a minute.
    """
    click.echo(f"asking {base} and {head} about the same patients", err=True)
    asked, changes = impact(base, head, Path.cwd())
    if form == "json":
        click.echo(json.dumps({"asked": asked, "changes": [each.as_json() for each in changes]}, indent=1))
    else:
        click.echo("\n".join(as_text(asked, changes)))
