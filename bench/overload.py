"""Ten times as many callers as places: how fast the rest is turned away, what the others wait, and how soon it is over.

    python bench/overload.py [--seconds N]

Callers keep their connection, send the next call when one is answered, and come back a tenth of a second after a 503 (an EHR
that ignored Retry-After would do worse). They share one process and wait for each other there, so one more caller in a process of
its own tells what the service takes. One worker, the default places and room to wait, `patient-view` with 50 resources.
"""

from __future__ import annotations

import argparse
import http.client
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, Python puts bench/ first; what is imported lies beside it.
sys.path[0] = str(ROOT)

from bench.bodies import body, service_id  # noqa: E402
from bench.run import percentile, running  # noqa: E402
from cds_service.web.settings import Settings  # noqa: E402

_HOOK, _RESOURCES, _TIMES, _PAUSE_S = "patient-view", 50, 10, 0.1


@dataclass(slots=True)
class Seen:
    """Milliseconds of calls that were answered and of those that were turned away; what else came."""

    answered: list[float] = field(default_factory=list)
    turned_away: list[float] = field(default_factory=list)
    other: list[str] = field(default_factory=list)


def _caller(port: int, raw: bytes, until: float, seen: Seen) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    while (began := time.perf_counter()) < until:
        try:
            connection.request("POST", f"/cds-services/{service_id(_HOOK)}", raw, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            status = str(answer.status)
        except (OSError, http.client.HTTPException) as problem:
            status = type(problem).__name__
            connection.close()
        ms = (time.perf_counter() - began) * 1000
        if status == "200":
            seen.answered.append(ms)
        elif status == "503":
            seen.turned_away.append(ms)
            time.sleep(_PAUSE_S)
        else:
            seen.other.append(status)
    connection.close()


def _load(port: int, raw: bytes, callers: int, seconds: float) -> Seen:
    seen, until = Seen(), time.perf_counter() + seconds
    threads = [threading.Thread(target=_caller, args=(port, raw, until, seen)) for _ in range(callers)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return seen


def _in_background(port: int, raw: bytes, callers: int, seconds: float, told: Connection) -> None:
    told.send(_load(port, raw, callers, seconds))


def _overloaded(port: int, raw: bytes, callers: int, seconds: float) -> tuple[Seen, Seen]:
    """What all of them met, and what one more did."""
    ours, theirs = Pipe()
    crowd = Process(target=_in_background, args=(port, raw, callers, seconds, theirs))
    crowd.start()
    time.sleep(1)  # until all of them are there
    one = _load(port, raw, 1, max(1.0, seconds - 2))
    found: Seen = ours.recv()
    crowd.join()
    return found, one


def _recovered(port: int, raw: bytes, usual: float) -> float:
    """Seconds until a lone call is answered in less than twice its usual time."""
    began = time.perf_counter()
    while time.perf_counter() - began < 30:
        seen = Seen()
        _caller(port, raw, time.perf_counter() + 0.001, seen)
        if seen.answered and seen.answered[0] < 2 * usual:
            break
    return time.perf_counter() - began


def _line(name: str, ms: Sequence[float]) -> str:
    told = f"{percentile(ms, 50):.0f} | {percentile(ms, 95):.0f} | {max(ms):.0f}" if ms else "- | - | -"
    return f"| {name} | {len(ms)} | {told} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Ten times as many callers as places.")
    parser.add_argument("--seconds", type=float, default=8, help="length of each part")
    asked = parser.parse_args(arguments)
    raw, places = body(_RESOURCES, _HOOK), Settings().threads
    with running("real", _HOOK) as (_, port):
        _load(port, raw, 2, 1)
        alone = _load(port, raw, 1, asked.seconds / 2)
        full = _load(port, raw, places, asked.seconds)
        over, one = _overloaded(port, raw, places * _TIMES, asked.seconds)
        seconds = _recovered(port, raw, percentile(alone.answered, 95))
    print(f"{places} places, {Settings().waiting} may wait, {places * _TIMES} callers under overload\n")
    print("| | calls | p50 ms | p95 ms | longest ms |\n|---|---|---|---|---|")
    print(_line("one caller, answered", alone.answered))
    print(_line(f"{places} callers, answered", full.answered))
    print(_line(f"{places * _TIMES} callers, answered", over.answered))
    print(_line(f"{places * _TIMES} callers, turned away", over.turned_away))
    print(_line("one more caller, answered", one.answered))
    print(_line("one more caller, turned away", one.turned_away))
    print(f"\nOther than 200 and 503: {over.other + one.other or 'nothing'}. As fast as before after {seconds:.2f} s.")


if __name__ == "__main__":
    main()
