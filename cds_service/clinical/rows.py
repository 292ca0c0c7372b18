"""The rows of the rule book, and why some of them run no rule: `rules/rows.toml`, `rules/not_computed.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cds_service.clinical import content
from cds_service.formats import strict_toml

_ROWS = "rules/rows.toml"
_NOT_COMPUTED = "rules/not_computed.toml"
_WORDS = {"type": "string", "minLength": 1}
_ROWS_SCHEMA = {
    "type": "object",
    "additionalProperties": {"type": "object", "required": ["title"], "additionalProperties": _WORDS},
}
_NOT_COMPUTED_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["title", "why", "where"],
        "additionalProperties": False,
        "properties": {"title": _WORDS, "why": _WORDS, "where": _WORDS},
    },
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the rule book.

    Attributes:
        id: as in the rule book, "GC-12a".
        family: the letters it begins with.
        title: what it is about, in our words.
    """

    id: str
    family: str
    title: str


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Why a row runs no rule.

    Attributes:
        title: what the row is about.
        why: the reason.
        where: where its content went ("text of SCR-04", "order-select (later)", "no card").
    """

    title: str
    why: str
    where: str


@lru_cache(maxsize=1)
def families() -> Mapping[str, str]:
    """Title of every family, in the order of the rule book."""
    return {family: each["title"] for family, each in _rows_file().items()}


@lru_cache(maxsize=1)
def rows() -> Mapping[str, Row]:
    """Every row by id, in the order of the rule book."""
    return {
        ident: Row(ident, family, title)
        for family, each in _rows_file().items()
        for ident, title in each.items()
        if ident != "title"
    }


@lru_cache(maxsize=1)
def not_computed() -> Mapping[str, NotComputed]:
    """The rows that run no rule, by id."""
    told = strict_toml.load(content.read(_NOT_COMPUTED), _NOT_COMPUTED, _NOT_COMPUTED_SCHEMA)
    return {ident: NotComputed(**each) for ident, each in told.items()}


def row_of(rule: str) -> str:
    """The row a rule belongs to: its own id, or that without the letter where one row is split over several rules."""
    return rule if rule in rows() else rule.rstrip("abcdefghijklmnopqrstuvwxyz")


def _rows_file() -> Mapping[str, Mapping[str, str]]:
    return strict_toml.load(content.read(_ROWS), _ROWS, _ROWS_SCHEMA)
