"""Counts for the operator, in the Prometheus text format (F7: off unless `metrics_port` is set, and on loopback only).

A label holds a word of ours or of the site's settings: an id of a service, a need, a rule, a registered client, a code. Anything
else becomes "other" before the library sees it, so neither a record nor a caller can write a label or multiply the series (F1).

Processes share their counts through files in a folder of their own. The library decides at its import whether it does so, by the
variable `FOLDER_VARIABLE`; that is why nothing imports this module before `wsgi.serve` has set it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from werkzeug.wrappers import Response

from cds_service.kernel.account import Account
from cds_service.kernel.facts import GapKind
from cds_service.kernel.needs import LookupState
from cds_service.kernel.past import QUIET, SILENT
from cds_service.kernel.rules import Level, Verdict
from cds_service.web.logs import Alarm, Line

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PATH = "/metrics"
OTHER = "other"
NONE = "none"

# 0.5 s is what the specification asks for, 2.5 s our deadline; the rest shows where between them calls are
CALL_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0)
STATUSES = frozenset(map(str, (200, 400, 401, 403, 404, 405, 408, 412, 413, 415, 499, 500, 503)))
PROBLEMS = frozenset(
    {
        "CallerGone",
        "JsonRefused",
        "NotAllowed",
        "NotAuthenticated",
        "PatientMismatch",
        "PayloadTooLarge",
        "RequestRefused",
        "TooBusy",
        "Unassessable",
    }
)
FETCH_OUTCOMES = frozenset({*(state.value for state in LookupState), "timeout", "refused"})
STORES = frozenset({"replay", "audit", "cards", "feedback"})
_VERDICTS = frozenset(each.value for each in Verdict)
_LEVELS = frozenset(each.value for each in Level)
_STATES = frozenset(each.value for each in LookupState)
_GAPS = frozenset(each.value for each in GapKind)
_HELD = frozenset((QUIET, SILENT))
_ALARMS = frozenset(each.value for each in Alarm)


@dataclass(frozen=True, slots=True)
class Names:
    """The closed sets that depend on what is installed and on the settings.

    Attributes:
        services: the hook of each service, by its id.
        needs: keys of the look-ups.
        rules: ids of the rules that are shipped.
        types: resource types that are read.
        unread: codes for why a resource could not be used.
        clients: names of the registered callers.
        refusals: codes for why a caller is not let in.
    """

    services: Mapping[str, str]
    needs: frozenset[str]
    rules: frozenset[str]
    types: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    refusals: frozenset[str] = frozenset()


class Metrics:
    """What is counted. Every method may be called with any text; see the module for what becomes of it."""

    def __init__(self, names: Names) -> None:
        """Make the counters.

        Args:
            names: the closed sets.
        """
        self._names = names
        self._registry = own = CollectorRegistry()
        self._series: dict[tuple[object, ...], Counter] = {}
        self._calls = Counter(
            "bonecds_calls", "Calls answered or refused.", ("client", "service", "hook", "status"), registry=own
        )
        self._seconds = Histogram(
            "bonecds_call_seconds",
            "Time from the call to its answer.",
            ("service",),
            buckets=CALL_BUCKETS,
            registry=own,
        )
        self._refused = Counter(
            "bonecds_refused", "Calls refused for what they bring.", ("service", "problem"), registry=own
        )
        self._in_flight = Gauge(
            "bonecds_calls_in_flight", "Calls being answered.", multiprocess_mode="livesum", registry=own
        )
        outcomes = "What became of cards, as EHRs told."
        self._feedback = Counter("bonecds_feedback", outcomes, ["outcome"], registry=own)
        self._unknown_cards = Counter(
            "bonecds_feedback_unknown_cards", "Feedback on cards that are not on record here.", registry=own
        )
        self._shed = Counter("bonecds_calls_shed", "Calls turned away because too many were waiting.", registry=own)
        self._lookups = Counter(
            "bonecds_lookups", "Look-ups by how they went; only complete ones prove absence.", ("need", "state"),
            registry=own,
        )  # fmt: skip
        self._verdicts = Counter("bonecds_verdicts", "Answers of each rule.", ("rule", "verdict"), registry=own)
        self._cards = Counter("bonecds_cards", "Cards sent.", ("level",), registry=own)
        self._held = Counter(
            "bonecds_cards_held", "Cards held back: answered before, or in silent mode.", ("why",), registry=own
        )
        self._gaps = Counter("bonecds_gaps", "Things that rules could not learn.", ("kind",), registry=own)
        self._unread = Counter(
            "bonecds_unread", "Resources that could not be used for their value.", ("type", "reason"), registry=own
        )
        self._auth = Counter("bonecds_auth_failures", "Callers that were not let in.", ("reason",), registry=own)
        self._store = Counter("bonecds_store_failures", "Reads or writes that failed.", ("store",), registry=own)
        self._fetch = Histogram(
            "bonecds_fetch_seconds",
            "Time of one read or search on a FHIR server.",
            ("outcome",),
            buckets=CALL_BUCKETS,
            registry=own,
        )
        self._alarms = Counter("bonecds_alarms", "Alarms in the log.", ("alarm",), registry=own)

    def enters(self) -> None:
        """A call came in."""
        self._in_flight.inc()

    def leaves(self) -> None:
        """It is done."""
        self._in_flight.dec()

    def call(self, line: Line, seconds: float) -> None:
        """Count a call as it is logged.

        Args:
            line: its line in the log.
            seconds: how long it took.
        """
        service = line.service if line.service in self._names.services else NONE
        hook = self._names.services.get(service, NONE)
        client = _known(line.client, self._names.clients) if line.client else NONE
        self._count(self._calls, client, service, hook, _known(str(line.status), STATUSES))
        self._seconds.labels(service).observe(seconds)
        if line.event == "refused":
            self._count(self._refused, service, _known(line.problem, PROBLEMS))
        if line.reason:
            self._count(self._auth, _known(line.reason, self._names.refusals))

    def told(self, account: Account, levels: Iterable[str]) -> None:
        """Count what a call was about.

        Args:
            account: look-ups, verdicts, gaps.
            levels: the level of each card sent.
        """
        for need, state in account.lookups.items():
            self._count(self._lookups, _known(need, self._names.needs), _known(state, _STATES))
        for rule, verdict in account.verdicts.items():
            self._count(self._verdicts, _known(rule, self._names.rules), _known(verdict, _VERDICTS))
        for kind, number in account.gaps.items():
            self._count(self._gaps, _known(kind, _GAPS), by=number)
        for (resource_type, reason), number in account.unread.items():
            known = _known(resource_type, self._names.types), _known(reason, self._names.unread)
            self._count(self._unread, *known, by=number)
        for level in levels:
            self._count(self._cards, _known(level, _LEVELS))

    def held(self, why: Iterable[str]) -> None:
        """Count cards that were not shown, each with the reason (QUIET or SILENT of `kernel.past`)."""
        for each in why:
            self._count(self._held, _known(each, _HELD))

    def feedback(self, outcomes: Iterable[str], unknown: int) -> None:
        """Count what became of cards (values of `CardOutcome`), and cards nobody here knows."""
        for outcome in outcomes:
            self._feedback.labels(outcome).inc()
        self._unknown_cards.inc(max(unknown, 0))

    def shed(self) -> None:
        """Count a call that was turned away."""
        self._shed.inc()

    def store_failed(self, store: str) -> None:
        """Count a failure of a store, one of `STORES`."""
        self._count(self._store, _known(store, STORES))

    def fetched(self, outcome: str, seconds: float) -> None:
        """Count one read or search on a FHIR server; `outcome` is one of `FETCH_OUTCOMES`."""
        self._fetch.labels(_known(outcome, FETCH_OUTCOMES)).observe(seconds)

    def alarm(self, what: Alarm) -> None:
        """Count an alarm."""
        self._count(self._alarms, _known(what.value, _ALARMS))

    def page(self) -> bytes:
        """All counts, of all processes where there are several."""
        registry = self._registry
        if os.environ.get(FOLDER_VARIABLE):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)

    def _count(self, counter: Counter, *labels: str, by: int = 1) -> None:
        # the library takes longer to find a series than to count, and a call counts some 130 times
        series = self._series.get((counter, *labels))
        if series is None:
            series = self._series[(counter, *labels)] = counter.labels(*labels)
        series.inc(by)

    def beside(self, app: WSGIApplication, port: int) -> WSGIApplication:
        """The application with a page of its own for whoever came in by the port of the metrics.

        gunicorn takes `SERVER_PORT` from the socket that was connected to, not from what the caller wrote.

        Args:
            app: the service; what it answers everybody else.
            port: the port of the metrics.
        """

        def either(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environ["SERVER_PORT"] != str(port):
                return app(environ, start)
            asked = (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", PATH)
            answer = Response(self.page(), content_type=CONTENT_TYPE_LATEST) if asked else Response(status=404)
            return answer(environ, start)

        return either


def _known(value: str, known: Collection[str]) -> str:
    return value if value in known else OTHER
