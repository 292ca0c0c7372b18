"""How many examples Hypothesis tries: a share of the number asked for, so that `make test` stays under ten minutes."""

from __future__ import annotations

import os

_SHARE = float(os.environ.get("EXAMPLES", "0.25"))


def examples(number: int) -> int:
    """That number where EXAMPLES=1 is set (before a release), a quarter of it otherwise; always the same ones."""
    return max(20, round(number * _SHARE))


def one_in(step: int) -> int:
    """Of what is gone through one by one, every so manieth; each one where EXAMPLES=1 is set."""
    return 1 if _SHARE >= 1 else step
