"""Who may use the sandbox: pages and programs of this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from cds_service.formats.urls import is_loopback
from cds_service.web.routes import refusal

HEADER = "X-Bonecds-Sandbox"


def on_this_machine() -> Response | None:
    """A name of somebody else's that leads to this machine (DNS rebinding) would make their page one of ours."""
    host = urlsplit(f"//{request.host}").hostname or ""
    return None if is_loopback(host) else refusal(403, "forbidden", "The sandbox answers on 127.0.0.1 and localhost.")


def from_our_page() -> Response | None:
    """What is posted comes from the page itself: another origin may not send the header, and says its own name (H4)."""
    if request.method != "POST":
        return None
    origin = request.headers.get("Origin")
    if request.headers.get(HEADER) != "1" or origin not in (None, request.host_url.rstrip("/")):
        return refusal(403, "forbidden", f"Only the sandbox page may post here: same origin, with {HEADER}: 1.")
    return None
