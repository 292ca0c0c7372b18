"""`bonecds purge` and `bonecds erase`: what is kept is deleted when the site says so."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from cds_service.cli.help_option import HELP
from cds_service.kernel.errors import InputError
from cds_service.store import site_key
from cds_service.store.database import Database
from cds_service.store.retention import TABLES, Retention
from cds_service.web import settings as web_settings
from cds_service.web.settings import Settings

_SETTINGS = click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    help="TOML file of the service; every key also as BONECDS_<KEY>.",
)


@click.command(context_settings=HELP)
@_SETTINGS
@click.option(
    "--before",
    required=True,
    type=click.DateTime(formats=["%Y-%m-%d"]),
    help="Delete what is older than this day (UTC).",
)
@click.option(
    "--only", multiple=True, type=click.Choice(list(TABLES)), help="This table alone; may be given several times."
)
def purge(path: Path | None, before: dt.datetime, only: tuple[str, ...]) -> None:
    """Delete records of calls, cards and feedback that are older than your rules let you keep them.

    The service may run meanwhile. Says how many rows went, per table. Nothing is ever deleted by itself but used tokens.
    """
    database = database_of(_settings(path))
    try:
        _say(Retention(database).purge(before.replace(tzinfo=dt.UTC), only or tuple(TABLES)))
    finally:
        database.close()


@click.command(context_settings=HELP)
@_SETTINGS
@click.option(
    "--issuer", required=True, help="Whose ids it is: `iss` of the EHR, or its FHIR address if it has no token."
)
@click.option(
    "--patient", required=True, help="Id of the Patient; - reads it from standard input, out of your shell's history."
)
def erase(path: Path | None, issuer: str, patient: str) -> None:
    """Delete all that is kept about one patient, under the site's present key.

    Calls, cards, what became of them, and what clinicians wrote with it. Rows that an earlier key made are not found: name
    that key's file as audit_key_file.
    """
    settings = _settings(path)
    database = database_of(settings)
    key = site_key.read(Path(settings.audit_key_file) if settings.audit_key_file else site_key.beside(database.file))
    ident = (sys.stdin.readline() if patient == "-" else patient).strip()
    if not ident:
        raise InputError("no id of a patient was given", "--patient", "Give the id that the EHR sends as patientId.")
    try:
        _say(Retention(database).erase(key.pseudonym("patient", issuer, ident)))
    finally:
        database.close()


def _settings(path: Path | None) -> Settings:
    return web_settings.load(path, dict(os.environ))


def database_of(settings: Settings) -> Database:
    """What the service keeps.

    Raises:
        InputError: it keeps nothing, or there is no such file.
    """
    if not settings.database_url:
        raise InputError("nothing is kept here", "database_url", "Name the settings of the service with --settings.")
    database = Database(settings.database_url, lambda *_: None)
    if database.file and not Path(database.file).exists():
        raise InputError(
            "there is no such database", "database_url", "Name the settings of the service with --settings."
        )
    return database


def _say(gone: Mapping[str, int]) -> None:
    for name, number in gone.items():
        click.echo(f"{name}: {number} deleted")
