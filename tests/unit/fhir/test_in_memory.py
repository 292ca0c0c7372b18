"""FHIR search over a few resources: each parameter, and how they go together."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.in_memory import search
from cds_service.kernel.errors import InputError

Json = dict[str, Any]


def observation(ident: str, on: object, code: str = "1989-3", **more: Any) -> Json:
    coding = {"system": "http://loinc.org", "code": code}
    when = {"effectivePeriod": on} if isinstance(on, dict) else {"effectiveDateTime": on}
    return {
        "resourceType": "Observation", "id": ident, "status": "final", "code": {"coding": [coding]},
        "subject": {"reference": "Patient/p1"}, **when, **more,
    }  # fmt: skip


HELD = [
    observation("1", "2025-03-04"),
    observation("2", "2025", code="2160-0", status="preliminary"),
    observation("3", "2026-01-31T23:50:00+02:00", subject={"reference": "https://ehr.example.org/fhir/Patient/p2"}),
    observation("4", {"start": "2024-12-01"}, category=[{"coding": [{"system": "urn:x", "code": "laboratory"}]}]),
]


def found(*asked: tuple[str, str]) -> str:
    return "".join(each["id"] for each in search("Observation", HELD, asked).page)


@pytest.mark.parametrize(
    ("asked", "ids"),
    [
        ([("_id", "1,3")], "13"),
        ([("patient", "p1")], "124"),
        ([("subject", "Patient/p2")], "3"),
        ([("patient", "Patient/p1"), ("status", "final")], "14"),
        ([("code", "http://loinc.org|2160-0")], "2"),
        ([("code", "2160-0,1989-3")], "1234"),
        ([("code", "http://snomed.info/sct|2160-0")], ""),
        ([("code", "http://loinc.org|")], "1234"),
        ([("code", "|1989-3")], ""),
        ([("category", "laboratory")], "4"),
        ([("status", "preliminary")], "2"),
        # two parameters of one name both hold; the public sandbox makes one of them
        ([("date", "ge2025-01-01"), ("date", "lt2026-01-01")], "124"),
        ([("date", "ge2025-06-01")], "234"),
        ([("date", "gt2025-12-31")], "34"),
        ([("date", "le2025-03-04")], "124"),
        ([("date", "lt2025-03-04")], "24"),
        ([("date", "2025")], "12"),
        ([("date", "2026-01-31")], "3"),
        ([("_count", "2")], "12"),
        ([("_count", "2"), ("_offset", "2")], "34"),
        ([("_count", "0")], ""),
    ],
)
def test_a_search_finds(asked: list[tuple[str, str]], ids: str) -> None:
    assert found(*asked) == ids


def test_the_total_counts_all_pages() -> None:
    assert search("Observation", HELD, [("_count", "1")]).total == 4


def test_what_is_not_known_is_named_and_narrows_nothing() -> None:
    told = search("Observation", HELD, [("code:in", "x"), ("_sort", "date"), ("_id", "1")])

    assert (told.not_applied, told.total) == (("code:in", "_sort"), 1)


@pytest.mark.parametrize(
    "asked", [("date", "ap2025"), ("date", "soon"), ("_count", "-1"), ("_count", "x"), ("_offset", "1e3")]
)
def test_a_value_that_cannot_be_is_refused(asked: tuple[str, str]) -> None:
    with pytest.raises(InputError):
        search("Observation", HELD, [asked])


@pytest.mark.parametrize(
    "odd", [None, 7, "x", [], {}, {"coding": "x"}, {"coding": [None, 7]}, {"reference": 7}, {"start": []}]
)
def test_odd_resources_match_nothing_and_break_nothing(odd: object) -> None:
    held = [
        {"resourceType": "Observation", "id": "z", "code": odd, "subject": odd, "effectivePeriod": odd, "category": odd}
    ]

    for asked in (("code", "y"), ("patient", "p1"), ("date", "2025"), ("category", "y")):
        assert search("Observation", held, [asked]).total == 0
