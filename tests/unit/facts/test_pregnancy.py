"""Pregnancy, and whether it is possible (GC-17)."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.demographics import Sex
from cds_service.clinical.facts.pregnancy import pregnancy_possible, pregnant
from cds_service.kernel.facts import Evidence, Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import exactly
from tests.support.charts import chart_of

SCT = "http://snomed.info/sct"


def observation(value: str, on: str = "2026-06-01", ident: str = "o1") -> str:
    effective = f'"effectiveDateTime": "{on}", ' if on else ""
    return (
        f'{{"resourceType": "Observation", "id": "{ident}", "status": "final", {effective}'
        f'"code": {{"coding": [{{"system": "http://loinc.org", "code": "82810-3"}}]}}, {value}}}'
    )


def condition(more: str, ident: str = "c1") -> str:
    coding = f'{{"coding": [{{"system": "{SCT}", "code": "77386006"}}]}}'
    return f'{{"resourceType": "Condition", "id": "{ident}", "code": {coding}{more}}}'


def status(*resources: str) -> bool | str:
    found = pregnant(chart_of(*resources), trusted_days=300)
    return found.value if isinstance(found, Known) else found.gaps[0].kind.value


REFUTED = ', "verificationStatus": {"coding": [{"code": "refuted"}]}'


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (observation(f'"valueCodeableConcept": {{"coding": [{{"system": "{SCT}", "code": "77386006"}}]}}'), True),
        (observation('"valueCodeableConcept": {"text": "Not pregnant"}'), False),
        (observation('"valueCodeableConcept": {"coding": [{"code": "60001007", "display": "Not pregnant"}]}'), False),
        (observation('"valueString": "Pregnant"'), True),
        (observation('"valueBoolean": false'), False),
        (observation('"valueString": "possible pregnancy"'), "not-recorded"),
        (observation('"valueString": "Pregnancy not yet confirmed"'), "not-recorded"),
        (observation('"valueString": "n/a"'), "not-recorded"),
        (observation('"dataAbsentReason": {"text": "unknown"}'), "not-recorded"),
        (observation('"valueBoolean": false', "2025-06-01"), "too-old"),
        (observation('"valueBoolean": true', "2027-06-01"), "not-recorded"),
        (condition(', "onsetDateTime": "2026-04-01"'), True),
        (condition(', "onsetDateTime": "2024-04-01"'), "too-old"),
        (condition(', "onsetDateTime": "2027-04-01"'), "not-recorded"),
        (condition(', "onsetDateTime": "2026-04-01", "abatementDateTime": "2026-05-01"'), "not-recorded"),
        (condition(REFUTED), False),
    ],
)
def test_saf_15_pregnancy_on_record(resource: str, expected: bool | str) -> None:
    assert status(resource) == expected


def test_d10_the_newest_answer_counts_and_two_of_one_day_are_a_conflict() -> None:
    no = observation('"valueBoolean": false', "2026-01-01")
    assert status(no, condition(', "onsetDateTime": "2026-04-01"')) is True
    assert status(no, observation('"valueBoolean": true', "2026-01-01", "o2")) == "conflicting"
    assert status(no, observation('"valueBoolean": true', "", "o2")) == "conflicting"


def test_s2_pregnancy_without_the_look_ups() -> None:
    assert pregnant(chart_of(), 300) == Unknown((Gap(GapKind.NOT_RECORDED, "pregnancy"),))
    assert pregnant(chart_of(incomplete=[needs.FUNCTION]), 300) == Unknown((Gap(GapKind.FAILED, "function"),))


WOMAN, MAN = Known(Sex.FEMALE, (Evidence("sex", "female"),)), Known(Sex.MALE, (Evidence("sex", "male"),))
NO_SEX, NO_STATUS = Unknown((Gap(GapKind.NOT_RECORDED, "sex"),)), Unknown((Gap(GapKind.NOT_RECORDED, "menopause"),))


@pytest.mark.parametrize(
    ("sex", "postmenopausal", "expected"),
    [
        (MAN, Known(False), Known(False, MAN.evidence)),
        (WOMAN, Known(True), Known(False)),
        (WOMAN, Known(False), Known(True)),
        (WOMAN, NO_STATUS, NO_STATUS),
        (NO_SEX, NO_STATUS, NO_SEX),
    ],
)
def test_gc_17_pregnancy_is_possible_before_menopause(
    sex: Fact[Sex], postmenopausal: Fact[bool], expected: Fact[bool]
) -> None:
    assert pregnancy_possible(chart_of(), Known(exactly(40)), sex, postmenopausal) == expected
