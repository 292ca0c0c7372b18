"""`bonecds sign`: a clinician agrees with a rule as it is."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import click

from cds_service.cli.clock import today
from cds_service.cli.help_option import HELP
from cds_service.clinical import basis, content
from cds_service.engine.services import installed
from cds_service.kernel.errors import InputError
from cds_service.kernel.rules import Rule, Status


@click.command(context_settings=HELP)
@click.argument("rule_id", metavar="RULE")
@click.option("--reviewer", required=True, help="Who signs: name, as it should be read later.")
@click.option("--role", required=True, help='As what: "consultant neurologist".')
@click.option("--on", "day", type=click.DateTime(formats=["%Y-%m-%d"]), help="The day; today if not given.")
@click.option("--note", default="", help="What the reviewer wants to say with it.")
@click.option(
    "--site", "site_file", type=click.Path(path_type=Path), help="Add it to this site file, not to the release."
)
def sign(rule_id: str, reviewer: str, role: str, day: dt.datetime | None, note: str, site_file: Path | None) -> None:
    """Sign RULE: somebody read its page in docs/reference/rules/ and agrees with all of it.

    The signature holds for exactly what was read; any change of code, numbers, codes or words leaves it behind.
    """
    rule = _rule(rule_id)
    words = {
        "rule": rule.id,
        "version": rule.version,
        "content": basis.content_hash(rule),
        "reviewer": reviewer,
        "role": role,
    } | ({"note": note} if note else {})
    # a JSON string without a delete character is a TOML string
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in words.items()]
    lines.append(f"on = {(day.date() if day else today()).isoformat()}")
    if site_file is not None:
        _append(site_file, "\n[[signoff]]\n" + "\n".join(lines) + "\n")
        click.echo(f"{rule.id} signed in {site_file}")
        return
    folder = Path(content.__file__).parent / "reviews"
    file = folder / f"{rule.id}.toml"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    click.echo(f"{rule.id} signed in {file.name}; run `bonecds docs` to bring its page up to date")


def _rule(rule_id: str) -> Rule:
    rules = {rule.id: rule for service in installed() for rule in service.rules}
    if rule_id not in rules:
        raise InputError(f"there is no rule {rule_id!r}", "RULE", "See docs/reference/index.md.")
    if rules[rule_id].status is Status.PREVIEW:
        raise InputError(
            f"{rule_id} is a preview rule: its wording was not read in the source", "RULE", "Read the source first."
        )
    return rules[rule_id]


def _append(file: Path, text: str) -> None:
    """Tables in a TOML file may stand at its end, after everything else."""
    try:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as problem:
        raise InputError(f"the site file cannot be written: {type(problem).__name__}", str(file)) from None
