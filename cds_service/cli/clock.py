"""The clock of the command line; the web has its own in `web.settings`. Nothing below them reads one."""

from __future__ import annotations

import datetime as dt


def today() -> dt.date:
    """Today, in the zone of the machine."""
    return dt.datetime.now().astimezone().date()  # noqa: TID251  the one place
