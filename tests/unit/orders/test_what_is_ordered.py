"""What is being ordered: kinds of drugs, doses that come by the week, and what speaks against offering a draft."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.facts.weekly_doses import DailyOrder
from cds_service.clinical.rules.drug_orders import denosumab_ordered_without_follow_on, weekly_dose_ordered_daily
from cds_service.clinical.rules.glucocorticoid_orders import no_assessment_as_glucocorticoid_is_ordered
from cds_service.clinical.rules.offers import against
from cds_service.kernel.facts import Evidence, GapKind
from cds_service.kernel.quantities import between, exactly
from cds_service.kernel.rules import Finding, Level, Proposal
from cds_service.kernel.truth import Truth
from tests.support.drugs import ATC
from tests.unit.glucocorticoids.test_orders import patient

NUMBERS = CLINIC.thresholds(dt.date(2026, 6, 15))
DRAFT = "MedicationRequest/draft-1"
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


def test_tablets_are_counted_by_the_strength_that_the_drug_is_named_with() -> None:
    named = {"text": "Alendronate 70 mg tablet", "coding": [{"system": ATC, "code": "M05BA04"}]}
    order = {"medicationCodeableConcept": named, "dosageInstruction": [{"text": "1 tablet daily"}]}
    (found,) = patient(order, orders=[ALENDRONATE]).weekly_doses
    assert found.per_day == exactly(70)


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


@pytest.mark.parametrize(
    ("mg", "truth"), [(70, Truth.YES), ([70, 80], Truth.YES), ([50, 70], Truth.UNKNOWN), ([50, 60], Truth.NO)]
)
def test_d20_a_range_reaches_a_dose_of_a_week_when_its_lower_end_does(mg: object, truth: Truth) -> None:
    found = decided({**ALENDRONATE, "mg": mg})
    assert [(leaf.key, leaf.truth) for leaf in found.applies.leaves()] == [
        ("at-order", Truth.YES),
        ("weekly-as-daily", truth),
    ]


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


def looked_at(finding: Finding) -> list[tuple[str, str, bool]]:
    """The criteria of a finding: which, their truth, and whether the order is shown."""
    leaves = finding.applies.leaves()
    return [(leaf.key, leaf.truth.value, DRAFT in {each.resource for each in leaf.evidence}) for leaf in leaves]


@pytest.mark.parametrize(
    ("order", "ordered", "long", "open_end"),
    [
        ({"drug": "prednisone", "mg": 5, "days": 180}, "yes", "yes", "no"),
        ({"drug": "prednisone", "mg": 5, "days": 30}, "yes", "no", "no"),
        ({"drug": "prednisone", "mg": 5}, "yes", "unknown", "yes"),
        (DENOSUMAB, "no", "no", "no"),
    ],
    ids=["half a year", "a month", "without an end", "another drug"],
)
def test_an_assessment_is_asked_for_where_the_order_is_long_or_has_no_end(
    order: dict[str, Any], ordered: str, long: str, open_end: str
) -> None:
    found = assessment(order)
    assert [(key, truth) for key, truth, _ in looked_at(found)] == [
        ("adult", "yes"),
        ("gc-ordered", ordered),
        ("gc-order-long-term", long),
        ("gc-order-without-end", open_end),
    ]
    assert ("gc-ordered", ordered, ordered == "yes") in looked_at(found)
    assert found.applies.truth is (Truth.YES if "yes" in (long, open_end) else Truth.NO)


def test_an_order_of_another_drug_says_nothing_about_glucocorticoids() -> None:
    assert assessment(DENOSUMAB).values == {}


def test_an_order_without_an_end_whose_dose_cannot_be_read_says_so() -> None:
    found = assessment({"drug": "prednisone", "mg": "as directed"})
    leaf = next(each for each in found.applies.leaves() if each.key == "gc-order-without-end")
    assert leaf.truth is Truth.UNKNOWN
    assert [(gap.kind, gap.what) for gap in leaf.gaps] == [(GapKind.DOSE_UNREADABLE, "glucocorticoids")]


def test_an_assessment_on_record_satisfies() -> None:
    done = assessment({**_A_MONTH, "days": 180}, dxa={"ago": "6 months", "t": {"spine": -1.2}})
    assert done.satisfied_by is not None
    assert done.satisfied_by.truth is Truth.YES
    assert (done.values["bmd_vfa_requested"], done.values["frax_requested"]) == (False, False)


def test_saf_07_denosumab_as_it_is_ordered() -> None:
    found = denosumab_ordered_without_follow_on.decide(patient(orders=[DENOSUMAB]), NUMBERS)
    assert looked_at(found) == [("at-order", "yes", False), ("denosumab-ordered", "yes", True)]
    assert found.values == {"drug": "Denosumab", "ordered": True}
    other = denosumab_ordered_without_follow_on.decide(patient(orders=[ALENDRONATE]), NUMBERS)
    assert looked_at(other) == [("at-order", "yes", False), ("denosumab-ordered", "no", False)]


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
