"""What evaluating one order costs: processor time of `engine.evaluate`, without JSON, gathering, words and network.

    python bench/orders.py [--runs N] [--resources N]

One draft order beside a chart, asked as the service asks: only the rules that can appear on a card. The chart is read anew in
each run. Rows take turns in one process, so that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, Python puts bench/ first; what is imported lies beside it.
sys.path[0] = str(ROOT)

from bench.bodies import AS_OF, body  # noqa: E402
from bench.services import service_of  # noqa: E402
from cds_service.engine.arrange import spoken_topics  # noqa: E402
from cds_service.engine.evaluate import evaluate  # noqa: E402
from cds_service.engine.gather import gather  # noqa: E402
from cds_service.formats import strict_json  # noqa: E402
from cds_service.kernel.recall import forget  # noqa: E402
from cds_service.protocol.request import parse  # noqa: E402
from cds_service.web.wsgi import calm_down  # noqa: E402

HOOK = "order-sign"
_MG = {"system": "http://unitsofmeasure.org", "code": "mg", "unit": "mg"}
_DAILY = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsDuration": {"value": 180, "code": "d"}}}
_STRUCTURED = {"timing": _DAILY, "doseAndRate": [{"doseQuantity": {"value": 20, **_MG}}]}
_IN_WORDS = {"text": "30 mg once daily for 4 weeks then 20 mg once daily for 4 weeks then 10 mg once daily for 60 days"}
_PREDNISONE = {
    "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8640"}],
    "text": "prednisone",
}
# the order of `bench/bodies.py` is one of denosumab
DOSAGES: Mapping[str, Mapping[str, Any] | None] = {
    "denosumab": None,
    "prednisone 20 mg daily, structured": _STRUCTURED,
    "prednisone taper in words": _IN_WORDS,
}


def request(resources: int, dosage: Mapping[str, Any] | None) -> bytes:
    """The body of a call with that many resources and one draft order."""
    raw = body(resources, HOOK)
    if dosage is None:
        return raw
    call = json.loads(raw)
    draft = call["context"]["draftOrders"]["entry"][0]["resource"]
    draft |= {"medicationCodeableConcept": _PREDNISONE, "dosageInstruction": [dosage]}
    return json.dumps(call).encode()


def measured(resources: int, runs: int) -> Mapping[str, tuple[int, list[float]]]:
    """Per order: how many rules are asked, and milliseconds of processor time of each run."""
    service = service_of(HOOK)
    profile, texts = service.clinic.profile("us"), service.texts("en")
    calls = {name: parse(strict_json.load(request(resources, dosage)), hook=HOOK) for name, dosage in DOSAGES.items()}
    found: dict[str, tuple[int, list[float]]] = {name: (0, []) for name in calls}
    calm_down(None)  # as in a worker that has read its content
    for run in range(runs + 1):
        for name, call in calls.items():
            records = gather(call, service.needs)
            began = time.process_time()
            evaluation = evaluate(service, records, AS_OF, profile, partial(spoken_topics, texts=texts))
            took = time.process_time() - began
            forget()
            if run:  # the first one fills caches of content
                found[name] = (len(evaluation.outcomes), [*found[name][1], took * 1000])
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What evaluating one order costs.")
    parser.add_argument("--runs", type=int, default=60, help="runs per order (default: %(default)s)")
    parser.add_argument("--resources", type=int, default=50, help="resources of the chart (default: %(default)s)")
    given = parser.parse_args(arguments)
    print("| draft order | rules asked | median ms | lowest | highest |")
    print("|---|---|---|---|---|")
    for name, (rules, took) in measured(given.resources, given.runs).items():
        print(f"| {name} | {rules} | {statistics.median(took):.2f} | {min(took):.2f} | {max(took):.2f} |")


if __name__ == "__main__":
    main()
