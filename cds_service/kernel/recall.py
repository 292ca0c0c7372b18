"""Functions that remember what they were asked until the call is over, and no longer.

Readers are asked about the same text several times in one call. What they remember is text of the record, so it must not
outlive the call (S8, F8). Calls that run at the same time share the memory; when one of them ends, the others read anew.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

_Asked = TypeVar("_Asked", bound=Callable[..., Any])
_REMEMBER: list[Any] = []


def for_one_call(maxsize: int) -> Callable[[_Asked], _Asked]:
    """Decorate a pure function of record text like `functools.lru_cache`; `forget` empties it."""

    def remembering(function: _Asked) -> _Asked:
        cached: Any = lru_cache(maxsize=maxsize)(function)
        _REMEMBER.append(cached)
        return cached  # type: ignore[no-any-return]

    return remembering


def forget() -> None:
    """Drop everything remembered."""
    for cached in _REMEMBER:
        cached.cache_clear()
