"""What one card is made of, before it has words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Gap
from cds_service.kernel.figures import Supporting
from cds_service.kernel.past import PastAnswer
from cds_service.kernel.rules import Level, Outcome, Proposal

GAPS: Final = "data-gaps"
"""Topic of the card that only says what could not be looked at."""


@dataclass(frozen=True, slots=True)
class CardPlan:
    """One card to be.

    Attributes:
        topic: stable code of the card's subject.
        level: indicator.
        outcomes: what it recommends, the leading rule first.
        holding: definitions and satisfied rules of the same topic, for the explanation.
        gaps: what is not known, to be named on it.
        also: topics of cards that the cap cut off.
        figures: what risk models say in support; they changed nothing above.
        answered: an answer given before that still stands: the card is told in short, or held back.
        held: why the card is not shown (QUIET or SILENT of `kernel.past`); empty where it is.
        withheld: drafts that are not offered, and what speaks against each or is not known.
    """

    topic: str
    level: Level
    outcomes: tuple[Outcome, ...] = ()
    holding: tuple[Outcome, ...] = ()
    gaps: tuple[Gap, ...] = ()
    also: tuple[str, ...] = ()
    figures: tuple[Supporting, ...] = ()
    answered: PastAnswer | None = None
    held: str = ""
    withheld: tuple[tuple[Proposal, Criterion], ...] = ()
