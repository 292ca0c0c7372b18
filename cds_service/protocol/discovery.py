"""What we offer: the discovery document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One service as clients see it.

    Attributes:
        id: last part of its address. Distinct per hook: the public sandbox keeps one hook per id.
        hook: the hook it is called on.
        title: short name.
        description: what it does.
        prefetch: key to FHIR query template, with 2.0 tokens only.
        usage_requirements: what a site must know first; names the FHIR version, for which there is no field.
    """

    id: str
    hook: str
    title: str
    description: str
    prefetch: Mapping[str, str] = field(default_factory=dict)
    usage_requirements: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `services[]`, without what is empty."""
        entry = {
            "hook": self.hook,
            "title": self.title,
            "description": self.description,
            "id": self.id,
            "prefetch": dict(self.prefetch),
            "usageRequirements": self.usage_requirements,
        }
        return {key: value for key, value in entry.items() if value}


def document(entries: Iterable[ServiceEntry]) -> dict[str, Any]:
    """The answer to `GET /cds-services`."""
    return {"services": [entry.to_json() for entry in entries]}
