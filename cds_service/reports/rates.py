"""Shares with what they rest on."""

from __future__ import annotations

import math
from dataclasses import dataclass

# 97.5th percentile of the normal distribution: an interval of 95 %
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many.

    Attributes:
        count: how many.
        of: of how many; zero: there is no share.
    """

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's 95 % interval for the share.

        With p the share, n the denominator and z = 1.96: centre (p + z²/2n) / (1 + z²/n), half width
        z / (1 + z²/n) * sqrt(p(1 - p)/n + z²/4n²). It stays between 0 and 1 and means something for few cards, where the
        usual p ± 1.96 standard errors does neither (Wilson 1927; Brown, Cai and DasGupta 2001).
        """
        if not self.of:
            return None
        p, n = self.count / self.of, self.of
        shrunk = 1 + _Z * _Z / n
        centre = (p + _Z * _Z / (2 * n)) / shrunk
        half = _Z / shrunk * math.sqrt(p * (1 - p) / n + _Z * _Z / (4 * n * n))
        # exact at the ends, where rounding would leave a hair beyond them
        low = 0.0 if self.count == 0 else max(0.0, centre - half)
        high = 1.0 if self.count == self.of else min(1.0, centre + half)
        return low, high


@dataclass(frozen=True, slots=True)
class Answers:
    """What became of cards that were shown.

    Attributes:
        shown: cards that were shown.
        accepted: a suggestion of theirs was taken, or they were told to be accepted.
        overridden: they were dismissed, with or without a reason.
    """

    shown: int = 0
    accepted: int = 0
    overridden: int = 0

    @property
    def answered(self) -> Rate:
        """Cards of which anything was told, of those shown."""
        return Rate(self.accepted + self.overridden, self.shown)

    @property
    def unanswered(self) -> int:
        """Cards of which nothing was told. Nobody knows whether they were read: they are in neither share below."""
        return self.shown - self.accepted - self.overridden

    @property
    def acceptance(self) -> Rate:
        """Accepted, of those answered."""
        return Rate(self.accepted, self.accepted + self.overridden)

    @property
    def override(self) -> Rate:
        """Overridden, of those answered."""
        return Rate(self.overridden, self.accepted + self.overridden)
