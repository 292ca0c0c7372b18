"""Cross-origin rules for EHRs that call from the browser (`/cds-services` and below, errors included)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from werkzeug.datastructures import Headers

# Sandboxes run on any port of the developer's own machine.
_LOOPBACK = re.compile(r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?")

# what a page may send along unless an address takes more; its answer has the header already then
HEADERS = "Authorization, Content-Type"


def is_allowed(origin: str, allowed: Sequence[str]) -> bool:
    """Whether pages of that origin may read our answers; without a list, loopback pages only."""
    if allowed:
        return origin in allowed
    return _LOOPBACK.fullmatch(origin) is not None


def add_headers(headers: Headers, origin: str, allowed: Sequence[str]) -> None:
    """Mark an answer as readable by the page that asked. Never `*`, and never credentials.

    Args:
        headers: headers of the answer; changed in place.
        origin: the `Origin` header of the call, or empty.
        allowed: origins of the settings.
    """
    headers.add("Vary", "Origin")
    if is_allowed(origin, allowed):
        headers["Access-Control-Allow-Origin"] = origin
        headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
        headers.setdefault("Access-Control-Allow-Headers", HEADERS)
        headers["Access-Control-Expose-Headers"] = "X-Correlation-Id"
        headers["Access-Control-Max-Age"] = "600"
    else:
        headers.pop("Access-Control-Allow-Headers", None)
