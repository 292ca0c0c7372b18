"""Where the time of one call goes: each stage of the product by itself, in one process and one thread.

    python bench/stages.py [--runs N] [--facts] [--hook HOOK]

Medians in milliseconds. The last rows are the whole call through Flask's own test client, and what of it no stage explains.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, Python puts bench/ first; what is imported lies beside it.
sys.path[0] = str(ROOT)

from bench.bodies import AS_OF, HOOKS, SIZES, body, service_id  # noqa: E402
from bench.services import real, service_of  # noqa: E402
from cds_service.cards.render import cards_of  # noqa: E402
from cds_service.cards.suggest import Subject  # noqa: E402
from cds_service.clinical.patient import Patient  # noqa: E402
from cds_service.engine.arrange import arrange  # noqa: E402
from cds_service.engine.evaluate import Evaluation, switched_on  # noqa: E402
from cds_service.engine.gather import gather  # noqa: E402
from cds_service.engine.services import Service  # noqa: E402
from cds_service.formats import strict_json  # noqa: E402
from cds_service.kernel.rules import decide  # noqa: E402
from cds_service.protocol.request import parse  # noqa: E402
from cds_service.protocol.response import HookResponse  # noqa: E402
from cds_service.web.body import to_bytes  # noqa: E402
from cds_service.web.settings import Settings  # noqa: E402

T = TypeVar("T")
FACTS = tuple(name for name, value in vars(Patient).items() if isinstance(value, cached_property) and name[0] != "_")
_WHOLE, _REST = "the whole call, without the network", "Flask, headers, log line: the rest"


class Stopwatch:
    """Seconds per stage, one list entry per run."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    def time(self, stage: str, work: Callable[[], T]) -> T:
        """Do the work and note how long it took."""
        began = time.perf_counter()
        found = work()
        self.seconds.setdefault(stage, []).append(time.perf_counter() - began)
        return found

    def medians(self) -> dict[str, float]:
        """Milliseconds per stage, in the order in which they first ran."""
        return {stage: statistics.median(each) * 1000 for stage, each in self.seconds.items()}


def one_run(service: Service, watch: Stopwatch, facts_watch: Stopwatch, raw: bytes) -> None:
    """One call, stage by stage, as `engine.answer` and `engine.evaluate` take them."""
    clinic = service.clinic
    profile, thresholds, texts = clinic.profile("us"), clinic.thresholds(AS_OF), service.texts("en")
    parsed = watch.time("strict JSON", lambda: strict_json.load(raw))
    call = watch.time("envelope", lambda: parse(parsed, hook=service.hook))
    records = watch.time("gather: state of each key, whose data", lambda: gather(call, service.needs))
    patient = watch.time("chart: versions, status, codes", lambda: clinic.facts(records, AS_OF, thresholds, profile))
    watch.time("facts", lambda: [facts_watch.time(name, partial(getattr, patient, name)) for name in FACTS])
    rules = [rule for rule in service.rules if switched_on(rule, profile)]
    outcomes = watch.time("rules, facts at hand", lambda: tuple(decide(rule, patient, thresholds) for rule in rules))
    scope = watch.time("scope", lambda: clinic.in_scope(patient, thresholds))
    told = (clinic.version, outcomes, scope, "", clinic.unread(patient), patient, clinic.orders(patient))
    evaluation = Evaluation(AS_OF, profile, *told)
    plans = watch.time("arrange", lambda: arrange(evaluation, texts))
    cards = watch.time(
        "cards: words, drafts",
        lambda: cards_of(
            plans, texts, service.orders, lambda r: clinic.source(r, profile), Subject(call.patient_id), "bench"
        ),
    )
    watch.time("answer to bytes", lambda: to_bytes(HookResponse(cards).to_json()))


def measured(resources: int, runs: int, hook: str) -> tuple[dict[str, float], dict[str, float]]:
    """Medians in milliseconds: per stage, and per fact."""
    raw, watch, facts, whole = body(resources, hook), Stopwatch(), Stopwatch(), Stopwatch()
    service, client = service_of(hook), real(Settings(), hook).test_client()

    def send() -> None:
        answer = client.post(f"/cds-services/{service_id(hook)}", data=raw, content_type="application/json")
        if answer.status_code != 200:
            raise SystemExit(f"status {answer.status_code}: {answer.text[:300]}")

    with contextlib.redirect_stderr(io.StringIO()):
        send()
        for _ in range(runs):
            one_run(service, watch, facts, raw)
            whole.time(_WHOLE, send)
    stages, total = watch.medians(), whole.medians()[_WHOLE]
    return {**stages, _REST: total - sum(stages.values()), _WHOLE: total}, facts.medians()


def table(columns: dict[int, dict[str, float]], title: str) -> str:
    """A Markdown table, one column per size, with each row's share of the largest size."""
    largest = columns[max(columns)]
    total = largest.get(_WHOLE) or sum(largest.values())
    lines = [f"| {title} | {' | '.join(f'{size} resources' for size in columns)} | share |"]
    lines.append("|---" * (len(columns) + 2) + "|")
    for row in largest:
        cells = " | ".join(f"{column[row]:.2f}" for column in columns.values())
        lines.append(f"| {row} | {cells} | {largest[row] / total:.0%} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Where the time of one call goes.")
    parser.add_argument("--runs", type=int, default=40, help="calls per size")
    parser.add_argument("--facts", action="store_true", help="also each fact by itself")
    parser.add_argument("--hook", choices=HOOKS, default=HOOKS[0], help="the hook called")
    asked = parser.parse_args(arguments)
    found = {size: measured(size, asked.runs, asked.hook) for size in SIZES}
    print(f"Medians of {asked.runs} calls, milliseconds\n")
    print(table({size: stages for size, (stages, _) in found.items()}, "stage"))
    if asked.facts:
        print(f"\n{table({size: facts for size, (_, facts) in found.items()}, 'fact')}")


if __name__ == "__main__":
    main()
