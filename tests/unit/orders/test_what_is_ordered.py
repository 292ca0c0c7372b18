"""What is being ordered: kinds of drugs, doses that come by the week, and what speaks against offering a draft."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.facts.weekly_doses import DailyOrder
from cds_service.clinical.rules.drug_orders import weekly_dose_ordered_daily
from cds_service.clinical.rules.glucocorticoid_orders import no_assessment_as_glucocorticoid_is_ordered
from cds_service.clinical.rules.offers import against
from cds_service.kernel.facts import Evidence
from cds_service.kernel.quantities import between, exactly
from cds_service.kernel.rules import Finding, Level, Proposal
from cds_service.kernel.truth import Truth
from tests.unit.glucocorticoids.test_orders import patient

NUMBERS = CLINIC.thresholds(dt.date(2026, 6, 15))
DENOSUMAB = {"drug": "denosumab", "mg": 60, "route": "subcutaneous", "every": "month"}
ALENDRONATE = {"drug": "alendronate", "mg": 70, "every": "day"}
VITAMIN_D = {"drug": "cholecalciferol", "units": 50000, "every": "day"}


@pytest.mark.parametrize(
    ("orders", "kinds"),
    [
        ([{"drug": "prednisone", "mg": 5}], {"glucocorticoid"}),
        ([{"drug": "prednisone", "mg": 5, "route": "inhaled"}], set()),
        ([DENOSUMAB], {"bone-drug"}),
        ([{**DENOSUMAB, "mg": 120}], set()),
        ([{"drug": "risedronate", "mg": 35, "every": "week"}], {"bone-drug"}),
        ([VITAMIN_D], {"vitamin-d"}),
        ([{"drug": "calcium", "mg": 500, "every": "day"}], {"vitamin-d"}),
        ([DENOSUMAB, VITAMIN_D, {"drug": "prednisone", "mg": 5}], {"bone-drug", "vitamin-d", "glucocorticoid"}),
    ],
    ids=lambda value: " and ".join(each["drug"] for each in value) if isinstance(value, list) else "",
)
def test_the_kinds_of_drugs_in_a_basket(orders: list[dict[str, Any]], kinds: set[str]) -> None:
    assert patient(orders=orders).order_kinds == kinds


# --- doses that come by the week -------------------------------------------------------------------------------------
def shown(value: str, order: str = "MedicationRequest/draft-1") -> Evidence:
    return Evidence("order", value, None, order)


def test_what_an_order_of_alendronate_or_vitamin_d_comes_to_a_day() -> None:
    both = [{**ALENDRONATE, "every": "week"}, {"drug": "cholecalciferol", "units": 800, "every": "day"}]
    first, second = "MedicationRequest/draft-1", "MedicationRequest/draft-2"
    assert patient(orders=both).weekly_doses == (
        DailyOrder("alendronate", exactly(10), False, first, shown("alendronate 10 mg a day", first)),
        DailyOrder("vitamin D", exactly(800), False, second, shown("vitamin D 800 IU a day", second)),
    )
    assert patient(orders={"drug": "risedronate", "mg": 35, "every": "day"}).weekly_doses == ()
    assert patient(orders={"drug": "alendronate", "mg": "as directed"}).weekly_doses == ()


def test_an_order_whose_words_and_structure_differ_is_told_with_both() -> None:
    order = {**ALENDRONATE, "every": "week", "text": "70 mg once daily"}
    said = shown("alendronate 10 to 70 mg a day")
    assert patient(orders=order).weekly_doses == (
        DailyOrder("alendronate", between(10, 70), True, "MedicationRequest/draft-1", said),
    )


def decided(*orders: dict[str, Any]) -> Finding:
    found = weekly_dose_ordered_daily.decide(patient(orders=list(orders)), NUMBERS)
    assert isinstance(found, Finding)
    return found


def test_d20_the_wrong_one_of_several_orders_is_named_and_may_be_made_weekly() -> None:
    found = decided({"drug": "cholecalciferol", "units": 800, "every": "day"}, ALENDRONATE)
    assert found.applies.truth is Truth.YES
    assert found.values == {"ordered_dose": "alendronate 70 mg a day", "disagrees": False}
    assert found.propose == (Proposal("weekly", "MedicationRequest/draft-2"),)


def test_d20_an_order_that_contradicts_itself_is_not_rewritten() -> None:
    found = decided({**ALENDRONATE, "every": "week", "text": "70 mg once daily"})
    assert found.applies.truth is Truth.YES
    assert found.values == {"ordered_dose": "alendronate 10 to 70 mg a day", "disagrees": True}
    assert found.propose == ()


def test_d20_says_nothing_of_other_drugs() -> None:
    found = decided(DENOSUMAB)
    assert [(leaf.key, leaf.truth) for leaf in found.applies.leaves()] == [
        ("at-order", Truth.YES),
        ("weekly-drug-ordered", Truth.NO),
    ]
    assert (found.values, found.propose) == ({}, ())


# --- a glucocorticoid as it is ordered -------------------------------------------------------------------------------
def assessment(*orders: dict[str, Any], **story: Any) -> Finding:
    found = no_assessment_as_glucocorticoid_is_ordered.decide(patient(orders=list(orders), **story), NUMBERS)
    assert isinstance(found, Finding)
    return found


_IN_A_YEAR = "mg prednisolone-equivalent in the last 365 days, today included"
_A_MONTH = {"drug": "prednisone", "mg": 5, "days": 30}
_MONTH = "prednisone 5 mg/day, 30 days: 150 mg prednisolone-equivalent"
_EARLIER = {"steroids": [{"drug": "prednisone", "mg": 10, "ended": "30 days", "days": 10}]}
_STEPS = {"drug": "prednisone", "mg": "20 mg once daily for 5 days then 10 mg once daily for 5 days"}


@pytest.mark.parametrize(
    ("order", "story", "lines", "a_day", "total"),
    [
        (_A_MONTH, {}, [_MONTH, f"5 {_IN_A_YEAR}"], 5, 150),
        ({"drug": "prednisone", "mg": 5}, {}, ["prednisone 5 mg/day", f"5 {_IN_A_YEAR}"], 5, None),
        (
            _STEPS, {},
            [
                "prednisone 20 mg/day, 5 days: 100 mg prednisolone-equivalent",
                "prednisone 10 mg/day, 5 days: 50 mg prednisolone-equivalent",
                "150 mg prednisolone-equivalent in all",
                f"20 {_IN_A_YEAR}",
            ], 20, 150,
        ),
        (_A_MONTH, _EARLIER, [_MONTH, f"105 {_IN_A_YEAR}"], 5, 150),
        ({**_A_MONTH, "start": "2026-06-29"}, {}, [_MONTH], 5, 150),
    ],
    ids=["one course", "without an end", "two steps", "after an earlier course", "from a later day"],
)  # fmt: skip
def test_the_sums_that_a_pharmacist_can_check(
    order: dict[str, Any], story: dict[str, Any], lines: list[str], a_day: int, total: int | None
) -> None:
    values = assessment(order, **story).values
    assert values["arithmetic"] == lines
    assert values["pred_eq_mg_per_day"] == a_day
    assert values.get("pred_eq_total_mg") == total


def test_what_the_card_about_an_assessment_says() -> None:
    found = assessment({**_A_MONTH, "days": 180})
    told = {key: value for key, value in found.values.items() if key != "arithmetic"}
    assert told == {
        "gc_drugs": "Prednisone",
        "gc_daily": "5",
        "bmd_vfa_requested": True,
        "asks_duration": False,
        "frax_requested": True,
        "pred_eq_mg_per_day": 5,
        "pred_eq_total_mg": 900,
    }
    assert (found.level, found.propose) == (Level.WARNING, (Proposal("dxa-with-vfa"),))
    assert assessment({"drug": "prednisone", "mg": 5}).level is Level.INFO


# --- drafts ----------------------------------------------------------------------------------------------------------
_KIDNEY = ["egfr-below", "dialysis", "kidney-disease-4-5"]
_CALCIUM, _PREGNANCY = ["calcium-below", "hypocalcaemia"], ["pregnant", "pregnancy-possible"]


@pytest.mark.parametrize(
    ("order", "looked_for"),
    [
        (
            "alendronate",
            ["clearance-below", *_KIDNEY, *_CALCIUM, "oesophagus-empties-slowly", "in-bed", "ms", "edss-at-least", *_PREGNANCY],
        ),
        ("zoledronic-acid", ["clearance-below", *_KIDNEY, *_CALCIUM, "vitamin-d-not-known", *_PREGNANCY]),
        ("denosumab", [*_KIDNEY, *_CALCIUM, "vitamin-d-not-known", *_PREGNANCY]),
        ("calcium-vitamin-d", ["calcium-above-laboratory-limit", "vitamin-d-supplement"]),
    ],
)  # fmt: skip
def test_e5_what_is_looked_for_before_a_draft_is_offered(order: str, looked_for: list[str]) -> None:
    found = against(order, patient(orders=[DENOSUMAB]), NUMBERS)
    assert found is not None
    assert [leaf.key for leaf in found.leaves()] == looked_for


def test_a_test_or_a_referral_needs_no_such_look() -> None:
    assert against("dxa", patient(orders=[DENOSUMAB]), NUMBERS) is None
