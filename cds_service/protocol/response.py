"""The answer to a call: cards. What is empty is not sent; what breaks the specification cannot be built."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any

from cds_service.kernel.account import Account
from cds_service.kernel.past import IssuedCard
from cds_service.kernel.rules import Level

# "fewer than 140 characters" (2.0.1, Card Attributes)
MAX_SUMMARY = 139


@dataclass(frozen=True, slots=True)
class Topic:
    """What a card is about, as a code that stays the same for every patient and call."""

    code: str
    system: str
    display: str = ""

    def to_json(self) -> dict[str, Any]:
        """As a Coding."""
        return {"code": self.code, "system": self.system, "display": self.display}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the guidance comes from; `url` is the publisher's page, not a drill-down."""

    label: str
    url: str = ""
    icon: str = ""
    topic: Topic | None = None

    def __post_init__(self) -> None:
        _filled("source.label", self.label)

    def to_json(self) -> dict[str, Any]:
        """As `card.source`."""
        topic = self.topic.to_json() if self.topic else {}
        return {"label": self.label, "url": self.url, "icon": self.icon, "topic": topic}


class ActionType(Enum):
    """What an action does to the record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Action:
    """One proposed change.

    Attributes:
        type: see `ActionType`.
        description: what the user sees; Epic shows this and not the suggestion's label.
        resource: the whole FHIR resource to create or update.
        resource_id: `Type/id` to delete.
    """

    type: ActionType
    description: str
    resource: Mapping[str, Any] = field(default_factory=dict)
    resource_id: str = ""

    def __post_init__(self) -> None:
        _filled("action.description", self.description)
        deletes = self.type is ActionType.DELETE
        if deletes == bool(self.resource) or deletes != bool(self.resource_id):
            raise ValueError("create and update carry a resource, delete a resource_id, and neither the other")

    def to_json(self) -> dict[str, Any]:
        """As `suggestion.actions[]`."""
        return {
            "type": self.type.value,
            "description": self.description,
            "resource": self.resource,
            "resourceId": self.resource_id,
        }


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A set of changes that go together."""

    label: str
    uuid: str
    actions: tuple[Action, ...] = ()
    is_recommended: bool = False

    def __post_init__(self) -> None:
        _filled("suggestion.label", self.label)

    def to_json(self) -> dict[str, Any]:
        """As `card.suggestions[]`."""
        return {
            "label": self.label,
            "uuid": self.uuid,
            "isRecommended": self.is_recommended or None,
            "actions": [action.to_json() for action in self.actions],
        }


class LinkType(Enum):
    """ABSOLUTE: open as it is. SMART: launch as a SMART app."""

    ABSOLUTE = "absolute"
    SMART = "smart"


@dataclass(frozen=True, slots=True)
class Link:
    """Something to open; `app_context` is handed to a SMART app and must hold no PHI."""

    label: str
    url: str
    type: LinkType = LinkType.ABSOLUTE
    app_context: str = ""

    def __post_init__(self) -> None:
        _filled("link.label", self.label)
        _filled("link.url", self.url)
        if self.app_context and self.type is not LinkType.SMART:
            raise ValueError("link.app_context goes with SMART links only")

    def to_json(self) -> dict[str, Any]:
        """As `card.links[]`."""
        return {"label": self.label, "url": self.url, "type": self.type.value, "appContext": self.app_context}


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """A reason the user may give for not following the card."""

    code: str
    system: str
    display: str

    def __post_init__(self) -> None:
        _filled("overrideReason.display", self.display)

    def to_json(self) -> dict[str, Any]:
        """As `card.overrideReasons[]`."""
        return {"code": self.code, "system": self.system, "display": self.display}


@dataclass(frozen=True, slots=True)
class Card:
    """One piece of advice.

    Attributes:
        uuid: names the card in feedback.
        summary: at most 139 characters, stands alone.
        indicator: urgency.
        source: where the guidance comes from.
        detail: GitHub-flavoured Markdown; text from the record must have been escaped.
        suggestions: any number may be chosen (`selectionBehavior: any`, the only one Epic takes).
        override_reasons: reasons the user may give for not following it.
        links: things to open.
        extension: by reverse-domain name.

    Raises:
        ValueError: an empty summary, or one of 140 characters or more.
    """

    uuid: str
    summary: str
    indicator: Level
    source: Source
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    override_reasons: tuple[OverrideReason, ...] = ()
    links: tuple[Link, ...] = ()
    extension: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _filled("card.summary", self.summary)
        # Counted as browsers count, where an emoji is two.
        if len(self.summary.encode("utf-16-le")) // 2 > MAX_SUMMARY:
            raise ValueError(f"card.summary must have at most {MAX_SUMMARY} characters")

    def to_json(self) -> dict[str, Any]:
        """As `cards[]`."""
        return {
            "uuid": self.uuid,
            "summary": self.summary,
            "detail": self.detail,
            "indicator": self.indicator.value,
            "source": self.source.to_json(),
            "suggestions": [suggestion.to_json() for suggestion in self.suggestions],
            "selectionBehavior": "any" if self.suggestions else "",
            "overrideReasons": [reason.to_json() for reason in self.override_reasons],
            "links": [link.to_json() for link in self.links],
            "extension": self.extension,
        }


@dataclass(frozen=True, slots=True)
class HookResponse:
    """The answer to one call. No `systemActions`, ever (S10).

    Attributes:
        cards: most urgent first; none means "no advice", never "all is well" (S1).
        account: what the operator's log and metrics may know of the call; not sent.
        issued: what the store may know of these cards and of those that were held back; not sent, and never logged.
    """

    cards: tuple[Card, ...] = ()
    account: Account = field(default_factory=Account)
    issued: tuple[IssuedCard, ...] = field(default=(), repr=False)

    def to_json(self) -> dict[str, Any]:
        """The body, without null and without anything empty but `cards`.

        Raises:
            ValueError: a number in it is not finite.
        """
        return {"cards": [_without_empties(card.to_json()) for card in self.cards]}


def _filled(name: str, text: str) -> None:
    if not text.strip():
        raise ValueError(f"{name} must not be empty")


def _without_empties(value: Any) -> Any:
    if isinstance(value, Mapping):
        pairs = ((key, _without_empties(part)) for key, part in value.items())
        return {key: part for key, part in pairs if not _is_empty(part)}
    if isinstance(value, list | tuple):
        return [part for part in map(_without_empties, value) if not _is_empty(part)]
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise ValueError("a number in the answer is not finite")
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)
