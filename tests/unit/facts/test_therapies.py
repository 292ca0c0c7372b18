"""Osteoporosis drugs: which, since when, last dose, still current (traps 23 and 24)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.therapies import DrugClass, Therapy, bone_therapies, supplements
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.thresholds import Source, Threshold, Thresholds
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of
from tests.support.drugs import (
    ACTIVE,
    ALENDRONATE,
    ATC,
    CM,
    DENOSUMAB,
    DENOSUMAB_60,
    HCPCS,
    RXNORM,
    XGEVA,
    dispense,
    given,
    order,
)

_SOURCE = Source("p", "p", "p", "https://example.org", 2020)


def _threshold(key: str, value: int) -> Threshold:
    return Threshold(key, key, Decimal(value), "d", dt.date(2020, 1, 1), _SOURCE, "", "P")


LIMITS = Thresholds(
    [
        _threshold("policy.open-order-trusted-days", 365),
        _threshold("policy.zoledronate-months", 15),
        _threshold("policy.oral-therapy-grace-months", 1),
        _threshold("acr2022.denosumab-late-months", 7),
    ],
    dt.date(2026, 6, 15),
)


def therapies(*resources: str) -> tuple[Therapy, ...]:
    return bone_therapies(chart_of(*resources), LIMITS).items


def told(*resources: str) -> list[tuple[str, str, str]]:
    return [(each.drug, each.current.value, str(each.last)) for each in therapies(*resources)]


# --- which drug ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("code", "name", "drug_class", "strength"),
    [
        (ALENDRONATE, "alendronate", DrugClass.BISPHOSPHONATE_ORAL, Decimal(70)),
        ((ATC, "M05BB03"), "alendronate", DrugClass.BISPHOSPHONATE_ORAL, None),
        ((RXNORM, "904932"), "ibandronate", DrugClass.BISPHOSPHONATE_ORAL, Decimal(150)),
        ((RXNORM, "904952"), "ibandronate", DrugClass.BISPHOSPHONATE_IV, Decimal(3)),
        ((ATC, "M05BA06"), "ibandronate", DrugClass.BISPHOSPHONATE, None),
        ((RXNORM, "705824"), "zoledronic acid", DrugClass.BISPHOSPHONATE_IV, Decimal(5)),
        (DENOSUMAB_60, "denosumab", DrugClass.DENOSUMAB, Decimal(60)),
        ((RXNORM, "1435118"), "teriparatide", DrugClass.PTH_ANALOGUE, Decimal("0.02")),
        ((ATC, "H05AA04"), "abaloparatide", DrugClass.PTH_ANALOGUE, None),
        ((ATC, "M05BX06"), "romosozumab", DrugClass.ROMOSOZUMAB, None),
        ((RXNORM, "1490065"), "raloxifene", DrugClass.SERM, Decimal(60)),
        ((ATC, "H05BA01"), "calcitonin", DrugClass.CALCITONIN, None),
        ((ATC, "M05BX03"), "strontium", DrugClass.STRONTIUM, None),
        ((ATC, "M05BA"), "bisphosphonate", DrugClass.BISPHOSPHONATE, None),
    ],
)
def test_drug_and_class(code: tuple[str, str], name: str, drug_class: DrugClass, strength: Decimal | None) -> None:
    (found,) = therapies(order(code, ACTIVE))
    assert (found.drug, found.drug_class, found.strength_mg) == (name, drug_class, strength)


@pytest.mark.parametrize(
    "resource",
    [
        order(XGEVA, ACTIVE),
        order((RXNORM, "1114087"), ACTIVE),  # Zometa
        given(DENOSUMAB, "2026-05-01", '{"value": 120, "unit": "mg"}'),
        given((ATC, "M05BA08"), "2026-05-01", '{"value": 4, "unit": "mg"}'),
    ],
)
def test_trap_23_oncology_strengths_are_not_osteoporosis_therapy(resource: str) -> None:
    assert therapies(resource) == ()


@pytest.mark.parametrize(
    "code",
    [
        (RXNORM, "2693643"),  # Yorvipath: "teriparatide" in its name
        (ATC, "H05AA05"),
        (ATC, "M05BX05"),  # burosumab
        (RXNORM, "4083"),  # oestradiol
        (HCPCS, "J3590"),  # unclassified biologics
        (RXNORM, "8640"),  # prednisone
    ],
)
def test_other_drugs_are_not_osteoporosis_therapy(code: tuple[str, str]) -> None:
    assert therapies(order(code, ACTIVE)) == ()


def test_trap_23_without_a_dose_a_neutral_code_may_be_for_cancer() -> None:
    assert told(given((HCPCS, "J0897"), "2026-05-01", '{"value": 60}')) == [("denosumab", "unknown", "2026-05-01")]
    assert told(given(DENOSUMAB, "2026-05-01")) == [("denosumab", "yes", "2026-05-01")]
    assert told(given((RXNORM, "993460"), "2026-05-01", '{"value": 1, "unit": "mL"}')) == [
        ("denosumab", "yes", "2026-05-01")
    ]


@pytest.mark.parametrize(
    ("route", "drug_class"),
    [
        ("26643006", DrugClass.BISPHOSPHONATE_ORAL),
        ("47625008", DrugClass.BISPHOSPHONATE_IV),
    ],
)
def test_the_written_route_tells_tablet_from_injection(route: str, drug_class: DrugClass) -> None:
    coding = f'{{"coding": [{{"system": "http://snomed.info/sct", "code": "{route}"}}]}}'
    (found,) = therapies(order((ATC, "M05BA06"), ACTIVE + f', "dosageInstruction": [{{"route": {coding}}}]'))
    assert found.drug_class is drug_class


# --- taken now -------------------------------------------------------------------------------------------------------
def test_d11_orders_supplies_and_doses_of_one_drug_are_one_therapy() -> None:
    (found,) = therapies(
        order(ALENDRONATE, ', "authoredOn": "2025-01-10"', "completed"),
        order((ATC, "M05BA04"), ACTIVE, ident="m2"),
        dispense(ALENDRONATE, "2026-05-01"),
    )
    assert (found.current, str(found.started), str(found.last)) == (Truth.YES, "2025-01-10", "2026-06-15")


def test_a_long_list_of_supplies_keeps_an_old_order_current() -> None:
    old = order(ALENDRONATE, ', "authoredOn": "2022-01-10"')
    assert told(old) == [("alendronate", "unknown", "2023-01-09")]
    assert told(old, dispense(ALENDRONATE, "2026-05-01")) == [("alendronate", "yes", "2026-06-15")]
    (trusted,) = bone_therapies(chart_of(old), LIMITS, trusted_days=2000).items
    assert trusted.current is Truth.YES


@pytest.mark.parametrize(
    ("more", "status", "expected"),
    [
        (', "authoredOn": "2024-01-01"', "stopped", ("alendronate", "no", "2024-01-01")),
        ("", "active", ("alendronate", "unknown", "None")),
        ("", "stopped", ("alendronate", "no", "None")),
    ],
)
def test_past_and_undated_therapies(more: str, status: str, expected: tuple[str, str, str]) -> None:
    assert told(order(ALENDRONATE, more, status)) == [expected]


def test_past_therapy_shows_its_period() -> None:
    (found,) = therapies(dispense(ALENDRONATE, "2024-01-01"))
    assert (found.evidence.value, str(found.evidence.on)) == ("alendronate 70 mg", "2024-01-01 to 2024-03-24")


def test_d15_an_order_of_the_future_is_not_used() -> None:
    chart = chart_of(order(ALENDRONATE, ', "authoredOn": "2027-01-01"'))
    assert bone_therapies(chart, LIMITS).items == ()
    assert [each.reason for each in chart.unread] == ["future-date"]


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2025-11-16", "yes"), ("2025-11-15", "no"), ("2025-11", "unknown"), ("2026-06-15", "yes")],
)
def test_saf_06_denosumab_is_current_for_so_many_months(on: str, expected: str) -> None:
    assert [current for _, current, _ in told(given(DENOSUMAB_60, on))] == [expected]


@pytest.mark.parametrize(("on", "expected"), [("2025-03-16", "yes"), ("2025-03-15", "no")])
def test_mon_03_zoledronic_acid_is_current_for_15_months(on: str, expected: str) -> None:
    dose = given((RXNORM, "705824"), on, '{"value": 5, "unit": "mg"}')
    assert told(dose) == [("zoledronic acid", expected, on)]


@pytest.mark.parametrize(("on", "expected"), [("2026-05-01", "yes"), ("2025-12-01", "unknown"), ("2024-01-01", "no")])
def test_other_injections_are_sure_for_the_shortest_interval_only(on: str, expected: str) -> None:
    dose = given((RXNORM, "2123184"), on, '{"value": 210, "unit": "mg"}')
    assert told(dose) == [("romosozumab", expected, on)]


@pytest.mark.parametrize(
    ("more", "status", "expected"),
    [
        (ACTIVE, "active", "unknown"),  # the doses may be given and recorded elsewhere
        (', "authoredOn": "2026-01-10"', "completed", "unknown"),
        (', "authoredOn": "2019-01-10"', "active", "unknown"),
        (
            ', "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2019-01-10", "end": "2020-01-10"}}}}]',
            "completed",
            "no",
        ),
        ("", "completed", "unknown"),
    ],
)
def test_an_order_for_injections_without_a_dose_leaves_it_open(more: str, status: str, expected: str) -> None:
    assert told(order(DENOSUMAB_60, more, status)) == [("denosumab", expected, "None")]


def test_a_dose_without_a_date_shows_that_it_was_given_not_when() -> None:
    chart = chart_of(given(DENOSUMAB_60, ""))
    (found,) = bone_therapies(chart, LIMITS).items
    assert (found.current, found.last) == (Truth.UNKNOWN, None)
    assert {each.reason for each in chart.unread} == {"no-date"}


def test_codes_for_long_term_use_speak_where_no_drug_is_on_record() -> None:
    text = (
        f'{{"resourceType": "Condition", "id": "c1", "code": {{"coding": [{{"system": "{CM}", "code": "Z79.83"}}]}},'
        ' "clinicalStatus": {"coding": [{"code": "active"}]}, "onsetDateTime": "%s"}'
    )
    assert told(text % "2026-01-01") == [("bisphosphonate", "yes", "None")]
    assert told(text % "2020-01-01") == [("bisphosphonate", "unknown", "None")]
    assert told(text % "2027-01-01") == []
    assert [name for name, _, _ in told(text % "2026-01-01", order(ALENDRONATE, ACTIVE))] == ["alendronate"]


def test_doses_that_disagree_within_one_order_are_not_read() -> None:
    two = '[{"doseAndRate": [{"doseQuantity": {"value": 60, "unit": "mg"}}]}, {"doseQuantity": {"value": 120, "unit": "mg"}}]'
    assert told(order(DENOSUMAB, ACTIVE + f', "dosageInstruction": {two}')) == [("denosumab", "unknown", "None")]


# --- calcium and vitamin D -------------------------------------------------------------------------------------------
def test_trap_24_supplements_taken_now() -> None:
    chart = chart_of(order((RXNORM, "199362"), ACTIVE), order((ATC, "A12AX"), ACTIVE, ident="m2"))
    concepts = {each.concept for each in supplements(chart, trusted_days=365).items}
    assert concepts == {"vitamin_d.drug", "calcium_vitamin_d.atc"}


def test_s2_without_the_orders_none_is_not_none() -> None:
    chart = chart_of(incomplete=[needs.MEDICATION_REQUESTS])
    gap = Gap(GapKind.FAILED, "medicationRequests")
    assert bone_therapies(chart, LIMITS) == Series((), (gap,))
