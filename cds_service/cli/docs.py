"""`bonecds docs`: the reference for reviewers, generated; with `--check`, whether it is current."""

from __future__ import annotations

from pathlib import Path

import click

from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import InputError
from cds_service.review import disagreements as side_by_side
from cds_service.review import vignettes as worked_examples
from cds_service.review.pages.book import Book
from cds_service.review.pages.files import differences, pages, write
from hooks.patient_view import SERVICE

REFERENCE = Path("docs/reference")
VIGNETTES = Path("tests/vignettes")
CHANGELOG = Path("CHANGELOG.md")
_PATH = click.Path(path_type=Path)


@click.command(context_settings=HELP)
@click.option("--out", type=_PATH, default=REFERENCE, show_default=True, help="Folder of the pages.")
@click.option("--vignettes", type=_PATH, default=VIGNETTES, show_default=True, help="Folder of vignettes.")
@click.option(
    "--disagreements",
    type=_PATH,
    default=side_by_side.FOLDER,
    show_default=True,
    help="Folder of patients side by side.",
)
@click.option("--changelog", type=_PATH, default=CHANGELOG, show_default=True, help="History of the rules.")
@click.option("--check", is_flag=True, help="Write nothing; exit status 1 when a page is not what would be written.")
def docs(out: Path, vignettes: Path, disagreements: Path, changelog: Path, check: bool) -> None:
    """Write the reference: a page for every rule, guideline, profile and value set, and their indexes.

    Run it in a checkout: worked examples and the change log are not installed. Takes about half a minute.
    """
    made = pages(read_book(vignettes, disagreements, changelog), _progress)
    click.echo("\r", nl=False, err=True)
    if not check:
        changed = write(made, out)
        click.echo(f"{len(made)} pages in {out}, {len(changed)} of them changed")
        return
    found = list(differences(made, out))
    for path, what in found:
        click.echo(f"{out / path}: {what}")
    if found:
        option = "" if out == REFERENCE else f" --out {out}"
        click.echo(f"{len(found)} pages differ. Write them anew with: bonecds docs{option}", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{len(made)} pages in {out} are current")


def read_book(vignettes: Path, disagreements: Path, changelog: Path) -> Book:
    """What the pages are made from.

    Raises:
        InputError: one of these is not there.
    """
    asked = {"--vignettes": vignettes, "--disagreements": disagreements, "--changelog": changelog}
    for option, path in asked.items():
        if not path.exists():
            raise InputError(f"{path} is not there", option, "Run it in a checkout, or name the place.")
    cases, patients = worked_examples.load(vignettes), side_by_side.load(disagreements)
    return Book(SERVICE, cases, patients, changelog.read_text(encoding="utf-8"))


def _progress(rule: str) -> None:
    click.echo(f"\r{rule:<8}", nl=False, err=True)
