"""The clinical knowledge as the engine asks for it: who gets no card and why, what was not read, which document is named."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

import pytest

from cds_service import __version__
from cds_service.clinical import content, needs, profiles
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import Patient
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.needs import Need
from cds_service.kernel.truth import Truth
from hooks.patient_view import SERVICE
from tests.support.charts import chart_of
from tests.support.resources import LOINC, observation
from tests.unit.glucocorticoids.test_orders import patient as ordered_for

NUMBERS = CLINIC.thresholds(dt.date(2026, 6, 15))
US = profiles.profile("us")


def patient(*resources: str, born: str = "1950-01-01", more: str = "", lost: Need | None = None) -> Patient:
    who = f'{{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "{born}"{more}}}'
    return Patient(chart_of(who, *resources, incomplete=[lost] if lost else []), NUMBERS, US)


@pytest.mark.parametrize(
    ("born", "more", "why"),
    [
        ("1950-01-01", "", ""),
        ("2008-06-15", "", ""),
        ("2008-06-16", "", "under-age"),
        ("2008", "", ""),
        ("1950-01-01", ', "deceasedBoolean": true', "deceased"),
        ("1950-01-01", ', "deceasedBoolean": false', ""),
        ("1950-01-01", ', "link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]', "merged"),
        ("1950-01-01", ', "link": [{"type": "replaces", "other": {"reference": "Patient/p2"}}]', ""),
    ],
    ids=["adult", "eighteen today", "eighteen tomorrow", "eighteen this year", "dead", "not dead", "merged into another",
         "another merged into this one"],
)  # fmt: skip
def test_who_gets_no_card(born: str, more: str, why: str) -> None:
    assert CLINIC.silent_because(patient(born=born, more=more), NUMBERS) == why


def test_s5_without_the_patient_nobody_knows_whom_it_is_about() -> None:
    nobody = Patient(chart_of(incomplete=[needs.PATIENT]), NUMBERS, US)
    found = CLINIC.in_scope(nobody, NUMBERS)
    assert (found.key, found.truth) == ("patient-known", Truth.UNKNOWN)
    assert found.gaps == (Gap(GapKind.FAILED, "patient"),)


def test_with_neither_ms_nor_glucocorticoids_a_person_is_out_of_scope() -> None:
    assert CLINIC.in_scope(patient(), NUMBERS).truth is Truth.NO


def test_whoever_a_drug_of_ours_is_ordered_for_is_in_scope() -> None:
    ordered = ordered_for(orders={"drug": "denosumab", "mg": 60, "route": "subcutaneous", "every": "month"})
    found = CLINIC.in_scope(ordered, NUMBERS)
    assert (found.key, found.truth) == ("ordered", Truth.YES)


def test_what_the_operator_must_hear_about_is_told_without_a_resource() -> None:
    chart = chart_of('{"resourceType": "Patient", "id": "p1"}')
    odd = replace(chart, records=replace(chart.records, problems=("an entry is no object",)))
    told = CLINIC.unread(Patient(odd, NUMBERS, US))
    assert told == [{"resource": "", "reason": "an entry is no object"}]


def test_what_was_set_aside_is_told_with_its_reason_and_statuses_with_their_number() -> None:
    no_unit = observation("2160-0", '"valueQuantity": {"value": 0.9}', ident="o1", system=LOINC)
    wrong = [
        observation("2160-0", '"valueQuantity": {"value": 1}', ident=ident, system=LOINC).replace("final", status)
        for ident, status in (("o2", "entered-in-error"), ("o3", "entered-in-error"), ("o4", "cancelled"))
    ]
    found = patient(no_unit, *wrong)
    assert found.creatinine
    told = CLINIC.unread(found)
    assert told == [
        {"resource": "Observation/o1", "reason": "unit-unknown"},
        {"resource": "Observation: cancelled", "reason": "status, 1"},
        {"resource": "Observation: entered-in-error", "reason": "status, 2"},
    ]


def test_a_card_names_the_document_of_the_rule_else_of_the_first_set_of_the_site() -> None:
    for rule in SERVICE.rules:
        for name in profiles.built_in():
            site = profiles.profile(name)
            on = [each for each in site.sets if each in rule.sets] or list(rule.sets)
            expected = content.sources()[rule.source] if rule.source else content.guideline_sets()[on[0]].source
            assert CLINIC.source(rule, site) == expected


def test_the_version_is_that_of_the_release_and_a_hash_of_the_content() -> None:
    assert re.fullmatch(re.escape(__version__) + r"\+[0-9a-f]{12}", CLINIC.version)


def test_a_site_without_a_risk_model_shows_no_figure() -> None:
    assert CLINIC.figures(patient()) == ()


def test_a_site_is_named_after_its_file_wherever_that_lies() -> None:
    assert profiles.site('base = "us"', "/etc/bonecds/sites/clinic.toml").id == "clinic"


def test_without_a_preference_a_site_has_no_unit_and_no_table_of_its_own() -> None:
    assert (US.unit("no such analyte"), US.equal("no such ingredient")) == ("", "")
