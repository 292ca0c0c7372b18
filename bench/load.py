"""A closed-loop client in its own process: each connection sends its next call when the answer to the last one is there.

Started as `python -m bench.load PORT BODY_FILE SECONDS CONNECTIONS HOOK`; writes one line of JSON: the seconds that passed
and the latency of every call in milliseconds. Any answer but 200 with a card ends it with an error.
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.bodies import service_id

_HEADERS = {"Content-Type": "application/json"}
_TIMEOUT = 30
# each call has an id of its own, as calls have: what is kept of one is kept once
_INSTANCE = re.compile(rb'(?<="hookInstance":)\s*"[0-9a-f-]{36}"')


def until(stop: float, port: int, body: bytes, path: str) -> list[float]:
    """Call over one kept-alive connection until that moment; the latencies in milliseconds."""
    found = []
    before, after = _INSTANCE.split(body, 1)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    while (began := time.perf_counter()) < stop:
        call = b'%b"%b"%b' % (before, str(uuid.uuid4()).encode(), after)
        connection.request("POST", path, call, _HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        found.append((time.perf_counter() - began) * 1000)
        if answer.status != 200 or b'"summary"' not in said:
            raise SystemExit(f"status {answer.status}: {said[:300]!r}")
    connection.close()
    return found


def main(port: str, file: str, seconds: str, connections: str, hook: str) -> None:
    path = f"/cds-services/{service_id(hook)}"
    body = Path(file).read_bytes()
    began = time.perf_counter()
    stop = began + float(seconds)
    with ThreadPoolExecutor(int(connections)) as pool:
        runs = [pool.submit(until, stop, int(port), body, path) for _ in range(int(connections))]
        latencies = [latency for run in runs for latency in run.result()]
    print(json.dumps({"seconds": time.perf_counter() - began, "ms": [round(each, 3) for each in latencies]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
