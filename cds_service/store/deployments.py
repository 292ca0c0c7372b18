"""Which version is in force: the one that was started last, whichever server it was started on (D23)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from cds_service.store.database import Database
from cds_service.store.rows import code_or_withheld
from cds_service.store.tables import deployments


class _Started(NamedTuple):
    time: dt.datetime
    rule_set: str


class Deployments:
    """The versions that were started.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, rule_set: str, now: dt.datetime) -> None:
        """Note that a version is started: it is in force from now on.

        Args:
            rule_set: version of the program with the hash of its content.
            now: with a time zone.

        Raises:
            StoreUnavailable: not noted.
        """
        self._database.write("deployments", lambda connection: _append(connection, rule_set, now))

    def start_late(self, rule_set: str, started: dt.datetime, now: dt.datetime) -> None:
        """Note that a version was started while the database was away, unless another one was started since.

        Args:
            rule_set: as for `start`.
            started: when that was.
            now: with a time zone.

        Raises:
            StoreUnavailable: not noted.
        """

        def work(connection: Connection) -> None:
            newest = _newest(connection)
            if newest is None or newest.time <= started:
                _append(connection, rule_set, now)

        self._database.write("deployments", work)

    def in_force(self) -> str:
        """The version that was started last; empty if none was noted.

        Raises:
            StoreUnavailable: not known.
        """
        newest = self._database.read("deployments", _newest)
        return newest.rule_set if newest else ""


def _append(connection: Connection, rule_set: str, now: dt.datetime) -> None:
    rule_set = code_or_withheld(rule_set)
    newest = _newest(connection)
    if newest is None or newest.rule_set != rule_set:
        connection.execute(insert(deployments).values(time=now, rule_set=rule_set))


def _newest(connection: Connection) -> _Started | None:
    wanted = select(deployments.c.time, deployments.c.rule_set).order_by(deployments.c.id.desc()).limit(1)
    row = connection.execute(wanted).first()
    return _Started(*row) if row else None
