"""Prefetch templates filled as an EHR fills them (CDS Hooks 2.0.1, Prefetch Template)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

# What CDS Hooks 2.0 knows: a first-level field of the context, and the four user tokens.
_TOKEN = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_USER = re.compile(r"user(Practitioner|PractitionerRole|Patient|RelatedPerson)Id")
# Legal as they stand in a path and query, and the percent of what is encoded already; a pipe or a blank is not
_SAFE = ":/?&=,.-_~%!$'()*+;@"


def fill(template: str, context: Mapping[str, object]) -> str | None:
    """A template with its tokens replaced, fit to follow a FHIR base.

    Args:
        template: as the service published it.
        context: of the call.

    Returns:
        A relative read or search; `None` where a token has no value here, so that an EHR could not send the key.
    """
    missing = False

    def value(token: re.Match[str]) -> str:
        nonlocal missing
        found = _value(token[1], context)
        missing = missing or not found
        return quote(found, safe="")

    filled = _TOKEN.sub(value, template)
    return None if missing else quote(filled.lstrip("/"), safe=_SAFE)


def _value(token: str, context: Mapping[str, object]) -> str:
    name = token.removeprefix("context.")
    if name != token:
        found = context.get(name)
        return found if isinstance(found, str) else ""
    user = _USER.fullmatch(token)
    kind, _, ident = str(context.get("userId", "")).rpartition("/")
    return ident if user and user[1] == kind else ""
