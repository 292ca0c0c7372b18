"""Sign-offs: a clinician agreed with one rule, exactly as it was on that day (`basis.py` says what "exactly" covers)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cds_service.clinical import content
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["rule", "version", "content", "reviewer", "role", "on"],
    "additionalProperties": False,
    "properties": {
        "rule": {"type": "string", "minLength": 1},
        "version": {"type": "string", "minLength": 1},
        "content": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "reviewer": {"type": "string", "minLength": 1},
        "role": {"type": "string", "minLength": 1},
        "on": {},
        "note": {"type": "string"},
    },
}


@dataclass(frozen=True, slots=True)
class SignOff:
    """One signature.

    Attributes:
        rule: id of the rule.
        version: its version then.
        content: `content_hash` then.
        reviewer: who.
        role: as what ("consultant neurologist").
        on: the day.
        note: what the reviewer wanted to say with it.
    """

    rule: str
    version: str
    content: str
    reviewer: str
    role: str
    on: dt.date
    note: str = ""


def parse(told: Mapping[str, Any], file: str) -> SignOff:
    """One signature from its table.

    Raises:
        ContentError: the day is not a date.
    """
    if not isinstance(told["on"], dt.date):
        raise ContentError(file, "on", "is not a date", "Write it as 2026-06-15.")
    return SignOff(**told)


@lru_cache(maxsize=1)
def shipped() -> tuple[SignOff, ...]:
    """The signatures that came with this release."""
    names = [f"reviews/{name}" for name in content.files("reviews", ".toml")]
    return tuple(parse(strict_toml.load(content.read(name), name, SCHEMA), name) for name in names)
