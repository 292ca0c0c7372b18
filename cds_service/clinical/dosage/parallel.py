"""Dosages of one resource that hold at the same time, added day by day.

The days of all of them are cut where one begins or ends, for certain or perhaps. On a piece, those that are certain
count with their dose, those that are only possible with nothing up to their dose.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cds_service.clinical.dosage.course import FOREVER, Days
from cds_service.clinical.dosage.step import Step
from cds_service.clinical.dosage.units import hull, or_none
from cds_service.fhir.read import code_text, codes_in
from cds_service.kernel.dates import plus_days
from cds_service.kernel.needs import Resource
from cds_service.kernel.quantities import ZERO, Interval


@dataclass(frozen=True, slots=True)
class Piece:
    """Days on which the same of the given stretches hold.

    Attributes:
        days: the days.
        daily: the sum.
        of: places of the stretches in the input.
    """

    days: Days
    daily: Interval
    of: tuple[int, ...]


def overlap(one: Days, other: Days) -> bool:
    """Whether they can share a day."""
    return one.first <= other.last and other.first <= one.last


def added(stretches: Sequence[tuple[Days, Interval]]) -> list[Piece]:
    """The sum of all stretches on every day that one of them touches, in order."""
    edges = sorted({edge for days, _ in stretches for edge in days.edges()})
    pieces: list[Piece] = []
    for place, first in enumerate(edges):
        last = plus_days(edges[place + 1], -1) if place + 1 < len(edges) else FOREVER
        piece = _piece(stretches, first, last)
        if piece is None:
            continue
        pieces.append(piece)
    return pieces


def _piece(stretches: Sequence[tuple[Days, Interval]], first: dt.date, last: dt.date) -> Piece | None:
    held = [place for place, (days, _) in enumerate(stretches) if days.first <= first <= days.last]
    if not held:
        return None
    certain = [
        place for place in held if stretches[place][0].certain_first <= first <= stretches[place][0].certain_last
    ]
    daily = ZERO
    for place in held:
        dose = stretches[place][1]
        daily = daily + (dose if place in certain or not certain else or_none(dose))
    planned = all(stretches[place][0].planned for place in held)
    certain_last = last if certain else plus_days(first, -1)
    return Piece(Days(first, first, certain_last, last, planned), daily, tuple(held))


# --- steps -----------------------------------------------------------------------------------------------------------
def side_by_side(steps: Iterable[Step]) -> list[Step]:
    """Steps that share days and a route as one step with the sum; steps that cannot be read stay on their own."""
    found = list(steps)
    kept = [step for step in found if step.daily_mg is None]
    by_route: dict[str, list[Step]] = {}
    for step in found:
        if step.daily_mg is not None:
            by_route.setdefault(_route(step.dosage), []).append(step)
    for together in by_route.values():
        kept += _sums(together)
    return kept


def _sums(steps: list[Step]) -> list[Step]:
    kept: list[Step] = []
    waiting = list(steps)
    while waiting:
        cluster = [waiting.pop(0)]
        grown = True
        while grown:
            near = [each for each in waiting if any(_at_once(each, other) for other in cluster)]
            cluster += near
            waiting = [each for each in waiting if each not in near]
            grown = bool(near)
        kept += cluster if len(cluster) == 1 else _summed(cluster)
    return kept


def _at_once(one: Step, other: Step) -> bool:
    """Whether two steps come from different Dosages and may share a day."""
    return one.dosage is not other.dosage and overlap(one.days, other.days)


def _summed(cluster: list[Step]) -> list[Step]:
    doses = [(step.days, step.daily_mg) for step in cluster if step.daily_mg is not None]
    found = []
    for piece in added(doses):
        parts = [cluster[place] for place in piece.of]
        clashes = [step.conflict for step in parts if step.conflict is not None]
        clash = (hull(c[0] for c in clashes), hull(c[1] for c in clashes)) if clashes else None
        found.append(Step(piece.days, piece.daily, parts[0].dosage, "", clash))
    return found


def _route(dosage: Resource) -> str:
    route = dosage.get("route")
    return code_text(route).lower() or " ".join(sorted(codes_in(route)))
