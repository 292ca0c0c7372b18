"""`bonecds check`: does the reviewed content hold together?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click

from cds_service.cli.help_option import HELP
from cds_service.cli.site import chosen_profile
from cds_service.clinical import profiles
from cds_service.engine.services import installed
from cds_service.review.checks import book, codes, numbers, words
from cds_service.review.checks.problem import Content, Problem
from cds_service.review.vignettes import load

VIGNETTES = Path("tests/vignettes")
QUICK: tuple[tuple[str, Callable[[Content], Iterator[Problem]]], ...] = (
    ("docstrings of rules", words.docstrings),
    ("words of rules", words.texts_of_rules),
    ("words that come up", words.words_that_come_up),
    ("reassuring words", words.reassurance),
    ("reasons", words.reasons),
    ("rows of the rule book", book.rows),
    ("urgency and preview", book.urgency),
    ("switches", book.declared_switches),
    ("sign-offs", book.sign_offs),
    ("sources of numbers", numbers.unsourced),
    ("numbers that nobody reads", numbers.unread),
    ("codes of orders", codes.orders),
    ("codes of vignettes", codes.stories),
    ("concepts of look-ups", codes.needs),
)
SLOW: tuple[tuple[str, Callable[[Content], Iterator[Problem]]], ...] = (
    ("every rendering of every card", words.renderings),
    ("numbers pinned from both sides", numbers.unpinned),
)


@click.command(context_settings=HELP)
@click.option(
    "--vignettes",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=VIGNETTES,
    show_default=True,
    help="Folder of vignettes.",
)
@click.option("--site", "site_file", type=click.Path(path_type=Path), help="Check this site file as well.")
@click.option("--quick", is_flag=True, help="Leave out the checks that take minutes: renderings and pins.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def check(vignettes: Path, site_file: Path | None, *, quick: bool, form: str) -> None:
    """Check rules, numbers, codes, words, profiles and sign-offs against each other.

    Every message names file, key and what to do. Exit status 1 if anything is wrong; warnings alone give 0.
    """
    told = content_of(vignettes, site_file)
    found = sorted(set(run((*QUICK, *(() if quick else SLOW)), told)))
    errors = [each for each in found if not each.only_a_warning]
    if form == "json":
        click.echo(json.dumps([_json(each) for each in found], indent=1))
    else:
        for each in found:
            click.echo(f"{'warning: ' if each.only_a_warning else ''}{each}")
    click.echo(f"{len(errors)} problems, {len(found) - len(errors)} warnings", err=True)
    sys.exit(1 if errors else 0)


def content_of(vignettes: Path, site_file: Path | None = None) -> Content:
    """What there is to check: the chart-open service, the vignettes, our profiles and a site's."""
    service = next(each for each in installed() if each.hook == "patient-view")
    sites = [service.clinic.profile(name) for name in profiles.built_in()]
    if site_file is not None:
        sites.append(chosen_profile(service.clinic, "", site_file))
    return Content(service, load(vignettes), tuple(sites))


def run(
    checks: Iterable[tuple[str, Callable[[Content], Iterator[Problem]]]],
    told: Content,
    say: Callable[[str], None] = lambda name: click.echo(f"checking {name}", err=True),
) -> Iterator[Problem]:
    """Everything that the checks find, telling which one is at work."""
    for name, lint in checks:
        say(name)
        yield from lint(told)


def _json(each: Problem) -> dict[str, object]:
    return {
        "level": "warning" if each.only_a_warning else "error",
        "file": each.file,
        "key": each.key,
        "problem": each.what,
        "fix": each.fix,
    }
