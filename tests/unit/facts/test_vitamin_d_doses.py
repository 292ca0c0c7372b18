"""Single doses of vitamin D: international units as the record tells them, never worked out from capsules (S7)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.vitamin_d_doses import vitamin_d_doses
from cds_service.kernel.facts import Gap, GapKind
from tests.support.charts import chart_of

CHOLECALCIFEROL = {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "2418"}]}


def order(dosage: dict[str, Any], ident: str = "m1", **more: Any) -> str:
    told = {
        "resourceType": "MedicationRequest",
        "id": ident,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": CHOLECALCIFEROL,
        "authoredOn": "2026-05-01",
        "dosageInstruction": [dosage],
    }
    return json.dumps({**told, **more})


def quantity(value: Any, code: str = "[iU]", **more: Any) -> dict[str, Any]:
    return {"value": value, "code": code, **more}


def found(*resources: str) -> list[str]:
    return [f"{each.units} ({each.on})" for each in vitamin_d_doses(chart_of(*resources)).items]


@pytest.mark.parametrize(
    ("dosage", "read"),
    [
        ({"doseAndRate": [{"doseQuantity": quantity(300000)}]}, ["300000 (2026-05-01)"]),
        ({"doseAndRate": [{"doseQuantity": {"value": 50000, "unit": "Units"}}]}, ["50000 (2026-05-01)"]),
        ({"doseQuantity": quantity(1000, "UNT")}, ["1000 (2026-05-01)"]),
        (
            {"doseAndRate": [{"doseRange": {"low": quantity(800), "high": quantity(1000)}}]},
            ["800 to 1000 (2026-05-01)"],
        ),
        ({"doseAndRate": [{"doseQuantity": quantity(6, "{capsule}")}]}, []),  # strengths are not known
        ({"doseAndRate": [{"doseQuantity": quantity(7500, "ug")}]}, []),
        (
            {"doseAndRate": [{"doseQuantity": quantity(300000, unit="ug")}]},
            [],
        ),  # code and unit disagree
        ({"doseAndRate": [{"doseQuantity": quantity(300000, comparator=">")}]}, []),
        ({"doseAndRate": [{"doseQuantity": {"value": 300000}}]}, []),
        ({"doseAndRate": [{"doseQuantity": quantity("many")}]}, []),
        ({"doseAndRate": ["odd"]}, []),
        ({"text": "300,000 units once"}, []),
    ],
)
def test_a_dose_is_read_in_international_units_or_not_at_all(dosage: dict[str, Any], read: list[str]) -> None:
    assert found(order(dosage)) == read


def test_an_administration_tells_its_own_dose() -> None:
    given = {"resourceType": "MedicationAdministration", "id": "a1", "status": "completed", "effectiveDateTime": "2026-04-03",
             "medicationCodeableConcept": CHOLECALCIFEROL, "dosage": {"dose": quantity(300000)}}  # fmt: skip
    assert found(json.dumps(given)) == ["300000 (2026-04-03)"]


def test_d11_the_same_dose_of_the_same_day_counts_once_and_an_error_never() -> None:
    dosage = {"doseAndRate": [{"doseQuantity": quantity(300000)}]}
    assert found(order(dosage), order(dosage, "m2")) == ["300000 (2026-05-01)"]
    assert found(order(dosage, status="entered-in-error")) == []


def test_s2_none_found_says_nothing_without_all_look_ups() -> None:
    gaps = vitamin_d_doses(chart_of(incomplete=[needs.MEDICATION_REQUESTS])).gaps
    assert gaps == (Gap(GapKind.FAILED, "medicationRequests"),)
