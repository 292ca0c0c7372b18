"""Bring a database to the form this version knows."""

from __future__ import annotations

from typing import Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cds_service.kernel.errors import ContentError

# Any number will do, if nobody else takes it in the same database: "bonecds" in ASCII.
ADVISORY_LOCK = 0x626F6E65636473


# what a database has: nothing of ours, the form of this version, of one before, or one that is not known here
Schema = Literal["none", "current", "older", "unknown"]


def schema_of(connection: Connection) -> Schema:
    """How the tables of a database stand to this version. Reads only.

    Raises:
        SQLAlchemyError: the database does not answer.
    """
    steps = _steps(connection)
    found = MigrationContext.configure(connection).get_current_heads()
    if not found:
        return "none"
    if not _known(steps).issuperset(found):
        return "unknown"
    return "current" if tuple(found) == tuple(steps.get_heads()) else "older"


def upgrade(connection: Connection) -> None:
    """Apply the steps that are missing, within the transaction of `connection`.

    Safe when several processes start at once: in SQLite the transaction has the only write lock from its beginning,
    in PostgreSQL an advisory lock is held until it ends.

    Raises:
        ContentError: the database was made by a newer version, or by another program that uses alembic.
        SQLAlchemyError: the database does not answer.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
    schema = schema_of(connection)
    if schema == "unknown":
        raise ContentError(
            "database_url",
            "schema",
            "was made by a newer version of this program, or by another one.",
            "Run that version, restore the backup taken before the update, or name another database.",
        )
    if schema != "current":
        command.upgrade(_config(connection), "head")


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "cds_service.store:migrations")
    return config


def _steps(connection: Connection) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(connection))


def _known(steps: ScriptDirectory) -> set[str]:
    return {step.revision for step in steps.walk_revisions()}
