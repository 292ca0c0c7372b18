"""Doses of injected osteoporosis drugs, by day."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.doses import doses
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of
from tests.support.drugs import ACTIVE, ATC, DENOSUMAB, DENOSUMAB_60, RXNORM, XGEVA, dispense, given, order

ZOLEDRONATE, ZOMETA = (RXNORM, "77655"), (RXNORM, "1114085")
ROMOSOZUMAB, IBANDRONATE = (RXNORM, "2123126"), (RXNORM, "115264")
IBANDRONATE_SYRINGE, IBANDRONATE_TABLET = (RXNORM, "904952"), (RXNORM, "904932")
MG_5, MG_4, MG_120 = (f'{{"value": {mg}, "unit": "mg"}}' for mg in (5, 4, 120))
PERIOD = (
    ', "dosageInstruction": [{"timing": {"repeat": {"boundsPeriod": {"start": "2025-01-10", "end": "2025-07-09"}}}}]'
)


def told(*resources: str, drug: str = "denosumab") -> list[tuple[str, str]]:
    return [(str(dose.on), dose.given.value) for dose in doses(chart_of(*resources), drug).items]


# --- denosumab -------------------------------------------------------------------------------------------------------
def test_doses_newest_first() -> None:
    first, second = given(DENOSUMAB_60, "2025-01-10"), given((ATC, "M05BX04"), "2025-07-09", ident="a2")
    assert told(first, second) == [("2025-07-09", "yes"), ("2025-01-10", "yes")]


def test_d11_a_supply_and_the_injection_it_was_for_are_one_dose() -> None:
    supply, injection = dispense(DENOSUMAB_60, "2025-07-01", 180), given(DENOSUMAB_60, "2025-07-09")
    later = dispense(DENOSUMAB_60, "2026-01-08", 180, "d2")
    assert told(supply, injection, later) == [("2026-01-08", "yes"), ("2025-07-09", "yes")]
    assert told(injection, given(DENOSUMAB_60, "2025-07-09", ident="a2")) == [("2025-07-09", "yes")]


@pytest.mark.parametrize(
    ("supplied", "injected", "number"), [("2025-05-10", "2025-07-09", 1), ("2025-05-09", "2025-07-09", 2)]
)
def test_d11_a_supply_is_for_an_injection_within_60_days(supplied: str, injected: str, number: int) -> None:
    assert len(told(dispense(DENOSUMAB_60, supplied, 180), given(DENOSUMAB_60, injected))) == number


def test_finished_orders_are_hints_where_no_dose_is_on_record() -> None:
    finished, running = order(DENOSUMAB_60, PERIOD, "completed"), order(DENOSUMAB_60, ACTIVE, ident="m2")
    assert told(finished, running) == [("from 2025-01-10", "unknown")]
    assert told(finished, given(DENOSUMAB_60, "2025-07-09")) == [("2025-07-09", "yes")]


@pytest.mark.parametrize(
    ("resource", "drug"),
    [
        (order(XGEVA, PERIOD, "completed"), "denosumab"),
        (given(XGEVA, "2026-05-01", MG_120), "denosumab"),
        (given(DENOSUMAB, "2026-05-01", MG_120), "denosumab"),
        (given(ZOMETA, "2026-05-01", MG_4), "zoledronic_acid"),
        (given(ZOLEDRONATE, "2026-05-01", MG_4), "zoledronic_acid"),
    ],
)
def test_trap_23_oncology_strengths_are_no_dose(resource: str, drug: str) -> None:
    assert told(resource, drug=drug) == []


# --- the other injections --------------------------------------------------------------------------------------------
def test_each_drug_by_its_name() -> None:
    chart = chart_of(
        given(ZOLEDRONATE, "2026-01-01", MG_5, "a1"),
        given(ROMOSOZUMAB, "2026-02-01", '{"value": 210, "unit": "mg"}', "a2"),
        given(IBANDRONATE_SYRINGE, "2026-03-01", '{"value": 3, "unit": "mg"}', "a3"),
    )
    found = {name: doses(chart, name).items for name in ("zoledronic_acid", "romosozumab", "ibandronate", "denosumab")}
    assert {name: [(str(each.on), each.mg) for each in items] for name, items in found.items()} == {
        "zoledronic_acid": [("2026-01-01", 5)],
        "romosozumab": [("2026-02-01", 210)],
        "ibandronate": [("2026-03-01", 3)],
        "denosumab": [],
    }
    assert found["romosozumab"][0].evidence.value == "romosozumab 210 mg"


def test_d11_an_injection_of_romosozumab_stands_for_the_supply_of_its_own_month_only() -> None:
    supplies = [dispense(ROMOSOZUMAB, on, 30, on) for on in ("2026-01-01", "2026-02-01", "2026-03-01")]
    injection = given(ROMOSOZUMAB, "2026-03-05", '{"value": 210, "unit": "mg"}')
    days = [on for on, _ in told(*supplies, injection, drug="romosozumab")]
    assert days == ["2026-03-05", "2026-02-01", "2026-01-01"]


def ibandronate(route: str) -> str:
    """An injection or a tablet as nothing but the route tells."""
    coded = f'"route": {{"coding": [{{"system": "http://snomed.info/sct", "code": "{route}"}}]}}, '
    return given(IBANDRONATE, "2026-03-01", '{"value": 3, "unit": "mg"}').replace('"dose"', f'{coded}"dose"')


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (given(IBANDRONATE_SYRINGE, "2026-03-01", '{"value": 3, "unit": "mg"}'), ["yes"]),
        (given(IBANDRONATE_TABLET, "2026-03-01", '{"value": 150, "unit": "mg"}'), []),
        (dispense(IBANDRONATE_TABLET, "2026-03-01", 30), []),
        (ibandronate("47625008"), ["yes"]),
        (ibandronate("26643006"), []),
        (given(IBANDRONATE, "2026-03-01", '{"value": 3, "unit": "mg"}'), ["unknown"]),
    ],
)
def test_tablets_of_ibandronate_are_no_injection(resource: str, expected: list[str]) -> None:
    assert [answer for _, answer in told(resource, drug="ibandronate")] == expected


# --- what cannot be used ---------------------------------------------------------------------------------------------
def test_a_dose_without_a_date_is_reported() -> None:
    chart = chart_of(given(DENOSUMAB_60, ""))
    assert doses(chart, "denosumab") == Series()
    assert [each.reason for each in chart.unread] == ["no-date"]


@pytest.mark.parametrize("status", ["entered-in-error", "not-done", "stopped"])
def test_d8_a_dose_that_was_not_given_does_not_count(status: str) -> None:
    assert told(given(DENOSUMAB_60, "2026-03-01").replace('"completed"', f'"{status}"')) == []


def test_d15_a_dose_in_the_future_does_not_count() -> None:
    chart = chart_of(given(DENOSUMAB_60, "2026-07-01"))
    assert doses(chart, "denosumab") == Series()
    assert [each.reason for each in chart.unread] == ["future-date"]


def test_s7_a_dose_in_a_partial_date_ends_today_at_the_latest() -> None:
    (dose,) = doses(chart_of(given(DENOSUMAB_60, "2026")), "denosumab").items
    assert (dose.on.earliest.isoformat(), dose.on.latest.isoformat(), dose.given) == (
        "2026-01-01",
        "2026-06-15",
        Truth.YES,
    )


def test_s2_without_a_look_up_none_is_not_none() -> None:
    failed = Gap(GapKind.FAILED, "medicationAdministrations")
    assert doses(chart_of(incomplete=[needs.MEDICATION_ADMINISTRATIONS]), "denosumab") == Series((), (failed,))
