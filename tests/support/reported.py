"""A service with `/admin` whose database was filled as a real one is: by calls, and by feedback on their cards."""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.support.golden import Scenario, scenarios
from tests.support.served import PRODUCT, Served, served

Json = dict[str, Any]
FIRST = dt.date(2026, 1, 12)
MONTHS = 5
# what users did with one card after another; None: nothing is known
_ANSWERS = (True, False, None, True, None, False, True, None)
_REASONS = ("patient-declined", "already-done", "not-now")


@dataclass(frozen=True, slots=True)
class Reported:
    """The service, and how one gets in.

    Attributes:
        served: the service.
        password: of `/admin`; any user name goes with it.
        query: the period in which everything happened.
    """

    served: Served
    password: str
    query: str

    @property
    def url(self) -> str:
        """Address of the report."""
        return f"{self.served.url}/admin?{self.query}"


@contextmanager
def reported(folder: Path) -> Iterator[Reported]:
    """Start it, and let every invented patient be seen once a month and some of their cards be answered."""
    secret = folder / "admin.key"
    secret.write_text(secrets.token_hex(32))
    secret.chmod(0o600)
    kept = folder / "kept.sqlite3"
    settings = f"database_url='sqlite:///{kept}', admin_key_file=Path({str(secret)!r}), record_groups=True"
    with served(settings, f"from pathlib import Path\n{PRODUCT}") as running:
        with requests.Session() as session:
            for month in range(MONTHS):
                for number, each in enumerate(scenarios()):
                    _visit(session, running, each, month, number)
        _spread(kept)
        yield Reported(running, secret.read_text(), "from=2026-01-01&to=2026-06-30")


def _visit(session: requests.Session, running: Served, scenario: Scenario, month: int, number: int) -> None:
    """One call, and feedback on its cards."""
    request = scenario.json("request.json")
    request["hookInstance"] = f"00000000-0000-4000-8000-{month:04}{number:08}"
    service = f"{running.url}/cds-services/bone-health-{request['hook']}"
    cards = session.post(service, json=request, timeout=60).json().get("cards", [])
    told = [
        entry
        for place, card in enumerate(cards)
        if (entry := _feedback(card, taken=_ANSWERS[(place + number + month) % len(_ANSWERS)], turn=number))
    ]
    if told:
        session.post(f"{service}/feedback", json={"feedback": told}, timeout=60).raise_for_status()


def _feedback(card: Json, *, taken: bool | None, turn: int) -> Json | None:
    """What an EHR tells of a card; only what suggests something can be accepted."""
    if taken is None:
        return None
    entry = {"card": card["uuid"], "outcomeTimestamp": "2026-06-30T12:00:00Z"}
    if taken and (suggestions := card.get("suggestions")):
        return {**entry, "outcome": "accepted", "acceptedSuggestions": [{"id": suggestions[0]["uuid"]}]}
    reason = {"code": _REASONS[turn % len(_REASONS)], "system": "https://ehr.example.org/reasons"}
    return {**entry, "outcome": "overridden", "overrideReason": {"reason": reason}}


def _spread(kept: Path) -> None:
    """The months that the calls would have been apart, and days on which a picture stays the same."""
    with closing(sqlite3.connect(kept)) as database, database:
        for table in ("calls", "issued"):
            rows = database.execute(f"SELECT rowid FROM {table} ORDER BY rowid").fetchall()  # noqa: S608 names of ours
            days = 31 * MONTHS / len(rows)
            moved = [
                (f"{FIRST + dt.timedelta(days=int(at * days))} 12:00:00.000000", row) for at, (row,) in enumerate(rows)
            ]
            database.executemany(f"UPDATE {table} SET time = ? WHERE rowid = ?", moved)  # noqa: S608 names of ours
