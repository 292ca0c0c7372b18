"""`bonecds purge` and `bonecds erase`: what is kept is deleted when the site says so."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cds_service.cli import kept
from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import InputError
from cds_service.store.retention import TABLES, Retention
from cds_service.web.settings import Settings


@click.command(context_settings=HELP)
@kept.SETTINGS
@click.option(
    "--before",
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Delete what is older than this day (UTC); without it, what is older than keep_days of the settings says.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(list(TABLES)), help="This table alone; may be given several times."
)
def purge(path: Path | None, before: dt.datetime | None, only: tuple[str, ...]) -> None:
    """Delete records of calls, cards and feedback that are older than your rules let you keep them.

    The service may run meanwhile. Says how many rows went, per table. Nothing is ever deleted by itself but used tokens: let a
    timer run this once a day.
    """
    settings = kept.settings_of(path)
    limits = _limits(settings, before, only or tuple(TABLES))
    database = kept.database_of(settings)
    try:
        for table, limit in limits.items():
            _say(Retention(database).purge(limit, (table,)))
    finally:
        database.close()


def _limits(settings: Settings, before: dt.datetime | None, tables: tuple[str, ...]) -> Mapping[str, dt.datetime]:
    """By table, the moment before which rows go; in the order of `TABLES`."""
    if before is not None:
        return {name: before.replace(tzinfo=dt.UTC) for name in TABLES if name in tables}
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 how old a row is depends on the day
    found = {
        name: now - dt.timedelta(settings.keep_days[name])
        for name in TABLES
        if name in tables and name in settings.keep_days
    }
    if not found:
        raise InputError(
            "no period is set for any of these tables",
            "--before",
            "Give --before DAY, or set keep_days in the settings.",
        )
    return found


@click.command(context_settings=HELP)
@kept.SETTINGS
@click.option(
    "--issuer", required=True, help="Whose ids it is: `iss` of the EHR, or its FHIR address if it has no token."
)
@click.option(
    "--patient", required=True, help="Id of the Patient; - reads it from standard input, out of your shell's history."
)
def erase(path: Path | None, issuer: str, patient: str) -> None:
    """Delete all that is kept about one patient, under the site's present key and those of former_key_files.

    Calls, cards, what became of them, and what clinicians wrote with it. Rows of a key that is not named are not found.
    """
    settings = kept.settings_of(path)
    database = kept.database_of(settings)
    keys = kept.keys_of(settings, database)
    ident = (sys.stdin.readline() if patient == "-" else patient).strip()
    if not ident:
        raise InputError("no id of a patient was given", "--patient", "Give the id that the EHR sends as patientId.")
    try:
        gone = [Retention(database).erase(key.pseudonym("patient", issuer, ident)) for key in keys]
        _say({name: sum(each[name] for each in gone) for name in gone[0]})
    finally:
        database.close()


def _say(gone: Mapping[str, int]) -> None:
    for name, number in gone.items():
        click.echo(f"{name}: {number} deleted")
