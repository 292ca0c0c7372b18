"""Each token is good for one call (CDS Hooks 2.0.1, "Mutual authentication": `jti`), whichever worker gets it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from sqlalchemy import Connection, delete, select, tuple_

from cds_service.store.database import Database
from cds_service.store.rows import new_in
from cds_service.store.tables import used_tokens

# Tokens are kept this much longer than they are valid, in seconds: a wall clock that jumps ahead by less and is then put
# right must not open the door to a replay.
_GRACE_S = 86_400
# Small enough not to be felt by the call that does it; the next call goes on.
_PURGED_AT_ONCE = 500
_PURGE_EVERY_S = 10.0
# the last second of the year 9999; a BIGINT overflows at what a client may send
_LATEST = 253_402_300_799


class UsedTokens:
    """The tokens that were used.

    Args:
        database: where they are kept.
        now: seconds since 1970.
        clock: seconds that never jump.
    """

    def __init__(
        self,
        database: Database,
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._now, self._clock = database, now, clock
        self._lock = threading.Lock()
        self._purge_at = clock()

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        """Note that a token is used.

        Args:
            issuer: its `iss`, which must be that of a registered client.
            token_id: its `jti`; two issuers may use the same.
            expires: its `exp`, in seconds since 1970.

        Returns:
            Whether this is the first use. Of any number of callers, in any process, before and after a restart, one
            gets `True`; none for a token so old that its first use may be forgotten.

        Raises:
            StoreUnavailable: not known. The token may have been noted nevertheless, so it is not good for a second try.
        """
        if expires < self._oldest():
            return False
        # a lone surrogate is legal in JSON, and not in UTF-8
        token = hashlib.sha256(token_id.encode("utf-8", "surrogatepass")).hexdigest()
        row = {"issuer": issuer, "token": token, "expires": min(expires, _LATEST)}

        def note(connection: Connection) -> bool:
            noting = new_in(connection, used_tokens).values(row).returning(used_tokens.c.token)
            first = connection.execute(noting).first() is not None
            if first and self._time_to_purge():
                _purge(connection, self._oldest())
            return first

        return self._database.write("used_tokens", note)

    def _oldest(self) -> int:
        return int(self._now()) - _GRACE_S

    def _time_to_purge(self) -> bool:
        with self._lock:
            now = self._clock()
            if now < self._purge_at:
                return False
            self._purge_at = now + _PURGE_EVERY_S
            return True


def _purge(connection: Connection, before: int) -> None:
    key = (used_tokens.c.issuer, used_tokens.c.token)
    # SKIP LOCKED (PostgreSQL; SQLite has one writer): two workers that purge at once must not wait for each other
    some = select(*key).where(used_tokens.c.expires < before).limit(_PURGED_AT_ONCE).with_for_update(skip_locked=True)
    connection.execute(delete(used_tokens).where(tuple_(*key).in_(some)))
