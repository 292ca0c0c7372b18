"""The keys a client signs with: pinned, or fetched from its registered address and kept (`safety.md` A6-A8).

A token with an unknown `kid` makes us look again, since that is what the rotation of keys looks like; but at most once in
`COOL_DOWN` seconds for each address, since it is what a forger looks like, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError, NotAuthenticated
from cds_service.security import jwks
from cds_service.security.alarms import Alarm, no_alarm
from cds_service.security.clients import Client
from cds_service.security.fetch import DEADLINE, MAX_BYTES, Fetch, fetch
from cds_service.security.jwks import Key, KeySet

COOL_DOWN = 10.0
FRESH_DEFAULT = 3_600.0
FRESH_MOST = 86_400.0
MAX_AGE = 86_400.0


class Keys:
    """The keys of every client. Safe to share between threads; no caller waits longer than about `fetch`'s deadline.

    Args:
        fetch: gets a key set from an address; raises `OSError`.
        clock: seconds that only ever go forward.
        alarm: told "jwks-fetch-failed" for each failed attempt, with the address.
    """

    def __init__(
        self, *, fetch: Fetch = fetch, clock: Callable[[], float] = time.monotonic, alarm: Alarm = no_alarm
    ) -> None:
        self._fetch, self._clock, self._alarm = fetch, clock, alarm
        self._addresses: dict[str, _Address] = {}

    def find(self, client: Client, jku: str | None, kid: str, algorithm: str) -> tuple[Key, ...]:
        """The keys that may have signed a token.

        Args:
            client: whose token it says it is.
            jku: the token's `jku`; for a client with pinned keys it means nothing.
            kid: the token's key id.
            algorithm: the token's algorithm, one that the client may use.

        Returns:
            Usually one.

        Raises:
            NotAuthenticated: there are none, or `jku` is not an address of this client. No such address is ever called.
        """
        found = client.jwks or self._fetched(_registered(client, jku), kid)
        if keys := found.fit(kid, algorithm):
            return keys
        raise NotAuthenticated("unknown-key")

    def _fetched(self, url: str, kid: str) -> KeySet:
        # only registered addresses come here, so this never grows beyond them
        address = self._addresses.setdefault(url, _Address(url))
        return address.keys(kid, self._fetch, self._clock, self._alarm)


def _registered(client: Client, jku: str | None) -> str:
    """Compared letter by letter, and what is called is the registered text: nothing of the token is ever parsed as a URL."""
    if jku is None and len(client.jwks_urls) == 1:
        return client.jwks_urls[0]
    if jku not in client.jwks_urls:
        raise NotAuthenticated("foreign-jku")
    return jku


@dataclass(frozen=True, slots=True)
class _Known:
    """What one successful fetch brought: replaced as a whole, so that readers need no lock."""

    keys: KeySet
    fetched: float
    fresh_until: float


class _Address:
    """One address, and the keys it gave last."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = Lock()
        self._known: _Known | None = None
        self._not_before = float("-inf")

    def keys(self, kid: str, fetch: Fetch, clock: Callable[[], float], alarm: Alarm) -> KeySet:
        """The set, looked at again where it is old or lacks the `kid`. Whoever looks waits for the answer."""
        now = clock()
        usable = self._usable(now)
        has_kid = usable is not None and usable.keys.has(kid)
        if not (usable and has_kid and now < usable.fresh_until):
            # Who has a key goes on with it while another caller asks; who has none waits for that answer.
            if self._lock.acquire(timeout=0 if has_kid else DEADLINE):
                try:
                    self._look_again(fetch, clock, alarm)
                finally:
                    self._lock.release()
            usable = self._usable(clock())
        if usable is None:
            raise NotAuthenticated("keys-unavailable")
        return usable.keys

    def _usable(self, now: float) -> _Known | None:
        known = self._known
        return known if known and now - known.fetched < MAX_AGE else None

    def _look_again(self, fetch: Fetch, clock: Callable[[], float], alarm: Alarm) -> None:
        if clock() < self._not_before:  # somebody asked a moment ago
            return
        try:
            answer = fetch(self._url)
            keys = jwks.read(strict_json.load(answer.body, max_bytes=MAX_BYTES))
            if not keys.keys:
                raise OSError("no fit key")
        except (OSError, InputError):
            alarm("jwks-fetch-failed", self._url)
        else:
            # max-age 0 still keeps it for the cool-down
            fresh = FRESH_DEFAULT if answer.max_age is None else min(answer.max_age, FRESH_MOST)
            now = clock()
            self._known = _Known(keys, now, now + fresh)
        self._not_before = clock() + COOL_DOWN
