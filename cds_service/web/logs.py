"""The operator's log: one line of JSON per event, on standard error.

What may be logged is what `Line` has fields for, and each field holds a number or a code of ours: nothing from the record, no
token, no free text (S8, F1). Whatever else comes along is left out, and what is not a code is not repeated, so there is
no room for line breaks, terminal codes or forged lines either (F3).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import re
import sys
import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TextIO, cast

import structlog

_LONGEST = 200
_UNPRINTABLE = re.compile(r"[^ -~]")
# names of ours, ids and UUIDs: without blanks nothing that somebody wrote for people fits in
_CODE = re.compile(r"[A-Za-z0-9_.:/+-]{1,100}")
WITHHELD = "(withheld)"


class Alarm(Enum):
    """What the operator must look at soon; each is a line of level "error" and counted in `bonecds_alarms_total`."""

    JWKS_FAILING = "jwks-failing"
    REPLAY_STORE_DOWN = "replay-store-down"
    AUDIT_FAILING = "audit-failing"
    FOREIGN_PATIENT = "foreign-patient"
    FETCH_REFUSED = "fetch-refused"
    # of `cds_service.watching`
    RULE_SILENT = "rule-silent"
    RULE_FLOOD = "rule-flood"
    RULE_UNSURE = "rule-unsure"
    LOOKUPS_INCOMPLETE = "lookups-incomplete"
    CALLS_REFUSED = "calls-refused"
    CALLS_SLOW = "calls-slow"
    CARDS_CHANGED = "cards-changed"
    OVERRIDES_CHANGED = "overrides-changed"
    FEED_DEAD = "feed-dead"
    CANARY_FAILED = "canary-failed"
    MIXED_VERSIONS = "mixed-versions"
    FILES_CHANGED = "files-changed"


@dataclass(frozen=True, slots=True)
class Line:
    """One event.

    Attributes:
        event: "call", "refused", "fault", or the value of an `Alarm`.
        correlation_id: made by us for every call; stands in error answers too.
        hook_instance: the sender's id of the call, if it is a UUID; other forms may hold anything.
        client: name under which the caller is registered.
        service: id of one of our services.
        hook: its hook.
        status: HTTP status of the answer.
        ms: how long the call took.
        fetch_ms: how much of that went into reading from the FHIR server.
        cards: how many were sent.
        gaps: how many things rules could not learn.
        key_states: look-ups per state.
        rule_set: version and hash of the rules and the content.
        reason: why the caller was not let in, a code of ours.
        problem: name of the error class.
        place: file and line that raised it.
    """

    event: str
    correlation_id: str = ""
    hook_instance: str = ""
    client: str = ""
    service: str = ""
    hook: str = ""
    status: int | None = None
    ms: int | None = None
    fetch_ms: int | None = None
    cards: int | None = None
    gaps: int | None = None
    key_states: Mapping[str, int] = field(default_factory=dict)
    rule_set: str = ""
    reason: str = ""
    problem: str = ""
    place: str = ""


# what may stand in a line: the fields above, and what structlog adds
_FIELDS = tuple(each.name for each in dataclasses.fields(Line))
KEYS = ("time", "level", *_FIELDS)


def write(line: Line, level: Literal["info", "error"] = "info") -> None:
    """Write one event; fields that hold nothing are left out. Zero is something."""
    held = ((name, getattr(line, name)) for name in _FIELDS)
    emit(level, **{name: value for name, value in held if value not in ("", None, {})})


def alarm(what: Alarm, **more: Any) -> None:
    """Write an alarm; `more` are fields of `Line`."""
    write(Line(what.value, **more), "error")


def emit(level: Literal["info", "error"], event: str, **fields: Any) -> None:
    """Hand fields to structlog, which lets through only what may be logged."""
    (_LOGGER.info if level == "info" else _LOGGER.error)(event, **fields)


def if_uuid(text: str) -> str:
    """The text if it is a UUID, else nothing."""
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


def _allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """The last processor before the line is written: known keys in their order, and only codes and numbers in them."""
    return {name: _shown(event[name]) for name in KEYS if name in event}


def _shown(value: object) -> Any:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_shown(name): _shown(number) for name, number in value.items()}
    return value if isinstance(value, str) and _CODE.fullmatch(value) else WITHHELD


class _Stderr:
    """Standard error as it is when a line is written: a process that was forked, or a test, may have another."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


_LOGGER = structlog.wrap_logger(
    structlog.WriteLogger(cast("TextIO", _Stderr())),
    processors=(
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _allowed,
        structlog.processors.JSONRenderer(),
    ),
    wrapper_class=structlog.BoundLogger,
    cache_logger_on_first_use=True,
)


class ServerLines(logging.Formatter):
    """Formats gunicorn's own records.

    Warnings and errors of gunicorn may repeat what the sender wrote (request line, header), so only their fixed part is kept:
    the words before anything is put into them, or, where gunicorn 27 did that itself ("Invalid request from ip=...: ..."),
    those before the first colon.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One JSON line."""
        words = record.getMessage() if record.levelno <= logging.INFO else str(record.msg)
        if record.levelno > logging.INFO and not record.args:
            words = words.partition(": ")[0]
        found = {
            "time": f"{dt.datetime.fromtimestamp(record.created, dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            "level": record.levelname.lower(),
            "event": "server",
            "message": _UNPRINTABLE.sub("?", words)[:_LONGEST],
        }
        if record.exc_info and record.exc_info[0]:
            found["problem"] = record.exc_info[0].__name__
        return json.dumps(found)
