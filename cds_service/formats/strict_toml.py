"""TOML content and settings: checked against a JSON Schema, unknown keys refused, file and key in every message."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from cds_service.kernel.errors import ContentError


def load(text: str, file: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Read one TOML file.

    Args:
        text: its content.
        file: its name, for messages.
        schema: JSON Schema (draft 2020-12) it must fit.

    Returns:
        The content; fractions as `Decimal`.

    Raises:
        ContentError: not TOML, or not what the schema allows.
    """
    try:
        content = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        raise ContentError(file, "(file)", f"not TOML: {problem}") from None
    validator = _Validator(schema)
    for error in sorted(validator.iter_errors(content), key=lambda e: list(map(str, e.absolute_path))):
        key = ".".join(str(part) for part in error.absolute_path) or "(file)"
        raise ContentError(file, key, error.message)
    return content


_Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "number",
        lambda _, value: isinstance(value, int | float | Decimal) and not isinstance(value, bool),
    ),
)
