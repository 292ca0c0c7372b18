"""Settings: one TOML file, and an environment variable `BONECDS_<KEY>` for every key, which wins.

Unknown keys and unknown `BONECDS_` variables are errors: a misspelt setting must not be silently ignored.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError

PREFIX = "BONECDS_"
# The variable that names the file itself.
FILE_VARIABLE = "BONECDS_SETTINGS"
_BARE = re.compile(r"-?[0-9]+|true|false")

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
        "workers": {"description": "Processes.", "type": "integer", "minimum": 1, "maximum": 64},
        "threads": {
            "description": "Threads in each process.",
            "type": "integer",
            "minimum": 1,
            "maximum": 256,
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
        ContentError: `host` is not loopback and `insecure_public_bind` is not set, or both ports are the same.
    """

    host: str = "127.0.0.1"
    insecure_public_bind: bool = False
    port: int = 8080
    metrics_port: int | None = None
    workers: int = 1
    threads: int = 4
    profile: str = "us"
    site_file: Path | None = None
    max_body_bytes: int = 5_000_000
    cors_origins: tuple[str, ...] = ()
    on_unassessable: str = "412"
    as_of: dt.date | None = None

    def __post_init__(self) -> None:
        if not self.insecure_public_bind and not _is_loopback(self.host):
            raise ContentError(
                "settings",
                "host",
                f"{self.host} is open to other machines, and this version does not authenticate callers.",
                "Listen on 127.0.0.1, or put a proxy that authenticates in front and set insecure_public_bind = true.",
            )
        if self.metrics_port == self.port:
            raise ContentError("settings", "metrics_port", "is the port of the service.", "Choose another.")

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
    if "cors_origins" in found:
        found["cors_origins"] = tuple(found["cors_origins"])
    if "site_file" in found:
        found["site_file"] = Path(found["site_file"])
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
    kind = SCHEMA["properties"].get(key, {}).get("type", "string")
    written = json.dumps(value)
    if kind == "array":
        written = json.dumps([part.strip() for part in value.split(",") if part.strip()])
    elif kind != "string" and _BARE.fullmatch(value.strip()):
        written = value.strip()
    return strict_toml.load(f"{key} = {written}", name, SCHEMA)


def _date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ContentError("settings", "as_of", "is not a day of the calendar.") from None


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
