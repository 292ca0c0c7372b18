"""The reviewed content: guideline numbers, profiles and words, read once and checked while reading."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError, InputError
from cds_service.kernel.thresholds import Source, Threshold, Thresholds

_SOURCES_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["label", "title"],
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string", "minLength": 1},
            "title": {"type": "string", "minLength": 1},
            "url": {"type": "string", "pattern": "^https://"},
            "year": {"type": "integer"},
        },
    },
}
_VALUE_SCHEMA = {
    "type": "object",
    "required": ["since", "value", "source", "where", "check"],
    "additionalProperties": False,
    "properties": {
        "since": {},
        "value": {"type": "number"},
        "source": {"type": "string"},
        "where": {"type": "string", "minLength": 1},
        "check": {"enum": ["V", "V2", "R", "P"]},
    },
}
_GUIDELINE_SCHEMA = {
    "type": "object",
    "required": ["guideline"],
    "properties": {"guideline": {"type": "string"}},
    "additionalProperties": {
        "type": "object",
        "required": ["label", "unit", "values"],
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "values": {"type": "array", "minItems": 1, "items": _VALUE_SCHEMA},
        },
    },
}
_PROFILE_SCHEMA = {
    "type": "object",
    "required": ["title", "sets", "vitamin_d", "preview", "card_cap", "language", "not_kept"],
    "additionalProperties": False,
    "properties": {
        "title": {"type": "string"},
        "sets": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "vitamin_d": {"type": "string", "pattern": "^vd_"},
        "preview": {"type": "array", "items": {"type": "string"}},
        "card_cap": {"type": "integer", "minimum": 1, "maximum": 10},
        "language": {"type": "string"},
        "not_kept": {"type": "array", "items": {"type": "string"}},
    },
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A site's choices.

    Attributes:
        id: name of the file ("us").
        title: for people.
        sets: guideline sets whose rules are on, most important first.
        vitamin_d: the vitamin D profile whose classes are used ("vd_iom2011").
        preview: ids of preview rules that are on all the same; "*" for all of the sets.
        card_cap: most cards in one answer.
        language: name of the file in `texts/`.
        not_kept: need keys that count as looked up although the EHR never supplies them.
    """

    id: str
    title: str
    sets: tuple[str, ...]
    vitamin_d: str
    preview: tuple[str, ...]
    card_cap: int
    language: str
    not_kept: tuple[str, ...]

    def only(self, sets: tuple[str, ...]) -> Profile:
        """The same site with just the named guideline sets, their preview rules included."""
        vitamin_d = next((name for name in sets if name.startswith("vd_")), self.vitamin_d)
        return Profile(self.id, self.title, sets, vitamin_d, ("*",), self.card_cap, self.language, self.not_kept)


@lru_cache(maxsize=1)
def sources() -> Mapping[str, Source]:
    """All sources by id."""
    content = _toml("guidelines/sources.toml", _SOURCES_SCHEMA)
    return MappingProxyType(
        {
            ident: Source(ident, each["label"], each["title"], each.get("url", ""), each.get("year", 0))
            for ident, each in content.items()
        }
    )


@lru_cache(maxsize=1)
def all_thresholds() -> tuple[Threshold, ...]:
    """Every number of every guideline, with all its dates."""
    found: list[Threshold] = []
    for name in _files("guidelines", ".toml"):
        if name != "sources.toml":
            found.extend(_guideline(f"guidelines/{name}"))
    return tuple(found)


@lru_cache(maxsize=8)
def thresholds(as_of: dt.date) -> Thresholds:
    """The numbers in force on that day.

    Raises:
        InputError: the day lies before the first day on which all of them are in force.
    """
    first_dates: dict[str, dt.date] = {}
    for value in all_thresholds():
        first_dates[value.key] = min(value.since, first_dates.get(value.key, value.since))
    first = max(first_dates.values())
    if as_of < first:
        raise InputError(
            f"the rule book holds from {first.isoformat()} on", "as_of", "Ask about that day or a later one."
        )
    return Thresholds(all_thresholds(), as_of)


@lru_cache(maxsize=8)
def profile(name: str) -> Profile:
    """The profile of that name.

    Raises:
        InputError: there is none; the message lists those there are.
    """
    known = [file.removesuffix(".toml") for file in _files("profiles", ".toml")]
    if name not in known:
        raise InputError(f"there is no profile {name!r}", "profile", f"Choose one of: {', '.join(known)}.")
    content = _toml(f"profiles/{name}.toml", _PROFILE_SCHEMA)
    return Profile(
        name,
        content["title"],
        tuple(content["sets"]),
        content["vitamin_d"],
        tuple(content["preview"]),
        content["card_cap"],
        content["language"],
        tuple(content["not_kept"]),
    )


def text_file(language: str) -> str:
    """The words of that language, as TOML text; `cards.texts` reads it."""
    return _read(f"texts/{language}.toml")


def orders_file() -> str:
    """The orders that cards may offer, as TOML text; `cards.suggest` reads it."""
    return _read("orders.toml")


def all_files() -> list[tuple[str, str]]:
    """Name and text of every content file but the value sets, for the version hash."""
    folders = (
        ("guidelines", ".toml"),
        ("profiles", ".toml"),
        ("texts", ".toml"),
        ("rules", ".py"),
        ("facts", ".py"),
        ("dosage", ".py"),
    )
    names = [f"{folder}/{name}" for folder, ending in folders for name in _files(folder, ending)]
    alone = ("concepts.py", "exposure.py", "measurements.py", "patient.py", "orders.toml", "analytes.toml")
    return [(name, _read(name)) for name in (*names, *alone)]


def _guideline(file: str) -> list[Threshold]:
    content = _toml(file, _GUIDELINE_SCHEMA)
    guideline = content.pop("guideline")
    found = []
    for key, entry in content.items():
        for value in entry["values"]:
            if value["source"] not in sources():
                raise ContentError(file, key, f"unknown source {value['source']!r}", "Add it to sources.toml.")
            if not isinstance(value["since"], dt.date):
                raise ContentError(file, key, "since is not a date", "Write it as 2023-01-01.")
            found.append(
                Threshold(
                    f"{guideline}.{key}",
                    entry["label"],
                    Decimal(value["value"]),
                    entry["unit"],
                    value["since"],
                    sources()[value["source"]],
                    value["where"],
                    value["check"],
                )
            )
    return found


def _toml(file: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return strict_toml.load(_read(file), file, schema)


def _read(file: str) -> str:
    return resources.files("cds_service.clinical").joinpath(file).read_text(encoding="utf-8")


def _files(folder: str, ending: str) -> list[str]:
    found = resources.files("cds_service.clinical").joinpath(folder).iterdir()
    return sorted(item.name for item in found if item.name.endswith(ending))
