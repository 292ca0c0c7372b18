"""Records of the invented patients, as their calls bring them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cds_service.clinical import profiles
from cds_service.clinical.profiles import Profile
from cds_service.engine.gather import from_bundle, gather
from cds_service.formats import strict_json
from cds_service.kernel.needs import Records
from cds_service.protocol import request
from hooks.patient_view import SERVICE
from tests.support.golden import FOLDER, Scenario


def profile(name: str = "us") -> Profile:
    """A built-in profile."""
    return profiles.profile(name)


@lru_cache
def records_of(name: str) -> Records:
    """What the call of a scenario gives to read."""
    call = Scenario(FOLDER / name).text("request.json").encode()
    return gather(request.parse(strict_json.load(call), hook="patient-view"), SERVICE.needs)


def records(*resources: Mapping[str, Any], born: str = "1956-03-01", sex: str = "female") -> Records:
    """A whole record, completely looked up: the patient, and these resources."""
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": born, "gender": sex}
    told = [{**each, "subject": {"reference": "Patient/p1"}} for each in resources]
    return from_bundle([patient, *told], SERVICE.needs)


def score(value: str, on: str = "2026-05-04", code: str = "38264-8", ident: str = "s1", **more: Any) -> dict[str, Any]:
    """A T-score; of the hip, unless another code is given."""
    return {
        "resourceType": "Observation",
        "id": ident,
        "status": "final",
        "effectiveDateTime": on,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": float(value), "unit": "{T-score}"},
        **more,
    }
