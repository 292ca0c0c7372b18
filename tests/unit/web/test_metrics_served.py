"""Metrics of several processes: they add up, and a process that dies takes nothing along but its calls in flight."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable

import requests

from tests.conformance.wire import CALL, PATIENT
from tests.support.served import Served, served

# A service whose cards name the process that made them, and which, asked for it, never answers.
PROGRAM = """
import os, time
from dataclasses import replace
from cds_service.protocol.response import HookResponse
from cds_service.web.app import create_app
from tests.conformance.stub import CARD, StubService

def answer(service, call, *_):
    if call.patient_id == "slow":
        time.sleep(60)
    return HookResponse((replace(CARD, summary=f"process {os.getpid()}"),))

def build(settings):
    from cds_service.web.metrics import Metrics, Names
    names = Names({"stub-patient-view": "patient-view"}, frozenset(), frozenset())
    return create_app(settings, [StubService()], answer, metrics=Metrics(names))

settings = Settings({settings})
serve(settings, partial(build, settings))
"""
_CALLS = re.compile(r'^bonecds_calls_total\{client="none",hook="patient-view",.*status="200"\} (.*)$', re.MULTILINE)
_IN_FLIGHT = re.compile(r"^bonecds_calls_in_flight (.*)$", re.MULTILINE)


def call(service: Served, patient: str = "p1") -> int:
    """Call the service; the number of the process that answered."""
    body = CALL.replace("PREFETCH", PATIENT).replace("p1", patient)
    answer = requests.post(
        f"{service.url}/cds-services/stub-patient-view",
        data=body,
        headers={"Content-Type": "application/json", "Connection": "close"},
        timeout=30,
    )
    return int(answer.json()["cards"][0]["summary"].removeprefix("process "))


def number(service: Served, pattern: re.Pattern[str]) -> float:
    page = requests.get(f"http://127.0.0.1:{service.metrics_port}/metrics", headers={"Connection": "close"}, timeout=30)
    assert page.headers["Content-Type"].startswith("text/plain; version=")
    found = pattern.search(page.text)
    return float(found[1]) if found else 0


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, "it did not happen in half a minute"
        time.sleep(0.05)


def test_counts_of_two_processes_add_up_and_outlive_them() -> None:
    with served("workers=2, threads=4", PROGRAM, metrics=True) as service:
        processes: list[int] = []
        until(lambda: bool(processes.append(call(service)) or len(set(processes)) == 2))
        assert number(service, _CALLS) == len(processes)

        # one of them gets a call that it never answers, and dies of it
        hanging = threading.Thread(target=_ignored, args=(service,))
        hanging.start()
        until(lambda: number(service, _IN_FLIGHT) == 1)
        for process in set(processes):
            os.kill(process, signal.SIGKILL)
        hanging.join(30)
        until(lambda: "Booting worker" in service.written() and _answers(service))

        assert number(service, _IN_FLIGHT) == 0
        processes.append(call(service))
        assert number(service, _CALLS) == len(processes)
        folder = service.errors.parent
        assert [each.stat().st_mode & 0o777 for each in folder.glob("bonecds-metrics-*")] == [0o700]
        service.stop()
        assert list(folder.glob("bonecds-metrics-*")) == []


def _ignored(service: Served) -> None:
    try:
        call(service, "slow")
    except requests.RequestException:
        return


def _answers(service: Served) -> bool:
    try:
        return requests.get(f"{service.url}/healthz", timeout=5, headers={"Connection": "close"}).ok
    except requests.RequestException:
        return False
