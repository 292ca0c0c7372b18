"""How cards about one patient were answered: read once in a call that has something to say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BindParameter, RowMapping, Select, bindparam, select

from cds_service.kernel.past import SHOWN, PastAnswer
from cds_service.store.database import Database
from cds_service.store.site_key import SiteKey
from cds_service.store.tables import calls, feedback, issued

# the newest ones; more would be somebody who answers a card again and again
_MOST = 200


@lru_cache(maxsize=8)
def _asked(keys: int) -> Select[Any]:
    """The answers under that many keys, put together once: that costs more than asking."""
    whose: list[BindParameter[str]] = [bindparam(f"whose_{number}") for number in range(keys)]
    return (
        select(
            issued.c.topic,
            issued.c.key_id,
            issued.c.evidence,
            calls.c.user_hash,
            feedback.c.outcome,
            feedback.c.at,
            feedback.c.received,
            feedback.c.reasons,
        )
        .join(feedback, (feedback.c.card == issued.c.card) & (feedback.c.client == issued.c.client))
        .join(calls, calls.c.correlation_id == issued.c.correlation_id)
        .where(
            issued.c.patient_hash.in_(whose),
            issued.c.client == bindparam("client"),
            issued.c.display == SHOWN,
        )
        .order_by(feedback.c.received.desc())
        .limit(_MOST)
    )


class Past:
    """Reads what became of cards.

    Args:
        database: where it is kept.
        keys: the keys that made the hashes, the present one first.
    """

    def __init__(self, database: Database, keys: Sequence[SiteKey]) -> None:
        self._database, self._keys = database, {key.id: key for key in keys}

    def answers(self, *, client: str, issuer: str, patient_id: str, user_id: str) -> tuple[PastAnswer, ...]:
        """What became of cards that this client was given about this patient, as the same client told.

        Args:
            client: name of the client. What another one tells of a card silences nothing.
            issuer: whose ids these are.
            patient_id: the patient; nobody has no past.
            user_id: who asks now, as `userId` has it.

        Raises:
            StoreUnavailable: the database cannot be read; the alarm was told.
        """
        if not patient_id:
            return ()
        whose = [key.pseudonym("patient", issuer, patient_id) for key in self._keys.values()]
        asked = {f"whose_{number}": each for number, each in enumerate(whose)} | {"client": client}
        rows = self._database.read(
            "past", lambda connection: connection.execute(_asked(len(whose)), asked).mappings().all()
        )
        return tuple(self._answer(row, issuer, patient_id, user_id) for row in rows)

    def _answer(self, row: RowMapping, issuer: str, patient_id: str, user_id: str) -> PastAnswer:
        key, kept = self._keys.get(row["key_id"]), frozenset(row["evidence"])

        def rested_on(told: str) -> bool:
            return key is not None and key.evidence(issuer, patient_id, told) in kept

        return PastAnswer(
            row["topic"],
            row["outcome"] == "accepted",
            _day(row),
            tuple(str(each.get("code", "")) for each in _objects(row["reasons"])),
            key is not None and bool(user_id) and row["user_hash"] == key.pseudonym("user", issuer, user_id),
            rested_on,
        )


def _day(row: RowMapping) -> dt.date:
    """The sender's clock may run ahead: nothing was answered after we heard of it."""
    at: dt.datetime = min(row["at"], row["received"])
    return at.date()


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
