"""A token works once (`safety.md` A14, A16)."""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable
from threading import Lock
from typing import Literal, Protocol

from cds_service.kernel.errors import NotAuthenticated, StoreUnavailable
from cds_service.security.alarms import Alarm, no_alarm

MAX_REMEMBERED = 50_000


class Seen(Protocol):
    """Remembers the ids of tokens, for all workers and across restarts."""

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        """Remember a token.

        Args:
            issuer: its `iss`; ids are unique for each issuer.
            token_id: its `jti`.
            expires: epoch seconds from which on it may be forgotten.

        Returns:
            Whether this is the first time; of several callers at the same time exactly one is the first.

        Raises:
            StoreUnavailable: it cannot be told.
        """
        ...


class RecentTokens:
    """Remembers tokens in the memory of this process.

    Args:
        most: how many at once.
        clock: epoch seconds.
    """

    def __init__(self, most: int = MAX_REMEMBERED, clock: Callable[[], float] = time.time) -> None:
        self._most, self._clock = most, clock
        self._lock = Lock()  # held for microseconds
        self._known: set[bytes] = set()
        self._by_expiry: list[tuple[int, bytes]] = []

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        """As in `Seen`; unavailable is what this is when it is full of tokens that are still valid."""
        # 32 bytes, however long the id is; the length keeps ("a", "bc") and ("ab", "c") apart
        mark = hashlib.sha256(f"{len(issuer)}:{issuer}{token_id}".encode()).digest()
        with self._lock:
            while self._by_expiry and self._by_expiry[0][0] <= self._clock():
                self._known.remove(heapq.heappop(self._by_expiry)[1])
            if mark in self._known:
                return False
            if len(self._known) >= self._most:
                raise StoreUnavailable("the memory for used tokens is full")
            self._known.add(mark)
            heapq.heappush(self._by_expiry, (expires, mark))
            return True


class ReplayGuard:
    """A store, and what happens while it is out of reach.

    Args:
        store: shared by all workers.
        replay_store_down: "refuse" every token, or "accept" those that this process has not seen itself.
        recent: the memory of this process.
        alarm: told "replay-store-down" and "replay-memory-full" for each token concerned, with its issuer.
    """

    def __init__(
        self,
        store: Seen,
        *,
        replay_store_down: Literal["accept", "refuse"] = "refuse",
        recent: RecentTokens | None = None,
        alarm: Alarm = no_alarm,
    ) -> None:
        self._store, self._accepts, self._alarm = store, replay_store_down == "accept", alarm
        self._recent = recent or RecentTokens()

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        """As in `Seen`.

        Raises:
            NotAuthenticated: the store is out of reach, and the policy is to refuse, or the memory is full as well.
        """
        try:
            first = self._store.first_use(issuer, token_id, expires)
        except StoreUnavailable:
            self._alarm("replay-store-down", issuer)
            return self._without_store(issuer, token_id, expires)
        return self._remembered(issuer, token_id, expires) and first

    def _without_store(self, issuer: str, token_id: str, expires: int) -> bool:
        if not self._accepts:
            raise NotAuthenticated("replay-store-down")
        try:
            return self._recent.first_use(issuer, token_id, expires)
        except StoreUnavailable:
            self._alarm("replay-memory-full", issuer)
            raise NotAuthenticated("replay-memory-full") from None

    def _remembered(self, issuer: str, token_id: str, expires: int) -> bool:
        """Also while the store works: it may fail before the token expires."""
        try:
            return self._recent.first_use(issuer, token_id, expires)
        except StoreUnavailable:
            return True
