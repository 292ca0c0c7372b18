"""Doses out of free text, one step after another; `None` for everything that is not wholly understood.

`tokens` writes all numbers in digits, `words` cuts the text into known phrases (an unknown one ends the reading), and
`grammar` puts the phrases together. Nothing is skipped but a closed list of harmless words (`harmless`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.clinical.dosage.text import grammar
from cds_service.clinical.dosage.text.phrase import Item
from cds_service.clinical.dosage.text.stages import Stage, Unclear
from cds_service.clinical.dosage.text.tokens import normal
from cds_service.clinical.dosage.text.words import items_of
from cds_service.kernel.quantities import Interval
from cds_service.kernel.recall import for_one_call


@dataclass(frozen=True, slots=True)
class SigStep:
    """One step of a free-text instruction.

    Attributes:
        amounts: what is taken per day, by unit; several entries say the same thing in several units. "mg" (also for grams
            and micrograms), "mL", "tablet" (also for capsules), "puff", ...; "" when the text counts without a unit.
        days: how long the step lasts, in days, when told.
    """

    amounts: Mapping[str, Interval]
    days: Interval | None


def read(text: str) -> tuple[SigStep, ...] | None:
    """The steps of an instruction, each following the one before; `None` when it cannot be read."""
    stages = stages_of(text)
    return None if stages is None else tuple(SigStep(stage.amounts, stage.length) for stage in stages)


@for_one_call(maxsize=4096)
def stages_of(text: str) -> tuple[Stage, ...] | None:
    """The same with amounts per intake and rates, for comparing with structured elements."""
    items = _items(text)
    if items is None or _eye(items, text):
        return None
    try:
        return tuple(grammar.stages_of(items))
    except Unclear:
        return None


@for_one_call(maxsize=1024)
def read_rate(text: str) -> Stage | None:
    """How often, where a text says only that ("twice daily"); `None` when it says more or cannot be read."""
    items = _items(text)
    try:
        return grammar.rate_alone(items) if items else None
    except Unclear:
        return None


@for_one_call(maxsize=1024)
def read_amount(text: str) -> Stage | None:
    """The amount per intake, where a text says only to take it ("take 2 tablets"); `None` when it says more."""
    items = _items(text)
    try:
        return grammar.amount_alone(items) if items else None
    except Unclear:
        return None


def only_directed(text: str) -> bool:
    """Whether the text says no more than "as directed"."""
    items = _items(text)
    return bool(items) and all(item.kind in ("directed", "noise", "verb", "sep") for item in items or ())


def _items(text: str) -> list[Item] | None:
    line = normal(text)
    return items_of(line) if line else None


def _eye(items: list[Item], text: str) -> bool:
    """In drops "od" is the right eye, not once daily."""
    return any(item.unit == "drop" for item in items) and " od" in text.lower()
