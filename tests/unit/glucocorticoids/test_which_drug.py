"""Which drug a medication resource is about: codes, identifiers, references, classes (S3)."""

from __future__ import annotations

import json

from tests.support.courses import order, stretches, timeline


def test_mimic_the_drug_is_named_only_in_an_identifier() -> None:
    medication = {"resourceType": "Medication", "id": "m", "identifier": [{"value": "PredniSONE"}]}
    resource = json.loads(order("1", 10, "2026-05-01", "2026-05-31"))
    del resource["medicationCodeableConcept"]
    resource["medicationReference"] = {"reference": "Medication/m"}

    assert stretches(json.dumps(resource), json.dumps(medication)) == [("2026-05-01", "2026-05-31", "10")]


def test_epic_a_reference_that_was_not_supplied_opens_every_day() -> None:
    resource = json.loads(order("1", 10, "2026-05-01", "2026-05-31"))
    del resource["medicationCodeableConcept"]
    resource["medicationReference"] = {"reference": "Medication/elsewhere"}

    found = timeline(json.dumps(resource))

    assert [(gap.kind.value, gap.what) for gap in found.gaps] == [("not-supplied", "medication-names")]


def test_a_drug_known_only_by_its_class_is_exposure_of_unknown_dose() -> None:
    """H02AB alone: a systemic glucocorticoid, nobody knows which (S3)."""
    drug = {"coding": [{"system": "http://www.whocc.no/atc", "code": "H02AB"}]}

    assert stretches(order("1", 10, "2026-05-01", "2026-05-31", medicationCodeableConcept=drug)) == [
        ("2026-05-01", "2026-05-31", ">0")
    ]
