"""What holds for every test: whether coverage is measured, and that no patient of the scenarios is in a log (F1).

Coverage is measured where tests look at one thing at a time.

The folders below ask the whole service thousands of times, or run it in other processes: measuring them doubles the time of
`make test` and adds no line that the others do not reach. `coverage` fails the run where that is no longer true.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Generator
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# the same examples on every machine, however busy it is, and in every run: a failure is a change of ours, never luck
settings.register_profile(
    "deterministic", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("deterministic")

_NOT_MEASURED = (
    "security/test_bounded_work.py",
    "conformance/test_openapi.py",
    "deck/",
    "generative/",
    "packaging/",
    "realdata/",
    "functional/test_escaping.py",
    "functional/test_export.py",
    "functional/test_impact.py",
    "functional/test_knowledge.py",
    "unit/review/",
    "unit/test_attributes.py",
    "vignettes/test_check.py",
    "vignettes/test_rule_pages.py",
    "vignettes/test_thresholds_pinned.py",
    "walkthrough/",
)
_HERE = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage among 15,000 tests, in each process: all of them are needed until the end.

    Looking through them again and again, while they are made and later, takes a fifth of the time of making them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is not measured."""
    for item in items:
        if item.path.is_relative_to(_HERE) and str(item.path.relative_to(_HERE)).startswith(_NOT_MEASURED):
            item.add_marker("no_cover")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test, whatever it is about, whose log names a patient of the scenarios."""
    report = yield
    lines = [line for _, text in report.sections for line in text.splitlines() if line.startswith('{"time"')]
    if found := sorted(name for name in (_patients() if lines else ()) if any(name in line for line in lines)):
        report.outcome, report.longrepr = "failed", f"F1: the log of this test holds {', '.join(found)}"
    return report


@lru_cache(maxsize=1)
def _patients() -> frozenset[str]:
    """Ids, names and birth dates of everybody in `fixtures/scenarios`."""
    found: set[str] = set()
    for file in (_HERE.parent / "fixtures" / "scenarios").glob("*/request.json"):
        request = json.loads(file.read_text("utf-8"))
        patient = request["prefetch"]["patient"]
        name = patient["name"][0]
        found |= {request["context"]["patientId"], patient["id"], patient["birthDate"], name["family"], *name["given"]}
    return frozenset(found)
