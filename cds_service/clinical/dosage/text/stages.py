"""The words that the parts of the text reader share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from cds_service.clinical.dosage.units import Often
from cds_service.kernel.quantities import Interval


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of an instruction.

    Attributes:
        amounts: per day, by unit; entries say the same thing in several units.
        length: in days, when told.
        each: amounts per intake, where the step is one amount at one rate.
        often: that rate.
        as_needed: whether it may also be none.
        first: the number of its first day ("days 2-5"), when told.
        assumed: whether "daily" was not written, only a length ("40 mg x 2 days").
        once: whether it is a single intake ("stat"), which may be followed on the same day.
    """

    amounts: Mapping[str, Interval]
    length: Interval | None
    each: Mapping[str, Interval] = field(default_factory=dict)
    often: Often | None = None
    as_needed: bool = False
    first: Decimal | None = None
    assumed: bool = False
    once: bool = False


class Unclear(Exception):
    """The phrases do not fit together, or in more than one way."""
