"""Does a document keep to CDS Hooks 2.0.1? Schema (`schemas/*.json`) and the invariants of HL7 together.

Violations name the place and what is asked there, never a value: they may be sent and logged (S8).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from cds_service.protocol import invariants

_ASKED = {
    "type": "must be of type {}",
    "const": "must be {}",
    "enum": "must be one of {}",
    "minLength": "must not be empty",
    "minItems": "must not be empty",
    "minProperties": "must not be empty",
    "maxLength": "must have at most {} characters",
    "pattern": "does not have the required form {}",
    "oneOf": "does not have the shape that its type asks for",
    "additionalProperties": "holds a property the specification does not have",
}


def violations_of_discovery(body: object) -> list[str]:
    """What a discovery response does not keep to; empty when it conforms."""
    return _violations("discovery", (), body)


def violations_of_request(body: object) -> list[str]:
    """What a service request does not keep to; empty when it conforms."""
    return _violations("request", invariants.OF_REQUEST, body)


def violations_of_response(body: object) -> list[str]:
    """What a service response does not keep to; empty when it conforms."""
    return _violations("response", invariants.OF_RESPONSE, body)


def violations_of_feedback(body: object) -> list[str]:
    """What a feedback request does not keep to; empty when it conforms."""
    return _violations("feedback", invariants.OF_FEEDBACK, body)


def schema_errors(name: str, body: object) -> Iterator[ValidationError]:
    """The errors of a document under one of `schemas/`, outermost and first place first."""
    errors = validator(name).iter_errors(body)
    return iter(sorted(errors, key=lambda error: (len(error.absolute_path), path_of(error))))


@cache
def validator(name: str) -> Draft202012Validator:
    """The compiled schema `schemas/<name>.schema.json`."""
    found = schema(name)
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found)


def schema(name: str) -> dict[str, Any]:
    """`schemas/<name>.schema.json`, read anew: the caller may change it."""
    text = files(__package__).joinpath("schemas", f"{name}.schema.json").read_text("utf-8")
    return dict(json.loads(text))


def path_of(error: ValidationError) -> str:
    """Where the error is: `context.patientId`, `cards[0].summary`; for a missing property, its own path."""
    parts: list[str | int] = list(error.absolute_path)
    if missing := _missing(error):
        parts.append(missing[0])
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".") or "(body)"


def asked_by(error: ValidationError) -> str:
    """What is asked there, without the value that was found."""
    if _missing(error):
        return "is required"
    return _ASKED.get(str(error.validator), "is not allowed here").format(_spelt(error.validator_value))


def _missing(error: ValidationError) -> Sequence[str]:
    asked: Any = error.validator_value
    present: Any = error.instance
    if error.validator == "required":
        return [name for name in asked if name not in present]
    if error.validator == "dependentRequired":
        return [name for names in asked.values() for name in names if name not in present]
    return ()


def _spelt(asked: Any) -> str:
    return " or ".join(map(str, asked)) if isinstance(asked, list) else str(asked)


def _violations(name: str, asked: Sequence[invariants.Invariant], body: object) -> list[str]:
    found = [f"{path_of(error)}: {asked_by(error)}" for error in schema_errors(name, body)]
    if isinstance(body, dict):
        for invariant in asked:
            found += [
                f"{path}: {invariants.name(invariant)}: {invariants.words(invariant)}" for path in invariant(body)
            ]
    return found
