"""What `/readyz` looks at: the answers to two known calls, the version in force, the files the service was started from."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

import cds_service.clinical
from cds_service.engine.services import Profile, Service
from cds_service.kernel.errors import StoreUnavailable
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.response import HookResponse
from cds_service.simulator import canary
from cds_service.store.database import Database
from cds_service.store.deployments import Deployments
from cds_service.web import observe
from cds_service.web.logs import Alarm

# how old what is told may be, in seconds
SELF_TEST_S, VERSION_S, FILES_S, WATCH_S = 15.0, 3.0, 60.0, 300.0
_CONTENT = (".py", ".toml", ".csv")
_T = TypeVar("_T")


class Lately(Generic[_T]):
    """A value that is worked out when it is asked for, unless that was done a moment ago.

    Args:
        seconds: how old the value may be.
        work: works it out.
        meanwhile: what others get while one is at the first; without it they wait.
        clock: seconds that never jump.
    """

    def __init__(
        self,
        seconds: float,
        work: Callable[[], _T],
        *,
        meanwhile: _T | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._work, self._clock = seconds, work, clock
        self._value, self._waits = meanwhile, meanwhile is None
        self._due = float("-inf")
        self._lock = threading.Lock()

    def __call__(self) -> _T:
        """The value."""
        if self._lock.acquire(blocking=self._waits):
            try:
                if self._clock() >= self._due:
                    self._value = self._work()
                    self._due = self._clock() + self._seconds
            finally:
                self._lock.release()
        assert self._value is not None  # noqa: S101 whoever waits finds one
        return self._value


class SelfTest:
    """Two calls with known answers, by the way every call takes (HZ-01).

    Under the built-in profile `us`: what is tested is the program with its content. Whether a site's own choices still let a card
    through is for the canary to find out, which comes from outside.

    Args:
        services: what is offered.
        answer: from a service, a call and a profile to its cards.
        day: the day patients are looked at.
    """

    def __init__(
        self,
        services: Iterable[Service],
        answer: Callable[[Service, HookRequest, Profile, dt.date], HookResponse],
        day: Callable[[], dt.date],
    ) -> None:
        self._service = next((each for each in services if each.hook == canary.HOOK), None)
        self._answer, self._day = answer, day

    def __call__(self) -> Sequence[str]:
        """What was answered wrongly."""
        if self._service is None:
            return ()
        return tuple(filter(None, (self._tried(self._service, each) for each in canary.CANARIES)))

    def _tried(self, service: Service, known: canary.Canary) -> str:
        day = self._day()
        try:
            call = parse(known.request(service.prefetch, day), hook=service.hook)
            given = self._answer(service, call, service.clinic.profile("us"), day)
            wrong = known.wrong_with(given.to_json()["cards"])
        except Exception as problem:
            # whatever it is, calls would meet it too
            wrong = type(problem).__name__
        return f"the self-test {known.name!r} failed: {wrong}" if wrong else ""


class Version:
    """Whether the version of this process is the one in force.

    Args:
        rule_set: version of rules and content of this process.
        database: where starts are noted.
    """

    def __init__(self, rule_set: str, database: Database) -> None:
        self._rule_set, self._database = rule_set, database
        self._deployments = Deployments(database)
        self._started, self._noted, self._alarmed = _now(), False, False

    def start(self) -> None:
        """This version is in force from now on; if the database is away, that is noted later."""
        try:
            self._deployments.start(self._rule_set, self._started)
            self._noted = True
        except StoreUnavailable:
            self._noted = False

    def __call__(self) -> Sequence[str]:
        """What keeps this process from answering. Nothing while the database is away: it never stops cards (G6)."""
        if self._database.problems():
            return ()
        try:
            if not self._noted:
                self._deployments.start_late(self._rule_set, self._started, _now())
                self._noted = True
            found = self._deployments.in_force()
        except StoreUnavailable:
            return ()
        if found in ("", self._rule_set):
            self._alarmed = False
            return ()
        if not self._alarmed:
            observe.alarm(Alarm.MIXED_VERSIONS, found)
        self._alarmed = True
        return (f"another version is in force ({found}; this process has {self._rule_set})",)


class Files:
    """Whether the files that were read at the start are still the same. A process goes on with what it read.

    Args:
        more: files beside the content that the package brings: those of the site.
    """

    def __init__(self, more: Iterable[Path] = ()) -> None:
        self._more = tuple(more)
        self._stamps, self._digest = self._stamped(), self._digested()
        self._alarmed = False

    def __call__(self) -> Sequence[str]:
        """What changed."""
        stamps = self._stamped()
        # a file that was only touched is the same
        same = stamps == self._stamps or self._digested() == self._digest
        if same:
            self._stamps, self._alarmed = stamps, False
            return ()
        if not self._alarmed:
            observe.alarm(Alarm.FILES_CHANGED)
        self._alarmed = True
        return ("Files changed under the running service: restart it.",)

    def _paths(self) -> list[Path]:
        folder = Path(cds_service.clinical.__file__).parent
        return [*sorted(path for path in folder.rglob("*") if path.suffix in _CONTENT), *self._more]

    def _stamped(self) -> list[tuple[str, int, int]]:
        return [(str(path), *_stamp(path)) for path in self._paths()]

    def _digested(self) -> str:
        digest = hashlib.sha256()
        for path in self._paths():
            digest.update(str(path).encode())
            try:
                digest.update(path.read_bytes())
            except OSError:
                digest.update(b"gone")
        return digest.hexdigest()


def _stamp(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return -1, -1
    return found.st_size, found.st_mtime_ns


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 when a version was started
