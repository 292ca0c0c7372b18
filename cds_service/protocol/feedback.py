"""What became of cards, as an EHR tells it afterwards (CDS Hooks 2.0.1, "Feedback").

Epic's samples say `overrideReasons` and put what was chosen into keys of an `extension`; its card ids need not be UUIDs. A lone
object is taken for a list of one. An outcome and its time must be there: without them there is nothing to keep.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from cds_service.kernel.errors import RequestRefused

_DOCS = "The format is at https://cds-hooks.hl7.org/2.0/ under Feedback."
# more than an EHR collects between two posts; a body of this many is one transaction
_MOST = 1000
_LONGEST_ID = 200
_EPIC = "com.epic.cdshooks.feedback.overrideReason"


class CardOutcome(Enum):
    """What the user did with a card. A card that was ignored is never told of."""

    ACCEPTED = "accepted"
    OVERRIDDEN = "overridden"


_OUTCOMES = {each.value: each for each in CardOutcome}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a card was overridden: a code of ours, as a rule; or of the site."""

    code: str
    system: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user did with one card.

    Attributes:
        card: `uuid` of the card, or whatever the sender calls it.
        outcome: accepted or overridden.
        at: when, with a time zone.
        suggestions: `uuid` of each suggestion that was accepted, sorted.
        reasons: why it was overridden.
        comment: free text of a clinician, which may say anything about anybody; never logged.
    """

    card: str
    outcome: CardOutcome
    at: dt.datetime
    suggestions: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    comment: str = field(default="", repr=False)


def parse(body: object) -> tuple[Feedback, ...]:
    """Read the body of a feedback request.

    Raises:
        RequestRefused: an entry cannot be used; nothing of the body is. The message names the place and repeats no value.
    """
    told = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(told, dict | list):
        raise RequestRefused("feedback must be a list", "feedback", _DOCS)
    entries = _listed(told)
    if len(entries) > _MOST:
        raise RequestRefused(f"more than {_MOST} entries", "feedback", "Send them in several requests.")
    return tuple(_entry(each, f"feedback[{number}]") for number, each in enumerate(entries))


def _entry(told: object, where: str) -> Feedback:
    if not isinstance(told, dict):
        raise RequestRefused("an entry must be an object", where, _DOCS)
    card = told.get("card")
    if not isinstance(card, str) or not 0 < len(card.strip()) <= _LONGEST_ID:
        raise RequestRefused(
            f"the id of a card must be a text of at most {_LONGEST_ID} characters", f"{where}.card", _DOCS
        )
    outcome = _OUTCOMES.get(str(told.get("outcome")))
    if outcome is None:
        raise RequestRefused("must be accepted or overridden", f"{where}.outcome", _DOCS)
    accepted = (each.get("id") for each in _objects(told.get("acceptedSuggestions")))
    suggestions = {each for each in accepted if isinstance(each, str) and 0 < len(each) <= _LONGEST_ID}
    given = [*_objects(told.get("overrideReason")), *_objects(told.get("overrideReasons"))]
    reasons = dict.fromkeys((*_reasons(given), *_epic_reasons(told.get("extension"))))
    comments = (each.get("userComment") for each in given)
    return Feedback(
        card.strip(),
        outcome,
        _time(told.get("outcomeTimestamp"), f"{where}.outcomeTimestamp"),
        tuple(sorted(suggestions)),
        tuple(reasons),
        "\n".join(each.strip() for each in comments if isinstance(each, str) and each.strip()),
    )


def _time(told: object, where: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(told) if isinstance(told, str) else None
        if found is None or found.tzinfo is None:
            raise ValueError
        return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        asked = "must be a date and time with a time zone, such as 2026-06-15T12:00:00Z"
        raise RequestRefused(asked, where, _DOCS) from None


def _reasons(given: Sequence[Mapping[str, Any]]) -> Iterator[Reason]:
    """The Codings, which stand in `reason`, or, where the plural holds them, by themselves."""
    for each in given:
        for coding in [*_objects(each.get("reason")), each]:
            yield from _reason(coding.get("code"), coding.get("system"))


def _epic_reasons(extension: object) -> Iterator[Reason]:
    """Epic's `com.epic.cdshooks.feedback.overrideReason.*`: a Coding, or the text of a code, under each key."""
    if not isinstance(extension, dict):
        return
    for key, value in extension.items():
        if key.startswith(_EPIC):
            for each in _listed(value):
                coding = each if isinstance(each, dict) else {"code": each}
                yield from _reason(coding.get("code"), coding.get("system"))


def _reason(code: object, system: object) -> Iterator[Reason]:
    if isinstance(code, str) and 0 < len(code.strip()) <= _LONGEST_ID:
        named = system.strip() if isinstance(system, str) and len(system) <= _LONGEST_ID else ""
        yield Reason(code.strip(), named)


def _listed(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in _listed(value) if isinstance(each, dict)]
