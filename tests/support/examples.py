"""How many examples Hypothesis tries: a share of the number asked for, so that `make test` stays under ten minutes."""

from __future__ import annotations

import os

_SHARE = float(os.environ.get("EXAMPLES", "0.25"))


def examples(number: int) -> int:
    """That number where EXAMPLES=1 is set (before a release), a quarter of it otherwise; always the same ones."""
    return max(20, round(number * _SHARE))
