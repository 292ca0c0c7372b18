"""Many more generated cases than `make test` has time for, in pieces that can be stopped, resumed and shared out.

    python -m tests.generative.nightly reassurance --cases 100000
    python -m tests.generative.nightly bodies --cases 500000 --shard 2/4 --seed 7

Cases come in pieces of 500; piece n of a seed is always the same, so a failure is repeated by its number (`--only`). What is
done is kept in build/nightly/, and left out the next time. Exit status 1 when a case failed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.generative import bodies, reassurance

PIECE = 500
KEPT = Path(__file__).parents[2] / "build" / "nightly"


@dataclass(frozen=True, slots=True)
class Property:
    """What must hold: no faults for any case."""

    cases: st.SearchStrategy[Any]
    faults: Callable[[Any], list[str]]


PROPERTIES = {
    "bodies": Property(bodies.sent, bodies.faults),
    "reassurance": Property(reassurance.losses, reassurance.faults),
}


def run_piece(property_: Property, number: int, of_seed: int, size: int = PIECE) -> int:
    """Try one piece; how many cases that were.

    Raises:
        AssertionError: a case failed; Hypothesis has made it as small as it can.
    """
    tried = 0

    @seed(of_seed * 1_000_000 + number)
    @settings(
        max_examples=size,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=property_.cases)
    def holds(case: Any) -> None:
        nonlocal tried
        tried += 1
        if found := property_.faults(case):
            raise AssertionError(f"{'; '.join(found)}: {case!r}")

    holds()
    return tried


def pieces(cases: int, shard: int, of: int) -> list[int]:
    """The numbers of the pieces of one share."""
    return [number for number in range(-(-cases // PIECE)) if number % of == shard - 1]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Try a property on many generated cases.")
    parser.add_argument("property", choices=sorted(PROPERTIES))
    parser.add_argument("--cases", type=int, required=True, help=f"how many, in pieces of {PIECE}")
    parser.add_argument("--shard", default="1/1", help="share of the pieces: 2/4 is the second of four")
    parser.add_argument("--seed", type=int, default=1, help="other cases")
    parser.add_argument("--only", type=int, help="this piece alone, done or not")
    told = parser.parse_args(arguments)
    shard, of = (int(part) for part in told.shard.split("/"))
    file = KEPT / f"{told.property}-{told.seed}.{shard}of{of}.json"
    done: list[int] = json.loads(file.read_text("utf-8")) if file.is_file() and told.only is None else []
    todo = [told.only] if told.only is not None else [n for n in pieces(told.cases, shard, of) if n not in done]
    tried, failed, began = 0, [], time.monotonic()
    for number in todo:
        try:
            tried += run_piece(PROPERTIES[told.property], number, told.seed)
        except Exception:
            failed.append(number)
            traceback.print_exc()
            print(f"Again: python -m tests.generative.nightly {told.property} --cases {told.cases} --seed {told.seed} "
                  f"--only {number}", flush=True)  # fmt: skip
        else:
            done.append(number)
            KEPT.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(done), "utf-8")
            rate = tried / (time.monotonic() - began)
            left = (len(todo) - len(failed)) * PIECE - tried
            print(
                f"{told.property}: {tried} tried, {rate:.0f} a second, {max(left, 0) / rate / 60:.0f} minutes left",
                flush=True,
            )
    print(f"{told.property}: {len(done) * PIECE} cases of this share have passed in all, {len(failed)} pieces failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
