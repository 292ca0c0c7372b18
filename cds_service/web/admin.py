"""`GET /admin`: the report of `bonecds report` as a page, for whoever has the password. Off unless the site switches it on.

It takes no place of a call, reads so many rows at most and for so long at most, and one report is made at a time.
"""

from __future__ import annotations

import datetime as dt
import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Blueprint, Flask, Response, request

from cds_service.kernel.errors import InputError, StoreUnavailable
from cds_service.reports import page
from cds_service.reports.make import Effort, make
from cds_service.reports.rows import Asked, Source
from cds_service.web import observe, routes
from cds_service.web.admission import RETRY_AFTER_S, TURNS

# Of calls, and of cards: two or three seconds of work.
MOST_ROWS = 20_000
# after this nothing more is read
SECONDS = 8.0
DAYS = 90
_TRIES_A_SECOND = 3
_LONGEST = 200
_CHALLENGE = 'Basic realm="Bone Health CDS reports", charset="UTF-8"'


class Refused(InputError):
    """Somebody without the password, or too many of them, or a second report at the same time."""

    def __init__(self, status: int, what: str, next_step: str) -> None:
        self.status = status
        super().__init__(what, next_step=next_step)


class Tries:
    """So many wrong passwords a second, from all callers together; more are not even looked at.

    One number for everybody: a list of addresses would grow with whoever tries, and behind a proxy they are all one.

    Args:
        a_second: how many.
        clock: seconds that never jump.
    """

    def __init__(self, a_second: int = _TRIES_A_SECOND, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = a_second, clock
        self._left, self._then = float(a_second), clock()
        self._mutex = threading.Lock()

    def take(self) -> bool:
        """Whether one more may be looked at; it counts as wrong until it is given back."""
        with self._mutex:
            now = self._clock()
            self._left = min(self._most, self._left + (now - self._then) * self._most)
            self._then = now
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def give_back(self) -> None:
        """It was right."""
        with self._mutex:
            self._left = min(self._most, self._left + 1)


@dataclass(frozen=True, slots=True)
class Admin:
    """The function behind the address.

    Attributes:
        secret: the password, as bytes.
        source: what is reported.
        tries: wrong passwords so far.
        most: rows of each kind that are read.
        seconds: how long is read.
        today: the day in UTC.
    """

    secret: bytes = field(repr=False)
    source: Source
    tries: Tries = field(default_factory=Tries)
    most: int = MOST_ROWS
    seconds: float = SECONDS
    today: Callable[[], dt.date] = lambda: dt.datetime.now(dt.UTC).date()  # noqa: TID251 reports are about days until today
    _one: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def show(self) -> Response:
        """`GET /admin`, with `from`, `to` and `client` as parameters."""
        self._admit()
        asked = self._asked()
        if not self._one.acquire(blocking=False):
            raise Refused(503, "another report is being made", "Ask again in a few seconds.")
        try:
            deadline = time.monotonic() + self.seconds
            # a turn while rows are counted, so that calls compute in between
            effort = Effort(self.most, lambda: time.monotonic() > deadline, TURNS.one)
            found = make(self.source, asked, effort=effort)
        finally:
            self._one.release()
        return Response(page.html(found, asked=asked), content_type="text/html; charset=utf-8")

    def _admit(self) -> None:
        """Raises `Refused` unless the password is right; nothing tells what was wrong."""
        if not self.tries.take():
            raise Refused(429, "too many tries", "Wait a second.")
        sent = request.authorization
        told = sent.password if sent and sent.type == "basic" else None
        if not hmac.compare_digest((told or "").lower().encode("utf-8", "replace"), self.secret.hex().encode()):
            raise Refused(401, "a password is needed", "It stands in the file that admin_key_file names.")
        self.tries.give_back()

    def _asked(self) -> Asked:
        last = _day("to") or self.today()
        try:
            first = _day("from") or last - dt.timedelta(days=DAYS - 1)
            until = _midnight(last) + dt.timedelta(days=1)
        except OverflowError:
            raise Refused(400, "there is no such period", "Write days as YYYY-MM-DD.") from None
        if last < first:
            raise Refused(400, "the last day is before the first", "Give another period.")
        client = request.args.get("client", "").strip()
        if len(client) > _LONGEST or not client.isprintable():
            raise Refused(400, "there is no such client", "Give its name as it stands in the settings.")
        return Asked(_midnight(first), until, client or None)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def _day(name: str) -> dt.date | None:
    told = request.args.get(name, "")
    try:
        return dt.datetime.strptime(told, "%Y-%m-%d").date() if told else None  # noqa: DTZ007 a day
    except ValueError:
        raise Refused(400, f"{name} is not a day", "Write it as YYYY-MM-DD.") from None


def _refused(problem: Refused) -> Response:
    observe.refused(problem.status, problem)
    answer = _told(problem.status, problem.what, problem.next_step)
    if problem.status == 401:
        answer.headers["WWW-Authenticate"] = _CHALLENGE
    if problem.status in (429, 503):
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _store_away(problem: StoreUnavailable) -> Response:
    observe.refused(503, problem)
    answer = _told(503, "the database cannot be used at the moment", "Cards are given all the same. Try again later.")
    answer.headers["Retry-After"] = str(RETRY_AFTER_S)
    return answer


def _fault(problem: Exception) -> Response:
    routes.fault(problem)
    return _told(500, "the service failed", "Tell its operator the correlation id in X-Correlation-Id.")


def _told(status: int, problem: str, next_step: str) -> Response:
    return Response(page.message(problem, next_step), status, content_type="text/html; charset=utf-8")


def _with_policy(response: Response) -> Response:
    """What every answer carries, refusals included."""
    response.headers["Content-Security-Policy"] = page.policy()
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def register(app: Flask, admin: Admin) -> None:
    """Put the page into the application."""
    pages = Blueprint("admin", __name__)
    pages.add_url_rule("/admin", view_func=admin.show, methods=["GET"])
    pages.register_error_handler(Refused, _refused)
    pages.register_error_handler(StoreUnavailable, _store_away)
    pages.register_error_handler(Exception, _fault)
    pages.after_request(_with_policy)
    app.register_blueprint(pages)
