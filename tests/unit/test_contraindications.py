"""What speaks against an osteoporosis drug, whether it is taken or ordered (rule book 4.3)."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import Patient
from cds_service.clinical.rules import contraindications
from cds_service.clinical.rules.recent_results import calcium_high, calcium_low
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth
from tests.support.cases import Case

Against = Callable[[Patient, Thresholds], Criterion]
ROWS: Mapping[str, Against] = {
    name: function
    for name, function in inspect.getmembers(contraindications, inspect.isfunction)
    if name.startswith(("contraindication_", "caution_"))
}
# One patient in whom everything speaks against everything
ILL = {
    "sex": "female",
    "age": 45,
    "menopause": "no",
    "pregnant": True,
    "edss": 8.5,
    "egfr": 20,
    "calcium": {"value": 1.9, "adjusted": False, "low": 2.2, "high": 2.6},
    "vitamin_d": {"value": 8},
    "conditions": [
        "multiple sclerosis", "bed", "oesophageal stricture", "Barrett's oesophagus", "Paget's disease of bone",
        "osteonecrosis of the jaw", "atypical femoral fracture", "deep vein thrombosis", "hypocalcaemia",
        {"name": "myocardial infarction", "ago": "3 months"},
    ],
}  # fmt: skip
DRUGS = [
    {"drug": "alendronate", "mg": 70, "every": "week", "since": "1 year"},
    {"drug": "denosumab", "doses": ["3 months"]},
    {"drug": "romosozumab", "doses": ["20 days"]},
    {"drug": "raloxifene", "mg": 60, "since": "1 year"},
]


def asked(against: Against, story: Mapping[str, Any]) -> Criterion:
    case = Case("SAF-01", "made up", ("label_us",), story, {})
    numbers = CLINIC.thresholds(case.as_of)
    return against(case.facts(numbers), numbers)


@pytest.mark.parametrize("name", ROWS)
def test_it_is_found_whatever_drug_is_taken_so_that_an_order_can_be_asked_the_same(name: str) -> None:
    untreated = asked(ROWS[name], {**ILL, "therapies": []})
    assert untreated.truth is Truth.YES
    assert untreated == asked(ROWS[name], {**ILL, "therapies": DRUGS})


@pytest.mark.parametrize("name", ROWS)
def test_s2_where_nothing_could_be_looked_up_nothing_is_ruled_out(name: str) -> None:
    needs = ("conditions", "function", "laboratory", "vitaminD", "procedures", "lifestyle")
    blind = {"sex": "female", "age": 45, "incomplete": dict.fromkeys(needs, "failed")}
    criterion = asked(ROWS[name], blind)
    assert criterion.truth is Truth.UNKNOWN
    assert criterion.open_gaps() != ()


# --- total calcium ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("slope", ["0.01", "0.02", "0.025"])
@pytest.mark.parametrize("albumin", [20, 39, 40, 41, 50])
@pytest.mark.parametrize("total", ["1.90", "2.09", "2.10", "2.30", "2.60", "2.61", "2.80"])
def test_a_total_calcium_decides_only_what_no_correction_formula_could_turn_round(
    total: str, albumin: int, slope: str
) -> None:
    """Whatever a formula adds for each g/L of albumin below 40, its answer is ours, or we gave none."""
    calcium = {"value": float(total), "adjusted": False, "low": 2.1, "high": 2.6}
    story = {"sex": "male", "age": 60, "calcium": calcium, "albumin": albumin}
    adjusted = Decimal(total) + Decimal(slope) * (40 - albumin)
    assert asked(calcium_low, story).truth in (Truth.of(adjusted < Decimal("2.1")), Truth.UNKNOWN)
    assert asked(calcium_high, story).truth in (Truth.of(adjusted > Decimal("2.6")), Truth.UNKNOWN)


@pytest.mark.parametrize("ago", ["31 days", "29 days", "2026-05"])
def test_an_albumin_of_another_day_or_of_no_certain_day_settles_nothing(ago: str) -> None:
    calcium = {"value": 1.9, "adjusted": False}
    story = {"sex": "male", "age": 60, "calcium": calcium, "albumin": {"value": 45, "ago": ago}}
    assert asked(calcium_low, story).truth is Truth.UNKNOWN
