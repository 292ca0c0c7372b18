"""What-if: one number is changed in a copy of the record, and the rules themselves say where they turn on."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.patient import Patient
from cds_service.engine.evaluate import evaluate
from cds_service.kernel import recall
from cds_service.kernel.errors import InputError
from cds_service.kernel.needs import Records
from cds_service.kernel.quantities import exactly
from cds_service.kernel.rules import Verdict
from cds_service.summary import MOST_VALUES, Quantity, range_of, what_if
from cds_service.summary.changes import change_of, changed
from cds_service.summary.varying import present
from hooks.patient_view import SERVICE
from tests.support.drawn import drawn
from tests.support.golden import AS_OF, scenarios
from tests.support.looked_up import profile, records, records_of, score

_OPENED = [str(each) for each in scenarios() if not each.refused and not each.orders]
_TRIED = {
    Quantity.AGE: Decimal(67),
    Quantity.T_SCORE: Decimal("-1.3"),
    Quantity.DAILY_DOSE: Decimal("12.5"),
    Quantity.VITAMIN_D: Decimal(17),
    Quantity.EDSS: Decimal("6.5"),
}
_GLUCOCORTICOIDS = {Quantity.DAILY_DOSE, Quantity.DURATION}


def facts_of(told: Records, site: str = "us") -> Patient:
    facts: Patient = evaluate(SERVICE, told, AS_OF, profile(site)).facts
    return facts


def facts_with(told: Records, settings: Mapping[Quantity, Decimal]) -> Patient:
    change = change_of(facts_of(told), SERVICE.clinic.thresholds(AS_OF), settings)
    return facts_of(changed(told, change))


def recommending(
    told: Records, quantity: Quantity, *values: str, site: str = "us", held: Mapping[Quantity, Decimal] | None = None
) -> dict[str, list[str]]:
    """Per rule the values at which it recommends."""
    answer = what_if(SERVICE, told, profile(site), AS_OF, quantity, [Decimal(each) for each in values], held)
    return {
        rule.id: [
            str(v) for v, verdict in zip(answer.values, rule.verdicts, strict=True) if verdict is Verdict.RECOMMEND
        ]
        for rule in answer.rules
    }


# --- the record that is asked about -----------------------------------------------------------------------------------
@pytest.mark.parametrize("quantity", _TRIED)
@pytest.mark.parametrize("name", _OPENED)
def test_the_changed_record_says_the_value_and_nothing_else_new(name: str, quantity: Quantity) -> None:
    told = records_of(name)
    before, after = facts_of(told), facts_with(told, {quantity: _TRIED[quantity]})
    others = set(Quantity) - ({*_GLUCOCORTICOIDS} if quantity in _GLUCOCORTICOIDS else {quantity})

    found = present(after, quantity)
    if quantity is Quantity.T_SCORE and before.scores.gaps:  # a lower one may exist where nobody could look (S2)
        assert after.scores.gaps == before.scores.gaps
    assert found == exactly(_TRIED[quantity])
    assert {each: present(after, each) for each in others} == {each: present(before, each) for each in others}


def test_a_duration_is_that_many_days_up_to_today() -> None:
    told = facts_with(records_of("gc-assessment-due"), {Quantity.DURATION: Decimal(40)})

    assert present(told, Quantity.DURATION) == exactly(40)
    assert present(told, Quantity.DAILY_DOSE) == exactly(10)


def test_s6_the_record_itself_stays_as_it_is() -> None:
    told = records_of("gc-very-high-risk-untreated")
    before = copy.deepcopy(told.lookups)
    for quantity, value in _TRIED.items():
        facts_with(told, {quantity: value})

    assert told.lookups == before


@pytest.mark.parametrize("quantity", _TRIED)
def test_s2_how_the_look_ups_went_stays_as_it_is(quantity: Quantity) -> None:
    told = records_of("dxa-look-up-failed")
    change = change_of(facts_of(told), SERVICE.clinic.thresholds(AS_OF), {quantity: _TRIED[quantity]})
    states = {key: lookup.state for key, lookup in changed(told, change).lookups.items()}

    assert states == {key: lookup.state for key, lookup in told.lookups.items()}


def test_a_score_keeps_its_date_and_those_of_other_sites_rise_with_it() -> None:
    told = records(score("-2.1", ident="s1"), score("-2.8", "2025-01-10", "38267-1", "s2"))
    after = facts_with(told, {Quantity.T_SCORE: Decimal("-1.5")})

    assert [(s.site.value, str(s.value), str(s.on)) for s in after.scores.items] == [
        ("total hip", "-1.5", "2026-05-04"),
        ("lumbar spine", "-1.5", "2025-01-10"),
    ]


def test_a_higher_score_of_another_site_stays() -> None:
    told = records(score("-0.4", ident="s1"), score("-2.8", code="38267-1", ident="s2"))
    after = facts_with(told, {Quantity.T_SCORE: Decimal("-1.5")})

    assert {str(each.value) for each in after.scores.items} == {"-0.4", "-1.5"}


def test_scores_in_components_and_contained_ones_are_replaced_and_what_is_beside_them_stays() -> None:
    t, z = ({"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
             "valueQuantity": {"value": value, "unit": unit}}
            for code, value, unit in (("38267-1", -2.9, "{T-score}"), ("80935-0", -1.9, "{Z-score}")))  # fmt: skip
    panel = {"resourceType": "Observation", "id": "panel", "status": "final", "effectiveDateTime": "2026-05-04",
             "code": {"text": "DXA"}, "component": [t, z]}  # fmt: skip
    inner = {key: value for key, value in score("-3.1").items() if key != "subject"}
    report = {"resourceType": "DiagnosticReport", "id": "r1", "status": "final", "effectiveDateTime": "2026-05-04",
              "code": {"coding": [{"system": "http://loinc.org", "code": "38269-7"}]}, "contained": [inner]}  # fmt: skip
    told = records(panel, report)
    before, after = facts_of(told), facts_with(told, {Quantity.T_SCORE: Decimal("-1.0")})

    def values(facts: Patient) -> set[tuple[str, str]]:
        return {(each.measure.value, str(each.value)) for each in facts.scores.items}

    assert ("t-score", "-3.1") in values(before)
    assert {value for kind, value in values(after) if kind == "t-score"} == {"-1"}
    assert {each for each in values(after) if each[0] == "z-score"} == {
        each for each in values(before) if each[0] == "z-score"
    }


def test_d11_a_dose_replaces_orders_and_dispenses_of_the_same_days_and_leaves_pulses() -> None:
    dispensed = facts_with(records_of("gc-very-high-risk-untreated"), {Quantity.DAILY_DOSE: Decimal(20)})
    pulses = facts_with(records_of("ms-relapse-pulses-only"), {Quantity.DAILY_DOSE: Decimal(0)})

    assert {str(each.daily) for each in dispensed.exposure.stretches} == {"20"}
    assert [str(each.daily) for each in pulses.exposure.stretches] == ["1250", "1250"]


def test_no_dose_means_no_order() -> None:
    told = facts_with(records_of("gc-assessment-due"), {Quantity.DAILY_DOSE: Decimal(0)})

    assert told.exposure.stretches == ()


def test_a_result_too_old_to_count_is_left_and_a_new_one_added() -> None:
    code = {"coding": [{"system": "http://loinc.org", "code": "62292-8"}]}
    old = {"resourceType": "Observation", "id": "v1", "status": "final", "effectiveDateTime": "2020-01-01", "code": code,
           "valueQuantity": {"value": 33, "unit": "ng/mL"}}  # fmt: skip
    after = facts_with(records(old), {Quantity.VITAMIN_D: Decimal(9)})

    assert [(str(each.value), str(each.on)) for each in after.vitamin_d.items] == [
        ("9", "2026-06-15"),
        ("33", "2020-01-01"),
    ]


# --- where rules turn on ----------------------------------------------------------------------------------------------
def test_bone_density_by_age_turns_on_at_the_age_of_the_guideline() -> None:
    assert recommending(records_of("ms-walking-aid-no-dxa"), Quantity.AGE, "69", "70")["SCR-04"] == ["70"]


def test_a_treatment_threshold_turns_on_at_the_t_score_of_the_guideline() -> None:
    found = recommending(records_of("ms-t-score-not-taken-up"), Quantity.T_SCORE, "-2.6", "-2.5", "-2.4")

    assert found["TX-01"] == ["-2.6", "-2.5"]


def test_an_assessment_turns_on_at_the_entry_dose() -> None:
    found = recommending(records_of("gc-assessment-due"), Quantity.DAILY_DOSE, "0", "2", "2.5", "30")

    assert found["GC-01"] == ["2.5", "30"]


def test_an_assessment_turns_on_after_the_entry_length() -> None:
    found = recommending(records_of("gc-assessment-due"), Quantity.DURATION, "90", "91")

    assert found["GC-01"] == ["91"]


def test_vitamin_d_classes_turn_on_at_the_numbers_of_the_profile_in_its_unit() -> None:
    told = records_of("vitamin-d-low-nmol")

    assert recommending(told, Quantity.VITAMIN_D, "19", "20", "21")["VD-03"] == ["19"]
    assert recommending(told, Quantity.VITAMIN_D, "49", "50", site="uk")["VD-03"] == ["49"]


def test_reduced_mobility_turns_on_at_the_edss_of_the_rule_book() -> None:
    assert recommending(records_of("nothing-to-say"), Quantity.EDSS, "5.5", "6")["MS-01"] == ["6"]


def test_what_is_held_counts_throughout() -> None:
    told = records_of("nothing-to-say")
    without = recommending(told, Quantity.AGE, "40", "80")
    held = recommending(told, Quantity.AGE, "40", "80", held={Quantity.EDSS: Decimal(7)})

    assert "40" not in without.get("MS-01", [])
    assert held["MS-01"] == ["40", "80"]


def test_rules_that_recommend_at_no_value_and_definitions_are_left_out() -> None:
    answer = what_if(SERVICE, records_of("gc-assessment-due"), profile(), AS_OF, Quantity.AGE, [Decimal(62)])

    assert all(Verdict.RECOMMEND in rule.verdicts for rule in answer.rules)
    assert {"GC-01", "VD-01"} <= {rule.id for rule in answer.rules}


def test_d7_where_no_card_may_be_given_no_rule_turns_on() -> None:
    dead = records(score("-3.1"))
    patient = {**dead.lookup("patient").resources[0], "deceasedBoolean": True}
    told = changed(dead, change_of(facts_of(dead), SERVICE.clinic.thresholds(AS_OF), {}))
    lookups = {**told.lookups, "patient": type(told.lookup("patient"))(told.lookup("patient").state, (patient,))}
    answer = what_if(SERVICE, Records("p1", lookups), profile(), AS_OF, Quantity.AGE, [Decimal(70)])

    assert answer.rules == ()
    assert answer.silent == {Decimal(70): "deceased"}


# --- what may be asked ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("quantity", "values", "place"),
    [
        (Quantity.AGE, [], "values"),
        (Quantity.AGE, [Decimal(n) for n in range(20, 21 + MOST_VALUES)], "values"),
        (Quantity.AGE, [Decimal(17)], "age"),
        (Quantity.AGE, [Decimal("40.5")], "age"),
        (Quantity.T_SCORE, [Decimal("-5.1")], "t-score"),
        (Quantity.EDSS, [Decimal("6.3")], "edss"),
        (Quantity.DAILY_DOSE, [Decimal(-1)], "daily-dose"),
        (Quantity.DURATION, [Decimal(0)], "duration"),
        (Quantity.VITAMIN_D, [Decimal(1000)], "vitamin-d"),
    ],
)
def test_values_that_are_too_many_or_not_possible_are_refused(
    quantity: Quantity, values: list[Decimal], place: str
) -> None:
    with pytest.raises(InputError) as refused:
        what_if(SERVICE, records_of("gc-assessment-due"), profile(), AS_OF, quantity, values)

    assert refused.value.where == place
    assert refused.value.next_step


def test_a_held_value_that_is_not_possible_is_refused() -> None:
    with pytest.raises(InputError):
        what_if(
            SERVICE,
            records_of("nothing-to-say"),
            profile(),
            AS_OF,
            Quantity.AGE,
            [Decimal(40)],
            {Quantity.EDSS: Decimal(11)},
        )


def test_s7_a_duration_without_a_known_dose_asks_for_one() -> None:
    with pytest.raises(InputError, match="no daily dose is known"):
        what_if(SERVICE, records_of("nothing-to-say"), profile(), AS_OF, Quantity.DURATION, [Decimal(100)])


def test_s7_an_age_without_a_patient_is_refused() -> None:
    with pytest.raises(InputError, match="no Patient"):
        what_if(SERVICE, Records("p1", {}), profile(), AS_OF, Quantity.AGE, [Decimal(40)])


@pytest.mark.parametrize("quantity", Quantity)
@pytest.mark.parametrize("unit", ["ng/mL", "nmol/L"])
def test_the_values_of_a_range_are_few_enough_and_possible(quantity: Quantity, unit: str) -> None:
    allowed = range_of(quantity, unit)
    values = allowed.values()

    assert 2 <= len(values) <= MOST_VALUES
    assert values[0] == allowed.low
    assert values[-1] <= allowed.high
    assert [value for value in values if value % allowed.step] == []


def test_no_more_evaluations_than_values_and_one(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []

    def counted(*args: Any) -> Any:
        calls.append(args)
        return evaluate(*args)

    monkeypatch.setattr("cds_service.summary.varying.evaluate", counted)
    what_if(
        SERVICE, records_of("nothing-to-say"), profile(), AS_OF, Quantity.AGE, [Decimal(40), Decimal(50), Decimal(40)]
    )

    assert len(calls) == 3


def test_s8_nothing_is_remembered_afterwards_and_nothing_stands_in_a_repr() -> None:
    answer = what_if(SERVICE, records_of("gc-assessment-due"), profile(), AS_OF, Quantity.AGE, [Decimal(62)])

    assert sum(each.cache_info().currsize for each in recall._REMEMBER) == 0
    assert "62" not in repr(answer)[:40]


# --- the picture ------------------------------------------------------------------------------------------------------
def test_the_picture_has_a_row_per_rule_and_says_what_was_taken_for_granted() -> None:
    values = [Decimal(n) for n in (60, 62, 64)]
    answer = what_if(
        SERVICE, records_of("gc-assessment-due"), profile(), AS_OF, Quantity.AGE, values, {Quantity.EDSS: Decimal(3)}
    )
    picture = answer.picture()
    table = {row[0] for row in picture.table.rows}

    assert {f"{rule.id} {rule.name}" for rule in answer.rules} <= table
    assert "this patient: 62" in drawn(picture).words
    assert "Taken for granted: EDSS 3; an EDSS of 2026-06-15; everything else as on record." in picture.description
