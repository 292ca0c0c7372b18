"""An EHR on loopback, what it holds, and a call that reads from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bonecds_kit.faultfhir import FaultFhir, Quirks
from cds_service.clinical.terminology import terminology
from cds_service.engine.gather import gather
from cds_service.fhir.client.dialects import dialect
from cds_service.fhir.client.fetcher import HttpFetcher, Lanes, Server
from cds_service.fhir.client.search import Limits
from cds_service.formats.urls import parse_base
from cds_service.kernel.needs import LookupState, Need, Records

Json = dict[str, Any]
PAGES_OF_20 = Quirks(page_size=20)
ME = {"reference": "Patient/p1"}
PATIENT: Json = {"resourceType": "Patient", "id": "p1"}


@dataclass(frozen=True)
class Call:
    """A call without any prefetch, unless it is given."""

    fhir_server: str | None
    access_token: str | None = field(default="let-me-in", repr=False)
    patient_id: str = "p1"
    prefetch: Mapping[str, Any] = field(default_factory=dict)
    encounter_id: str | None = None
    hook: str = "patient-view"
    context: Mapping[str, Any] = field(default_factory=dict)


def vitamin_d(number: int, code: str = "1989-3", **more: Any) -> Json:
    """A 25-OH vitamin D result, or an Observation with another LOINC code."""
    category = [
        {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}
    ]
    coded = {"coding": [{"system": "http://loinc.org", "code": code}]}
    found = {"resourceType": "Observation", "id": f"o{number}", "subject": ME, "category": category, "code": coded}
    return {**found, **more}


def results(count: int) -> list[Json]:
    """That many vitamin D results."""
    return [vitamin_d(number) for number in range(count)]


def condition(number: int, **more: Any) -> Json:
    return {"resourceType": "Condition", "id": f"c{number}", "subject": ME, **more}


def order(number: int, reference: str) -> Json:
    """A prescription that names its drug by reference."""
    medication = {"medicationReference": {"reference": reference}}
    return {"resourceType": "MedicationRequest", "id": f"m{number}", "subject": ME, **medication}


def server_of(ehr: FaultFhir, name: str = "generic", ca_bundle: str | None = None, parallel: int = 8) -> Server:
    """The registration of an EHR."""
    return Server(parse_base(ehr.base, insecure=True), dialect(name), ca_bundle, parallel)


def fetcher(
    *servers: Server, seconds: float = 5, lanes: Lanes | None = None, limits: Limits | None = None
) -> HttpFetcher:
    """A fetcher for those servers; five seconds are more than anything here takes that is not meant to hang."""
    return HttpFetcher(servers, terminology(), lanes or Lanes(), seconds=seconds, limits=limits)


def gathered(ehr: FaultFhir, *needs: Need, prefetch: Mapping[str, Any] | None = None, **options: Any) -> Records:
    """What a call gets from an EHR that its client has registered."""
    call = Call(ehr.base, ehr.token, prefetch=prefetch or {})
    return gather(call, needs, fetcher(server_of(ehr), **options))


def states(records: Records, needs: Sequence[Need]) -> dict[str, LookupState]:
    return {need.key: records.lookup(need.key).state for need in needs}


def ids(resources: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted(each["id"] for each in resources)
