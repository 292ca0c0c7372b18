"""One record per call: who asked, what was looked up and which rules spoke; nothing of what the record said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert

from cds_service.kernel.past import IssuedCard
from cds_service.store.database import Database
from cds_service.store.rows import WITHHELD, code_or_withheld, put
from cds_service.store.site_key import SiteKey
from cds_service.store.tables import calls, issued

_MOST = 200
_A_CALL = insert(calls)


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
        unsure: ids of the rules that could not tell.
        rule_set: hash of the rules, numbers, codes and words in force.
        profile: the profile of clinical choices.
        role: type of the user.
        sex: sex of the patient, where the site wants it kept.
        age_band: ten years of age, likewise.
        missing: key and state of each look-up that was not complete.
        key_states: look-ups per state.
        problem: name of the error class if it was refused or failed.
        issued: the cards.
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
    unsure: tuple[str, ...] = ()
    rule_set: str = ""
    profile: str = ""
    role: str = ""
    sex: str = ""
    age_band: str = ""
    missing: Mapping[str, str] = field(default_factory=dict)
    key_states: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    issued: tuple[IssuedCard, ...] = ()


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
        cards = [self._issued(call, row, each) for each in call.issued]
        self._database.write("audit", lambda connection: _insert(connection, row, cards))

    def _issued(self, call: AuditRecord, row: Mapping[str, Any], given: IssuedCard) -> dict[str, Any]:
        of_call = ("correlation_id", "time", "hook", "client", "key_id", "patient_hash", "profile", "rule_set")
        return {name: row[name] for name in of_call} | {
            "card": code_or_withheld(given.card),
            "topic": code_or_withheld(given.topic),
            "indicator": code_or_withheld(given.indicator),
            "display": code_or_withheld(given.display),
            "evidence": sorted(self._key.evidence(call.issuer, call.patient_id, each) for each in given.evidence),
            "rules": [
                {
                    "id": code_or_withheld(rule),
                    "version": code_or_withheld(version),
                    "verdict": code_or_withheld(verdict),
                }
                for rule, version, verdict in given.rules[:_MOST]
            ],
            "suggestions": [
                {"uuid": code_or_withheld(each), "type": code_or_withheld(kind)}
                for each, kind in given.suggestions[:_MOST]
            ],
        }

    def _row(self, call: AuditRecord) -> dict[str, Any]:
        return {
            "correlation_id": code_or_withheld(call.correlation_id),
            "time": call.time,
            "hook": code_or_withheld(call.hook),
            "service": code_or_withheld(call.service),
            # the site's own words, with spaces perhaps
            "client": call.client if call.client.isprintable() and len(call.client) <= _MOST else WITHHELD,
            "key_id": self._key.id,
            "patient_hash": self._key.pseudonym("patient", call.issuer, call.patient_id),
            "user_hash": self._key.pseudonym("user", call.issuer, call.user_id),
            "status": call.status,
            "ms": call.ms,
            "cards": call.cards,
            "rules": [
                {"id": code_or_withheld(rule), "version": code_or_withheld(version)}
                for rule, version in call.rules[:_MOST]
            ],
            "unsure": [code_or_withheld(rule) for rule in call.unsure[:_MOST]],
            "rule_set": code_or_withheld(call.rule_set),
            "profile": code_or_withheld(call.profile),
            "role": code_or_withheld(call.role),
            "sex": code_or_withheld(call.sex),
            "age_band": code_or_withheld(call.age_band),
            "missing": {code_or_withheld(key): code_or_withheld(state) for key, state in call.missing.items()},
            "key_states": {code_or_withheld(state): int(number) for state, number in call.key_states.items()},
            "problem": code_or_withheld(call.problem),
        }


def _insert(connection: Connection, row: Mapping[str, Any], cards: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(_A_CALL, row)
    put(connection, issued, cards)
