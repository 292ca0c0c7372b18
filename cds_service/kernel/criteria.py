"""A rule is a tree of criteria. Truth, reasons, citations and missing data all fall out of that one tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cds_service.kernel.facts import COULD_NOT_LOOK, Evidence, Fact, Gap, GapKind, Known, Series, Unknown
from cds_service.kernel.quantities import Interval
from cds_service.kernel.thresholds import Threshold
from cds_service.kernel.truth import Truth, every, some


@dataclass(frozen=True, slots=True)
class Criterion:
    """One node of the explanation.

    Attributes:
        key: sentence in `texts/` [criteria]; joints use "all-of", "any-of", "not".
        truth: whether it holds.
        evidence: what on the record shows it.
        threshold: the number it was compared with.
        found: the value that was compared, as text.
        gaps: why it is unknown.
        parts: the criteria a joint is made of.
    """

    key: str
    truth: Truth
    evidence: tuple[Evidence, ...] = ()
    threshold: Threshold | None = None
    found: str = ""
    gaps: tuple[Gap, ...] = ()
    parts: tuple[Criterion, ...] = ()

    def leaves(self) -> Iterator[Criterion]:
        """The criteria that are not joints, in order."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()

    def reasons(self) -> Iterator[Criterion]:
        """The leaves that make this criterion hold (or not hold)."""
        if not self.parts:
            yield self
            return
        flipped = self.key == "not"
        for part in self.parts:
            if flipped or part.truth is self.truth:
                yield from part.reasons()

    def thresholds(self) -> Iterator[Threshold]:
        """Every number read in this tree."""
        for leaf in self.leaves():
            if leaf.threshold:
                yield leaf.threshold

    def open_gaps(self) -> tuple[Gap, ...]:
        """Why this criterion is unknown; nothing when it is decided."""
        if self.truth is not Truth.UNKNOWN:
            return ()
        own = list(self.gaps)
        for part in self.parts:
            own.extend(part.open_gaps())
        return tuple(dict.fromkeys(own))

    def side_gaps(self) -> tuple[Gap, ...]:
        """What stayed unknown although the tree may be decided; nothing from branches that do not hold anyway."""
        if self.truth is Truth.NO and self.key != "not":
            return ()
        found = dict.fromkeys(self.gaps)
        for part in self.parts:
            # beside a reason that settles it, only what could not be looked at is worth a word
            settled = self.key == "any-of" and self.truth is Truth.YES and part.truth is Truth.UNKNOWN
            found.update((gap, None) for gap in part.side_gaps() if not settled or gap.kind in COULD_NOT_LOOK)
        return tuple(found)


def all_of(*parts: Criterion) -> Criterion:
    """Holds when every part holds."""
    return Criterion("all-of", every(p.truth for p in parts), parts=parts)


def any_of(*parts: Criterion) -> Criterion:
    """Holds when at least one part holds."""
    return Criterion("any-of", some(p.truth for p in parts), parts=parts)


def not_(part: Criterion) -> Criterion:
    """Holds when the part does not; unknown stays unknown, so absence still needs proof (S2)."""
    return Criterion("not", ~part.truth, parts=(part,))


def none_of(*parts: Criterion) -> Criterion:
    """Holds when no part holds."""
    return not_(any_of(*parts))


def holds(
    key: str,
    truth: Truth,
    evidence: tuple[Evidence, ...] = (),
    gaps: tuple[Gap, ...] = (),
    found: str = "",
) -> Criterion:
    """A criterion whose truth was worked out by the fact itself."""
    return Criterion(key, truth, evidence, None, found, gaps if truth is Truth.UNKNOWN else ())


def ever(key: str, series: Series[Any], evidence: Callable[[Any], Evidence] | None = None) -> Criterion:
    """Is anything of this kind on record? "No" only where everything was looked at (S2)."""
    if series.items:
        shown = tuple((evidence or (lambda item: item.evidence))(item) for item in series.items)
        return Criterion(key, Truth.YES, shown)
    if series.complete:
        return Criterion(key, Truth.NO)
    return Criterion(key, Truth.UNKNOWN, gaps=series.gaps)


def true(key: str, fact: Fact[bool]) -> Criterion:
    """Is the yes-or-no fact a yes?"""
    match fact:
        case Known(value, evidence):
            return Criterion(key, Truth.of(value), evidence)
        case Unknown(gaps):
            return Criterion(key, Truth.UNKNOWN, gaps=gaps)


def _compare(key: str, fact: Fact[Interval], limit: Threshold, test: Callable[[Interval, Decimal], Truth]) -> Criterion:
    match fact:
        case Known(value, evidence, doubts):
            truth = test(value, limit.value)
            gaps: tuple[Gap, ...] = ()
            if truth is Truth.UNKNOWN:
                gaps = doubts or (Gap(GapKind.NOT_RECORDED, "exact-value", str(value)),)
            return Criterion(key, truth, evidence, limit, str(value), gaps)
        case Unknown(gaps):
            return Criterion(key, Truth.UNKNOWN, threshold=limit, gaps=gaps)


def at_least(key: str, fact: Fact[Interval], limit: Threshold) -> Criterion:
    """Is the number `>=` the threshold?"""
    return _compare(key, fact, limit, Interval.at_least)


def more_than(key: str, fact: Fact[Interval], limit: Threshold) -> Criterion:
    """Is the number `>` the threshold?"""
    return _compare(key, fact, limit, Interval.more_than)


def less_than(key: str, fact: Fact[Interval], limit: Threshold) -> Criterion:
    """Is the number `<` the threshold?"""
    return _compare(key, fact, limit, Interval.less_than)


def at_most(key: str, fact: Fact[Interval], limit: Threshold) -> Criterion:
    """Is the number `<=` the threshold?"""
    return _compare(key, fact, limit, Interval.at_most)
