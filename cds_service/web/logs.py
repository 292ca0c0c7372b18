"""The operator's log: one line of JSON per event, on standard error.

What may be logged is what `Line` has fields for: nothing from the record, no token, no free text (S8, F1).
Everything outside printable ASCII is replaced, so there is no room for line breaks or terminal codes (F3).
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

_LONGEST = 200
_UNPRINTABLE = re.compile(r"[^ -~]")


@dataclass(frozen=True, slots=True)
class Line:
    """One event.

    Attributes:
        event: "call", "refused", "fault", "started" ...
        correlation_id: made by us for every call; stands in error answers too.
        hook_instance: the sender's id of the call, if it is a UUID; other forms may hold anything.
        service: id of one of our services.
        hook: its hook.
        status: HTTP status of the answer.
        ms: how long the call took.
        cards: how many were sent.
        key_states: look-ups per state.
        problem: name of the error class.
        place: file and line that raised it.
        message: words of the server itself.
    """

    event: str
    correlation_id: str = ""
    hook_instance: str = ""
    service: str = ""
    hook: str = ""
    status: int | None = None
    ms: int | None = None
    cards: int | None = None
    key_states: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""
    place: str = ""
    message: str = ""


def write(line: Line, stream: TextIO | None = None) -> None:
    """Write one event; fields that hold nothing are left out. Zero is something."""
    held = ((f.name, getattr(line, f.name)) for f in dataclasses.fields(line))
    found = {name: _safe(value) for name, value in held if value not in ("", None, {})}
    print(json.dumps(found), file=stream or sys.stderr, flush=True)


def if_uuid(text: str) -> str:
    """The text if it is a UUID, else nothing."""
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else ""
    except ValueError:
        return ""


class ServerLines(logging.Formatter):
    """Formats gunicorn's own records as `Line`s.

    Warnings and errors of gunicorn may repeat what the sender wrote (request line, header), so only their
    fixed part is kept.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One JSON line."""
        words = record.getMessage() if record.levelno <= logging.INFO else str(record.msg)
        found = {"event": "server", "level": record.levelname.lower(), "message": _safe(words)}
        if record.exc_info and record.exc_info[0]:
            found["problem"] = record.exc_info[0].__name__
        return json.dumps(found)


def _safe(value: Any) -> Any:
    return _UNPRINTABLE.sub("?", value)[:_LONGEST] if isinstance(value, str) else value
