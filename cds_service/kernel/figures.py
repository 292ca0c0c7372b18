"""What a risk model says about one patient: a figure in support of a card, which decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.kernel.facts import Evidence, Gap
from cds_service.kernel.quantities import Interval


@dataclass(frozen=True, slots=True)
class Result:
    """One number of a figure.

    Attributes:
        name: of what, with its horizon ("hip fracture within 10 years").
        value: the number; without upper bound where what was not looked for could only raise it.
        unit: its unit ("%").
    """

    name: str
    value: Interval
    unit: str


@dataclass(frozen=True, slots=True)
class Counted:
    """One answer that went into a figure.

    Attributes:
        name: the model's term ("antidepressant"); empty where what shows it says enough ("Age 52").
        shown_by: what on the record shows it.
    """

    name: str
    shown_by: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """Computed numbers, and everything they rest on.

    Attributes:
        results: the numbers.
        counted: what the record shows and the model counts.
        assumed_absent: looked for completely and not found; counted as absent.
        not_looked_for: what the model asks and the service cannot look for; counted as absent.
        remarks: sentences of the model: clamped values, limits, what its terms mean.
    """

    results: tuple[Result, ...]
    counted: tuple[Counted, ...] = ()
    assumed_absent: tuple[str, ...] = ()
    not_looked_for: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotCalculable:
    """No number, and every reason for that; an ordinary answer, not an error.

    Attributes:
        reasons: the model's own ("the equations hold from 30 to 100 years").
        gaps: what is not known, and why (S3).
    """

    reasons: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True)
class Supporting:
    """What a model said, and where it may stand.

    Attributes:
        topics: topics of the cards it may support.
        model: the model's title.
        said: its answer.
        licence_note: words its licence wants beside every number.
    """

    topics: frozenset[str]
    model: str
    said: Figure | NotCalculable
    licence_note: str = ""
