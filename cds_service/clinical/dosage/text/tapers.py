"""Arithmetic tapers: "10 mg daily reducing by 2.5 mg every week to 5 mg" as steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from cds_service.clinical.dosage.text.phrase import Item
from cds_service.clinical.dosage.text.stages import Stage, Unclear
from cds_service.clinical.dosage.units import UNNAMED, often
from cds_service.kernel.quantities import Interval, exactly

_MOST_STEPS = 60


def after_taper(stages: Sequence[Stage], taper: Sequence[Item]) -> list[Stage]:
    """The stages, and the steps down from the last of them.

    The last stage lasts as long as each step unless its own length is told. The steps end at the stated dose, which goes
    on (until "stop"), or at nothing. They must meet that end exactly.

    Args:
        stages: what comes before; the last one is one exact amount once a day.
        taper: a "by" phrase, then perhaps "to" and "stop".

    Raises:
        Unclear: when it is not such a taper.
    """
    base, by = stages[-1], taper[0]
    unit, start = _start(base)
    step, every = by.amount, by.more
    if by.unit not in (unit, UNNAMED) or step is None or step.low is None or not step.exact or every is None:
        raise Unclear
    floor, goes_on = _end(taper[1:], unit)
    lengths = base.length if base.length is not None else every
    found = [*stages[:-1], replace(base, length=lengths)]
    dose = start - step.low
    while dose > floor or (dose == floor and goes_on):
        last = dose == floor
        amount = {unit: exactly(dose)}
        found.append(Stage(amount, None if last else every, amount, often(1)))
        dose -= step.low
        if len(found) > _MOST_STEPS:
            raise Unclear
    if (dose + step.low if goes_on else dose) != floor or start <= floor:
        raise Unclear
    return found


def _start(base: Stage) -> tuple[str, Decimal]:
    """Unit and dose of a stage of one exact amount once a day."""
    if base.often is None or not base.often.same_rate(often(1)) or base.as_needed or len(base.each) != 1:
        raise Unclear
    unit, amount = next(iter(base.each.items()))
    if not amount.exact or amount.low is None:
        raise Unclear
    return unit, amount.low


def _end(rest: Sequence[Item], unit: str) -> tuple[Decimal, bool]:
    """The dose at which it ends, and whether that dose goes on."""
    targets = [item for item in rest if item.kind == "to"]
    stops = any(item.kind == "stop" for item in rest)
    if len(targets) > 1 or (targets and stops):
        raise Unclear
    if not targets:
        return Decimal(0), False
    target: Interval | None = targets[0].amount
    if target is None or target.low is None or targets[0].unit not in (unit, UNNAMED):
        raise Unclear
    return target.low, target.low > 0
