"""What fetching costs a call: four keys missing, beside the same call with all of them, over loopback.

python bench/fetch.py [--calls 60]

The FHIR server is `bonecds_kit.faultfhir` in a process of its own. It waits 100 ms before each response, as a healthy EHR
may, or it never answers; then the deadline is what counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# `python bench/fetch.py` runs this file; what it imports lies beside the directory that Python puts first.
sys.path[0:1] = [str(ROOT), str(ROOT / "tests" / "kit")]

from bench.bodies import AS_OF, PATIENT, body  # noqa: E402
from bonecds_kit.faultfhir import FaultFhir  # noqa: E402
from cds_service.clinical import profiles  # noqa: E402
from cds_service.clinical.terminology import terminology  # noqa: E402
from cds_service.engine.answer import answer  # noqa: E402
from cds_service.engine.fetch import Fetcher  # noqa: E402
from cds_service.fhir.client.dialects import dialect  # noqa: E402
from cds_service.fhir.client.fetcher import HttpFetcher, Lanes, Server  # noqa: E402
from cds_service.formats import strict_json  # noqa: E402
from cds_service.formats.urls import parse_base  # noqa: E402
from cds_service.protocol.request import parse  # noqa: E402
from hooks.patient_view import SERVICE  # noqa: E402

MISSING = ("boneDensity", "vitaminD", "laboratory", "medicationRequests")
RESOURCES = 50
DELAY = 0.1
DEADLINE = 1.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--calls", type=int, default=60, help="calls of each kind (default 60)")
    calls = options.parse_args().calls
    print(f"{RESOURCES} resources, {len(MISSING)} keys missing, {calls} calls one after another, milliseconds\n")
    print(f"{'':44}{'p50':>8}{'p95':>8}{'most':>8}")
    show("prefetch complete", measure(call(), None, calls))
    with server("healthy") as base:
        fetcher = fetching(base)
        show(f"server answers in {DELAY * 1000:.0f} ms each", measure(call(base), fetcher, calls))
        show("    of which fetching", measure_fetching(base, fetcher, calls))
    with server("hanging") as base:
        few, fetcher = max(calls // 6, 5), fetching(base)
        show(f"server hangs, deadline {DEADLINE * 1000:.0f} ms", measure(call(base), fetcher, few))
        show("    of which fetching", measure_fetching(base, fetcher, few))


def call(base: str = "") -> dict:
    """The body of the call; for a base, without the keys that its server is asked for."""
    if not base:
        return strict_json.load(body(RESOURCES))
    # the entries that are still sent must be that server's (safety.md D3)
    whole = strict_json.load(body(RESOURCES).replace(b"https://ehr.example/fhir", base.encode()))
    kept = {key: value for key, value in whole["prefetch"].items() if key not in MISSING}
    token = {"access_token": "let-me-in", "token_type": "Bearer"}
    return {**whole, "prefetch": kept, "fhirServer": base, "fhirAuthorization": token}


def fetching(base: str) -> HttpFetcher:
    to = Server(parse_base(base, insecure=True), dialect("generic"))
    return HttpFetcher([to], terminology(), Lanes(), seconds=DEADLINE)


def measure(request: dict, fetcher: Fetcher | None, calls: int) -> list[float]:
    """Milliseconds of each call from its parsed body to its cards."""
    profile = profiles.profile("us")

    def once() -> None:
        asked = parse(request, hook="patient-view")
        # where the server hangs, a gap card stands for the answer
        found = answer(SERVICE, asked, as_of=AS_OF, profile=profile, fetcher=fetcher, unassessable_as_card=True)
        assert found.account.key_states.get("complete", 0) >= len(SERVICE.needs) - len(MISSING), (
            found.account.key_states
        )

    once()
    return [seconds(once) * 1000 for _ in range(calls)]


def measure_fetching(base: str, fetcher: Fetcher, calls: int) -> list[float]:
    """Milliseconds of the look-ups of each call alone."""
    needs = [need for need in SERVICE.needs if need.key in MISSING]
    return [seconds(lambda: fetcher.fetch(base, "let-me-in", PATIENT, needs, ())) * 1000 for _ in range(calls)]


def seconds(work: Callable[[], None]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def show(name: str, times: Sequence[float]) -> None:
    cuts = statistics.quantiles(times, n=20)
    print(f"{name:44}{statistics.median(times):8.0f}{cuts[-1]:8.0f}{max(times):8.0f}")


@contextmanager
def server(mood: str) -> Iterator[str]:
    """The FHIR server in another process; its base."""
    command = [sys.executable, __file__, "--serve", mood]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()


def serve(mood: str) -> None:
    """Serve the record of the bench patient until standard input ends."""
    prefetch = json.loads(body(RESOURCES))["prefetch"]
    bundles = [each for each in prefetch.values() if each.get("resourceType") == "Bundle"]
    record = [entry["resource"] for bundle in bundles for entry in bundle.get("entry", ())]
    with FaultFhir(record, delay=0 if mood == "hanging" else DELAY) as ehr:
        if mood == "hanging":
            ehr.fault("hang")
        print(ehr.base, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
    else:
        main()
