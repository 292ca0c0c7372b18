"""The words of test stories: each has a code of the value sets, and the facts read what was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical import content, profiles
from cds_service.clinical.patient import ALL_NEEDS, Patient
from cds_service.clinical.terminology import terminology
from cds_service.engine.gather import gather
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_json
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.quantities import exactly
from cds_service.protocol.request import parse
from cds_service.review import story, story_codes
from cds_service.review.call import request_text
from cds_service.review.story_codes import ICD, LOINC, RXNORM, SNOMED

TODAY = dt.date.fromisoformat(story.AS_OF)
LIMITS = content.thresholds(TODAY)


def facts(**told: Any) -> Patient:
    """What is read of a story after it went over the wire."""
    call = parse(strict_json.load(request_text({"sex": "female", "age": 62, **told}).encode()), hook="patient-view")
    chart = Chart(gather(call, ALL_NEEDS), terminology(), TODAY)
    return Patient(chart, LIMITS, profiles.profile("us"))


def known(fact: Fact[Any]) -> Any:
    assert isinstance(fact, Known)
    return fact.value


# --- codes -----------------------------------------------------------------------------------------------------------
def codes() -> Iterator[tuple[str, str]]:
    """Every code that a story can write, but for relationships and causes of accidents."""
    yield from ((RXNORM, code) for code in story_codes.DRUGS.values())
    yield from story_codes.CONDITIONS.values()
    yield from story_codes.FAMILY.values()
    yield from story_codes.FALLS.values()
    yield story_codes.HIP_FRACTURE
    yield from ((ICD, code) for pair in story_codes.FRACTURES.values() for code in pair if code)
    yield from ((SNOMED, code) for code, _ in story_codes.ROUTES.values() if code)
    yield from ((SNOMED, code) for code in story_codes.SMOKING.values())
    sites = (*story_codes.T_SCORES.values(), *story_codes.Z_SCORES.values())
    results = (story_codes.VITAMIN_D, story_codes.CREATININE, story_codes.ALBUMIN, story_codes.CALCIUM)
    yield from ((LOINC, code) for code, _ in sites)
    yield from ((LOINC, code) for table in results for code in table.values())
    yield from ((LOINC, code) for code, _, _ in story_codes.TESTS.values())


def test_every_code_a_story_can_write_is_in_the_value_sets() -> None:
    assert [code for code in sorted(set(codes())) if not terminology().entries(*code)] == []


# These have a key of their own, or are no finding of the patient.
_TOLD_OTHERWISE = {"cond.pregnancy.status", "mobility.assessment"}
_FAMILIES = ("cond.", "menopause.", "alcohol.", "mobility.", "fracture.atypical_femoral", "comed.", "ms.", "therapy.d",
             "ms_therapy.drug", "ms_therapy.ingredient", "ms_therapy.symptomatic", "calcium.drug", "calcium_vitamin_d.drug",
             "vitamin_d.drug", "smoking.current", "smoking.former", "smoking.never")  # fmt: skip


def test_every_concept_that_rules_ask_for_can_be_told() -> None:
    told = {entry.concept for code in codes() for entry in terminology().entries(*code)} | {"ms.EDSS"}
    wanted = {name for name in terminology().names() if name.startswith(_FAMILIES)} - _TOLD_OTHERWISE
    assert sorted(wanted - told) == []


@pytest.mark.parametrize("key", sorted(story.KEYS))
def test_every_key_is_explained(key: str) -> None:
    listed = [line for line in (story.__doc__ or "").splitlines() if line.startswith("    ")]
    assert any(key in line[:18].replace(",", " ").split() for line in listed)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"smokes": "never"}, "story: smokes: a story knows no such key. Known are: age, albumin"),
        (
            {"conditions": ["osteoporoses"]},
            "story: conditions: 'osteoporoses' is not known. Known are: multiple sclerosis",
        ),
        ({"drugs": ["aspirin"]}, "story: drug: 'aspirin' is not known"),
        ({"tests": ["CRP"]}, "story: tests: 'CRP' is not known"),
        ({"calcium": {"value": 2.3, "unit": "g/L"}}, "story: calcium: "),
        (
            {"therapies": [{"drug": "alendronate", "doses": ["1 month"]}]},
            "story: therapies: 'alendronate' is not known",
        ),
    ],
)
def test_a_word_nobody_knows_is_refused_with_those_there_are(told: dict[str, Any], message: str) -> None:
    with pytest.raises(ContentError) as problem:
        story.resources(told)
    assert str(problem.value).startswith(message)


# --- what was told is what is read -----------------------------------------------------------------------------------
def test_habits_and_body() -> None:
    p = facts(smoking="former", alcohol=3, weight=60, edss=6.5, timed_walk=7.4)
    assert known(p.smoking).value == "former"
    assert [str(known(fact)) for fact in (p.alcohol, p.weight, p.edss, p.timed_walk)] == ["3", "60", "6.5", "7.4"]


def test_heights_with_their_times() -> None:
    p = facts(height=[{"value": 172, "ago": "20 years"}, {"value": 166, "ago": "30 days"}])
    assert known(p.height_loss) == exactly(6)


@pytest.mark.parametrize(
    "told", ["parental hip fracture", "maternal hip fracture", {"member": "mother", "condition": "hip fracture"}]
)
def test_family(told: Any) -> None:
    assert known(facts(family=told).parental_hip_fracture) is True


@pytest.mark.parametrize("told", [[], "osteoporosis", {"member": "father", "condition": "osteoporosis"}])
def test_other_families(told: Any) -> None:
    assert known(facts(family=told).parental_hip_fracture) is False


def test_kidney() -> None:
    p = facts(creatinine={"value": 88, "unit": "umol/L"}, weight={"value": 60, "ago": "2 months"}, egfr=62)
    assert str(known(p.creatinine).evidence.value) == "88 umol/L"
    assert str(known(p.clearance)) == "55.3"
    assert str(known(facts(creatinine=1, weight=60).clearance)) == "55.3"


@pytest.mark.parametrize(("unit", "value"), [("mmol/L", 2.05), ("mg/dL", 8.2)])
@pytest.mark.parametrize("adjusted", [True, False])
def test_calcium(unit: str, value: float, adjusted: bool) -> None:
    lab = known(facts(calcium={"value": value, "unit": unit, "adjusted": adjusted, "low": value, "high": 10}).calcium)
    assert (lab.unit, lab.adjusted, lab.low_limit, lab.value) == (unit, adjusted, Decimal(str(value)), lab.value)
    assert str(known(facts(albumin=38).albumin).value) == "38"


@pytest.mark.parametrize("name", sorted(story_codes.TESTS))
def test_a_test_that_was_done(name: str) -> None:
    code, _, _ = story_codes.TESTS[name]
    coded = {entry.concept for entry in terminology().entries(LOINC, code) if entry.concept.startswith("lab.")}
    concepts = coded - {"lab.eGFR.race_free"}
    (found,) = facts(tests=[{"name": name, "ago": "5 months"}]).tests(*concepts).items
    assert str(found.on) == "2026-01-15"


@pytest.mark.parametrize("drug", sorted(story_codes.DOSES))
def test_injections(drug: str) -> None:
    p = facts(therapies=[{"drug": drug, "doses": ["9 months", "3 months"]}])
    told = [(str(dose.on), dose.mg, dose.given.value) for dose in p.doses(drug.replace(" ", "_")).items]
    mg = story_codes.DOSES[drug][1]
    assert told == [("2026-03-15", mg, "yes"), ("2025-09-15", mg, "yes")]


# current while an order covers the day; the others are current by their last dose
_BY_ORDER = sorted(set(story_codes.BONE_DRUGS) - {"denosumab", "romosozumab", "zoledronic acid", "pamidronate"})


@pytest.mark.parametrize("drug", _BY_ORDER)
def test_osteoporosis_drugs_taken_now_and_stopped(drug: str) -> None:
    (now,) = facts(therapies=[{"drug": drug, "since": "2 years"}]).therapies.items
    (past,) = facts(therapies=[{"drug": drug, "since": "2 years", "stopped": "1 year"}]).therapies.items
    assert (now.drug, now.current.value, past.current.value) == (drug, "yes", "no")


def test_other_drugs_by_name_and_by_product() -> None:
    weekly = {"drug": "cholecalciferol 50,000 units", "tablets": 1, "every": "week"}
    p = facts(drugs=["omeprazole", weekly, {"drug": "sertraline", "stopped": "10 days"}])
    assert [each.drug for each in p.current_drugs("comed.").items] == ["omeprazole"]
    assert [each.concept for each in p.current_drugs("vitamin_d").items] == ["vitamin_d.drug"]
    (order,) = [r for r in story.resources({"drugs": weekly}) if r["resourceType"] == "MedicationRequest"]
    (dosage,) = order["dosageInstruction"]
    assert dosage["doseAndRate"][0]["doseQuantity"]["unit"] == "{tablet}"
    assert dosage["timing"]["repeat"] | {"boundsPeriod": None} == {
        "frequency": 1, "period": 1, "periodUnit": "wk", "boundsPeriod": None,
    }  # fmt: skip


def test_an_atypical_fracture_is_one() -> None:
    p = facts(fractures=[{"site": "atypical femur"}])
    assert p.fractures.items == ()
    assert list(p.chart.find("Condition", "fracture.atypical_femoral")) != []


@pytest.mark.parametrize("key", ["secondaryCauses", "familyHistory"])
def test_s2_incomplete_look_ups_can_be_told(key: str) -> None:
    p = facts(incomplete={key: "failed"})
    assert [gap.what for gap in p.chart.gaps(*ALL_NEEDS)] == [key]
