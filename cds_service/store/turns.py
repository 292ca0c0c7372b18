"""First come, first served, for threads of one process."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that is handed to whoever has waited longest.

    Locks and pools let the thread that gives back take again before a waiting thread has woken up. Under load one of four
    threads waited half a second for a connection that others had forty times meanwhile.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()

    @contextmanager
    def turn(self, wait_s: float) -> Iterator[None]:
        """Wait for one's turn, and have it until the end of the block.

        Raises:
            TimeoutError: it did not come within `wait_s` seconds.
        """
        if not self._take(wait_s):
            raise TimeoutError("others were busy too long")
        try:
            yield
        finally:
            with self._mutex:
                if self._waiting:
                    self._waiting.popleft().release()
                else:
                    self._taken = False

    def _take(self, wait_s: float) -> bool:
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=wait_s):
            return True
        with self._mutex:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
            # handed over just when the time was up
            return True
