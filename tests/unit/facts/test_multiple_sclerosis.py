"""Multiple sclerosis: diagnosis, type, EDSS."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.multiple_sclerosis import edss, ms, ms_type
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of
from tests.support.resources import CM, SCT, WHO, condition, observation


# --- the disease -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("system", "code"),
    [(CM, "G35"), (CM, "G35.A"), (CM, "G35B1"), (CM, "G35.D"), (WHO, "G35"), (SCT, "24700007"), (SCT, "724778008")],
)
def test_ms_is_read_from_old_and_new_codes(system: str, code: str) -> None:
    assert len(ms(chart_of(condition(code, system=system))).items) == 1


@pytest.mark.parametrize(
    ("system", "code"), [(CM, "G12.21"), (CM, "I70.0"), ("http://hl7.org/fhir/sid/icd-9-cm", "340")]
)
def test_real_servers_als_and_atherosclerosis_are_not_ms(system: str, code: str) -> None:
    assert ms(chart_of(condition(code, system=system))).items == ()


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["426373005"], "relapsing"),
        (["425500002"], "secondary progressive"),
        (["428700003"], "primary progressive"),
        (["426373005", "425500002"], "secondary progressive"),
        (["426373005", "428700003"], "conflicting"),
        (["24700007"], "not-recorded"),
        (["439567002"], "not-recorded"),  # trap 22: malignant, not progressive-relapsing
    ],
)
def test_trap_22_type_on_record(codes: list[str], expected: str) -> None:
    found = ms_type(chart_of(*(condition(code, ident=f"c{n}") for n, code in enumerate(codes))))
    assert (found.value.value if isinstance(found, Known) else found.gaps[0].kind.value) == expected


# --- EDSS ------------------------------------------------------------------------------------------------------------
def score(value: str, on: str = "2026-05-01", ident: str = "o1") -> str:
    return observation("273554001", value, on, ident)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"valueQuantity": {"value": 6.5, "code": "{score}"}', exactly("6.5")),
        ('"valueQuantity": {"value": 4, "unit": "1"}', exactly(4)),
        ('"valueQuantity": {"value": 0, "unit": "score", "code": "{score}"}', exactly(0)),
        ('"valueQuantity": {"value": 10}', exactly(10)),
        ('"valueInteger": 3', exactly(3)),
    ],
)
def test_edss_in_the_units_it_is_written(value: str, expected: Interval) -> None:
    found = edss(chart_of(score(value)))
    assert isinstance(found, Known)
    assert found.value == expected


@pytest.mark.parametrize(
    "value",
    [
        '"valueQuantity": {"value": 10.5}',
        '"valueQuantity": {"value": -1}',
        '"valueQuantity": {"value": 6.3}',
        '"valueQuantity": {"value": 6, "unit": "m/s"}',
        '"valueQuantity": {"value": 6, "comparator": ">"}',
        '"valueQuantity": {"value": "6"}',
        '"valueQuantity": "6"',
        '"valueInteger": true',
        '"dataAbsentReason": {"text": "unknown"}, "valueQuantity": {"value": 6}',
    ],
)
def test_s7_an_impossible_edss_is_unreadable(value: str) -> None:
    chart = chart_of(score(value))
    assert edss(chart) == Unknown((Gap(GapKind.UNREADABLE, "edss", "", "Observation/o1"),))
    assert [each.reason for each in chart.unread] == ["edss-not-readable"]


def test_edss_the_latest_counts() -> None:
    quantity = '"valueQuantity": {"value": %s}'
    older, newer = score(quantity % "3", "2024-01-01"), score(quantity % "5.5", "2025-01-01", "o2")
    future, undated = score(quantity % "9", "2027-01-01", "o3"), score(quantity % "8", "", "o4")
    found = edss(chart_of(older, newer, future, undated))
    assert isinstance(found, Known)
    assert (found.value, found.evidence[0].resource) == (exactly("5.5"), "Observation/o2")


def test_d10_two_scores_of_one_day_are_the_interval_between_them() -> None:
    found = edss(chart_of(score('"valueInteger": 5'), score('"valueInteger": 6', ident="o2")))
    assert isinstance(found, Known)
    assert found.value == between(5, 6)
    assert {gap.kind for gap in found.doubts} == {GapKind.CONFLICTING}


def test_s1_a_newer_score_that_cannot_be_read_may_be_higher() -> None:
    found = edss(chart_of(score('"valueInteger": 3', "2024-01-01"), score('"valueInteger": 77', "2026-01-01", "o2")))
    assert isinstance(found, Known)
    assert found.value == between(3, 10)
    assert found.doubts == (Gap(GapKind.UNREADABLE, "edss", "", "Observation/o2"),)


def test_def_12_no_edss_is_unknown_with_the_reason() -> None:
    assert edss(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, "edss"),))
    assert edss(chart_of(incomplete=[needs.FUNCTION])) == Unknown((Gap(GapKind.FAILED, "function"),))
