"""`bonecds report`: what became of calls and cards, for the clinical lead; and feedback one by one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import click

from cds_service.cli import kept
from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import InputError
from cds_service.reports import export
from cds_service.reports.groups import SMALLEST
from cds_service.reports.make import Effort, make
from cds_service.reports.page import html
from cds_service.reports.report import Report
from cds_service.reports.rows import Asked, Told
from cds_service.reports.text import document, text
from cds_service.store.reading import Reading

# rows between two lines of progress
_OFTEN = 50_000
_FORMATS: dict[str, Callable[[Report], str]] = {
    "text": text,
    "json": lambda report: json.dumps(document(report), indent=2, ensure_ascii=False) + "\n",
    "html": html,
}
_EXPORTS = {"csv": export.csv_lines, "ndjson": export.ndjson_lines}
_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command(context_settings=HELP)
@kept.SETTINGS
@click.option("--from", "first", type=_DAY, help="First day (UTC); without one, from the first record.")
@click.option("--to", "last", type=_DAY, help="Last day (UTC), which is in it; without one, to the last record.")
@click.option("--client", help="This client alone, by its name in the settings.")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), help="Of the report; text unless given.")
@click.option(
    "--export",
    "exported",
    type=click.Choice(list(_EXPORTS)),
    help="Instead of a report: feedback, one line each, by the day it came here.",
)
@click.option("--with-comments", is_flag=True, help="With --export: what clinicians wrote, too. It may name anybody.")
@click.option(
    "--smallest",
    type=click.IntRange(1, 1000),
    default=SMALLEST,
    show_default=True,
    help="Groups of patients with fewer than this are not shown.",
)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write, instead of standard output."
)
def report(
    path: Path | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    client: str | None,
    form: str | None,
    exported: str | None,
    with_comments: bool,
    smallest: int,
    out: Path | None,
) -> None:
    """Count calls, cards and what clinicians did with them.

    Reads what the service keeps, while it runs if you like. Shows nobody's data: no patient, no user, no comment. An export has
    the pseudonym of the user in each line.
    """
    if exported and form:
        raise InputError("a report and an export are two things", "--export", "Leave out --format or --export.")
    if with_comments and not exported:
        raise InputError("a report has no comments", "--with-comments", "Give --export csv or ndjson, too.")
    asked = _asked(first, last, client)
    with closing(kept.database_of(kept.settings_of(path))) as database:
        reading = Reading(database)
        if exported:
            lines = _EXPORTS[exported](_told(reading, asked, comments=with_comments), comments=with_comments)
        else:
            lines = iter([_FORMATS[form or "text"](make(reading, asked, smallest=smallest, effort=_loud()))])
        _write(lines, out)


def _asked(first: dt.datetime | None, last: dt.datetime | None, client: str | None) -> Asked:
    if first and last and last < first:
        raise InputError("the last day is before the first", "--to", "Give a day that is not before --from.")
    since = first.replace(tzinfo=dt.UTC) if first else None
    return Asked(since, last.replace(tzinfo=dt.UTC) + dt.timedelta(days=1) if last else None, client)


def _loud() -> Effort:
    progress = _Progress()
    return Effort(said=progress)


class _Progress:
    """Says how many rows were read, now and then."""

    def __init__(self) -> None:
        self._next = _OFTEN

    def __call__(self, read: int) -> None:
        if read >= self._next:
            click.echo(f"bonecds: {read} rows read", err=True)
            self._next = read + _OFTEN


def _told(reading: Reading, asked: Asked, *, comments: bool) -> Iterator[Told]:
    progress, read, unknown = _Progress(), 0, 0
    for page in reading.told(asked, comments=comments):
        for each in page:
            if each is None:
                unknown += 1
            else:
                yield each
        read += len(page)
        progress(read)
    if unknown:
        click.echo(
            f"bonecds: left out: {unknown} about cards that their sender never got, as far as is kept here", err=True
        )


def _write(lines: Iterable[str], out: Path | None) -> None:
    if out is None:
        for line in lines:
            click.echo(line, nl=False)
        return
    try:
        # newline: csv ends its lines itself
        with out.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as problem:
        raise InputError(f"the file cannot be written: {type(problem).__name__}", out.name, "Name another.") from None
