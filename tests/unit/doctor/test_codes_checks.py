"""Codes are counted by system; what a record says is never repeated."""

from __future__ import annotations

from typing import Any

from cds_service.clinical.terminology import terminology
from cds_service.doctor.checks import codes
from cds_service.doctor.finding import Finding, Level
from tests.support import canary

Json = dict[str, Any]
LOINC, SNOMED, RXNORM = "http://loinc.org", "http://snomed.info/sct", "http://www.nlm.nih.gov/research/umls/rxnorm"


def told(*resources: Json) -> list[Finding]:
    return list(codes.told(codes.count(resources, terminology())))


def coded(kind: str, *codings: tuple[str, str], element: str = "code") -> Json:
    return {
        "resourceType": kind,
        "id": "1",
        element: {
            "coding": [{"system": system, "code": code, "display": canary.of("word")} for system, code in codings]
        },
    }


def test_known_and_unknown_codes_are_counted_by_system() -> None:
    (found,) = told(
        coded("Observation", (LOINC, "1989-3"), ("urn:oid:1.2.840.114350.1.13", "77")),
        coded("Observation", (LOINC, "00000-0")),
        {"resourceType": "Observation", "code": {"text": canary.of("word")}},
    )
    assert (found.level, found.seen) == (Level.PASS, "3 resources, 1 without a code")
    assert found.details == ("LOINC: 1 known, 1 not", "urn:oid:1.2.840.114350.1.13: 0 known, 1 not")


def test_a_drug_by_reference_is_counted_with_its_order() -> None:
    drug = {**coded("Medication", (RXNORM, "8640")), "id": "m1"}
    order = {"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/m1"}}
    (found,) = told(order, drug)
    assert (found.about, found.details) == ("MedicationRequest", ("RxNorm: 1 known, 0 not",))


def test_a_drug_that_was_not_found_leaves_its_order_without_a_code() -> None:
    (found,) = told({"resourceType": "MedicationRequest", "medicationReference": {"reference": "Medication/gone"}})
    assert found.level is Level.WARN


def test_conditions_of_relatives_are_counted() -> None:
    relative = {"resourceType": "FamilyMemberHistory", "condition": [coded("x", (SNOMED, "64859006"))]}
    (found,) = told(relative)
    assert found.seen == "1 resource, 0 without a code"


def test_a_type_with_local_codes_only_is_a_warning() -> None:
    (found,) = told(coded("Condition", ("https://north.example.org/codes", "17")))
    assert (found.level, found.details) == (Level.WARN, ("other systems: 0 known, 1 not",))


def test_no_word_no_code_and_no_address_of_the_record_is_repeated() -> None:
    word = canary.of("note")
    hostile = coded(
        "Condition", (word, word), (f"https://{word}.example.org", word), (f"urn:oid:1.2.{word}", word), (SNOMED, word)
    )
    assert canary.found_in(str(told(hostile))) == set()


def test_odd_json_is_counted_and_never_raises() -> None:
    odd = [
        {"resourceType": "Condition", "code": value}
        for value in (None, 7, "x", [], [None], {"coding": 3}, {"coding": [None, {"code": 5}]})
    ]
    (found,) = told(*odd)
    assert found.seen.startswith("7 resources")


def test_what_looks_like_ours_and_cannot_be_used_is_a_warning_with_its_reason() -> None:
    unmapped, unit = codes.unread({("Observation", "no-mapped-code"): 3, ("Observation", "unit"): 1})
    assert (unmapped.level, unmapped.seen) == (Level.WARN, "3 of these could not be used: no-mapped-code")
    assert "catalogue" in unmapped.fix
    assert "units" in unit.fix
