"""The service under a steady load for a long time: does its memory grow, do its files pile up (`safety.md` G9)?

    python bench/soak.py [--minutes N]

A few callers keep one worker busy with calls of both sizes. Once a minute the worker's resident memory and its open files
are noted; the last line compares the end with the first minute after warming up.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, Python puts bench/ first; what is imported lies beside it.
sys.path[0] = str(ROOT)

from bench.bodies import (  # noqa: E402
    SIZES,
    body,
    service_id,
)
from bench.load import until  # noqa: E402
from bench.run import running, worker_rss  # noqa: E402

_HOOK, _CALLERS, _SLICE_S = "patient-view", 4, 60.0


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The service under a steady load for a long time.")
    parser.add_argument("--minutes", type=int, default=30, help="how long, after one minute of warming up")
    asked = parser.parse_args(arguments)
    bodies = [body(size, _HOOK) for size in SIZES]
    calls, first = 0, (0.0, 0)
    with running("real", _HOOK) as (process, port):
        print("| minute | calls so far | memory MB | open files |\n|---|---|---|---|")
        for minute in range(asked.minutes + 1):
            calls += _minute(port, bodies)
            now = worker_rss(process.pid), _open_files(process.pid)
            first = now if minute == 0 else first
            print(f"| {minute} | {calls} | {now[0]:.1f} | {now[1]} |", flush=True)
    print(f"\nMemory {now[0] / first[0] - 1:+.1%}, open files {now[1] - first[1]:+d} in {asked.minutes} minutes.")


def _minute(port: int, bodies: Sequence[bytes]) -> int:
    found: list[float] = []
    stop = time.perf_counter() + _SLICE_S

    def call(raw: bytes) -> None:
        found.extend(until(stop, port, raw, f"/cds-services/{service_id(_HOOK)}"))

    threads = [threading.Thread(target=call, args=(bodies[n % len(bodies)],)) for n in range(_CALLERS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return len(found)


def _open_files(master: int) -> int:
    worker = Path(f"/proc/{master}/task/{master}/children").read_text().split()[0]
    return len(list(Path(f"/proc/{worker}/fd").iterdir()))


if __name__ == "__main__":
    main()
