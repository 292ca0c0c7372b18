"""The whole way, with the optional distribution of `qfracture/` run from its folder: record in, card out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from cds_service.clinical import risk_models
from cds_service.clinical.clinic import CLINIC
from cds_service.engine.answer import decide
from cds_service.engine.gather import from_bundle, gather
from cds_service.formats import strict_json
from cds_service.protocol import validate
from cds_service.protocol.request import parse
from cds_service.protocol.response import HookResponse
from hooks.patient_view import SERVICE
from tests.support.golden import AS_OF, FOLDER, Json

qfracture = pytest.importorskip("bonecds_qfracture.model", reason="the folder qfracture/ is not there")

SITE = 'base = "us"\nrisk_models = ["qfracture-2012"]\n'
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"


@dataclass(frozen=True)
class _Point:
    """The entry point that qfracture/pyproject.toml declares."""

    name: str = "qfracture-2012"

    def load(self) -> object:
        return qfracture.MODEL


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(risk_models, "entry_points", lambda **_: (_Point(),))
    risk_models.installed.cache_clear()
    yield
    risk_models.installed.cache_clear()


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def observation(ident: str, code: str, **value: Any) -> Json:
    subject = {"reference": "Patient/p1"}
    return {"resourceType": "Observation", "id": ident, "status": "final", "code": coded(LOINC, code),
            "subject": subject, "effectiveDateTime": "2026-05-01", **value}  # fmt: skip


def order(ident: str, drug: str, mg: int) -> Json:
    period = {"start": "2026-01-10", "end": "2026-08-10"}
    timing = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": period}}
    dose = {"timing": timing, "doseAndRate": [{"doseQuantity": {"value": mg, "unit": "mg"}}],
            "route": coded(SNOMED, "26643006")}  # fmt: skip
    return {"resourceType": "MedicationRequest", "id": ident, "status": "active", "intent": "order",
            "authoredOn": "2026-01-10", "medicationCodeableConcept": coded(RXNORM, drug),
            "subject": {"reference": "Patient/p1"}, "dosageInstruction": [dose]}  # fmt: skip


NEVER_SMOKED = observation("smoking", "72166-2", valueCodeableConcept=coded(SNOMED, "266919005"))
NO_ALCOHOL = observation("alcohol", "74013-4", valueQuantity={"value": 0, "unit": "{drinks}/d"})
BMI = observation("bmi", "39156-5", valueQuantity={"value": 21.3, "unit": "kg/m2", "code": "kg/m2"})
PREDNISONE, SERTRALINE, GABAPENTIN = order("m1", "8640", 10), order("m2", "36437", 50), order("m3", "25480", 300)
# The woman of vector Q12-099, but for her falls.
RECORD = (
    {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1974-01-01"},
    NEVER_SMOKED, NO_ALCOHOL, BMI, PREDNISONE, SERTRALINE, GABAPENTIN,
)  # fmt: skip


def card(*record: Json, site: str = SITE) -> Json:
    """The card about assessment for that whole record."""
    records = from_bundle(strict_json.load(json.dumps(list(record)).encode()), SERVICE.needs)
    response = HookResponse(decide(SERVICE, records, AS_OF, CLINIC.site(site, "site.toml"), "x").cards).to_json()
    assert validate.violations_of_response(response) == []
    (found,) = [each for each in response["cards"] if "Assessment" in each["source"]["topic"]["code"]]
    return dict(found)


def lines(*record: Json) -> list[str]:
    block = card(*record)["detail"].partition("**Supporting figures**\n\n")[2]
    return [line.removeprefix("- ") for line in block.splitlines()]


def test_the_whole_block() -> None:
    first, counted, absent, not_looked_for, limits, ethnicity, drugs, symptoms, disclaimer = lines(*RECORD)
    assert first == (
        f"Computed with the {qfracture.MODEL.title}: major osteoporotic fracture within 10 years: at least 5.5 %; "
        "hip fracture within 10 years: at least 0.8 %. It decided nothing on this card."
    )
    assert counted == (
        "Counted: Recorded sex female; Age 52; BMI 21.3 kg/m2 (2026-05-01); Smoking: never (2026-05-01); "
        "Alcohol: 0 (2026-05-01); antidepressant, shown by Medication: sertraline (2026-01-10); "
        "systemic glucocorticoid (yes or no, dose not counted), shown by "
        "Glucocorticoid: prednisone 10 mg/day (from 2026-01-10 to 2026-08-10); "
        "epilepsy or anticonvulsant, shown by Medication: gabapentin (2026-01-10)."
    )
    assert absent.startswith("Looked for, not found and assumed absent: myeloma; bone metastasis;")
    assert not_looked_for.startswith("Not looked for and counted as absent: other cancer; asthma; COPD; angina;")
    assert "Multiple sclerosis is not an input, the dose of a glucocorticoid is not counted" in limits
    assert ethnicity == 'Ethnicity is not read: the category "White or not stated" is used for everybody.'
    assert drugs.startswith("A drug counts when it is taken now")
    assert "symptoms of multiple sclerosis" in symptoms
    assert disclaimer == qfracture.MODEL.licence_note


def test_the_rest_of_the_card_is_that_without_the_model() -> None:
    told, plain = card(*RECORD), card(*RECORD, site='base = "us"\n')
    told["detail"] = told["detail"].partition("\n\n**Supporting figures**")[0]
    assert told == plain


def test_d11_the_race_and_ethnicity_on_record_change_nothing() -> None:
    patient, *others = RECORD
    extension = {
        "url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
        "extension": [{"url": "text", "valueString": "Indian"}],
    }
    assert lines({**patient, "extension": [extension]}, *others) == lines(*RECORD)


@pytest.mark.parametrize(
    ("missing", "instead", "why"),
    [
        (NEVER_SMOKED, (), "Not on record: smoking."),
        (
            NEVER_SMOKED,
            (observation("smoking", "72166-2", valueCodeableConcept=coded(SNOMED, "77176002")),),
            "the record says that the patient smokes, and not how much.",
        ),
        (NO_ALCOHOL, (), "Not on record: alcohol."),
        (
            NO_ALCOHOL,
            (observation("alcohol", "74013-4", valueQuantity={"value": 1, "unit": "{drinks}/d"}),),
            "alcohol is recorded in drinks a day, and the equations count UK units; no conversion is verified here.",
        ),
        (BMI, (), "Not on record: BMI."),
    ],
)
def test_s3_not_calculable_says_why_and_needs_no_disclaimer(missing: Json, instead: tuple[Json, ...], why: str) -> None:
    record = [each for each in RECORD if each is not missing]
    assert lines(*record, *instead) == [f"{qfracture.MODEL.title}: not calculable. {why}"]


def test_s2_conditions_that_could_not_be_looked_up_make_it_not_calculable() -> None:
    """The scenario's call, with the one look-up failed: the figure says so instead of taking the diseases as absent."""
    request = json.loads((FOLDER / "gc-assessment-due" / "request.json").read_text("utf-8"))
    request["prefetch"]["conditions"] = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "timeout"}],
    }
    call = parse(strict_json.load(json.dumps(request).encode()), hook="patient-view")
    decision = decide(SERVICE, gather(call, SERVICE.needs), AS_OF, CLINIC.site(SITE, "site.toml"), "x")
    (told,) = [each.detail for each in decision.cards if "Supporting figures" in each.detail]
    block = told.partition("**Supporting figures**")[2]
    assert "not calculable" in block
    assert "Look-up failed: conditions" in block
    assert "%" not in block
