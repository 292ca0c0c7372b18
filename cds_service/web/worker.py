"""gunicorn's threads, with an end to how long one caller may hold a thread, and no new callers once it is to stop.

gunicorn 27 hands a connection to a thread as soon as its first byte is there and then reads without a time limit, so four
callers that send one byte and no more stop a service of four threads for good; the limit `timeout` does not see threads.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import request
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

# Seconds for the whole request, header and body, and again for the answer. The longest body takes 4 Mbit/s in this time;
# EHRs give up sooner. A proxy that reads requests whole, before it passes them on, keeps the threads free altogether.
SECONDS = 10.0
# Bytes taken from the kernel at once, where they are there.
_PIECE = 262_144


class BoundedWorker(ThreadWorker):  # type: ignore[misc]
    """Threads in one process; a request or an answer that takes longer than `SECONDS` ends its connection."""

    def set_accept_enabled(self, enabled: bool) -> None:
        """Take new connections, or none for the moment; none ever again once the process is asked to stop (G4).

        gunicorn 27 only looks away while it finishes its calls: the kernel goes on taking connections that nobody will ever
        answer, so a balancer in front does not try another server and its caller gets a broken answer.
        """
        super().set_accept_enabled(enabled)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def handle(self, conn: Any) -> Any:
        """Answer one request of a connection; called in a thread."""
        if not isinstance(conn.sock, TimedSocket):
            conn.sock = TimedSocket(conn.sock)
        conn.sock.begin(SECONDS)
        return super().handle(conn)


class CallerGone(HTTPException):
    """Nobody waits for the answer any more (G2). The status is that of nginx's log; nobody receives it."""

    code = 499
    description = "the caller hung up"


def caller_gone() -> Callable[[], bool]:
    """A question that may be asked again and again while a call is answered: has its caller hung up?"""
    connection = request.environ.get("gunicorn.socket")
    return connection.hung_up if isinstance(connection, TimedSocket) else lambda: False


class TimedSocket:
    """A socket that a whole request has to pass in time, not each piece of it; everything else is the socket's own.

    It asks the kernel as seldom as it can. Every such call lets go of the interpreter, and a thread that only turns a caller away
    then waits for the one that computes: read in gunicorn's pieces of 8 kB, each with a time limit set and reset, 100 kB
    took fifty of these waits.
    """

    def __init__(self, held: Any) -> None:
        self._held = held
        self._seconds = self._end = 0.0

    def begin(self, seconds: float) -> None:
        """From now on, all that is received has to come within so many seconds."""
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        """As `socket.recv`, of a socket that waits; but it may give more than was asked for, which gunicorn keeps.

        Raises:
            TimeoutError: the time for the request is over.
        """
        while True:
            if time.monotonic() >= self._end:
                raise TimeoutError
            try:
                return bytes(self._held.recv(max(size, _PIECE), socket.MSG_DONTWAIT))
            except BlockingIOError:
                self._wait(select.POLLIN, self._end)

    def sendall(self, data: bytes) -> None:
        """As `socket.sendall`, of a socket that waits.

        Raises:
            TimeoutError: the caller did not take all of it in time.
        """
        end, left = time.monotonic() + self._seconds, memoryview(data)
        while left:
            if time.monotonic() >= end:
                raise TimeoutError
            try:
                left = left[self._held.send(left, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                self._wait(select.POLLOUT, end)

    def _wait(self, until: int, end: float) -> None:
        poll = select.poll()
        poll.register(self._held, until)
        poll.poll(max(end - time.monotonic(), 0) * 1000)

    def hung_up(self) -> bool:
        """Whether the other end has closed the connection."""
        try:
            return not self._held.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False  # there, and waiting
        except OSError:
            return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._held, name)
