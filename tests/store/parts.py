"""A store as the tests use it, and a call to record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from cds_service.store.audit import Audit, AuditRecord
from cds_service.store.database import Database
from cds_service.store.feedback import FeedbackBox
from cds_service.store.site_key import SiteKey
from cds_service.store.used_tokens import UsedTokens

KEY = SiteKey(bytes(range(32)))
NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
# a time far enough ahead for every test
LATER = 4_000_000_000
# The limits add up to four seconds at worst; the rest is for busy machines.
SOON_S = 10


@dataclass(slots=True)
class Clock:
    """Seconds that pass when a test says so."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass(slots=True)
class Store:
    """Everything a service has, with the alarms that rang."""

    address: str
    alarms: list[tuple[str, str]] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    database: Database = field(init=False)
    tokens: UsedTokens = field(init=False)
    audit: Audit = field(init=False)
    feedback: FeedbackBox = field(init=False)

    def __post_init__(self) -> None:
        self.database = Database(self.address, lambda *alarm: self.alarms.append(alarm), clock=self.clock)
        self.tokens = UsedTokens(self.database, clock=self.clock)
        self.audit = Audit(self.database, KEY)
        self.feedback = FeedbackBox(self.database)


def record(correlation_id: str = "c-1", **changed: object) -> AuditRecord:
    """A call of an invented patient."""
    told: dict[str, object] = {
        "time": NOON,
        "hook": "patient-view",
        "service": "bone-health-patient-view",
        "client": "St Elsewhere, ward 3",
        "issuer": "https://ehr.example.org",
        "patient_id": "patient-4711",
        "user_id": "Practitioner/dr-who",
        "status": 200,
        "ms": 12,
    }
    return AuditRecord(correlation_id, **(told | changed))  # type: ignore[arg-type]
