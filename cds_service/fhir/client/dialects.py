"""The dialects of `dialects.toml`: what is known to differ between the FHIR servers of vendors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError

_FILE = "dialects.toml"
_TEXT = {"type": "string", "minLength": 1}
_SCHEMA = {
    "type": "object",
    "required": ["generic"],
    "additionalProperties": {
        "type": "object",
        "required": ["title", "quirks"],
        "additionalProperties": False,
        "properties": {
            "title": _TEXT,
            "count": {"type": "integer", "minimum": 0, "maximum": 1000},
            "categories": {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"pattern": "^[a-z-]+$"}},
            "same_path_case": {"type": "boolean"},
            "quirks": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["seen", "so"],
                    "additionalProperties": False,
                    "properties": {"seen": _TEXT, "so": _TEXT},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Quirk:
    """What a server does: where it was seen, and what is done about it."""

    seen: str
    so: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to search one vendor's server.

    Attributes:
        name: as a registration names it.
        title: for people.
        count: `_count` of a search; 0 for none.
        categories: Observation categories of the second try, where a search by code was refused.
        same_path_case: whether a page must be below the base letter for letter.
        quirks: what the dialect rests on.
    """

    name: str
    title: str
    count: int
    categories: tuple[str, ...]
    same_path_case: bool
    quirks: tuple[Quirk, ...]


def dialect(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        ContentError: there is none; the message lists all.
    """
    known = dialects()
    if name not in known:
        raise ContentError(_FILE, name[:40], "is no dialect", f"Use one of: {', '.join(known)}.")
    return known[name]


@cache
def dialects() -> Mapping[str, Dialect]:
    """All dialects by name."""
    return _read(files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))


def _read(text: str) -> Mapping[str, Dialect]:
    content = strict_toml.load(text, _FILE, _SCHEMA)
    found = {}
    for name, own in content.items():
        each = {**content["generic"], **own}
        quirks = tuple(Quirk(**quirk) for quirk in own["quirks"])
        found[name] = Dialect(
            name, each["title"], each["count"], tuple(each["categories"]), each["same_path_case"], quirks
        )
    return found
