"""How this package tells the operator that something needs attention."""

from __future__ import annotations

from collections.abc import Callable

Alarm = Callable[[str, str], None]
"""Called with an event and the name or address of whom it concerns, never with a token. Must not raise."""


def no_alarm(_event: str, _about: str) -> None:
    """For whoever has nobody to tell."""
