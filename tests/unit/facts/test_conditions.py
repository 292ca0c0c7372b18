"""Diagnoses by concept, past and present."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.conditions import diagnoses, label, still_active
from cds_service.kernel.facts import Gap, GapKind, Series
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of

SCT, CM = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"


def condition(code: str, more: str = "", ident: str = "c1", system: str = SCT) -> str:
    coding = f'{{"coding": [{{"system": "{system}", "code": "{code}"}}]}}'
    return f'{{"resourceType": "Condition", "id": "{ident}", "code": {coding}{more}}}'


def status(code: str) -> str:
    return f', "clinicalStatus": {{"coding": [{{"code": "{code}"}}]}}'


@pytest.mark.parametrize(
    ("more", "active"),
    [
        (status("active"), Truth.YES),
        (status("recurrence"), Truth.YES),
        (status("resolved"), Truth.NO),
        (status("inactive"), Truth.NO),
        (', "clinicalStatus": "remission"', Truth.NO),  # STU3 writes a bare code
        ("", Truth.UNKNOWN),
        (', "abatementDateTime": "2024"', Truth.NO),
        (', "abatementPeriod": {"end": "2024-01-01"}', Truth.NO),
        (', "abatementDateTime": "2027"', Truth.UNKNOWN),
        (', "abatementBoolean": true', Truth.NO),
        (', "abatementBoolean": false', Truth.UNKNOWN),
        (status("active") + ', "abatementDateTime": "2024"', Truth.UNKNOWN),  # D10: it cannot be both
    ],
)
def test_active_or_over(more: str, active: Truth) -> None:
    (found,) = diagnoses(chart_of(condition("64859006", more)), "cond.osteoporosis").items
    assert found.active is active


@pytest.mark.parametrize(
    ("more", "on"),
    [
        (', "onsetDateTime": "2024-05"', "2024-05"),
        (', "onsetPeriod": {"start": "2024-05-01", "end": "2024-05-09"}', "2024-05-01..2024-05-09"),
        (', "onsetAge": {"value": 50, "unit": "years"}', "age 50"),
        (', "onsetAge": {"value": 50.5, "unit": "years"}', None),
        (', "onsetAge": {"value": 300, "unit": "years"}', None),
        (', "onsetAge": {"value": 600, "unit": "months"}', None),
        (', "recordedDate": "2024-05-17"', "by 2024-05-17"),
        (', "assertedDate": "2024-05-17"', "by 2024-05-17"),  # STU3
        (', "onsetString": "childhood"', None),
    ],
)
def test_d14_when_it_began(more: str, on: str | None) -> None:
    patient = '{"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}'
    (found,) = diagnoses(chart_of(patient, condition("64859006", more)), "cond.osteoporosis").items
    assert (str(found.on) if found.on else None) == on


def test_a_recorded_date_is_only_an_upper_bound() -> None:
    patient = '{"resourceType": "Patient", "id": "p1", "birthDate": "1970-01-01"}'
    (found,) = diagnoses(
        chart_of(patient, condition("64859006", ', "recordedDate": "2026"')), "cond.osteoporosis"
    ).items
    assert found.on
    assert (found.on.earliest.isoformat(), found.on.latest.isoformat()) == ("1970-01-01", "2026-06-15")


def test_d11_the_same_diagnosis_from_two_sources_counts_once_and_stays_active() -> None:
    onset = ', "onsetDateTime": "2020-01-01"'
    chart = chart_of(
        condition("64859006", onset + status("resolved")),
        condition("M81.0", onset + status("active"), "c2", CM),
        condition("M81.0", onset + status("resolved"), "c3", CM),
    )
    assert [(d.evidence.resource, d.active) for d in diagnoses(chart, "cond.osteoporosis").items] == [
        ("Condition/c2", Truth.YES)
    ]


@pytest.mark.parametrize("code", ["refuted", "provisional", "entered-in-error"])
def test_d8_what_is_not_confirmed_is_not_a_diagnosis(code: str) -> None:
    text = condition("64859006", f', "verificationStatus": {{"coding": [{{"code": "{code}"}}]}}')
    assert diagnoses(chart_of(text), "cond.osteoporosis") == Series((), ())


def test_d10_a_refuted_twin_is_shown_as_a_dispute() -> None:
    refuted = condition("64859006", ', "verificationStatus": {"coding": [{"code": "refuted"}]}', "c2")
    (found,) = diagnoses(chart_of(condition("64859006"), refuted), "cond.osteoporosis").items
    assert found.disputed


def test_d15_a_diagnosis_of_the_future_is_not_used_and_reported() -> None:
    chart = chart_of(condition("64859006", ', "onsetDateTime": "2027-01-01"'))
    assert diagnoses(chart, "cond.osteoporosis").items == ()
    assert [(each.resource, each.reason) for each in chart.unread] == [("Condition/c1", "future-date")]


def test_newest_first_undated_last_and_over_left_out_on_demand() -> None:
    chart = chart_of(
        condition("69896004", "", "c1"),
        condition("64859006", ', "onsetDateTime": "2010"' + status("resolved"), "c2"),
        condition("46635009", ', "onsetDateTime": "2020"', "c3"),
    )
    found = diagnoses(chart, "cond.osteoporosis", "cond.rheumatoid_arthritis", "cond.diabetes_type_1")
    assert [d.text for d in found.items] == ["diabetes type 1", "osteoporosis", "rheumatoid arthritis"]
    assert [d.text for d in still_active(found).items] == ["diabetes type 1", "rheumatoid arthritis"]


def test_s2_without_the_condition_list_none_is_not_none() -> None:
    found = diagnoses(chart_of(incomplete=[needs.CONDITIONS]), "cond.osteoporosis")
    assert found == Series((), (Gap(GapKind.FAILED, "conditions"),))


def test_dialysis_also_stands_as_a_procedure_and_then_needs_that_look_up() -> None:
    procedure = (
        '{"resourceType": "Procedure", "id": "x1", "status": "completed", "performedDateTime": "2026-06-01",'
        ' "code": {"coding": [{"system": "http://snomed.info/sct", "code": "302497006"}]}}'
    )
    (found,) = diagnoses(chart_of(procedure), "cond.dialysis").items
    assert (found.text, found.active, found.evidence.resource) == ("dialysis", Truth.UNKNOWN, "Procedure/x1")
    missing = diagnoses(chart_of(incomplete=[needs.PROCEDURES]), "cond.dialysis")
    assert missing.gaps == (Gap(GapKind.FAILED, "procedures"),)


def test_every_label_is_in_our_own_words() -> None:
    assert [label(c) for c in ("cond.mi", "cond.adrenal_insufficiency", "ms.condition")] == [
        "myocardial infarction",
        "adrenal insufficiency",
        "multiple sclerosis",
    ]
