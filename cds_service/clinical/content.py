"""The reviewed content: guideline numbers, sources and words, read once and checked while reading."""

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
_SETS_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["title", "source", "about"],
        "additionalProperties": False,
        "properties": {name: {"type": "string", "minLength": 1} for name in ("title", "source", "about")},
    },
}
_NOT_NUMBERS = frozenset({"sources.toml", "sets.toml"})


@dataclass(frozen=True, slots=True)
class GuidelineSet:
    """A guideline as profiles switch it on.

    Attributes:
        name: as in profiles and `--only` ("acr2022").
        title: for people.
        source: the document its cards name.
        about: whom it is for.
    """

    name: str
    title: str
    source: Source
    about: str


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
    for name in files("guidelines", ".toml"):
        if name not in _NOT_NUMBERS:
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


@lru_cache(maxsize=1)
def guideline_sets() -> Mapping[str, GuidelineSet]:
    """Every guideline set by name."""
    told = _toml("guidelines/sets.toml", _SETS_SCHEMA)
    for name, each in told.items():
        if each["source"] not in sources():
            raise ContentError(
                "guidelines/sets.toml", name, f"unknown source {each['source']!r}", "Add it to sources.toml."
            )
    return MappingProxyType(
        {
            name: GuidelineSet(name, each["title"], sources()[each["source"]], each["about"])
            for name, each in told.items()
        }
    )


def text_files(language: str) -> Mapping[str, str]:
    """The words of that language, as TOML texts by file name; `cards.texts` reads and joins them."""
    folder = f"texts/{language}"
    return {f"{folder}/{name}": read(f"{folder}/{name}") for name in files(folder, ".toml")}


def orders_file() -> str:
    """The orders that cards may offer, as TOML text; `cards.suggest` reads it."""
    return read("orders.toml")


def all_files() -> list[tuple[str, str]]:
    """Name and text of every content file but the value sets, for the version hash: everything in `clinical/`."""
    texts = (f"texts/{language}" for language in _languages())
    folders = ("", "dosage", "dosage/text", "due", "facts", "guidelines", "profiles", "reviews", "rules", *texts)
    there = [folder for folder in folders if resources.files("cds_service.clinical").joinpath(folder).is_dir()]
    names = [f"{folder}/{name}".lstrip("/") for folder in there for name in files(folder, (".py", ".toml"))]
    return [(name, read(name)) for name in names]


def _languages() -> list[str]:
    return files("texts", "")


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
    return strict_toml.load(read(file), file, schema)


def read(file: str) -> str:
    """The text of one content file."""
    return resources.files("cds_service.clinical").joinpath(file).read_text(encoding="utf-8")


def files(folder: str, ending: str | tuple[str, ...]) -> list[str]:
    """Names of the content files of a folder that end like this, sorted."""
    found = resources.files("cds_service.clinical").joinpath(folder).iterdir()
    return sorted(item.name for item in found if item.name.endswith(ending))
