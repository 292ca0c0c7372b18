"""What users did with our cards, as clients report it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from jsonschema.exceptions import ValidationError

from cds_service.kernel.errors import RequestRefused
from cds_service.protocol.validate import asked_by, path_of, schema_errors


class Outcome(Enum):
    """Clients never report that a card was ignored."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One report. The same card may be reported again, with another outcome.

    Attributes:
        card: uuid of the card; Epic sends other forms, so any text.
        outcome: see `Outcome`.
        timestamp: when, as sent (RFC 3339, UTC).
        suggestions: uuids of the accepted suggestions.
        reason_code: code of the override reason, or empty.
        reason_system: its code system, or empty.
        user_comment: the clinician's own words; may hold PHI, so never shown and never logged (F6).
    """

    card: str
    outcome: Outcome
    timestamp: str
    suggestions: tuple[str, ...] = ()
    reason_code: str = ""
    reason_system: str = ""
    user_comment: str = field(default="", repr=False)


def parse(body: object) -> tuple[Feedback, ...]:
    """Read the body of a feedback call.

    Args:
        body: parsed JSON.

    Returns:
        The reports, in the order sent.

    Raises:
        RequestRefused: card, outcome or time is missing or unusable; the message repeats no value.
    """
    for error in schema_errors("feedback", body):
        if not _tolerated(error):
            raise RequestRefused(f"a value {asked_by(error)}", path_of(error), "Correct the feedback entry.")
    return tuple(_entry(entry) for entry in _object(body)["feedback"])


def _tolerated(error: ValidationError) -> bool:
    # How a reason is spelt never decides whether the feedback counts.
    return "overrideReason" in error.absolute_path or "acceptedSuggestions" in error.absolute_path


def _entry(entry: Mapping[str, Any]) -> Feedback:
    # Epic's samples name the field in the plural.
    override = _object(entry.get("overrideReason") or entry.get("overrideReasons"))
    reason = _object(override.get("reason"))
    accepted = entry.get("acceptedSuggestions")
    ids = (_text(_object(item).get("id")) for item in (accepted if isinstance(accepted, list) else ()))
    return Feedback(
        card=entry["card"],
        outcome=Outcome(entry["outcome"]),
        timestamp=entry["outcomeTimestamp"],
        suggestions=tuple(ident for ident in ids if ident),
        reason_code=_text(reason.get("code")),
        reason_system=_text(reason.get("system")),
        user_comment=_text(override.get("userComment")),
    )


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
