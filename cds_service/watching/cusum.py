"""The arithmetic of the charts: Bernoulli CUSUM, its limit, its run lengths, and the bound on a silence.

A share p of calls in which something happens is p0 as long as all is well. The chart looks for a change of the odds by a factor,
from p0 to p1. Each call moves it by the log-likelihood ratio of p1 to p0, and it never falls below zero:

    happened:      S = max(0, S + ln(p1 / p0))
    did not:       S = max(0, S + ln((1 - p1) / (1 - p0)))
    out of control when S >= h,  h = ln(run length x drift),  drift = -(mean step while the share is p0)

Reynolds and Stoumbos, J Qual Technol 1999;31:87-108 (doi 10.1080/00224065.1999.11979900) chart single calls in this way.

Why that limit: S makes excursions from zero. Under p0, an excursion goes beyond h instead of back to zero with probability
e^-h E1[e^-(excess over h)] P1(never back at zero); it lasts E0[fall below zero] / drift calls; and P1(never back at zero) =
1 - E0[e^-(fall below zero)], since the ratio is a martingale. So the mean run length until a false alarm is, for h well above zero,

    e^h / drift  x  u / (1 - e^-u)  x  d / (1 - e^-d)

with the steps u upwards and d downwards. Both factors lie between 1 and 1.4 when odds double or halve. They are left out of the
limit, so false alarms are somewhat rarer than asked for. `tests/unit/watching/test_cusum.py` compares it with simulation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# of the interval on a share that was counted: two standard errors
_Z = 2.0
# below this the approximation of the run length means little
_LEAST_LIMIT = 1.0
LEAST_SILENCE = 30


@dataclass(frozen=True, slots=True)
class Run:
    """What a chart says at the end.

    Attributes:
        value: where it stands.
        out: whether it went beyond its limit and has not been back at zero since.
        since: place of the first call after it stood at zero, which estimates where a change began.
    """

    value: float
    out: bool
    since: int


@dataclass(frozen=True, slots=True)
class Cusum:
    """A chart for one direction.

    Attributes:
        p0: the share while all is well.
        p1: the share it looks for.
        limit: where it is out of control.
    """

    p0: float
    p1: float
    limit: float

    @property
    def event(self) -> float:
        """How a call in which it happened moves the chart."""
        return math.log(self.p1 / self.p0)

    @property
    def other(self) -> float:
        """How any other call moves it."""
        return math.log((1 - self.p1) / (1 - self.p0))

    def drift(self, share: float) -> float:
        """How a call moves it on average, at some share."""
        return share * self.event + (1 - share) * self.other

    @property
    def run_length(self) -> float:
        """Calls until a false alarm, on average, by the formula of this module."""
        up, down = max(self.event, self.other), -min(self.event, self.other)
        return math.exp(self.limit) / -self.drift(self.p0) * up / -math.expm1(-up) * down / -math.expm1(-down)

    def until_noticed(self, share: float) -> float:
        """Calls until it is out of control, on average and from zero, after the share changed; infinite if it would not be.

        Wald's identity without the excess over the limit, so a little too few.
        """
        drift = self.drift(share)
        return self.limit / drift if drift > 0 else math.inf

    def run(self, events: Iterable[int], first: int, end: int) -> Run:
        """Follow the calls from `first` to before `end`.

        Args:
            events: places of the calls in which it happened, in order and within those bounds.
            first: place of the first call.
            end: place behind the last one.
        """
        at = _At(first)
        for place in events:
            self._move(at, self.other, place)
            self._move(at, self.event, place + 1)
        self._move(at, self.other, end)
        return Run(at.value, at.out, at.since)

    def _move(self, at: _At, step: float, until: int) -> None:
        """Make the same step for every call up to `until`. It stops at the limit: a long break must not take as long to be over."""
        number = until - at.place
        if number <= 0:
            return
        if step > 0 and at.value == 0:
            at.since = at.place
        at.value = min(self.limit, max(0.0, at.value + number * step))
        at.place = until
        if at.value >= self.limit:
            at.out = True
        elif at.value == 0:
            at.out, at.since = False, until


@dataclass(slots=True)
class _At:
    place: int
    value: float = 0.0
    out: bool = False
    since: int = 0


def chart(p0: float, odds: float, run_length: float) -> Cusum:
    """A chart that looks for a change of the odds.

    Args:
        p0: the share while all is well, between 0 and 1 and neither.
        odds: by what the odds are multiplied: above 1 for a rise, below 1 for a fall.
        run_length: calls until a false alarm, on average and at least.
    """
    p1 = odds * p0 / (1 - p0 + odds * p0)
    drift = -Cusum(p0, p1, 0.0).drift(p0)
    return Cusum(p0, p1, max(_LEAST_LIMIT, math.log(run_length * drift)))


def longest_silence(p0: float, run_length: float) -> int:
    """So many calls without it in a row are too many.

    A silence of more than L calls begins at each call with probability p0 (1 - p0)^L: false alarms are `run_length` calls apart at

        L = ln(p0 x run length) / -ln(1 - p0)

    and never fewer than 30, since patients of one kind come together: a clinic, a ward.

    Args:
        p0: the share while all is well, between 0 and 1 and neither.
        run_length: calls until a false alarm, on average.
    """
    return max(LEAST_SILENCE, math.ceil(max(_LEAST_LIMIT, math.log(p0 * run_length)) / -math.log1p(-p0)))


def bounds(events: int, calls: int) -> tuple[float, float]:
    """Between which two shares the true one lies, with some 95 % confidence (Wilson's interval).

    A chart for a rise measures against the upper one and a chart for a fall against the lower one: what was counted in few calls is
    not taken for more than it is, or every short history would raise false alarms.
    """
    share, more = events / calls, _Z * _Z / calls
    middle = share + more / 2
    half = math.sqrt(max(0.0, more * share * (1 - share) + more * more / 4))
    return max(0.0, (middle - half) / (1 + more)), min(1.0, (middle + half) / (1 + more))
