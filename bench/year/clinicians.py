"""Invented clinicians. Their behaviour is stated, not measured; two of its numbers follow published ones.

A card is accepted, dismissed with a reason, or ignored, which an EHR never tells. The first card on a topic about a patient is
accepted by ACCEPT of them; each further one 30 % less often than the one before (Ancker 2017: acceptance fell by 30 % with each
further reminder in a visit; here it is taken for repeats over visits).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

ACCEPT = 0.25
DISMISS = 0.35
FATIGUE = 0.7
REASONS = {
    "not-now": 0.4,
    "patient-declined": 0.2,
    "done-elsewhere": 0.15,
    "not-my-role": 0.15,
    "contraindicated": 0.05,
    "goals-of-care": 0.05,
}


@dataclass(frozen=True, slots=True)
class Reaction:
    """What became of a card; neither accepted nor dismissed: ignored."""

    accepted: bool = False
    reasons: tuple[str, ...] = ()


def reaction(key: str, shown_before: int) -> Reaction | None:
    """What somebody does with a card.

    Args:
        key: seed, patient, day, topic: the same card gets the same reaction with and without quiet.
        shown_before: how many cards on this topic this patient had already.
    """
    dice = random.Random(key)
    drawn = dice.random()
    accept = ACCEPT * FATIGUE**shown_before
    if drawn < accept:
        return Reaction(accepted=True)
    if drawn < accept + DISMISS:
        return Reaction(reasons=(dice.choices(list(REASONS), list(REASONS.values()))[0],))
    return None
