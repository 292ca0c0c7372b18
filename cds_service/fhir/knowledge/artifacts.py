"""What all artifacts have in common: canonical addresses, names, life cycle, and validation by fhir.resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from fhir.resources.R4B.resource import Resource

Json: TypeAlias = dict[str, Any]

BASE = "https://bonecds.org/fhir"
PUBLISHER = "Bone Health CDS"
LICENCE = "Apache License, Version 2.0. Guidelines and code systems keep the terms of their publishers."


def fhir_id(name: str) -> str:
    """A name as a FHIR id, which knows no underscore."""
    return name.replace("_", "-")


def canonical(kind: str, name: str) -> str:
    """The canonical address of an artifact."""
    return f"{BASE}/{kind}/{fhir_id(name)}"


def computer_name(words: str) -> str:
    """A name that programs can use as an identifier (invariant 0 of canonical resources): "dxa-with-vfa" is "DxaWithVfa"."""
    return "".join(word[:1].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", words))


def head(kind: str, name: str, version: str, title: str, *, signed: bool = False) -> Json:
    """Identity and life cycle: a draft for trial until a clinician has signed it."""
    return {
        "id": fhir_id(name),
        "url": canonical(kind, name),
        "version": version,
        "title": title,
        "status": "active" if signed else "draft",
        "experimental": not signed,
        "publisher": PUBLISHER,
    }


def built(model: type[Resource], content: Json) -> Json:
    """Plain FHIR JSON, validated.

    Raises:
        ValueError: it is no such resource; a defect of the builder or of the content.
    """
    told: Json = json.loads(model(**content).model_dump_json(exclude_none=True))
    return {"resourceType": model.get_resource_type(), **told}


def coding(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def terms(licences: Iterable[str], notices: Mapping[str, str]) -> str:
    """The terms of the code systems used, each once."""
    return "\n\n".join(notices[licence] for licence in dict.fromkeys(licences) if licence)
