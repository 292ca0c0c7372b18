"""How the patient gets about: walking aid, wheelchair, bed."""

from __future__ import annotations

import pytest

from cds_service.clinical.facts.mobility import mobility
from tests.support.charts import chart_of
from tests.support.resources import CM, RESOLVED, SCT, WHO, condition, observation


def kinds(*resources: str) -> list[str]:
    return [aid.kind.value for aid in mobility(chart_of(*resources)).items]


@pytest.mark.parametrize(
    ("system", "code", "kind"),
    [
        (CM, "Z99.3", "wheelchair"),
        (SCT, "225612007", "wheelchair"),
        (CM, "Z74.01", "bed"),
        (SCT, "160685001", "bed"),
        (SCT, "160683008", "walking aid"),
        (SCT, "8510008", "reduced mobility"),
        (WHO, "Z74.0", "reduced mobility"),
    ],
)
def test_mobility_kinds(system: str, code: str, kind: str) -> None:
    assert kinds(condition(code, system=system)) == [kind]


def test_mobility_only_what_still_holds() -> None:
    assert kinds(condition("225612007", RESOLVED), condition("8510008", ', "onsetDateTime": "2027"', "c2")) == []


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"valueBoolean": true', ["walking aid"]),
        ('"valueCodeableConcept": {"text": "Yes"}', ["walking aid"]),
        ('"valueBoolean": false', []),
        ('"valueString": "sometimes"', []),
        (
            '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "225612007"}]}',
            ["wheelchair"],
        ),
    ],
)
def test_mobility_from_an_answer(value: str, expected: list[str]) -> None:
    assert kinds(observation("360006004", value)) == expected


def test_mobility_from_an_assessment_whose_answer_names_the_aid() -> None:
    named = '"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "160685001"}]}'
    assert kinds(observation("430481008", named)) == ["bed"]
    chart = chart_of(observation("430481008", '"valueString": "good"'))
    assert mobility(chart).items == ()
    assert [each.reason for each in chart.unread] == ["no-answer"]


def test_mobility_a_later_no_takes_an_earlier_yes_back() -> None:
    yes = observation("360006004", '"valueBoolean": true', "2020-01-01")
    assert kinds(yes, observation("360006004", '"valueBoolean": false', "2024-01-01", "o2")) == []
    assert kinds(yes, observation("360006004", '"valueBoolean": false', "2019-01-01", "o2")) == ["walking aid"]


def test_mobility_each_kind_once_with_its_newest_evidence() -> None:
    found = mobility(
        chart_of(
            condition("225612007", ', "onsetDateTime": "2020"'),
            observation("183240000", '"valueBoolean": true', "2025-01-01"),
            observation("183240000", '"valueBoolean": true', "2027-01-01", "o9"),
        )
    )
    assert [(aid.kind.value, aid.evidence.resource) for aid in found.items] == [("wheelchair", "Observation/o1")]
