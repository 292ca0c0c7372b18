"""After a failure, leave the database alone for a moment: a dead one must not slow every call down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Breaker:
    """Says whether to try. Each process has its own.

    Args:
        pause_s: how long nobody tries after a failure, in seconds.
        clock: seconds that never jump.
    """

    def __init__(self, pause_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._pause_s, self._clock = pause_s, clock
        self._lock = threading.Lock()
        self._problem = ""
        self._closed_until = 0.0

    @property
    def problem(self) -> str:
        """What went wrong at the last attempt; empty if it went well."""
        return self._problem

    def may_try(self) -> bool:
        """Whether to try now. When a pause is over, one caller may, and the others wait for how it fares."""
        if not self._problem:
            return True
        with self._lock:
            now = self._clock()
            if self._problem and now < self._closed_until:
                return False
            self._closed_until = now + self._pause_s
            return True

    def went_well(self) -> None:
        """The attempt succeeded."""
        self._problem = ""

    def failed(self, problem: str) -> None:
        """The attempt failed."""
        with self._lock:
            self._problem, self._closed_until = problem, self._clock() + self._pause_s
