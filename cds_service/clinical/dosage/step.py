"""What the reader gives: a stretch of days with one daily dose."""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.clinical.dosage.course import Days
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import Interval


@dataclass(frozen=True, slots=True)
class Step:
    """One stretch of one medication resource with one daily dose.

    Attributes:
        days: which days are certain, and which possible.
        daily_mg: mg of the drug per day, averaged over the period of the dosing; `None` when it cannot be read.
        dosage: the Dosage it comes from (the first of them where several hold at once); `{}` when the resource has none.
        reason: "" when read; else why not: "no-amount", "no-timing", "unit-unknown", "strength-unknown", "text-not-read",
            "as-directed", "no-length" (one dose after the other, and not when), "conflict".
        conflict: what structure and text say per day, when they disagree; `daily_mg` then spans both.
    """

    days: Days
    daily_mg: Interval | None
    dosage: Resource
    reason: str = ""
    conflict: tuple[Interval, Interval] | None = None
