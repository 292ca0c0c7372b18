"""What commands that read or delete what is kept have in common: the settings, the database and the site key of a service."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cds_service.kernel.errors import InputError
from cds_service.store import site_key
from cds_service.store.database import Database
from cds_service.store.site_key import SiteKey
from cds_service.web import settings as web_settings
from cds_service.web.settings import Settings

SETTINGS = click.option(
    "--settings",
    "path",
    type=click.Path(path_type=Path),
    help="TOML file of the service; every key also as BONECDS_<KEY>.",
)


def settings_of(path: Path | None) -> Settings:
    """The settings of the service.

    Raises:
        ContentError: they are wrong.
    """
    return web_settings.load(path, dict(os.environ))


def database_of(settings: Settings) -> Database:
    """Its database, which must be there.

    Raises:
        InputError: it has none, or the file is not there.
        ContentError: the address cannot be used.
    """
    if not settings.database_url:
        raise InputError("nothing is kept here", "database_url", "Name the settings of the service with --settings.")
    database = Database(settings.database_url, lambda *_: None)
    if database.file and not Path(database.file).exists():
        raise InputError(
            "there is no such database", "database_url", "Name the settings of the service with --settings."
        )
    return database


def keys_of(settings: Settings, database: Database) -> tuple[SiteKey, ...]:
    """The keys that made its hashes, the present one first.

    Raises:
        ContentError: one cannot be read.
    """
    present = settings.audit_key_file or site_key.beside(database.file)
    return tuple(site_key.read(each) for each in (present, *settings.former_key_files))
