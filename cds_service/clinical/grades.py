"""The guidelines' own grades in GRADE's terms, from `grades.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from cds_service.clinical import content
from cds_service.fhir.knowledge.content import Grade
from cds_service.formats import strict_toml

FILE = "grades.toml"
_SCHEMA = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {
            "strength": {"enum": ["strong", "weak"]},
            "direction": {"enum": ["for", "against"]},
            "certainty": {"type": "string", "minLength": 1},
        },
    },
}


@lru_cache(maxsize=1)
def grades() -> Mapping[str, Grade]:
    """Grade by strength (a key of `texts/` [strength]); a strength that is no grade is not in it."""
    told = strict_toml.load(content.read(FILE), FILE, _SCHEMA)
    return {strength: Grade(**each) for strength, each in told.items()}
