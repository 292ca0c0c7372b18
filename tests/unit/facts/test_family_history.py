"""Hip fracture of mother or father."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.family_history import parental_hip_fracture
from cds_service.fhir.chart import Chart
from cds_service.kernel.facts import Fact, Gap, GapKind, Known, Unknown
from cds_service.kernel.needs import Need
from tests.support.charts import chart_of
from tests.support.resources import CM, SCT, condition, observation

PARENT, MOTHER = "445501000124107", "391096007"
ROLES, STU3_ROLES = "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "http://hl7.org/fhir/v3/RoleCode"
HIP, OTHER = (SCT, "5913000"), (SCT, "64859006")


def role(code: str, system: str = ROLES, text: str = "") -> str:
    coding = f'"coding": [{{"system": "{system}", "code": "{code}"}}]' if code else ""
    words = f'"text": "{text}"' if text else ""
    return f"{{{', '.join(part for part in (coding, words) if part)}}}"


def relative(
    relationship: str, *had: tuple[str, str], status: str = "completed", on: str = "2024-05-01", more: str = ""
) -> str:
    conditions = ", ".join(
        f'{{"code": {{"coding": [{{"system": "{system}", "code": "{code}"}}]}}}}' for system, code in had
    )
    return (
        f'{{"resourceType": "FamilyMemberHistory", "id": "f1", "status": "{status}", "date": "{on}",'
        f' "relationship": {relationship}, "condition": [{conditions}]{more}}}'
    )


def answer(fact: Fact[bool]) -> str:
    if isinstance(fact, Known):
        return "yes" if fact.value else "no"
    return fact.gaps[0].kind.value


def told(*resources: str) -> str:
    return answer(parental_hip_fracture(chart_of(*resources)))


# --- a diagnosis or an answer ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", [PARENT, MOTHER, "416072008", "445121000124105"])
def test_a_diagnosis_of_that_family_history(code: str) -> None:
    fact = parental_hip_fracture(chart_of(condition(code, ', "recordedDate": "2024-05-01"')))
    assert isinstance(fact, Known)
    assert fact.value is True
    (shown,) = fact.evidence
    assert (shown.kind, shown.value, str(shown.on)) == ("parental-hip-fracture", "yes", "by 2024-05-01")


def test_osteoporosis_in_the_family_is_no_hip_fracture() -> None:
    assert told(condition("160313009"), condition("Z82.62", ident="c2", system=CM)) == "no"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"valueBoolean": true', "yes"),
        ('"valueBoolean": false', "no"),
        ('"valueCodeableConcept": {"coding": [{"code": "373066001"}]}', "yes"),
        ('"valueCodeableConcept": {"text": "No"}', "no"),
        ('"valueString": "perhaps"', "unreadable"),
        ('"dataAbsentReason": {"text": "asked-unknown"}', "unreadable"),
    ],
)
def test_an_answer_to_the_question(value: str, expected: str) -> None:
    assert told(observation(PARENT, value)) == expected


def test_an_answer_that_cannot_be_read_is_reported() -> None:
    chart = chart_of(observation(PARENT, '"valueString": "perhaps"'))
    parental_hip_fracture(chart)
    assert [each.reason for each in chart.unread] == ["no-answer"]


def test_one_yes_is_enough() -> None:
    assert told(observation(PARENT, '"valueBoolean": false'), condition(MOTHER)) == "yes"


# --- what a relative had ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("relationship", "expected"),
    [
        (role("MTH"), "yes"),
        (role("FTH"), "yes"),
        (role("PRN"), "yes"),
        (role("mth", STU3_ROLES), "yes"),
        (role("GRMTH"), "no"),
        (role("SIS", text="sister"), "no"),
        (role("MTHINLAW", text="mother-in-law"), "no"),
        (role("NMTH", text="natural mother"), "unreadable"),  # not among the verified codes
        (role("72705000", SCT), "unreadable"),
        (role("", text="Mother"), "unreadable"),
        ("{}", "unreadable"),
    ],
)
def test_only_parents_count(relationship: str, expected: str) -> None:
    assert told(relative(relationship, HIP)) == expected


def test_a_parent_is_named() -> None:
    fact = parental_hip_fracture(chart_of(relative(role("FTH"), OTHER, HIP)))
    assert isinstance(fact, Known)
    assert [(each.value, str(each.on), each.resource) for each in fact.evidence] == [
        ("father", "2024-05-01", "FamilyMemberHistory/f1")
    ]


@pytest.mark.parametrize("code", [HIP, (SCT, "263225007"), (CM, "S72.001A"), (CM, "S72.1")])
def test_codes_of_a_hip_fracture(code: tuple[str, str]) -> None:
    assert told(relative(role("MTH"), code)) == "yes"


def test_another_condition_of_a_parent_is_no_hip_fracture() -> None:
    assert told(relative(role("MTH"), OTHER, (CM, "S52.501A"))) == "no"


def test_what_a_relative_had_is_no_diagnosis_of_the_patient() -> None:
    chart = chart_of(relative(role("MTH"), HIP, OTHER))
    assert list(chart.find("Condition", "fracture.hip", "cond.osteoporosis")) == []


def test_d22_a_hip_fracture_in_words_does_not_count_and_keeps_us_from_saying_no() -> None:
    def in_words(who: str) -> Chart:
        return chart_of(relative(who, more=', "note": []').replace("[]", '[{"code": {"text": "Hip fracture"}}]', 1))

    chart = in_words(role("MTH"))
    assert answer(parental_hip_fracture(chart)) == "unreadable"
    assert [each.reason for each in chart.unread] == ["no-mapped-code"]
    assert answer(parental_hip_fracture(in_words(role("SIS")))) == "no"


# --- statuses, dates, look-ups ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("completed", "yes"),
        ("partial", "yes"),
        ("health-unknown", "unreadable"),
        ("entered-in-error", "no"),
        ("something", "unreadable"),
    ],
)
def test_d8_status_of_a_family_history(status: str, expected: str) -> None:
    assert told(relative(role("MTH"), HIP, status=status)) == expected


def test_d8_a_relative_whose_health_is_unknown_leaves_it_open() -> None:
    fact = parental_hip_fracture(chart_of(relative(role("MTH"), status="health-unknown")))
    assert fact == Unknown((Gap(GapKind.UNREADABLE, "kind:family", "unknown-status"),))


def test_d8_a_condition_with_a_modifier_extension_is_not_read() -> None:
    modified = relative(role("MTH"), HIP).replace('{"code"', '{"modifierExtension": [{"url": "x"}], "code"', 1)
    assert told(modified) == "unreadable"


@pytest.mark.parametrize(
    "resource",
    [
        relative(role("MTH"), HIP, on="2027-01-01"),
        condition(PARENT, ', "onsetDateTime": "2027-01-01"'),
        observation(PARENT, '"valueBoolean": true', "2027-01-01"),
    ],
)
def test_d15_what_is_dated_in_the_future_is_not_used(resource: str) -> None:
    chart = chart_of(resource)
    assert answer(parental_hip_fracture(chart)) == "no"
    assert [each.reason for each in chart.unread] == ["future-date"]


def test_s2_none_on_record_is_no_only_when_everything_was_looked_at() -> None:
    assert parental_hip_fracture(chart_of()) == Known(False)


@pytest.mark.parametrize("need", [needs.CONDITIONS, needs.LIFESTYLE, needs.FAMILY_HISTORY])
def test_s2_a_failed_look_up_leaves_it_open_but_no_answer_away(need: Need) -> None:
    failed = Gap(GapKind.FAILED, need.key)
    assert parental_hip_fracture(chart_of(incomplete=[need])) == Unknown((failed,))
    assert answer(parental_hip_fracture(chart_of(condition(PARENT), incomplete=[need]))) == "yes"
    asked = parental_hip_fracture(chart_of(observation(PARENT, '"valueBoolean": false'), incomplete=[need]))
    assert isinstance(asked, Known)
    assert (asked.value, asked.doubts) == (False, (failed,))
