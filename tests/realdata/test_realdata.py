"""What must hold on FHIR data that nobody in this project wrote. Skipped, with a message, where the data is absent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from cds_service.clinical.facts.bone_density import Measure, Site
from cds_service.engine.answer import Decision
from cds_service.kernel.errors import PatientMismatch
from cds_service.protocol.response import HookResponse
from tests.realdata import cms249
from tests.realdata.corpus import DATA, Case, Json, cases, resources_of, skipped
from tests.realdata.run import evaluated, facts_read, unread

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason=f"the public FHIR data is not beside the checkout ({DATA.name})"),
]

# One test patient of CMS645 carries an Observation of another patient on another server: refused as a whole (S4).
REFUSED = {"4d648e0d-3d8c-4089-af65-ddcf3642b735.json.gz"}
FOLDERS = {
    "careevolution-ms": 1,
    "dosage/nhs-eps-r4": 3,
    "ecqm-cms249-dxa-women-under-65": 38,
    "ecqm-cms56-promis-tscore-trap": 2,
    "ecqm-cms645-dxa-prostate-adt": 22,
    "epic-shaped-capture": 1,
    "hl7-fhir-r4-core-examples": 30,
    "hl7-us-core-examples": 4,
    "hl7-us-core-examples/dxa": 1,
    "mimic-iv-demo-fhir": 14,
    "pacio-mcc-patricia-noelle": 1,
    "smart-patients/r4-converted": 27,
    "synthea-r4-2021": 72,
}


@lru_cache(maxsize=1)
def everybody() -> tuple[Case, ...]:
    return tuple(cases())


def those_of(*folders: str) -> list[Case]:
    return [case for case in everybody() if case.folder in folders and case.name not in REFUSED]


def the_one(folder: str, name: str) -> Case:
    (found,) = [case for case in everybody() if case.folder == folder and case.name == name]
    return found


def with_added(case: Case, *resources: Json) -> Case:
    entries = [*case.bundle["entry"], *({"resource": resource} for resource in resources)]
    return replace(case, bundle={**case.bundle, "entry": entries})


def patient_id(case: Case) -> str:
    return str(next(r["id"] for r in resources_of(case.bundle) if r["resourceType"] == "Patient"))


def what_it_says(decision: Decision) -> tuple[list[tuple[str, str]], Any]:
    """Verdicts and cards, for comparison."""
    verdicts = [(outcome.rule.id, outcome.verdict.value) for outcome in decision.evaluation.outcomes]
    return verdicts, HookResponse(decision.cards).to_json()


def values(items: Sequence[Any]) -> list[tuple[str, str]]:
    """Value and date of single numbers."""
    assert all(each.value.low == each.value.high for each in items)
    return sorted((str(each.value.low), each.on.text) for each in items)


# --- every patient ----------------------------------------------------------------------------------------------------


def test_every_folder_of_patients_is_read() -> None:
    counted: dict[str, int] = {}
    for case in everybody():
        counted[case.folder] = counted.get(case.folder, 0) + 1

    assert counted == FOLDERS


def test_what_is_not_evaluated_is_named_with_its_reason() -> None:
    assert all(each.why for each in skipped())
    assert {each.folder for each in skipped() if "STU3, not R4" in each.why} == {
        "careevolution-ms",
        "smart-patients/stu3-raw",
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_patient_is_evaluated_without_a_crash(folder: str) -> None:
    for case in those_of(folder):
        facts_read(evaluated(case).evaluation.facts)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_s4_the_case_that_mixes_two_patients_is_refused(name: str) -> None:
    with pytest.raises(PatientMismatch):
        evaluated(the_one("ecqm-cms645-dxa-prostate-adt", name))


# --- what must be read, and what must not -----------------------------------------------------------------------------


def test_vitamin_d_series_of_smart_patient_8888803_is_read_in_full() -> None:
    """Five results under LOINC 1989-3, all with the status `unknown`, as the set was published."""
    case = the_one("smart-patients/r4-converted", "patient-8888803.json.gz")

    series = evaluated(case).evaluation.facts.vitamin_d

    assert [(each.on.text, str(each.value.low), str(each.value.high), each.unit) for each in series.items] == [
        ("2016-06-09", "52", "52", "ng/mL"),
        ("2016-03-01", "45", "45", "ng/mL"),
        ("2015-10-31", "32", "32", "ng/mL"),
        ("2015-07-27", "18", "18", "ng/mL"),
        ("2015-04-29", "5", "5", "ng/mL"),
    ]


def test_terminology_trap_synthea_t_scores_are_read_with_site_unknown() -> None:
    """LOINC 38265-5 means radius and ulna; Synthea puts it on every T-score and names no site."""
    read, written = [], []
    for case in those_of("synthea-r4-2021"):
        scores = evaluated(case).evaluation.facts.scores.items
        assert {each.site for each in scores if each.measure is Measure.T} <= {Site.UNKNOWN}
        read += values([each for each in scores if each.measure is Measure.T])
        written += [
            (str(resource["valueQuantity"]["value"]), resource["effectiveDateTime"][:10])
            for resource in resources_of(case.bundle)
            if resource["resourceType"] == "Observation" and resource["code"]["coding"][0]["code"] == "38265-5"
        ]

    assert len(written) == 35
    assert sorted(read) == sorted(written)


@pytest.mark.parametrize("code", ["38267-1", "38263-0", "80948-3", "38265-5"])
def test_real_servers_1_a_density_under_a_t_score_code_is_neither(code: str) -> None:
    """0.887 g/cm2 under T-score codes stands in the data of a Taiwanese generator."""
    case = the_one("synthea-r4-2021", those_of("synthea-r4-2021")[0].name)
    density: Json = {
        "resourceType": "Observation",
        "id": "density-under-t-score",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient_id(case)}"},
        "effectiveDateTime": "2026-05-01",
        "valueQuantity": {"value": 0.887, "unit": "g/cm2", "system": "http://unitsofmeasure.org", "code": "g/cm2"},
    }
    readable = {**density, "valueQuantity": {"value": -1.5, "unit": "{T-score}"}}
    before = evaluated(case).evaluation.facts.scores.items

    after = evaluated(with_added(case, density)).evaluation.facts

    assert after.scores.items == before
    assert "Observation/density-under-t-score" in {each.resource for each in after.chart.unread}
    assert len(evaluated(with_added(case, readable)).evaluation.facts.scores.items) == len(before) + 1


def test_real_servers_1_promis_t_scores_are_no_bone_density() -> None:
    questionnaires = those_of("ecqm-cms56-promis-tscore-trap")

    found = [evaluated(case) for case in questionnaires]

    assert [decision.evaluation.facts.scores.items for decision in found] == [(), ()]
    assert all("T-score" in json.dumps(case.bundle, default=str) for case in questionnaires)


# --- entered in error -------------------------------------------------------------------------------------------------

_STATUS_IN = {"Condition": "verificationStatus", "AllergyIntolerance": "verificationStatus"}
_TWINNED = [
    ("smart-patients/r4-converted", "patient-8888803.json.gz"),
    ("smart-patients/r4-converted", "patient-1137192.json.gz"),
    ("careevolution-ms", "r4-converted.json.gz"),
    ("pacio-mcc-patricia-noelle", ""),
    ("hl7-us-core-examples/dxa", ""),
    ("synthea-r4-2021", ""),
    ("ecqm-cms249-dxa-women-under-65", ""),
    ("mimic-iv-demo-fhir", ""),
]


def twin(resource: Json) -> Json:
    """The same resource under another id, marked as entered in error."""
    element = _STATUS_IN.get(resource["resourceType"], "status")
    system = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    coded: Json = {"coding": [{"system": system, "code": "entered-in-error"}]}
    withdrawn: Any = coded if element in _STATUS_IN.values() else "entered-in-error"
    return {**resource, "id": f"{resource.get('id', 'x')[:50]}-twin", element: withdrawn}


@pytest.mark.parametrize(("folder", "name"), _TWINNED)
def test_d8_entered_in_error_twins_of_every_resource_change_nothing(folder: str, name: str) -> None:
    set_aside = 0
    for case in [each for each in those_of(folder) if name in ("", each.name)][:6]:
        twins = [twin(r) for r in resources_of(case.bundle) if r["resourceType"] != "Patient"]

        alone, twinned = evaluated(case), evaluated(with_added(case, *twins))

        assert what_it_says(twinned) == what_it_says(alone)
        set_aside += (unread(twinned) - unread(alone)).total()

    assert set_aside > 0, "the twins were not even looked at"


# --- CMS249 -----------------------------------------------------------------------------------------------------------

# Why each stands here is told in docs/realdata.md.
CMS_SEES_A_RISK_WE_DO_NOT_READ = {
    "00aebb4a", "138f84fa", "4080765c", "47e993ec", "487a9661", "52a50072", "5f75327d", "6ebbc18a", "81985c29",
    "8f4b4c27", "96450a7f", "b37d7d0c", "c2885ae7", "d00b99c9", "d111e6ed", "d21af7a9", "d583270a", "ddfe6d8e",
    "e22e977b", "e95e9a84", "fe77c3ba",
}  # fmt: skip
WE_READ_A_RISK_CMS_DOES_NOT_SEE = {"ac05e7ed"}


def test_cms249_disagreements_are_those_that_are_explained() -> None:
    found = cms249.compared(everybody())

    assert len(found) == 38
    assert {each.id for each in found if each.cms and not each.ours} == CMS_SEES_A_RISK_WE_DO_NOT_READ
    assert {each.id for each in found if each.ours and not each.cms} == WE_READ_A_RISK_CMS_DOES_NOT_SEE


def test_cms249_dexamethasone_given_by_bounds_alone_is_read() -> None:
    by_id = {each.id: each for each in cms249.compared(everybody())}

    assert by_id["8d04edbd"].ours == ("glucocorticoids",)
