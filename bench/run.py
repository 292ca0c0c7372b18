"""The service against services that do nothing, on this machine, over loopback: see bench/README.md.

python bench/run.py [--quick] [--hook HOOK] [--store] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# `make bench` runs this file; what it imports lies beside the directory that Python puts first.
sys.path[0] = str(ROOT)

from bench.bodies import HOOKS, SIZES, body  # noqa: E402

NAMES = ("real", "null", "plain")
# with the store and without it
STORE = ("kept", "loose")
_START_SECONDS = 30
_STOP_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure.

    Attributes:
        rounds: real, null and plain take turns this many times, so that a slow minute of the machine hits all.
        seconds: length of one turn.
        connections: calls under way at a time; the service has four threads.
        hook: the hook called.
        names: the services that take turns.
        base: the one the others are compared with.
    """

    rounds: int
    seconds: float
    connections: int
    hook: str = "patient-view"
    names: tuple[str, ...] = NAMES
    base: str = "null"


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of one service: calls a second, and latencies in milliseconds."""

    rate: float
    ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What is reported of one service at one size. Rates are calls a second, latencies milliseconds.

    `ratio` is the service's rate over that of the base in the same round.
    """

    resources: int
    body_kb: int
    service: str
    rate: float
    rate_low: float
    rate_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    p50: float
    p99: float
    calls: int


def measure(plan: Plan) -> tuple[list[Row], dict[str, float]]:
    """Rows per size and service, and the memory of each worker in MB after the run."""
    with ExitStack() as stack:
        files = {size: stack.enter_context(_file(body(size, plan.hook))) for size in SIZES}
        served = {name: stack.enter_context(running(name, plan.hook)) for name in plan.names}
        rows = []
        for size, file in files.items():
            for _, port in served.values():
                _turn(port, file, min(0.5, plan.seconds), plan)
            turns: dict[str, list[Turn]] = {name: [] for name in plan.names}
            for _ in range(plan.rounds):
                for name, (_, port) in served.items():
                    turns[name].append(_turn(port, file, plan.seconds, plan))
            rows += [_row(size, file.stat().st_size, name, turns, plan.base) for name in plan.names]
        return rows, {name: worker_rss(process.pid) for name, (process, _) in served.items()}


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least that share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def worker_rss(master: int) -> float:
    """Resident memory of the worker of a gunicorn master, in MB (of 1,000,000 bytes)."""
    worker = Path(f"/proc/{master}/task/{master}/children").read_text().split()[0]
    lines = Path(f"/proc/{worker}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) * 1024 / 1e6


def _row(size: int, body_bytes: int, name: str, turns: dict[str, list[Turn]], base: str) -> Row:
    mine = [turn.rate for turn in turns[name]]
    ratios = [rate / other.rate for rate, other in zip(mine, turns[base], strict=True)]
    ms = [latency for turn in turns[name] for latency in turn.ms]
    rate, ratio = statistics.median(mine), statistics.median(ratios)
    return Row(
        resources=size,
        body_kb=round(body_bytes / 1000),
        service=name,
        rate=round(rate, 1),
        rate_low=round(min(mine), 1),
        rate_high=round(max(mine), 1),
        ratio=round(ratio, 2),
        ratio_low=round(min(ratios), 2),
        ratio_high=round(max(ratios), 2),
        p50=round(percentile(ms, 50), 1),
        p99=round(percentile(ms, 99), 1),
        calls=len(ms),
    )


def _turn(port: int, file: Path, seconds: float, plan: Plan) -> Turn:
    told = (str(port), str(file), str(seconds), str(plan.connections), plan.hook)
    command = [sys.executable, "-m", "bench.load", *told]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds + 60, check=False)
    if done.returncode:
        raise SystemExit(f"the load client failed: {done.stderr.strip()[-500:]}")
    found = json.loads(done.stdout)
    return Turn(len(found["ms"]) / found["seconds"], tuple(found["ms"]))


@contextmanager
def _file(content: bytes) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(content)
        file.flush()
        yield Path(file.name)


@contextmanager
def running(name: str, hook: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = _free_port()
    environ = {key: value for key, value in os.environ.items() if not key.startswith("BONECDS_")}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.services", name, str(port), hook],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
        try:
            if not _answers(process, port):
                log.seek(0)
                raise SystemExit(f"the {name} service did not start:\n{log.read().decode()[-2000:]}")
            yield process, port
        finally:
            process.terminate()
            process.wait(_STOP_SECONDS)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _answers(process: subprocess.Popen[bytes], port: int) -> bool:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def table(rows: Sequence[Row], rss: dict[str, float], base: str) -> str:
    """The report as a Markdown table."""
    lines = [
        f"| resources | body | service | requests/s (lowest-highest round) | of {base} | p50 ms | p99 ms | calls |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.resources} | {row.body_kb} kB | {row.service} | {row.rate} ({row.rate_low}-{row.rate_high}) "
        f"| {row.ratio} ({row.ratio_low}-{row.ratio_high}) | {row.p50} | {row.p99} | {row.calls} |"
        for row in rows
    ]
    memory = ", ".join(f"{name} {size:.0f} MB" for name, size in rss.items())
    return "\n".join([*lines, "", f"Resident memory of the worker after the run: {memory}."])


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The service against services that do nothing.")
    parser.add_argument("--quick", action="store_true", help="about 15 seconds instead of about 70")
    parser.add_argument("--connections", type=int, default=4, help="calls under way at a time")
    parser.add_argument("--hook", choices=HOOKS, default=HOOKS[0], help="the hook called")
    parser.add_argument("--store", action="store_true", help="with the store against without it")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args(arguments)
    compared = (STORE, "loose") if asked.store else (NAMES, "null")
    rounds, seconds = (2, 0.5) if asked.quick else (5, 1.8)
    plan = Plan(rounds, seconds, asked.connections, asked.hook, *compared)
    rows, rss = measure(plan)
    print(f"{plan.rounds} rounds of {plan.seconds} s each, {plan.connections} connections, one worker\n")
    print(table(rows, rss, plan.base))
    if asked.json:
        report = {"plan": asdict(plan), "rows": [asdict(row) for row in rows], "rss_mb": rss}
        asked.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
