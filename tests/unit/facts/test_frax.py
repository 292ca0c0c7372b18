"""FRAX results on record: probabilities, inputs, and what could be a fraction."""

from __future__ import annotations

from decimal import Decimal

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.frax import Frax, frax_results
from cds_service.fhir.chart import Unread
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.quantities import Interval, exactly
from tests.support.charts import chart_of

MOF, HIP = "90265-0", "90266-8"
T_SCORE = (
    '{"resourceType": "Observation", "id": "t1", "status": "final", "effectiveDateTime": "2026-05-01",'
    ' "code": {"coding": [{"system": "http://loinc.org", "code": "38263-0"}]}, "valueQuantity": {"value": -1.9}}'
)


def code(loinc: str) -> str:
    return f'"code": {{"coding": [{{"system": "http://loinc.org", "code": "{loinc}"}}]}}'


def percent(number: str, unit: str = "%") -> str:
    return f'"valueQuantity": {{"value": {number}, "unit": "{unit}"}}'


def observation(content: str, on: str = "2026-05-01", ident: str = "f1") -> str:
    head = f'"resourceType": "Observation", "id": "{ident}", "status": "final", "effectiveDateTime": "{on}"'
    return f"{{{head}, {content}}}"


def probability(loinc: str, number: str, on: str = "2026-05-01", ident: str = "f1", more: str = "") -> str:
    return observation(f"{code(loinc)}, {percent(number)}{more}", on, ident)


def entered(*inputs: str) -> str:
    parts = (name.partition("=") for name in inputs)
    told = (f'{{"code": {{"text": "FRAX input: {name}"}}, "valueBoolean": {yes}}}' for name, _, yes in parts)
    return f', "component": [{", ".join(told)}]'


def only(*resources: str) -> Frax:
    (found,) = frax_results(chart_of(*resources)).items
    return found


def test_def_10_both_probabilities_of_a_day_are_one_result() -> None:
    found = only(probability(MOF, "18.2", ident="a"), probability(HIP, "0.3", ident="b"))
    assert (found.mof, found.hip, str(found.on)) == (exactly("18.2"), exactly("0.3"), "2026-05-01")
    assert (found.evidence.kind, found.evidence.value) == ("frax", "MOF 18.2 %, hip 0.3 %")


def test_components_of_one_observation_are_one_result() -> None:
    parts = f"{{{code(MOF)}, {percent('18')}}}, {{{code(HIP)}, {percent('3')}}}"
    found = only(observation(f'"code": {{"text": "FRAX"}}, "component": [{parts}]'))
    assert (found.mof, found.hip) == (exactly(18), exactly(3))


def test_one_probability_alone_leaves_the_other_unknown() -> None:
    found = only(probability(MOF, "18"))
    assert (found.mof, found.hip) == (exactly(18), None)


def test_newest_first() -> None:
    chart = chart_of(probability(MOF, "9", "2021-01-01", "a"), probability(MOF, "18", "2026-05-01", "b"))
    assert [str(each.on) for each in frax_results(chart).items] == ["2026-05-01", "2021-01-01"]


def test_two_calculations_of_a_day_are_told_apart_by_their_time() -> None:
    early, late = "2026-05-01T09:00:00Z", "2026-05-01T15:00:00Z"
    chart = chart_of(
        probability(MOF, "10", early, "a"),
        probability(HIP, "1", early, "b"),
        probability(MOF, "14", late, "c"),
        probability(HIP, "2", late, "d"),
    )
    found = [(each.mof, each.hip) for each in frax_results(chart).items]
    assert found == [(exactly(14), exactly(2)), (exactly(10), exactly(1))]


def test_ms_03_inputs_that_were_ticked() -> None:
    told = entered("Femoral neck BMD entered=false", "Rheumatoid arthritis=true", "Secondary osteoporosis=false")
    found = only(probability(MOF, "18", more=told))
    assert (found.with_bmd, found.ticked) == (False, frozenset({"rheumatoid_arthritis"}))


@pytest.mark.parametrize(("answer", "expected"), [("true", True), ("false", False)])
def test_ms_03_bone_density_entered(answer: str, expected: bool) -> None:
    found = only(probability(MOF, "18", more=entered(f"Femoral neck BMD entered={answer}")))
    assert found.with_bmd is expected


def test_ms_03_bone_density_entered_shows_in_what_it_was_derived_from() -> None:
    derived = ', "derivedFrom": [{"reference": "Observation/t1"}]'
    assert only(T_SCORE, probability(MOF, "18", more=derived)).with_bmd is True


@pytest.mark.parametrize(("words", "expected"), [("FRAX with BMD", True), ("FRAX without femoral neck BMD", False)])
def test_ms_03_bone_density_in_the_name_of_the_result(words: str, expected: bool) -> None:
    told = probability(MOF, "18").replace('"coding"', f'"text": "{words}", "coding"')
    assert only(told).with_bmd is expected


def test_results_without_a_date_are_kept_apart_and_last() -> None:
    undated = probability(MOF, "12", ident="x").replace(', "effectiveDateTime": "2026-05-01"', "")
    found = frax_results(chart_of(undated, probability(MOF, "18", "2020-05-01"))).items
    assert [(each.mof, each.on is None) for each in found] == [(exactly(18), False), (exactly(12), True)]


def test_ms_03_nothing_said_about_bone_density_is_not_known() -> None:
    assert only(probability(MOF, "18")).with_bmd is None


def test_ms_03_contradiction_about_bone_density_is_not_known() -> None:
    told = entered("Femoral neck BMD entered=false") + ', "derivedFrom": [{"reference": "Observation/t1"}]'
    assert only(T_SCORE, probability(MOF, "18", more=told)).with_bmd is None


@pytest.mark.parametrize(("loinc", "number"), [(MOF, "0.18"), (MOF, "0.9"), (HIP, "0.045"), (MOF, "180")])
def test_d18_what_may_be_a_fraction_or_is_impossible_is_not_used(loinc: str, number: str) -> None:
    chart = chart_of(probability(loinc, number))
    found = frax_results(chart)
    assert found.items == ()
    assert [(gap.what, gap.resource) for gap in found.gaps] == [("frax", "Observation/f1")]
    assert [note.resource for note in chart.unread] == ["Observation/f1"]


def test_d18_a_hip_value_below_one_beside_a_fraction_is_a_fraction_too() -> None:
    chart = chart_of(probability(MOF, "0.18", ident="a"), probability(HIP, "0.3", ident="b"))
    assert frax_results(chart).items == ()


def test_d16_a_probability_without_its_unit_is_not_used() -> None:
    chart = chart_of(observation(f"{code(MOF)}, {percent('18', '')}"))
    assert frax_results(chart).gaps == (Gap(GapKind.UNIT_UNKNOWN, "frax", "no unit", "Observation/f1"),)
    assert chart.unread == [Unread("Observation/f1", "unit-unknown")]


def test_d16_below_one_percent_is_a_bound() -> None:
    told = probability(HIP, "1").replace('"value": 1', '"value": 1, "comparator": "<"')
    assert only(told).hip == Interval(None, Decimal(1), below_high=True)


def test_s2_a_failed_look_up_is_a_gap() -> None:
    assert frax_results(chart_of(incomplete=[needs.FRACTURE_RISK])).gaps == (Gap(GapKind.FAILED, "fractureRisk"),)
    assert frax_results(chart_of()).complete
