"""What risk models may ask: yes from what is on record, no only after a completed look-up, unknown otherwise (S2, S3)."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from cds_service.clinical import content, needs, profiles
from cds_service.clinical.patient import Patient
from cds_service.clinical.risk_inputs import risk_inputs
from cds_service.clinical.risk_models import RiskInputs
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.needs import Need
from cds_service.kernel.truth import Truth
from tests.support.charts import chart_of

AS_OF = "2026-06-15"
SNOMED, ICD = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
PATIENT = '{"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1974-01-01"}'


def inputs(*resources: str, incomplete: Collection[Need] = ()) -> RiskInputs:
    numbers = content.thresholds(dt.date.fromisoformat(AS_OF))
    chart = chart_of(PATIENT, *resources, as_of=AS_OF, incomplete=incomplete)
    return risk_inputs(Patient(chart, numbers, profiles.profile("us")))


def found(key: str, *resources: str, incomplete: Collection[Need] = ()) -> Criterion:
    return inputs(*resources, incomplete=incomplete).found[key]


def coded(system: str, code: str) -> Mapping[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def condition(system: str, code: str, **more: Any) -> str:
    return json.dumps({"resourceType": "Condition", "id": "c1", "code": coded(system, code), **more})


def order(code: str, authored: str, *, until: str | None = None, status: str = "active", mg: float = 5) -> str:
    period = {"start": authored, **({"end": until} if until else {})}
    dose = {
        "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": period}},
        "route": coded(SNOMED, "26643006"),
        "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}],
    }
    return json.dumps(
        {"resourceType": "MedicationRequest", "id": "m1", "status": status, "intent": "order", "authoredOn": authored,
         "medicationCodeableConcept": coded(RXNORM, code), "dosageInstruction": [dose]}
    )  # fmt: skip


# --- diagnoses -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "system", "code"),
    [
        ("bone-metastasis", ICD, "C79.51"),
        ("chronic-kidney-disease", SNOMED, "709044004"),
        ("chronic-kidney-disease", SNOMED, "433146000"),
        ("chronic-liver-disease", SNOMED, "328383001"),
        ("cushing-syndrome", SNOMED, "47270006"),
        ("diabetes-type-1", ICD, "E10"),
        ("diabetes-type-2", ICD, "E11"),
        ("hyperparathyroidism", ICD, "E21.0"),
        ("hyperthyroidism", SNOMED, "34486009"),
        ("lupus", ICD, "M32"),
        ("malabsorption", SNOMED, "34000006"),
        ("myeloma", ICD, "C90.00"),
        ("myocardial-infarction", SNOMED, "22298006"),
        ("rheumatoid-arthritis", SNOMED, "69896004"),
        ("stroke", SNOMED, "230690007"),
        ("major-fracture", ICD, "S72.001A"),
        ("fall", SNOMED, "1912002"),
        ("parental-hip-fracture", SNOMED, "391096007"),
    ],
)
def test_s2_a_diagnosis_found_none_found_and_a_look_up_that_failed(key: str, system: str, code: str) -> None:
    assert found(key, condition(system, code)).truth is Truth.YES
    assert found(key).truth is Truth.NO
    unknown = found(key, incomplete=[needs.CONDITIONS])
    assert unknown.truth is Truth.UNKNOWN
    assert Gap(GapKind.FAILED, "conditions") in unknown.gaps
    assert found(key, condition(system, code), incomplete=[needs.CONDITIONS]).truth is Truth.YES


def test_a_fracture_of_an_unstated_site_may_be_one_of_the_four() -> None:
    unstated = found("major-fracture", condition(ICD, "Z87.310", recordedDate="2020-01-01"))
    assert unstated.truth is Truth.UNKNOWN
    assert [(gap.kind, gap.what) for gap in unstated.gaps] == [(GapKind.NOT_RECORDED, "fracture-site")]


@pytest.mark.parametrize("code", ["S22.31XA", "S32.501A"])
def test_a_rib_or_the_pelvis_is_none_of_the_four(code: str) -> None:
    assert found("major-fracture", condition(ICD, code)).truth is Truth.NO


def test_d8_an_entry_in_error_does_not_count() -> None:
    wrong = condition(SNOMED, "230690007", verificationStatus={"coding": [{"code": "entered-in-error"}]})
    assert found("stroke", wrong).truth is Truth.NO


# --- drugs -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("ssri-or-snri", "36437"),
        ("enzyme-inducing-anticonvulsant", "2002"),
        ("gabapentinoid", "25480"),
        ("gabapentinoid", "187832"),
        ("hormone-therapy", "4083"),
    ],
)
def test_s2_a_drug_taken_now_none_found_and_a_look_up_that_failed(key: str, code: str) -> None:
    assert found(key, order(code, "2026-05-01")).truth is Truth.YES
    assert found(key, order(code, "2019-05-01", until="2019-06-01", status="completed")).truth is Truth.NO
    assert found(key).truth is Truth.NO
    assert found(key, incomplete=[needs.MEDICATION_DISPENSES]).truth is Truth.UNKNOWN


def test_d12_an_old_order_without_an_end_leaves_it_open() -> None:
    open_ = found("ssri-or-snri", order("36437", "2019-05-01"))
    assert open_.truth is Truth.UNKNOWN
    assert [gap.what for gap in open_.gaps] == ["drug-current"]


@pytest.mark.parametrize("code", ["1292", "57258"])
def test_baclofen_and_tizanidine_are_no_anticonvulsants(code: str) -> None:
    assert found("gabapentinoid", order(code, "2026-05-01")).truth is Truth.NO


@pytest.mark.parametrize(
    ("until", "expected"), [("2026-06-15", Truth.YES), ("2025-12-15", Truth.YES), ("2025-12-14", Truth.NO)]
)
def test_a_glucocorticoid_of_the_last_six_months(until: str, expected: Truth) -> None:
    assert found("glucocorticoid", order("8640", "2025-11-01", until=until)).truth is expected


def test_however_little_of_a_glucocorticoid_it_was() -> None:
    assert found("glucocorticoid", order("8640", "2026-05-01", until="2026-05-01", mg=0.5)).truth is Truth.YES


def test_s2_no_glucocorticoid_found_is_no_proof_while_a_look_up_is_open() -> None:
    assert found("glucocorticoid", incomplete=[needs.MEDICATION_STATEMENTS]).truth is Truth.UNKNOWN


# --- what there is not -----------------------------------------------------------------------------------------------
def test_ethnicity_is_no_input_of_any_model() -> None:
    told = {*RiskInputs.__slots__, *inputs().found}
    assert [name for name in told if "ethnic" in name or "race" in name] == []


@pytest.mark.parametrize("key", ["dementia", "parkinsons-disease", "asthma", "copd", "epilepsy", "care-home"])
def test_s2_what_has_no_verified_codes_is_not_among_the_inputs(key: str) -> None:
    """A key would claim that it was looked for."""
    assert key not in inputs().found
