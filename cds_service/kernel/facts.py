"""A value with what shows it, or the reason why it is not known. Never `None`, never a silent default.

`Fact = Known | Unknown` is for one value (an age). `Series` is for what may be on record any number of
times (fractures): what was found, and whether everything was looked at. "Looked and found none" is a
`Series` without items and without gaps; with gaps, nothing may be concluded from its emptiness (S2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from cds_service.kernel.dates import DateSpan

T = TypeVar("T", covariant=True)


class GapKind(Enum):
    """Why something is not known (S3). The value is the key of its sentence in `texts/`."""

    NOT_SUPPLIED = "not-supplied"
    NOT_PERMITTED = "not-permitted"
    FAILED = "failed"
    PARTIAL = "partial"
    NOT_RECORDED = "not-recorded"
    TOO_OLD = "too-old"
    UNIT_UNKNOWN = "unit-unknown"
    CONFLICTING = "conflicting"
    DOSE_UNREADABLE = "dose-unreadable"
    UNREADABLE = "unreadable"


# The look-up itself did not complete: such gaps are never suppressed when the patient is in scope (S5).
COULD_NOT_LOOK = frozenset({GapKind.NOT_SUPPLIED, GapKind.NOT_PERMITTED, GapKind.FAILED, GapKind.PARTIAL})


@dataclass(frozen=True, slots=True)
class Gap:
    """One thing that is not known, and why.

    Attributes:
        kind: the reason, one of the words of S3.
        what: what is missing: a key of `texts/` [needs] or [facts] ("bone-density", "menopause").
        detail: more words for people, from our own texts or numbers, never raw record text.
        resource: the resource that shows the gap, "Observation/12", where there is one.
    """

    kind: GapKind
    what: str
    detail: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing on the record that shows a fact.

    Attributes:
        kind: a key of `texts/` [evidence], which holds the words around it ("t-score").
        value: the value as read, with its unit ("-2.5", "19 ng/mL").
        on: when.
        resource: where it stands, "Observation/123".
        note: a qualifier ("lumbar spine"); text from the record is escaped before it is shown.
    """

    kind: str
    value: str = ""
    on: DateSpan | None = None
    resource: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Known(Generic[T]):
    """A value and what shows it.

    `doubts` say why the value is only an interval, where it is one (a birth year, a dose range).
    """

    value: T
    evidence: tuple[Evidence, ...] = ()
    doubts: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """No value, and every reason for that."""

    gaps: tuple[Gap, ...]


Fact: TypeAlias = Known[T] | Unknown


@dataclass(frozen=True, slots=True)
class Series(Generic[T]):
    """Everything of one kind that was found, and what could not be looked at.

    Attributes:
        items: what was found, newest first where it has dates.
        gaps: empty exactly when the look-up completed; only then does "none found" mean "none".
    """

    items: tuple[T, ...] = ()
    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything was looked at."""
        return not self.gaps
