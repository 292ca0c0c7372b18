"""Settings: one TOML file, and an environment variable `BONECDS_<KEY>` for every key, which wins.

Unknown keys and unknown `BONECDS_` variables are errors: a misspelt setting must not be silently ignored.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cds_service.formats import strict_toml
from cds_service.formats.urls import is_loopback, parse_base
from cds_service.kernel.errors import ContentError
from cds_service.security import clients

PREFIX = "BONECDS_"
# The variable that names the file itself.
FILE_VARIABLE = "BONECDS_SETTINGS"
_BARE = re.compile(r"-?[0-9]+|true|false")

# tables of the store that a site may keep for a time of its own
KEPT = ("calls", "issued", "feedback", "comments")

SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Settings of Bone Health CDS",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "host": {
            "description": "Address to listen on.",
            "type": "string",
            "minLength": 1,
        },
        "insecure_public_bind": {
            "description": "Listen on other addresses than loopback although callers are not authenticated.",
            "type": "boolean",
        },
        "port": {"description": "TCP port.", "type": "integer", "minimum": 1, "maximum": 65535},
        "metrics_port": {
            "description": "TCP port on 127.0.0.1 for metrics at /metrics; none: no metrics.",
            "type": "integer",
            "minimum": 1,
            "maximum": 65535,
        },
        "public_url": {
            "description": "Address under which callers reach this service, such as https://cds.example.org; the aud of their"
            " tokens is this with /cds-services/{id}.",
            "type": "string",
            "minLength": 1,
        },
        "clients": {
            "description": "Registered callers; where there are any, nobody else is answered. One [[clients]] table each.",
            "type": "array",
            "minItems": 1,
            "items": clients.SCHEMA,
        },
        "replay_store_down": {
            "description": "A token that cannot be checked for replay because the database is away: accept it, if this process"
            " has not seen it, or refuse it.",
            "enum": ["accept", "refuse"],
        },
        "fhir_bases": {
            "description": "FHIR servers that may be called for callers who do not authenticate; none listed: none.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string"},
        },
        "fetch_ms": {
            "description": "Longest time for all look-ups of a call at its FHIR server.",
            "type": "integer",
            "minimum": 100,
            "maximum": 10000,
        },
        "database_url": {
            "description": "Where used tokens and the record of calls are kept: sqlite:////path/to/file or"
            " postgresql+psycopg://user@host/name. None: nothing is kept.",
            "type": "string",
            "minLength": 1,
        },
        "audit_key_file": {
            "description": "File with the key of the hashes in the record of calls; default: beside the SQLite file.",
            "type": "string",
            "minLength": 1,
        },
        "former_key_files": {
            "description": "Files with keys that were in use before, so that what they made can still be found: answers to earlier"
            " cards, and what `bonecds erase` deletes.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "minLength": 1},
        },
        "keep_days": {
            "description": "For how many days each table is kept, for `bonecds purge`: calls, issued, feedback, comments. A table"
            " that is not named is kept.",
            "type": "object",
            "additionalProperties": False,
            "properties": {name: {"type": "integer", "minimum": 1, "maximum": 36500} for name in KEPT},
        },
        "record_groups": {
            "description": "Keep sex and a band of ten years of age with each call, so that reports can compare groups.",
            "type": "boolean",
        },
        "admin_key_file": {
            "description": "File with the password of the page /admin, which shows reports: 64 hex digits; none: no such page.",
            "type": "string",
            "minLength": 1,
        },
        "silent": {
            "description": "Silent mode: everything runs and is recorded, and no card is shown to anybody.",
            "type": "boolean",
        },
        "workers": {"description": "Processes.", "type": "integer", "minimum": 1, "maximum": 64},
        "threads": {
            "description": "Calls worked on at the same time in each process.",
            "type": "integer",
            "minimum": 1,
            "maximum": 256,
        },
        "waiting": {
            "description": "Calls that may wait for one of those, in each process; more are told to come back (503).",
            "type": "integer",
            "minimum": 0,
            "maximum": 1000,
        },
        "profile": {
            "description": "Built-in profile of clinical choices.",
            "type": "string",
            "pattern": "^[a-z][a-z0-9_-]*$",
        },
        "site_file": {
            "description": "TOML file with a site's own choices; it names the profile it starts from.",
            "type": "string",
            "minLength": 1,
        },
        "max_body_bytes": {"description": "Longest body accepted.", "type": "integer", "minimum": 1000},
        "cors_origins": {
            "description": "Origins whose pages may call; none listed: pages served from loopback only.",
            "type": "array",
            "uniqueItems": True,
            "items": {"type": "string", "pattern": "^https?://[^/*\\s]+$"},
        },
        "sandbox": {
            "description": "Offer the sandbox page at /sandbox and a FHIR endpoint of invented patients at /fhir; only on loopback"
            " and without clients.",
            "type": "boolean",
        },
        "on_unassessable": {
            "description": "Answer when it is unknown whether the patient is in scope: an error or a card.",
            "enum": ["412", "card"],
        },
        "as_of": {
            "description": "Day (YYYY-MM-DD) to look at patients on, for demonstration and replay; default today.",
            "type": "string",
            "pattern": "^\\d{4}-\\d{2}-\\d{2}$",
        },
    },
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What `SCHEMA` describes, with the defaults. The default needs no account, no network and no file.

    Raises:
        ContentError: `host` is not loopback, nobody is registered and `insecure_public_bind` is not set (A22); or settings
            that need each other do not stand together.
    """

    host: str = "127.0.0.1"
    insecure_public_bind: bool = False
    port: int = 8080
    metrics_port: int | None = None
    workers: int = 1
    threads: int = 8
    waiting: int = 16
    public_url: str = ""
    clients: tuple[Mapping[str, Any], ...] = ()
    replay_store_down: Literal["accept", "refuse"] = "accept"
    fhir_bases: tuple[str, ...] = ()
    fetch_ms: int = 2500
    database_url: str = ""
    audit_key_file: Path | None = None
    former_key_files: tuple[Path, ...] = ()
    keep_days: Mapping[str, int] = field(default_factory=dict)
    record_groups: bool = False
    admin_key_file: Path | None = None
    silent: bool = False
    profile: str = "us"
    site_file: Path | None = None
    max_body_bytes: int = 5_000_000
    cors_origins: tuple[str, ...] = ()
    sandbox: bool = False
    on_unassessable: str = "412"
    as_of: dt.date | None = None

    def __post_init__(self) -> None:
        if not self.clients and not self.insecure_public_bind and not is_loopback(self.host.strip("[]")):
            raise ContentError(
                "settings",
                "host",
                f"{self.host} is open to other machines, and no clients are registered.",
                "Register the callers ([[clients]]), listen on 127.0.0.1, or put a proxy that authenticates in front and set"
                " insecure_public_bind = true.",
            )
        if self.sandbox:
            self._check_what_the_sandbox_needs()
        if self.clients:
            self._check_what_clients_need()
        if self.silent and not self.database_url:
            raise ContentError(
                "settings",
                "silent",
                "needs a database: silent mode is for what would have been shown, and that is kept there.",
                "Set database_url, such as sqlite:///bonecds.sqlite3, or take silent = true out.",
            )
        if self.admin_key_file and not self.database_url:
            raise ContentError(
                "settings",
                "admin_key_file",
                "is for reports of what is kept, and nothing is kept.",
                "Set database_url, too.",
            )
        if self.metrics_port == self.port:
            raise ContentError("settings", "metrics_port", "is the port of the service.", "Choose another.")

    def _check_what_the_sandbox_needs(self) -> None:
        """A page for trying things out never stands beside real callers (H5)."""
        if self.clients:
            raise ContentError(
                "settings",
                "sandbox",
                "cannot be on while clients are registered.",
                "Take sandbox = true out, or run the sandbox as a service of its own.",
            )
        if not is_loopback(self.host.strip("[]")):
            raise ContentError(
                "settings",
                "sandbox",
                f"is for this machine alone, and {self.host} is open to others.",
                "Listen on 127.0.0.1, or take sandbox = true out.",
            )

    def _check_what_clients_need(self) -> None:
        if not self.public_url:
            raise ContentError(
                "settings",
                "public_url",
                "is needed with clients.",
                "Give the address at which they reach this service.",
            )
        try:
            parse_base(self.public_url, insecure=True)
        except ValueError as problem:
            raise ContentError(
                "settings", "public_url", f"{problem}.", "Write https://host or https://host/path."
            ) from None
        if not self.database_url:
            raise ContentError(
                "settings",
                "database_url",
                "is needed with clients: their tokens work once, and each call is recorded.",
                "For one machine: sqlite:////var/lib/bonecds/bonecds.sqlite3",
            )
        if self.fhir_bases:
            raise ContentError(
                "settings",
                "fhir_bases",
                "is for callers who are not registered.",
                "Give each client its own fhir_bases.",
            )

    def day(self) -> dt.date:
        """The day patients are looked at: `as_of`, else today where the server stands."""
        return self.as_of or dt.datetime.now().astimezone().date()  # noqa: TID251 the one place web reads the clock


def load(path: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        path: the TOML file; without one, the file that `BONECDS_SETTINGS` names, or the defaults.
        environ: the environment.

    Returns:
        The settings.

    Raises:
        ContentError: a file, key, variable or value is not allowed; the message names it.
    """
    if path is None and environ.get(FILE_VARIABLE):
        path = Path(environ[FILE_VARIABLE])
    found = _from_file(path) if path else {}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name != FILE_VARIABLE:
            found |= _from_variable(name, environ[name])
    for name in found.keys() & {"cors_origins", "clients", "fhir_bases"}:
        found[name] = tuple(found[name])
    if "former_key_files" in found:
        found["former_key_files"] = tuple(map(Path, found["former_key_files"]))
    for name in found.keys() & {"site_file", "audit_key_file", "admin_key_file"}:
        found[name] = Path(found[name])
    if "as_of" in found:
        found["as_of"] = _date(found["as_of"])
    return Settings(**found)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ContentError(str(path), "(file)", f"cannot be read: {type(problem).__name__}.") from None
    return strict_toml.load(text, str(path), SCHEMA)


def _from_variable(name: str, value: str) -> dict[str, Any]:
    """One variable, read as the line of TOML it stands for, so that one schema checks both."""
    key = name.removeprefix(PREFIX).lower()
    described = SCHEMA["properties"].get(key, {})
    kind = described.get("type", "string")
    written = json.dumps(value)
    if kind == "object" or (kind == "array" and described["items"]["type"] == "object"):
        written = value  # tables, written as TOML writes them in a line: [{name = "...", issuer = "..."}]
    elif kind == "array":
        written = json.dumps([part.strip() for part in value.split(",") if part.strip()])
    elif kind != "string" and _BARE.fullmatch(value.strip()):
        written = value.strip()
    return strict_toml.load(f"{key} = {written}", name, SCHEMA)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ContentError("settings", "as_of", "is not a day of the calendar.") from None
