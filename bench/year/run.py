"""The simulated year with and without quiet.

    python -m bench.year.run [--patients N] [--seed N] [--processes N] [--out FILE]

Writes the figures as Markdown. The same seed gives the same figures. 10,000 patients take about a quarter of an hour on two cores.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from bench.year import command
from bench.year.calls import year_of
from bench.year.people import person
from cds_service.kernel.past import SHOWN

_PIECE = 100


@dataclass(slots=True)
class Sums:
    """What happened to many patients.

    Attributes:
        patients: how many.
        calls: charts opened and orders written.
        with_cards: calls answered with a card.
        cards: cards shown.
        held: cards held back.
        accepted: cards of which a suggestion was accepted.
        safety: cards about safety, by what became of them.
        repeats: for each patient and topic with a card, how many times it was shown again.
    """

    patients: int = 0
    calls: int = 0
    with_cards: int = 0
    cards: int = 0
    held: int = 0
    accepted: int = 0
    safety: Counter[str] = field(default_factory=Counter)
    repeats: Counter[int] = field(default_factory=Counter)

    def add(self, other: Sums) -> None:
        """Put those of other patients in."""
        for name in ("patients", "calls", "with_cards", "cards", "held", "accepted"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.safety += other.safety
        self.repeats += other.repeats


def piece(first: int, *, size: int, seed: int, quiet: bool) -> Sums:
    """A few patients, one after the other."""
    found = Sums()
    for number in range(first, first + size):
        year = year_of(person(number, seed), seed, quiet=quiet)
        found.add(
            Sums(
                1,
                len(year.rows),
                sum(row.cards > 0 for row in year.rows),
                sum(year.shown.values()),
                sum(year.held.values()),
                year.accepted,
                year.safety,
                Counter(times - 1 for times in year.shown.values()),
            )
        )
    return found


def simulate(patients: int, seed: int, processes: int, *, quiet: bool) -> Sums:
    """All of them."""
    total = Sums()
    starts = range(0, patients, _PIECE)
    with ProcessPoolExecutor(processes) as pool:
        lives = partial(piece, size=min(_PIECE, patients), seed=seed, quiet=quiet)
        for number, found in enumerate(pool.map(lives, starts), 1):
            total.add(found)
            if number % 10 == 0:
                print(f"{'with' if quiet else 'without'} quiet: {total.patients} of {patients}", file=sys.stderr)
    return total


def table(without: Sums, quiet: Sums) -> str:
    """The figures side by side, as Markdown."""
    rows = [
        ("patients", [str(each.patients) for each in (without, quiet)]),
        ("calls", [f"{each.calls:,}" for each in (without, quiet)]),
        ("cards shown", [f"{each.cards:,}" for each in (without, quiet)]),
        ("cards held back", [f"{each.held:,}" for each in (without, quiet)]),
        ("cards a call", [f"{each.cards / each.calls:.2f}" for each in (without, quiet)]),
        ("calls with a card", [_percent(each.with_cards, each.calls) for each in (without, quiet)]),
        ("repeats for each patient and topic, mean", [f"{_mean(each.repeats):.2f}" for each in (without, quiet)]),
        (
            "patient and topic shown more than twice",
            [_percent(_over(each.repeats, 1), each.repeats.total()) for each in (without, quiet)],
        ),
        (
            "cards of which a suggestion was accepted",
            [_percent(each.accepted, each.cards) for each in (without, quiet)],
        ),
        ("safety cards due", [f"{each.safety.total():,}" for each in (without, quiet)]),
        (
            "**safety cards held back**",
            [f"**{each.safety.total() - each.safety[SHOWN]}**" for each in (without, quiet)],
        ),
    ]
    lines = ["| | without quiet | with quiet |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {one} | {other} |" for name, (one, other) in rows)])


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "none"


def _mean(repeats: Counter[int]) -> float:
    return sum(times * number for times, number in repeats.items()) / max(1, repeats.total())


def _over(repeats: Counter[int], limit: int) -> int:
    return sum(number for times, number in repeats.items() if times > limit)


def report(patients: int, seed: int, processes: int) -> str:
    """The figures as Markdown."""
    sums = [simulate(patients, seed, processes, quiet=quiet) for quiet in (False, True)]
    return f"{patients} patients, seed {seed}\n\n{table(*sums)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate and report."""
    command.run(arguments, "A simulated year with and without quiet.", 10_000, report)


if __name__ == "__main__":
    main()
