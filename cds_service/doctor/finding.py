"""What a check finds, and the list of all checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Level(Enum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105 (no password)
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. It holds nothing of a record and no token.

    Attributes:
        check: which check.
        level: see `Level`.
        seen: what was seen; for SKIPPED, why it was not looked at.
        about: what it is about: a client, a server, a prefetch key; "" for the settings as a whole.
        fix: what to do; "" where nothing is to be done.
        details: further lines, such as addresses to copy.
    """

    check: Check
    level: Level
    seen: str
    about: str = ""
    fix: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at.

    Attributes:
        id: short name, the same in every release.
        why: why it matters.
        doc: page and heading that explain it.
    """

    id: str
    why: str
    doc: str

    def passed(self, seen: str, about: str = "", details: tuple[str, ...] = ()) -> Finding:
        """It is as it should be."""
        return Finding(self, Level.PASS, seen, about, "", details)

    def warned(self, seen: str, fix: str, about: str = "", details: tuple[str, ...] = ()) -> Finding:
        """It works, and somebody should know."""
        return Finding(self, Level.WARN, seen, about, fix, details)

    def failed(self, seen: str, fix: str, about: str = "", details: tuple[str, ...] = ()) -> Finding:
        """It keeps calls or data away, or is not safe."""
        return Finding(self, Level.FAIL, seen, about, fix, details)

    def skipped(self, reason: str, about: str = "", fix: str = "") -> Finding:
        """It was not looked at."""
        return Finding(self, Level.SKIPPED, reason, about, fix)


def counted(number: int, word: str) -> str:
    """ "1 key", "2 keys"."""  # noqa: D210
    return f"{number} {word}{'' if number == 1 else 's'}"


_OPERATOR, _INTEGRATOR, _STORE, _DOCTOR, _SMART = (
    f"docs/{page}.md" for page in ("operator", "integrator", "store", "doctor-and-client", "smart")
)

SETTINGS = Check("settings", "The service starts only with settings it understands.", f"{_OPERATOR}#settings")
CALLERS = Check(
    "callers", "Where nobody is registered, whoever reaches the port gets an answer.", f"{_OPERATOR}#who-may-call"
)
SANDBOX = Check("sandbox", "The sandbox page answers without a token.", f"{_DOCTOR}#sandbox")
PUBLIC_URL = Check(
    "public-url",
    "The EHR calls this address, and tokens are made for it letter by letter.",
    f"{_OPERATOR}#who-may-call",
)
TLS = Check("tls", "A certificate that is not accepted ends every call before it begins.", f"{_DOCTOR}#tls")
CLOCK = Check(
    "clock", "Tokens live for minutes: with clocks apart they are expired or not yet valid.", f"{_DOCTOR}#clock"
)
KEYS = Check("keys", "Without a fit key no token of this client can be verified: 401.", f"{_DOCTOR}#keys")
TOKEN = Check("token", "A token is refused if one of these differs by a letter.", f"{_INTEGRATOR}#tokens")
ALLOWED = Check(
    "fhir-bases",
    "The service reads from these FHIR servers and no other, compared part by part.",
    f"{_OPERATOR}#who-may-call",
)
METADATA = Check(
    "metadata", "A server that lacks a search parameter answers with everything, or not at all.", f"{_DOCTOR}#metadata"
)
SCOPES = Check("scopes", "A type outside the scope of the token is never seen.", "docs/reference/data-read.md#scopes")
SEARCH = Check(
    "search",
    "Only a look-up that completed proves absence; any other costs advice and is named on the card.",
    f"{_INTEGRATOR}#when-the-prefetch-is-not-complete",
)
IN_TIME = Check(
    "in-time", "What is not back by the deadline of a call counts as failed.", f"{_DOCTOR}#search-and-in-time"
)
CODES = Check("codes", "What carries no code we know is not seen by any rule.", f"{_DOCTOR}#codes")
PREFETCH = Check(
    "prefetch",
    "An EHR fills these templates and sends the first page; what is on a second one is not sent.",
    f"{_INTEGRATOR}#prefetch",
)
DATABASE = Check(
    "database", "Used tokens and the record of calls have to outlive a crash and a power cut.", f"{_STORE}#where"
)
AUDIT_KEY = Check(
    "audit-key", "With this key the hashes in the record of calls can be tied to patients.", f"{_STORE}#the-site-key"
)
ADMIN_KEY = Check("admin-key", "Whoever has this password reads the reports.", "docs/reports.md#the-page")
SILENT = Check(
    "silent", "In silent mode everything runs and is recorded, and no card is shown.", "docs/quiet.md#silent-mode"
)
LAUNCH = Check(
    "smart-launch",
    "A launch goes where this document of the EHR says, and only to registered origins.",
    f"{_SMART}#when-it-does-not-work",
)

CHECKS: Mapping[str, Check] = {
    each.id: each
    for each in (
        SETTINGS, CALLERS, SANDBOX, PUBLIC_URL, TLS, CLOCK, KEYS, TOKEN, ALLOWED, METADATA, SCOPES, SEARCH, IN_TIME,
        CODES, PREFETCH, DATABASE, AUDIT_KEY, ADMIN_KEY, SILENT, LAUNCH,
    )
}  # fmt: skip
