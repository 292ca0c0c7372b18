"""PostgreSQL, with an end to every wait. Imported only where a PostgreSQL address is configured: psycopg is optional."""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg

_T = TypeVar("_T")

# psycopg and libpq know no shorter one
_CONNECT_S = 2
# A database whose owner trades the last commits for speed would forget used tokens in a crash. Stricter settings stay.
_SESSION = """
    SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false),
    set_config('synchronous_commit', coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on'), false)
"""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection that closes itself when an answer takes too long.

    `statement_timeout` is kept by the server, which may itself be stopped, cut off, or hang in a commit on a dead disk.

    Attributes:
        answer_s: longest wait for the answer to one statement, in seconds.
    """

    answer_s: float = _CONNECT_S

    def wait(self, gen: Generator[Any, Any, _T], *args: Any, **named: Any) -> _T:
        """Wait as psycopg does (it resumes `gen` every tenth of a second), to a deadline."""
        return super().wait(self._bounded(gen), *args, **named)

    def _bounded(self, gen: Generator[Any, Any, _T]) -> Generator[Any, Any, _T]:
        deadline = time.monotonic() + self.answer_s
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > deadline:
                    self.pgconn.finish()
                    raise psycopg.errors.ConnectionTimeout("no answer in time")
                wanted = gen.send(ready)
        except StopIteration as end:
            found: _T = end.value
            return found


def connect(arguments: dict[str, Any], *, lock_s: float, statement_s: float, answer_s: float) -> BoundedConnection:
    """Open a connection.

    Args:
        arguments: what the address says, as psycopg takes it.
        lock_s: longest wait for a lock, kept by the server, in seconds.
        statement_s: longest statement, kept by the server.
        answer_s: longest wait for an answer, kept by us.

    Raises:
        psycopg.Error: within two seconds per address that the host name stands for.
    """
    named = {"application_name": "bonecds"} | arguments | {"connect_timeout": _CONNECT_S}
    connection = BoundedConnection.connect(**named, autocommit=True)
    connection.answer_s = answer_s
    connection.execute(_SESSION, [f"{int(lock_s * 1000)}ms", f"{int(statement_s * 1000)}ms"])
    connection.autocommit = False
    return connection
