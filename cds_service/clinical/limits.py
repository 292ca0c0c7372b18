"""What the service is known not to see, from `limits.toml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from cds_service.clinical import content
from cds_service.formats import strict_toml

FILE = "limits.toml"
_LINES = {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1}
_TABLE = {"type": "object", "additionalProperties": _LINES}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["every", "facts", "types"],
    "additionalProperties": False,
    "properties": {"every": _LINES, "facts": _TABLE, "types": _TABLE},
}


@lru_cache(maxsize=1)
def limits() -> Mapping[str, Any]:
    """All of them: `every` rule, by `facts`, by resource `types`."""
    return strict_toml.load(content.read(FILE), FILE, _SCHEMA)


def known_limits(facts: Iterable[str], types: Iterable[str]) -> list[str]:
    """The limits of whatever reads those facts and looks for resources of those types; those of every rule last."""
    told = limits()
    lines = [line for fact in facts for line in told["facts"].get(fact, ())]
    lines += [line for kind in types for line in told["types"].get(kind, ())]
    return list(dict.fromkeys((*lines, *told["every"])))
