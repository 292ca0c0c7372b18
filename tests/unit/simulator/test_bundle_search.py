"""A record in a file answers templates like a server with strict handling."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.simulator.bundle_search import BundleSearch

Json = dict[str, Any]


def observation(ident: str, code: str, patient: str = "p1", **more: Any) -> Json:
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        **more,
    }


RECORD = BundleSearch(
    [
        {"resourceType": "Patient", "id": "p1"},
        observation("a", "1-8", effectiveDateTime="2026-01-01"),
        observation("b", "2-6", effectiveDateTime="2026-03-01"),
        observation("c", "1-8", "p2"),
        observation("d", "3-3", status="amended", category=[{"coding": [{"code": "laboratory"}]}]),
        {
            "resourceType": "MedicationRequest",
            "id": "m",
            "intent": "order",
            "medicationReference": {"reference": "Medication/x"},
            "subject": {"reference": "urn:uuid:p1"},
        },
        {"resourceType": "Medication", "id": "x"},
    ]
)


def ids(query: str) -> list[str]:
    return [each["resource"]["id"] for each in RECORD.answer(query)["entry"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?patient=p1", ["a", "b", "d"]),
        ("Observation?subject=Patient/p1&code=http://loinc.org%7C1-8", ["a"]),
        ("Observation?patient=p1&code=http://loinc.org|1-8,http://loinc.org|2-6", ["a", "b"]),
        ("Observation?patient=p1&code=1-8", ["a"]),
        ("Observation?patient=p1&code=http://loinc.org|", ["a", "b", "d"]),
        ("Observation?patient=p1&code=http://snomed.info/sct|1-8", []),
        ("Observation?patient=p1&category=laboratory", ["d"]),
        ("Observation?patient=p1&status=amended", ["d"]),
        ("Observation?patient=p1&_sort=-date&_count=1", ["b"]),
        ("Observation?_id=a,c", ["a", "c"]),
        ("MedicationRequest?patient=p1&intent=order", ["m"]),
        ("MedicationRequest?patient=p1&_include=MedicationRequest:medication", ["m", "x"]),
        ("Condition?patient=p1", []),
    ],
)
def test_each_search(query: str, found: list[str]) -> None:
    assert ids(query) == found


def test_a_read_gives_the_resource() -> None:
    assert RECORD.answer("Patient/p1") == {"resourceType": "Patient", "id": "p1"}


@pytest.mark.parametrize(
    "query", ["Patient/p2", "Patient", "Observation?patient=p1&value-quantity=5", "Observation?date=yesterday"]
)
def test_what_cannot_be_answered_is_an_error_and_never_an_empty_result(query: str) -> None:
    assert RECORD.answer(query)["resourceType"] == "OperationOutcome"


def test_what_does_not_fit_on_a_page_has_a_next_one() -> None:
    page = RECORD.answer("Observation?patient=p1&_count=2")
    assert ([each["relation"] for each in page["link"]], page["total"]) == (["self", "next"], 3)


def test_odd_resources_never_raise() -> None:
    odd = BundleSearch(
        [{"resourceType": "Observation", "code": value, "subject": value} for value in (None, 1, "x", [[]])]
    )
    assert odd.answer("Observation?patient=p1&code=1-8&_sort=date")["entry"] == []
