"""One record per call: who asked, what was looked up and which rules spoke; nothing of what the record said."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, CursorResult, delete, insert, select

from cds_service.store.database import Database
from cds_service.store.site_key import SiteKey
from cds_service.store.tables import calls

# Ids, codes and class names of our own look like this. What does not cannot be one, so it is not kept (F4).
_CODE = re.compile(r"[A-Za-z0-9._:/+-]{0,100}")
_WITHHELD = "(withheld)"
_MOST = 200
_PURGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """What is kept about a call.

    Attributes:
        correlation_id: made by us for every call; stands in logs and error answers too.
        time: when it came, with a time zone.
        hook: the hook it came by.
        service: id of our service; empty if there is no such.
        client: name the site gave the caller; empty if the caller is not known.
        issuer: whose ids `patient_id` and `user_id` are. Not kept: part of both hashes.
        patient_id: Patient the call is about, empty if it could not be read. Kept as a keyed hash.
        user_id: `userId` of the call. Kept as a keyed hash.
        status: HTTP status of the answer.
        ms: how long it took, in milliseconds.
        cards: how many cards were sent.
        rules: id and version of the rules that fired.
        rule_set: hash of the rules, numbers, codes and words in force.
        profile: the profile of clinical choices.
        key_states: look-ups per state.
        problem: name of the error class if it was refused or failed.
    """

    correlation_id: str
    time: dt.datetime
    hook: str
    service: str
    client: str
    issuer: str = field(repr=False)
    patient_id: str = field(repr=False)
    user_id: str = field(repr=False)
    status: int
    ms: int
    cards: int = 0
    rules: tuple[tuple[str, str], ...] = ()
    rule_set: str = ""
    profile: str = ""
    key_states: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""


class Audit:
    """The record of calls.

    Args:
        database: where it is kept.
        key: makes hashes of identifiers.
    """

    def __init__(self, database: Database, key: SiteKey) -> None:
        self._database, self._key = database, key

    def record(self, call: AuditRecord) -> None:
        """Keep a record. When this returns, it is on the disk.

        Raises:
            StoreUnavailable: it is not kept, as far as we know. The alarm was told. Whether the answer to the call may
                be sent nevertheless is for the caller to say.
        """
        row = self._row(call)
        self._database.write("audit", lambda connection: _insert(connection, row))

    def purge_calls(self, before: dt.datetime) -> int:
        """Delete the records of calls that came before a moment (with a time zone); for retention.

        Returns:
            How many there were. They are deleted in steps, so that calls are served meanwhile.

        Raises:
            StoreUnavailable: some may be left.
        """
        total = 0
        while deleted := self._database.write("purge", lambda connection: _purge(connection, before)):
            total += deleted
        return total

    def _row(self, call: AuditRecord) -> dict[str, Any]:
        return {
            "correlation_id": _code(call.correlation_id),
            "time": call.time,
            "hook": _code(call.hook),
            "service": _code(call.service),
            # the site's own words, with spaces perhaps
            "client": call.client if call.client.isprintable() and len(call.client) <= _MOST else _WITHHELD,
            "key_id": self._key.id,
            "patient_hash": self._key.pseudonym("patient", call.issuer, call.patient_id),
            "user_hash": self._key.pseudonym("user", call.issuer, call.user_id),
            "status": call.status,
            "ms": call.ms,
            "cards": call.cards,
            "rules": [{"id": _code(rule), "version": _code(version)} for rule, version in call.rules[:_MOST]],
            "rule_set": _code(call.rule_set),
            "profile": _code(call.profile),
            "key_states": {_code(state): int(number) for state, number in call.key_states.items()},
            "problem": _code(call.problem),
        }


def _code(text: str) -> str:
    return text if _CODE.fullmatch(text) else _WITHHELD


def _insert(connection: Connection, row: Mapping[str, Any]) -> None:
    connection.execute(insert(calls).values(row))


def _purge(connection: Connection, before: dt.datetime) -> int:
    some = select(calls.c.id).where(calls.c.time < before).limit(_PURGED_AT_ONCE)
    return cast(CursorResult[None], connection.execute(delete(calls).where(calls.c.id.in_(some)))).rowcount
