"""Table C: four times as much sent is about four times the work, wherever in a record it stands (C9, C10).

Work is counted in processor time of this process, best of two; a step whose work grows with the square takes sixteen times as
long and fails, on a fast machine and on a slow one.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.kernel.dates import plus_days
from cds_service.review.call import prefetch, request_of
from cds_service.review.story import Json
from tests.support import golden
from tests.support.golden import AS_OF

STORY: Json = {
    "sex": "female",
    "age": 66,
    "steroids": [{"drug": "prednisone", "mg": 10, "taken": 200}],
    "dxa": {"t": {"hip": -2.0, "spine": -2.6}},
    "vitamin_d": {"value": 18, "unit": "ng/mL"},
    "conditions": ["multiple sclerosis"],
}
MOST_FOR_FOUR_TIMES = 9


def day(number: int) -> str:
    return plus_days(AS_OF, -1 - number % 3000).isoformat()


def copies(key: str, vary: Callable[[Json, int], None]) -> Callable[[Json, int], None]:
    """The first resource of a key again and again, each under an id of its own and a little different."""

    def grow(values: Json, size: int) -> None:
        entries = values[key]["entry"]
        for number in range(size):
            entry = copy.deepcopy(entries[0])
            entry["resource"]["id"] = f"n{number}"
            vary(entry["resource"], number)
            entries.append(entry)

    return grow


def ordered(order: Json, number: int) -> None:
    """Orders that overlap, each from another day on."""
    order["authoredOn"] = day(number + 100)
    order["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"] = {"start": day(number + 100), "end": day(number)}


def resulted(result: Json, number: int) -> None:
    result["effectiveDateTime"] = day(number)


def same_version(resource: Json, number: int) -> None:
    resource["id"] = "one"
    resource["meta"] = {"versionId": str(number)}


def element(key: str, name: str, value: Callable[[int], Any]) -> Callable[[Json, int], None]:
    """One element of the first resource of a key grows."""

    def grow(values: Json, size: int) -> None:
        held = values[key]["entry"][0]["resource"] if key != "patient" else values[key]
        held[name] = value(size)

    return grow


def more_keys(values: Json, size: int) -> None:
    values.update({f"key-{number}": copy.deepcopy(values["conditions"]) for number in range(size)})


def codings(size: int) -> Json:
    return {"coding": [{"system": "urn:x", "code": f"c{number}"} for number in range(size)]}


GROWS: dict[str, tuple[Callable[[Json, int], None], int]] = {
    "orders": (copies("medicationRequests", ordered), 200),
    "scores": (copies("boneDensity", resulted), 250),
    "results-of-one-day": (copies("vitaminD", lambda result, number: None), 300),
    "versions-of-one-order": (copies("medicationRequests", same_version), 300),
    "diagnoses": (copies("conditions", lambda condition, number: None), 300),
    "codings": (element("conditions", "code", codings), 2000),
    "contained": (element("medicationRequests", "contained", lambda n: [{"resourceType": "Medication"}] * n), 3000),
    "extensions": (element("patient", "extension", lambda n: [{"url": "urn:x", "valueString": "y"}] * n), 3000),
    "names": (element("patient", "name", lambda n: [{"family": f"x{number}"} for number in range(n)]), 3000),
    "long-dose": (
        element("medicationRequests", "dosageInstruction", lambda n: [{"text": "2 tablets then " * n}]),
        3000,
    ),
    "digits-for-a-dose": (element("medicationRequests", "dosageInstruction", lambda n: [{"text": "1" * n}]), 50_000),
    "long-report": (element("boneReports", "conclusion", lambda n: "T-score of the hip -2.5, " * n), 2000),
    "blanks-for-a-report": (element("boneReports", "conclusion", lambda n: " " * n), 50_000),
    "digits-for-a-birth-date": (element("patient", "birthDate", lambda n: "1" * n), 50_000),
    "keys": (more_keys, 150),
}


def seconds(grow: Callable[[Json, int], None], size: int) -> float:
    """Processor time of one call of that size."""
    values = prefetch(copy.deepcopy(STORY))
    grow(values, size)
    text = json.dumps(request_of(values))
    taken = []
    for _ in range(2):
        began = time.process_time()
        answer = golden.post(text)
        taken.append(time.process_time() - began)
        assert answer.status_code == 200
    return min(taken)


@pytest.mark.parametrize("name", GROWS)
def test_c9_c10_four_times_as_much_is_not_sixteen_times_the_work(name: str) -> None:
    grow, size = GROWS[name]
    seconds(grow, 1)

    assert seconds(grow, 4 * size) <= MOST_FOR_FOUR_TIMES * seconds(grow, size)


@pytest.mark.parametrize(("depth", "status"), [(50, 200), (5000, 400)])
def test_c10_contained_in_contained_is_read_or_refused_and_never_a_fault(depth: int, status: int) -> None:
    values = prefetch(copy.deepcopy(STORY))
    values["medicationRequests"]["entry"][0]["resource"]["contained"] = "HERE"
    inner = '[{"resourceType": "Medication", "contained": ' * depth + "[]" + "}]" * depth
    text = json.dumps(request_of(values)).replace('"HERE"', inner)

    assert golden.post(text).status_code == status
