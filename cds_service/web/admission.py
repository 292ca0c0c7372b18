"""How many calls are worked on at once, how many may wait, and what becomes of the rest (`safety.md` G1, G10).

An EHR gives up after a few seconds: a call that waits longer than that in a queue of ours is work for nobody, and slows
all the others down. So few are worked on, a bounded number waits for a bounded time, and everybody else is told at once to come
back. Addresses that only look (discovery, health) are never turned away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

# A clinician's EHR waits about this long at most; a call that was not begun by then is not begun at all.
PATIENCE_S = 1.0
RETRY_AFTER_S = 1


class Admission:
    """A WSGI application in front of another one; calls (POST) need a place, everything else passes.

    Args:
        app: the application behind.
        places: calls worked on at the same time.
        waiting: calls that may wait for a place.
        turned_away: the answer to a call that finds neither; a WSGI application.
        patience_s: longest wait, in seconds.
    """

    def __init__(
        self,
        app: WSGIApplication,
        places: int,
        waiting: int,
        turned_away: WSGIApplication,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._app, self._turned_away = app, turned_away
        self._free, self._may_wait, self._patience_s = places, waiting, patience_s
        self._changed = threading.Condition()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass the call on when it has a place."""
        if environ["REQUEST_METHOD"] != "POST":
            return self._app(environ, start)
        if not self._enter():
            return self._turned_away(environ, start)
        try:
            # Flask has done the work when this returns; what is left is sending
            return self._app(environ, start)
        finally:
            self._leave()

    def _enter(self) -> bool:
        with self._changed:
            if self._free:
                self._free -= 1
                return True
            if not self._may_wait:
                return False
            self._may_wait -= 1
            found = self._changed.wait_for(lambda: self._free > 0, self._patience_s)
            self._may_wait += 1
            if found:
                self._free -= 1
            return found

    def _leave(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify()


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
    def of(self, client: str, refuse: Callable[[], Exception]) -> Iterator[None]:
        """A place out of the client's share, for as long as the block runs; a caller without a name has no share to keep to.

        Raises:
            Exception: what `refuse` makes, where the share is used up.
        """
        free = self._free.get(client)
        if free is None:
            yield
            return
        if not free.acquire(blocking=False):
            raise refuse()
        try:
            yield
        finally:
            free.release()
