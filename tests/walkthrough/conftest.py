"""A copy of the checkout, the demo running in it, and a patient of one's own: made once for all tests of a process."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.repository import ROOT
from tests.walkthrough import checkout
from tests.walkthrough.checkout import Checkout

TABLE: dict[str, Any] = tomllib.loads((Path(__file__).parent / "lines.toml").read_text("utf-8"))
_DAILY = {
    "timing": {
        "repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": "2026-01-05"}},
    },
    "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
    "doseAndRate": [{"doseQuantity": {"value": 15, "system": "http://unitsofmeasure.org", "code": "mg"}}],
}


def _own_bundle() -> dict[str, Any]:
    """A man of 67 with polymyalgia rheumatica on 15 mg of prednisolone a day since January, without a DXA: nobody of fixtures/."""
    subject = {"reference": "Patient/ingmar-invented"}
    confirmed = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]
    }
    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    resources: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": "ingmar-invented",
            "name": [{"family": "Invented", "given": ["Ingmar"]}],
            "gender": "male",
            "birthDate": "1959-03-04",
        },
        {
            "resourceType": "Condition",
            "id": "pmr",
            "clinicalStatus": active,
            "verificationStatus": confirmed,
            "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M35.3"}]},
            "subject": subject,
            "onsetDateTime": "2025-12-20",
        },
        {
            "resourceType": "MedicationRequest",
            "id": "prednisolone",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {
                "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "8638"}],
                "text": "Prednisolone oral tablet",
            },
            "subject": subject,
            "authoredOn": "2026-01-05",
            "dosageInstruction": [_DAILY],
        },
    ]  # fmt: skip
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


@pytest.fixture(scope="session")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The checkout as a reader has it, with the files that the documents take for granted."""
    made = checkout.make(tmp_path_factory.mktemp("reader") / "bonecds")
    for name, held in TABLE["files"].items():
        target = made.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(held["text"] if "text" in held else (ROOT / held["copy"]).read_text("utf-8"), "utf-8")
    (made.path / "my-bundle.json").write_text(json.dumps(_own_bundle()), "utf-8")
    return made


@pytest.fixture(scope="session")
def demo(copy: Checkout) -> Iterator[str]:
    """Host and port of `make demo`, running."""
    with copy.running("make demo") as address:
        yield address


@pytest.fixture(scope="session")
def fhir() -> Iterator[str]:
    """Base of a FHIR server that takes what is put."""
    with checkout.fhir_server() as base:
        yield base
