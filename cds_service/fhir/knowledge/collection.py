"""The index: one Library (asset collection) that names every artifact with its version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fhir.resources.R4B.library import Library

from cds_service.fhir.knowledge.artifacts import LICENCE, PUBLISHER, Json, built, coding, head
from cds_service.fhir.knowledge.rules import THO

NAME = "bonecds"


def index(artifacts: Iterable[Mapping[str, Any]], version: str) -> Json:
    """The collection of those artifacts.

    Args:
        artifacts: everything that is exported beside it.
        version: that of the rule set.
    """
    content = head("Library", NAME, version, f"{PUBLISHER}: rule book")
    content |= {
        "name": "BoneHealthCds",
        "type": coding(f"{THO}/library-type", "asset-collection", "Asset Collection"),
        "description": (
            "The rules of Bone Health CDS for adults with multiple sclerosis or on glucocorticoids, what they read and what "
            "they may propose. Advice for health professionals; the rules themselves run in the service."
        ),
        "copyright": LICENCE,
        "relatedArtifact": [
            {
                "type": "composed-of",
                "display": each["title"],
                "resource": f"{each['url']}|{each['version']}",
            }
            for each in artifacts
        ],
    }
    return built(Library, content)
