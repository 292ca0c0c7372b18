"""From the README to the cards of a patient of one's own: its lines, typed as they stand, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.packaging.repository import ROOT
from tests.walkthrough import checkout, documents
from tests.walkthrough.checkout import Checkout

SECTION = "### A patient of your own"


_DAILY = {
    "timing": {
        "repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": {"start": "2025-06-02"}},
    },
    "route": {"coding": [{"system": "http://snomed.info/sct", "code": "26643006"}]},
    "doseAndRate": [{"doseQuantity": {"value": 15, "system": "http://unitsofmeasure.org", "code": "mg"}}],
}


def _own_bundle() -> dict[str, Any]:
    """A man of 67 with polymyalgia rheumatica on 15 mg of prednisolone a day for a year, without a DXA: nobody of fixtures/."""
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
            "onsetDateTime": "2025-05-30",
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
            "authoredOn": "2025-06-02",
            "dosageInstruction": [_DAILY],
        },
    ]  # fmt: skip
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in resources]}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = checkout.make(tmp_path_factory.mktemp("reader") / "bonecds")
    (made.path / "my-bundle.json").write_text(json.dumps(_own_bundle()), "utf-8")
    return made


@pytest.fixture(scope="module")
def demo(copy: Checkout) -> Iterator[str]:
    with copy.running("make demo") as address:
        yield address


def _steps() -> list[str]:
    """The lines under the heading."""
    text = (ROOT / "README.md").read_text("utf-8").splitlines()
    start = text.index(SECTION) + 1
    end = next(number for number, line in enumerate(text[start:], start + 1) if re.match(r"#{2,3} ", line))
    return [line.text for line in documents.shell_lines("README.md") if start < line.number < end]


def test_the_readme_needs_two_lines_for_a_patient_of_ones_own() -> None:
    assert ["client" in line for line in _steps()] == [True, False]
    assert all("my-bundle.json" in line for line in _steps())


def test_the_first_shows_the_cards_and_that_the_answer_conforms(copy: Checkout, demo: str) -> None:
    call, _ = _steps()
    done = copy.type(call, demo)

    assert done.status == 0, done.output
    assert re.search(r"Prednisolone 15 mg/day since 2025-06-02: no DXA or FRAX found\.", done.output), done.output


def test_the_second_says_why(copy: Checkout) -> None:
    _, why = _steps()
    done = copy.type(why)

    assert done.status == 0, done.output
    assert re.search(r"GC-01\S* .*recommend", done.output, re.IGNORECASE), done.output


def test_another_day_is_set_as_the_readme_says(copy: Checkout) -> None:
    """The line in words: it starts the demo, and the day is another one."""
    (line,) = re.findall(r"`(DEMO_AS_OF=\S+ make demo)`", (ROOT / "README.md").read_text("utf-8"))
    call, _ = _steps()
    (copy.path / "my-bundle.json").write_text(json.dumps(_own_bundle()), "utf-8")
    with copy.running(line) as address:
        done = copy.type(call, address)

    assert done.status == 0, done.output
    assert "no DXA or FRAX found" in done.output
