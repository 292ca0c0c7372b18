"""Drugs taken now: orders, supplies, list entries, and codes for long-term use."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.comedication import Medication, current
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of

RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
PHENYTOIN, ANASTROZOLE = (RXNORM, "8183"), (RXNORM, "199224")


def drug(code: tuple[str, str]) -> str:
    return f'"medicationCodeableConcept": {{"coding": [{{"system": "{code[0]}", "code": "{code[1]}"}}]}}'


def order(more: str, status: str = "active", code: tuple[str, str] = PHENYTOIN, ident: str = "m1") -> str:
    return (
        f'{{"resourceType": "MedicationRequest", "id": "{ident}", "status": "{status}", "intent": "order",'
        f" {drug(code)}{more}}}"
    )


def dispense(on: str, supply: str = ', "daysSupply": {"value": 30, "code": "d"}', ident: str = "d1") -> str:
    return (
        f'{{"resourceType": "MedicationDispense", "id": "{ident}", "status": "completed", {drug(PHENYTOIN)},'
        f' "whenHandedOver": "{on}"{supply}}}'
    )


def statement(more: str, status: str = "active") -> str:
    return f'{{"resourceType": "MedicationStatement", "id": "s1", "status": "{status}", {drug(PHENYTOIN)}{more}}}'


def bounds(period: str) -> str:
    return f', "dosageInstruction": [{{"timing": {{"repeat": {{"boundsPeriod": {period}}}}}}}]'


def taken(*resources: str, gap_days: int = 0) -> tuple[Medication, ...]:
    return current(chart_of(*resources), "comed.", trusted_days=365, gap_days=gap_days).items


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (order(', "authoredOn": "2026-01-01"'), "yes"),
        (order(', "authoredOn": "2020-01-01"'), "unknown"),  # D12: too old to be trusted
        (order(', "authoredOn": "2026-01-01"', "on-hold"), "unknown"),
        (order(', "authoredOn": "2026-01-01"', "stopped"), None),
        (order(', "authoredOn": "2026-01-01"', "completed"), None),
        (order(', "authoredOn": "2026-01-01"', "cancelled"), None),
        (order(', "authoredOn": "2026-07-01"'), None),
        (order(""), "unknown"),  # active, but nobody knows since when
        (order("", "completed"), None),
        (order(bounds('{"start": "2026-01-01", "end": "2026-06-15"}')), "yes"),
        (order(bounds('{"start": "2026-01-01", "end": "2026-06-14"}')), None),
        (order(bounds('{"start": "2026-01-01", "end": "2026-06"}')), "unknown"),
        (dispense("2026-05-17"), "yes"),
        (dispense("2026-05-16"), None),
        (dispense("2026-05-16", ""), "unknown"),  # how long it lasts is not told
        (dispense("2024-05-16", ""), None),
        (statement(', "effectivePeriod": {"start": "2015"}, "dateAsserted": "2026-05-01"'), "yes"),
        (statement(', "effectivePeriod": {"start": "2015"}'), "unknown"),
        (statement(', "effectivePeriod": {"start": "2015"}, "dateAsserted": "2020-05-01"'), "unknown"),
        (statement(', "effectivePeriod": {"start": "2015", "end": "2020"}'), None),
        (statement(', "effectivePeriod": {"start": "2015"}', "completed"), None),
        (statement("", "not-taken"), None),
    ],
)
def test_d12_taken_today_or_not(resource: str, expected: str | None) -> None:
    assert [each.current.value for each in taken(resource)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("code", "concept", "name"),
    [
        (PHENYTOIN, "comed.enzyme_inducing_aed", "phenytoin"),
        (ANASTROZOLE, "comed.aromatase_inhibitor", "anastrozole"),
        ((ATC, "N05BA12"), "comed.benzodiazepine_sedative", "benzodiazepine sedative"),  # by its class
        ((ATC, "A02BC01"), "comed.ppi", "ppi"),
    ],
)
def test_drugs_by_product_ingredient_and_class(code: tuple[str, str], concept: str, name: str) -> None:
    (found,) = taken(order(', "authoredOn": "2026-01-01"', code=code))
    assert (found.concept, found.drug) == (concept, name)


def test_d11_order_and_supplies_of_one_drug_are_one_entry() -> None:
    found = taken(order(', "authoredOn": "2026-01-01"'), dispense("2026-05-17"), dispense("2026-04-17", ident="d2"))
    assert [(each.drug, each.current, str(each.since)) for each in found] == [("phenytoin", Truth.YES, "2026-01-01")]


@pytest.mark.parametrize(("gap_days", "since"), [(0, "2026-05-25"), (9, "2026-05-25"), (10, "2026-04-15")])
def test_ms_01_since_when_bridges_gaps_only_as_far_as_told(gap_days: int, since: str) -> None:
    # 15 April + 30 days ends on 14 May; the next supply is of 25 May
    supplies = (dispense("2026-04-15"), dispense("2026-05-25", ident="d2"))
    assert [str(each.since) for each in taken(*supplies, gap_days=gap_days)] == [since]


def test_d14_since_a_partial_date_is_an_interval() -> None:
    (found,) = taken(order(bounds('{"start": "2026-02", "end": "2026-12-31"}')))
    assert str(found.since) == "2026-02-01..2026-02-28"


def test_a_possible_use_certainly_began_by_today() -> None:
    (found,) = taken(dispense("2026-05-16", ""))
    assert str(found.since) == "2026-05-16..2026-06-15"


def test_codes_for_long_term_use_count_as_well() -> None:
    text = (
        '{"resourceType": "Condition", "id": "c%s", "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm",'
        ' "code": "Z79.811"}]}, "clinicalStatus": {"coding": [{"code": "%s"}]}, "onsetDateTime": "%s"}'
    )
    chart = chart_of(text % (1, "active", "2025"), text % (2, "resolved", "2024"), text % (3, "active", "2027"))
    (found,) = current(chart, "comed.aromatase_inhibitor", trusted_days=365).items
    assert (found.drug, found.current, found.evidence.resource) == ("aromatase inhibitor", Truth.YES, "Condition/c1")


def test_each_resource_is_counted_once_for_overlapping_prefixes() -> None:
    chart = chart_of(order(', "authoredOn": "2026-01-01"'))
    assert len(current(chart, "comed.", "comed.enzyme_inducing_aed", trusted_days=365).items) == 1


def test_d22_a_product_that_no_value_set_names_is_not_counted() -> None:
    assert taken(order(', "authoredOn": "2026-01-01"', code=(RXNORM, "308971"))) == ()


def test_s2_without_the_dispenses_none_is_not_none() -> None:
    found = current(chart_of(incomplete=[needs.MEDICATION_DISPENSES]), "comed.", trusted_days=365)
    assert found == Series((), (Gap(GapKind.FAILED, "medicationDispenses"),))
