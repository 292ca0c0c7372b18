"""Every service must pass the conformance tests: one line in `APPS` per service."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from cds_service.cli.serve import build_app
from cds_service.web.settings import Settings
from hooks.patient_view import SERVICE
from tests.conformance.stub import StubService, stub_app
from tests.conformance.wire import CALL, PATIENT, Wire

# A woman with multiple sclerosis; everything else was looked up and not found (null).
IN_SCOPE = """
  "patient": {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1950-03-04"},
  "conditions": {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": {
    "resourceType": "Condition",
    "id": "c1",
    "subject": {"reference": "Patient/p1"},
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "verificationStatus": {"coding": [{"code": "confirmed"}]},
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "24700007"}]}
  }}]}"""


def _stub() -> Wire:
    return Wire(stub_app(), StubService().id, CALL.replace("PREFETCH", PATIENT))


def _patient_view() -> Wire:
    empty = sorted(set(SERVICE.prefetch) - {"patient", "conditions"})
    prefetch = ", ".join([IN_SCOPE, *(f"{json.dumps(key)}: null" for key in empty)])
    app = build_app(Settings(as_of=dt.date(2026, 6, 15)))
    return Wire(app, SERVICE.id, CALL.replace("PREFETCH", f"{{{prefetch}}}"))


APPS: dict[str, Callable[[], Wire]] = {"stub": _stub, "patient-view": _patient_view}


@pytest.fixture(params=APPS)
def wire(request: pytest.FixtureRequest) -> Wire:
    """A client of each service in turn."""
    return APPS[request.param]()
