"""The check of tokens as the web service runs it, with a clock that tests move."""

from __future__ import annotations

from bonecds_kit.forger import Forger
from bonecds_kit.steps import Step
from cds_service.kernel.errors import NotAllowed, NotAuthenticated, RequestRefused
from cds_service.security.clients import registry
from cds_service.security.fetch import Fetched, fetch
from cds_service.security.keys import Keys
from cds_service.security.replay import RecentTokens, Seen
from cds_service.security.tokens import Caller, verify

NOW = 1_800_000_000
AUDIENCE = "https://cds.example.org/cds-services/bone-health-patient-view"


class Service:
    """One service that knows one client, the forger's.

    Attributes:
        reasons: the log: why callers were refused.
        refusals: the errors they got.
        fetched: the addresses called.
        alarms: what the operator was told.
        passed: seconds since the start.
    """

    def __init__(self, forger: Forger, seen: Seen | None = None) -> None:
        self.forger = forger
        self.reasons: list[str] = []
        self.refusals: list[NotAuthenticated] = []
        self.fetched: list[str] = []
        self.alarms: list[tuple[str, str]] = []
        self.passed = 0.0
        self.registry = registry([forger.registration()], "settings.toml")
        self.seen = seen or RecentTokens(clock=lambda: NOW)
        self.keys = Keys(fetch=self._fetch, clock=lambda: self.passed, alarm=lambda *event: self.alarms.append(event))

    def _fetch(self, url: str) -> Fetched:
        self.fetched.append(url)
        # a server that is well gets all the time a slow machine needs
        return fetch(url, deadline=0.3 if self.forger.jwks.fault else 20)

    def verify(self, *authorization: str) -> Caller:
        return verify(authorization, audience=AUDIENCE, registry=self.registry, keys=self.keys, seen=self.seen, now=NOW)

    def status(self, step: Step) -> int:
        """What the web service answers."""
        self.passed += step.wait
        try:
            self.verify(*step.authorization)
        except NotAuthenticated as refused:
            self.reasons.append(refused.reason)
            self.refusals.append(refused)
            return 401
        except NotAllowed:
            return 403
        except RequestRefused:
            return 400
        return 200
