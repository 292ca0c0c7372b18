"""`GET /docs`: the OpenAPI document as a page to read, and its style sheet.

Made on the server from the document itself: no script and nothing from elsewhere, so it works in a network without a way out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, Template, select_autoescape

# the page has links, words, one style sheet, and an empty icon, without which a browser asks for one that is not there
POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_REF = "#/components/schemas/"
_METHODS = ("get", "post")
_LIMITS = ("pattern", "minLength", "maxLength", "minItems", "maxItems", "minProperties")


@dataclass(frozen=True, slots=True)
class Row:
    """One property of a schema.

    Attributes:
        path: its name, with those of the objects it is in.
        required: whether it has to be there when what it is in is there.
        kind: words for its type.
        target: name of the schema that says more, or empty.
        description: what it means.
        limits: further constraints, as words.
    """

    path: str
    required: bool
    kind: str
    target: str
    description: str
    limits: tuple[str, ...]


def page(document: Mapping[str, Any]) -> bytes:
    """The page.

    Args:
        document: an OpenAPI 3.1 document of `protocol.openapi`.

    Returns:
        HTML as UTF-8.
    """
    schemas = document["components"]["schemas"]
    return (
        _template()
        .render(
            info=document["info"],
            operations=[
                (method, path, methods[method])
                for path, methods in document["paths"].items()
                for method in _METHODS
                if method in methods
            ],
            schemas=[(name, held, tuple(rows(held)), json.dumps(held, indent=2)) for name, held in schemas.items()],
            bodies=_bodies,
        )
        .encode()
    )


@cache
def style() -> bytes:
    """The style sheet."""
    return resources.files("cds_service.web").joinpath("static/docs.css").read_bytes()


@cache
def _template() -> Template:
    places = PackageLoader("cds_service.web")
    environment = Environment(loader=places, autoescape=select_autoescape(), trim_blocks=True, lstrip_blocks=True)
    return environment.get_template("docs.html")


def rows(schema: Mapping[str, Any], within: str = "") -> Iterator[Row]:
    """The properties of a schema, those of objects inside it after them.

    Args:
        schema: JSON Schema 2020-12, references left as they are.
        within: path of the object that has it.

    Yields:
        A row for each property; conditions over several properties (`if`, `oneOf`) are not among them.
    """
    required = schema.get("required", ())
    for name, held in schema.get("properties", {}).items():
        path = within + name
        kind, target = _kind(held)
        limits = tuple(f"{limit}: {held[limit]}" for limit in _LIMITS if limit in held)
        yield Row(path, name in required, kind, target, held.get("description", ""), limits)
        yield from rows(held, f"{path}.")
        yield from rows(held.get("items", {}), f"{path}[].")


def _kind(schema: Mapping[str, Any]) -> tuple[str, str]:
    """Words for a type, and the schema it refers to."""
    if "$ref" in schema:
        return "", schema["$ref"].removeprefix(_REF)
    if "const" in schema:
        return f"always {json.dumps(schema['const'])}", ""
    if "enum" in schema:
        return f"one of {', '.join(json.dumps(value) for value in schema['enum'])}", ""
    if "items" in schema:
        inner, target = _kind(schema["items"])
        return f"array of {inner}", target
    types = schema.get("type", "anything")
    return types if isinstance(types, str) else " or ".join(types), ""


def _bodies(content: Mapping[str, Any]) -> Iterable[tuple[str, tuple[str, str]]]:
    """Content type, with words and schema, of a body."""
    return [(media, _kind(held.get("schema", {}))) for media, held in content.items()]
