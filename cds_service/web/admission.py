"""How many calls are worked on at once, how many may wait, and when the rest is turned away (`safety.md` G1, G10).

An EHR gives up after a few seconds: a call that waits longer than that in a queue of ours is work for nobody, and slows
all the others down. So few are worked on, a bounded number waits for a bounded time, and everybody else is told at once to come
back. Addresses that only look (discovery, health) need no place.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cds_service.kernel.errors import InputError

# A clinician's EHR waits about this long at most; a call that was not begun by then is not begun at all.
PATIENCE_S = 1.0
RETRY_AFTER_S = 1


class TooBusy(InputError):
    """More calls than are worked on and may wait (G1), or than one client's share (G10)."""

    def __init__(self) -> None:
        super().__init__("too many calls at the same time", next_step="Send it again after the time in Retry-After.")


class Places:
    """The places of one process.

    Args:
        places: calls worked on at the same time.
        waiting: calls that may wait for a place.
        patience_s: longest wait, in seconds.
    """

    def __init__(self, places: int, waiting: int, patience_s: float = PATIENCE_S) -> None:
        self._free, self._may_wait, self._patience_s = places, waiting, patience_s
        self._changed = threading.Condition()

    def any(self) -> bool:
        """Whether a call that comes now would find a place, or room to wait for one."""
        with self._changed:
            return bool(self._free or self._may_wait)

    @contextmanager
    def one(self) -> Iterator[None]:
        """A place for as long as the block runs.

        Raises:
            TooBusy: there is none, and no room to wait, or the wait was too long.
        """
        with self._changed:
            if not self._free:
                self._wait()
            self._free -= 1
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _wait(self) -> None:
        if not self._may_wait:
            raise TooBusy
        self._may_wait -= 1
        found = self._changed.wait_for(lambda: self._free > 0, self._patience_s)
        self._may_wait += 1
        if not found:
            raise TooBusy


class Turns:
    """One call of a process computes at a time; whoever waits for a FHIR server lets another one have the turn.

    Python runs one thread at a time anyway. Left to itself it changes between all that want to run, every few milliseconds: calls
    that began first end as late as those that began last, and a call that is turned away waits for each of them several times.
    """

    def __init__(self) -> None:
        self._turn = threading.Semaphore()

    @contextmanager
    def one(self) -> Iterator[None]:
        """A turn, for as long as the block runs."""
        with self._turn:
            yield

    @contextmanager
    def given_away(self) -> Iterator[None]:
        """Inside of a turn: the block waits for others, so somebody else may compute."""
        self._turn.release()
        try:
            yield
        finally:
            self._turn.acquire()


TURNS = Turns()


class Shares:
    """No client takes all the places while others are registered (G10): at most three of four are one client's.

    Args:
        places: calls worked on at the same time.
        clients: names of the registered clients.
    """

    def __init__(self, places: int, clients: Iterable[str]) -> None:
        names = tuple(clients)
        most = max(1, places * 3 // 4) if len(names) > 1 else places
        self._free = {name: threading.BoundedSemaphore(most) for name in names}

    @contextmanager
    def of(self, client: str) -> Iterator[None]:
        """A place out of the client's share, for as long as the block runs; a caller without a name has no share to keep to.

        Raises:
            TooBusy: the share is used up.
        """
        free = self._free.get(client)
        if free is None:
            yield
            return
        if not free.acquire(blocking=False):
            raise TooBusy
        try:
            yield
        finally:
            free.release()
