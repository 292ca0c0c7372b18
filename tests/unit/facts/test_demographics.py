"""Age, sex, death and merged records: FHIR text in, facts out (safety.md D6, D7, D14)."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts import demographics
from cds_service.clinical.facts.demographics import Sex
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import between, exactly
from tests.support.charts import chart_of

BORN_TODAY_50_YEARS_AGO = '{"resourceType": "Patient", "id": "p1", "birthDate": "1976-06-15", "gender": "female"}'
SPCU = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
RECORDED = "http://hl7.org/fhir/StructureDefinition/individual-recordedSexOrGender"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-sex"


def patient(content: str) -> str:
    return f'{{"resourceType": "Patient", "id": "p1", {content}}}'


def test_age_turns_on_the_birthday() -> None:
    ages = [
        demographics.age(chart_of(BORN_TODAY_50_YEARS_AGO, as_of=day))
        for day in ("2026-06-14", "2026-06-15", "2027-06-14")
    ]
    assert [fact.value for fact in ages if isinstance(fact, Known)] == [exactly(49), exactly(50), exactly(50)]


@pytest.mark.parametrize(
    ("birth_date", "age", "detail"),
    [
        ("1976", between(49, 50), "only the year of birth is on record"),
        ("1976-06", between(49, 50), "only the month of birth is on record"),
        ("2026", between(0, 0), "only the year of birth is on record"),
        ("1905", between(120, 120), "only the year of birth is on record"),
    ],
)
def test_d14_a_partial_birth_date_gives_an_interval_and_says_why(birth_date: str, age: object, detail: str) -> None:
    found = demographics.age(chart_of(patient(f'"birthDate": "{birth_date}"')))
    doubt = Gap(GapKind.NOT_RECORDED, "birth-date", detail, "Patient/p1")
    assert isinstance(found, Known)
    assert (found.value, found.doubts) == (age, (doubt,))


@pytest.mark.parametrize(
    ("content", "kind", "detail"),
    [
        ('"gender": "female"', GapKind.NOT_RECORDED, ""),
        ('"birthDate": null', GapKind.NOT_RECORDED, ""),
        ('"birthDate": "15.06.1976"', GapKind.UNREADABLE, "birth date not readable"),
        ('"birthDate": 1976', GapKind.UNREADABLE, "birth date not readable"),
        ('"birthDate": "2026-06-16"', GapKind.UNREADABLE, "birth date in the future"),
        ('"birthDate": "1900-01-01"', GapKind.UNREADABLE, "birth date more than 120 years ago"),
    ],
)
def test_d7_an_unusable_birth_date_is_unknown_never_nought(content: str, kind: GapKind, detail: str) -> None:
    expected = Unknown((Gap(kind, "age", detail, "Patient/p1"),))
    assert demographics.age(chart_of(patient(content))) == expected


def test_d7_without_a_patient_the_look_up_says_why() -> None:
    failed = chart_of(incomplete=[needs.PATIENT])
    gap = Gap(GapKind.FAILED, "patient")
    assert demographics.age(failed) == Unknown((gap,))
    assert demographics.sex(failed) == Unknown((gap,))
    assert demographics.deceased(failed) == Unknown((gap,))
    assert demographics.age(chart_of()) == Unknown((Gap(GapKind.NOT_RECORDED, "age"),))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('"gender": "female"', Sex.FEMALE),
        ('"gender": "Male"', Sex.MALE),
        # the extension for clinical use goes before the administrative gender
        (
            f'"gender": "male", "extension": [{{"url": "{SPCU}", "extension": [{{"url": "value", "valueCodeableConcept":'
            ' {"coding": [{"code": "female-typical"}]}}]}]',
            Sex.FEMALE,
        ),
        (f'"gender": "other", "extension": [{{"url": "{US_CORE}", "valueCode": "248152002"}}]', Sex.FEMALE),
        (f'"extension": [{{"url": "{US_CORE}", "valueCoding": {{"code": "248153007"}}}}]', Sex.MALE),
        (
            f'"gender": "unknown", "extension": [{{"url": "{RECORDED}", "extension": [{{"url": "value",'
            ' "valueCodeableConcept": {"coding": [{"code": "F"}]}}]}]',
            Sex.FEMALE,
        ),
        # one that has ended, and two that disagree, leave it to the next source
        (
            f'"gender": "male", "extension": [{{"url": "{SPCU}", "extension": [{{"url": "value", "valueCodeableConcept":'
            ' {"coding": [{"code": "female-typical"}]}}, {"url": "period", "valuePeriod": {"end": "2020"}}]}]',
            Sex.MALE,
        ),
        (
            f'"gender": "male", "extension": [{{"url": "{US_CORE}", "valueCode": "F"}},'
            f' {{"url": "{US_CORE}", "valueCode": "M"}}]',
            Sex.MALE,
        ),
        # odd JSON where an extension belongs
        ('"gender": "male", "extension": ["x", {"url": 7}]', Sex.MALE),
    ],
)
def test_sex_is_the_one_recorded_for_clinical_use(content: str, expected: Sex) -> None:
    found = demographics.sex(chart_of(patient(content)))
    assert isinstance(found, Known)
    assert found.value is expected


@pytest.mark.parametrize(
    "content",
    [
        '"birthDate": "1976"',
        '"gender": "other"',
        '"gender": "unknown"',
        '"gender": ["female"]',
        f'"gender": "female", "extension": [{{"url": "{SPCU}", "extension": [{{"url": "value", "valueCodeableConcept":'
        ' {"coding": [{"code": "specified"}]}}]}]',
    ],
)
def test_unknown_sex_stays_unknown(content: str) -> None:
    expected = Unknown((Gap(GapKind.NOT_RECORDED, "sex", "", "Patient/p1"),))
    assert demographics.sex(chart_of(patient(content))) == expected


@pytest.mark.parametrize(
    ("content", "dead"),
    [
        ('"gender": "male"', False),
        ('"deceasedBoolean": false', False),
        ('"deceasedBoolean": true', True),
        ('"deceasedDateTime": "2020"', True),
    ],
)
def test_d7_deceased(content: str, dead: bool) -> None:
    found = demographics.deceased(chart_of(patient(content)))
    assert isinstance(found, Known)
    assert found.value is dead


@pytest.mark.parametrize(
    "content",
    [
        '"deceasedBoolean": "yes"',
        '"deceasedDateTime": "soon"',
        '"deceasedDateTime": "2031"',
        '"deceasedBoolean": false, "deceasedDateTime": "2020"',
    ],
)
def test_d7_a_statement_about_death_that_cannot_be_read_is_unknown(content: str) -> None:
    expected = Unknown((Gap(GapKind.UNREADABLE, "deceased", "", "Patient/p1"),))
    assert demographics.deceased(chart_of(patient(content))) == expected


def test_d6_a_record_replaced_by_another_is_merged() -> None:
    replaced = patient('"link": [{"type": "replaced-by", "other": {"reference": "Patient/p2"}}]')
    refers = patient('"link": [{"type": "seealso", "other": {"reference": "Patient/p2"}}, null]')
    assert [demographics.merged(chart_of(text)) for text in (replaced, refers)] == [True, False]


def test_us_core_9_individual_sex_is_read() -> None:
    """US Core 9 renamed its sex extension; its example patient has no gender element at all."""
    url = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-individual-sex"
    extension = f'{{"url": "{url}", "valueCoding": {{"system": "http://snomed.info/sct", "code": "248152002"}}}}'

    found = demographics.sex(chart_of(f'{{"resourceType": "Patient", "id": "p1", "extension": [{extension}]}}'))

    assert isinstance(found, Known)
    assert found.value is Sex.FEMALE
