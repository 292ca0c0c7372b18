"""How long the oral bisphosphonates last that were handed out."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.supplies import Supply, supplies
from cds_service.kernel.facts import Gap, GapKind
from tests.support.charts import chart_of
from tests.support.drugs import ALENDRONATE, DENOSUMAB_60, RXNORM, dispense, drug, given, order

RISEDRONATE = (RXNORM, "73056")
TERIPARATIDE = (RXNORM, "32915")


def told(*resources: str) -> list[tuple[str, str]]:
    return [(each.drug, str(each.until)) for each in supplies(chart_of(*resources)).items]


def only(*resources: str) -> Supply:
    (supply,) = supplies(chart_of(*resources)).items
    return supply


def test_a_supply_lasts_until_the_last_of_its_days() -> None:
    supply = only(dispense(ALENDRONATE, "2026-03-01", 28))
    assert (supply.drug, str(supply.until)) == ("alendronate", "2026-03-28")
    shown = supply.evidence.resource, supply.evidence.value
    assert shown == ("MedicationDispense/d1", "alendronate, lasts until 2026-03-28")


def test_what_is_left_over_may_be_used_up_first() -> None:
    early = dispense(ALENDRONATE, "2026-03-01", 28), dispense(ALENDRONATE, "2026-03-15", 28, "d2")
    until = only(*early).until
    assert until is not None
    assert (until.earliest.isoformat(), until.latest.isoformat()) == ("2026-04-11", "2026-04-25")


def test_d11_the_same_supply_told_twice_counts_once() -> None:
    twice = dispense(ALENDRONATE, "2026-03-01", 28), dispense(ALENDRONATE, "2026-03-01", 28, "d2")
    assert str(only(*twice).until) == "2026-03-28"


def test_after_a_gap_nothing_is_left_over() -> None:
    supply = only(dispense(ALENDRONATE, "2026-01-01", 28), dispense(ALENDRONATE, "2026-03-15", 28, "d2"))
    assert str(supply.until) == "2026-04-11"


def test_the_newest_supply_decides_whether_its_end_is_known() -> None:
    open_ended = (
        '{"resourceType": "MedicationDispense", "id": "d9", "status": "completed",'
        f' {drug(ALENDRONATE)}, "whenHandedOver": "2026-05-01"}}'
    )
    supply = only(dispense(ALENDRONATE, "2026-03-01", 28), open_ended)
    assert (supply.until, supply.evidence.resource) == (None, "MedicationDispense/d9")


def test_a_month_leaves_the_end_open_by_a_month() -> None:
    until = only(dispense(ALENDRONATE, "2026-02", 28)).until
    assert until is not None
    assert (until.earliest.isoformat(), until.latest.isoformat()) == ("2026-02-28", "2026-03-27")


def test_every_drug_has_an_entry_the_one_that_lasts_longest_first() -> None:
    assert told(dispense(ALENDRONATE, "2026-01-01", 28), dispense(RISEDRONATE, "2026-03-01", 28, "d2")) == [
        ("risedronate", "2026-03-28"),
        ("alendronate", "2026-01-28"),
    ]


@pytest.mark.parametrize(
    "resource",
    [
        dispense(DENOSUMAB_60, "2026-03-01"),
        dispense(TERIPARATIDE, "2026-03-01"),
        order(ALENDRONATE, ', "authoredOn": "2026-03-01"'),
        given(ALENDRONATE, "2026-03-01"),
        dispense(ALENDRONATE, "2026-03-01").replace("completed", "entered-in-error"),
        dispense(ALENDRONATE, "2026-07-01"),
    ],
    ids=["an injection", "injected by the patient", "an order", "a dose", "entered in error", "in the future"],
)
def test_what_is_no_supply_of_tablets(resource: str) -> None:
    assert told(resource) == []


def test_a_supply_without_a_day_is_reported_and_not_counted() -> None:
    chart = chart_of(
        dispense(ALENDRONATE, "2026-03-01").replace('"whenHandedOver": "2026-03-01"', '"whenHandedOver": ""')
    )
    assert supplies(chart).items == ()
    assert [(each.resource, each.reason) for each in chart.unread] == [("MedicationDispense/d1", "no-date")]


def test_s2_without_the_look_up_no_supply_does_not_mean_none() -> None:
    series = supplies(chart_of(incomplete=[needs.MEDICATION_DISPENSES]))
    assert (series.items, series.gaps) == ((), (Gap(GapKind.FAILED, "medicationDispenses"),))


@pytest.mark.parametrize("days", ['"84"', "-3", "0", '{"value": "x"}', "[]"])
def test_a_number_of_days_that_cannot_be_read_is_not_known(days: str) -> None:
    odd = dispense(ALENDRONATE, "2026-03-01").replace('{"value": 84, "code": "d"}', days)
    assert [each.until for each in supplies(chart_of(odd)).items] == [None]
