"""All look-ups of a call at its FHIR server: in parallel, to one deadline (S9; `safety.md` B1, B7, B10, B20)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from cds_service.fhir.answers import Answer, AnswerState, Fetched
from cds_service.fhir.client import queries
from cds_service.fhir.client.dialects import Dialect
from cds_service.fhir.client.queries import Way
from cds_service.fhir.client.search import Found, Limits, LookUp
from cds_service.fhir.client.transport import Attempt, NoResponse, Transport
from cds_service.fhir.codes import Terminology
from cds_service.fhir.read import mapping, string
from cds_service.fhir.search import codes_of
from cds_service.formats.urls import Base, parse_base
from cds_service.kernel.needs import Need, Resource

SECONDS = 2.5
PARALLEL = 8
# How often it is looked whether the caller is still there
_LOOK_UP_S = 0.1
# Look-ups that may wait for a connection, for each connection: more than a few calls' worth will not be in time
_WAITING = 16
# More than this many drugs in one record that need a look-up by id are not looked up
_MOST_MEDICATIONS = 200
_NOT_REGISTERED = "not permitted: the FHIR server of the call is not registered"
_MEDICATION = re.compile(r"Medication/([A-Za-z0-9.-]{1,64})(?:/_history/[^/?#]+)?")


@dataclass(frozen=True, slots=True)
class Server:
    """A FHIR server that a registered client may have us call.

    Attributes:
        base: its base; `fhirServer` of a call must be exactly this.
        dialect: how to search it.
        ca_bundle: file of the certificate authorities to trust instead of the public ones.
        parallel: most look-ups at its origin at one time; of several servers at one origin the first one decides.
    """

    base: Base
    dialect: Dialect
    ca_bundle: str | None = None
    parallel: int = PARALLEL


class Lanes:
    """How many look-ups run at one origin at a time, for all clients and calls of this process (B20).

    Each origin has threads of its own, so that one that hangs takes none from another.
    """

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str, int], _Lane] = {}

    def lane(self, server: Server) -> _Lane:
        """The lane to the origin of a server; made when servers are registered, not while calls are answered."""
        origin = (server.base.scheme, server.base.host, server.base.port)
        return self._lanes.setdefault(origin, _Lane(server.parallel))


class _Lane:
    """Threads that look up at one origin."""

    def __init__(self, parallel: int) -> None:
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="fhir")
        self._room = BoundedSemaphore(parallel * (1 + _WAITING))

    def submit(self, work: Callable[[], None]) -> Future[None] | None:
        """Start a piece of work when a thread is free; `None` where too much waits already."""
        if not self._room.acquire(blocking=False):
            return None
        return self._pool.submit(self._run, work)

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._room.release()


@dataclass(frozen=True, slots=True)
class _Open:
    """A registered server and the way to it."""

    server: Server
    transport: Transport
    lane: _Lane


@dataclass(eq=False, slots=True)
class _Job:
    """One look-up of a call."""

    key: str
    attempt: Attempt
    found: Found
    work: Callable[[LookUp], None]
    finished: bool = False

    def run(self, lookup: LookUp) -> None:
        """In a thread of the lane."""
        try:
            if not self.attempt.is_over:
                self.work(lookup)
                self.finished = True
        except NoResponse:
            pass  # the time ended between two steps
        except Exception as bug:
            # A server must not be able to fail a whole call by finding a fault of ours; the operator reads of it.
            self.fail(f"internal error ({type(bug).__name__})")

    def fail(self, words: str) -> None:
        """It ends without having looked everything up."""
        self.found.fault(AnswerState.FAILED, words)
        self.finished = True

    def answer(self) -> Answer:
        """What is known now."""
        return self.found.answer(finished=self.finished)


@dataclass(slots=True)
class _Call:
    """The look-ups of one call."""

    to: _Open
    token: str = field(repr=False)
    until: float
    limits: Limits
    jobs: list[_Job] = field(default_factory=list)
    running: dict[Future[None], _Job] = field(default_factory=dict)

    def start(self, key: str, work: Callable[[LookUp], None]) -> None:
        job = _Job(key, Attempt(self.until), Found(), work)
        self.jobs.append(job)
        to = self.to
        lookup = LookUp(
            to.transport.get, to.server.base, to.server.dialect, self.token, job.attempt, self.limits, job.found
        )
        future = to.lane.submit(lambda: job.run(lookup))
        if future is None:
            job.fail("too many look-ups wait for this FHIR server")
        else:
            self.running[future] = job

    def completed(self, gone: Callable[[], bool]) -> Iterable[_Job]:
        """Jobs as they end, until the time is over or nobody waits any more; what still runs then is cut."""
        try:
            while self.running and (left := self.until - time.monotonic()) > 0 and not gone():
                done, _ = wait(self.running, timeout=min(left, _LOOK_UP_S), return_when=FIRST_COMPLETED)
                for future in done:
                    yield self.running.pop(future)
        finally:
            for job in self.running.values():
                job.attempt.cut()


class HttpFetcher:
    """Fetches what the prefetch of a call lacks from its FHIR server.

    Args:
        servers: those that the client of the call registered; no other is ever connected to (B1).
        terminology: the codes to search for.
        lanes: shared by all fetchers of the process.
        seconds: what all look-ups of a call may take together.
        limits: what one look-up may bring.
    """

    def __init__(
        self,
        servers: Iterable[Server],
        terminology: Terminology,
        lanes: Lanes,
        *,
        seconds: float = SECONDS,
        limits: Limits | None = None,
    ) -> None:
        self._terminology, self._seconds, self._limits = terminology, seconds, limits or Limits()
        self._servers = {
            each.base: _Open(
                each,
                Transport(each.base, ca_bundle=each.ca_bundle, connections=each.parallel),
                lanes.lane(each),
            )
            for each in servers
        }
        self._codes: dict[Need, list[str]] = {}

    def knows(self, fhir_server: str) -> bool:
        """Whether that is one of the registered servers."""
        return _base(fhir_server) in self._servers

    def fetch(
        self,
        fhir_server: str,
        token: str,
        patient_id: str,
        needs: Sequence[Need],
        known: Iterable[Resource],
        gone: Callable[[], bool] = lambda: False,
    ) -> Fetched:
        """Look up the needs, and the Medications that records refer to.

        Args:
            fhir_server: `fhirServer` of the call, as it came.
            token: its access token; it lives for this one call.
            patient_id: logical id of the patient.
            needs: what to look up.
            known: resources of the call.
            gone: whether the caller waits no more; then everything under way is cut (G2).

        Returns:
            An answer for each need, never later than the deadline and a few milliseconds; what was not in time is
            FAILED, or PARTIAL with what had come.
        """
        until = time.monotonic() + self._seconds
        base = _base(fhir_server)
        to = self._servers.get(base) if base else None
        if to is None:
            refused = Answer(AnswerState.NOT_PERMITTED, detail=_NOT_REGISTERED)
            return Fetched({need.key: refused for need in needs}, Answer(AnswerState.EMPTY))
        call = _Call(to, token, until, self._limits)
        for need in needs:
            call.start(need.key, self._look_up(need, patient_id, to.server.dialect))
        drugs = _Drugs(to.server.base)
        drugs.start(call, known)
        for job in call.completed(gone):
            drugs.start(call, job.answer().resources)
        found = {job.key: job.answer() for job in call.jobs}
        return Fetched({need.key: found[need.key] for need in needs}, drugs.answer(call))

    def close(self) -> None:
        """Close the connections that are kept open."""
        for each in self._servers.values():
            each.transport.close()

    def _look_up(self, need: Need, patient_id: str, dialect: Dialect) -> Callable[[LookUp], None]:
        if need.by_id:
            return lambda lookup: lookup.read(need.resource_type, patient_id)
        if need not in self._codes:
            self._codes[need] = codes_of(need, self._terminology)
        ways = queries.ways(need, self._codes[need], patient_id, dialect)
        return lambda lookup: lookup.search(ways)


def _base(text: str) -> Base | None:
    try:
        return parse_base(text, insecure=True)  # whether http was allowed is in what is registered
    except ValueError:
        return None


class _Drugs:
    """Medications that records refer to: each is asked for once, all of one source in one search."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._seen: set[str] = set()
        self._asked: set[str] = set()
        self._jobs: list[_Job] = []

    def start(self, call: _Call, resources: Iterable[Resource]) -> None:
        """Look up what these refer to and nobody has."""
        resources = tuple(resources)
        self._seen.update(string(r.get("id")) for r in resources if r.get("resourceType") == "Medication")
        wanted = {ident: None for each in resources if (ident := self._reference(each))}
        ids = [ident for ident in wanted if ident not in self._seen][: _MOST_MEDICATIONS - len(self._asked)]
        if not ids:
            return
        self._seen.update(ids)
        self._asked.update(ids)
        ways: tuple[Way, ...] = (queries.medications(ids),)
        call.start("", lambda lookup: lookup.search(ways))
        self._jobs.append(call.jobs[-1])

    def answer(self, call: _Call) -> Answer:
        """Those that were asked for; whatever else a server sends along is not used."""
        found = [each.answer() for each in self._jobs]
        kept = [
            (resource, url)
            for each in found
            for resource, url in zip(each.resources, each.full_urls, strict=True)
            if resource.get("resourceType") == "Medication" and string(resource.get("id")) in self._asked
        ]
        detail = "; ".join(dict.fromkeys(each.detail for each in found if each.detail))
        missing = len(self._asked - {string(resource.get("id")) for resource, _ in kept})
        if missing:
            detail = "; ".join(filter(None, (detail, f"medications that could not be read: {missing}")))
        state = AnswerState.DATA if kept else AnswerState.EMPTY
        return Answer(state, tuple(r for r, _ in kept), tuple(url for _, url in kept), detail)

    def _reference(self, resource: Resource) -> str:
        """The id of the Medication that a resource refers to at this server; an address elsewhere is left alone (B7)."""
        text = string(mapping(resource.get("medicationReference")).get("reference"))
        # only the id is taken, and asked for at the registered base
        match = _MEDICATION.fullmatch(text.removeprefix(f"{self._base}/"))
        return match[1] if match else ""
