"""Whose data is this? One patient per call, proven and not assumed (S4; `safety.md` D1-D6).

A reference proves something only if it names a Patient by type and logical id, or if it is the `fullUrl` of
the patient's own entry. An identifier, a display name or an id that is local to a container proves
nothing: such a resource is unattributed, which is neither ours nor another patient's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.needs import Resource


class Attribution(Enum):
    """Whether a resource belongs to the patient of the call."""

    YES = "yes"
    FOREIGN = "foreign"
    UNATTRIBUTED = "unattributed"


# Elements of R4 (and of DSTU2 and STU3) that say whom a resource is about: `subject` and `patient` nearly
# everywhere, `for` in Task, `beneficiary` in Coverage, `individual` in ResearchSubject, `candidate` in
# EnrollmentRequest.
_PATIENT_ELEMENTS = ("subject", "patient", "for", "beneficiary", "individual", "candidate")

# Types that need not name a patient. Where one of them does (Device, MeasureReport), the reference is
# checked.
_ABOUT_NOBODY = frozenset(
    """
    ActivityDefinition Appointment AuditEvent Binary CapabilityStatement CodeSystem ConceptMap Device
    DeviceDefinition Endpoint Group HealthcareService ImplementationGuide InsurancePlan Library Linkage
    Location Measure MeasureReport Medication MedicationKnowledge MessageHeader NamingSystem
    OperationDefinition Organization OrganizationAffiliation Parameters PlanDefinition Practitioner
    PractitionerRole Provenance Questionnaire ResearchStudy Schedule SearchParameter Slot
    StructureDefinition Subscription Substance ValueSet
    """.split()  # noqa: SIM905  (a list of forty lines is harder to read)
)

# `base` is greedy: everything before the last Type/id. Ids are taken as they come: some servers break the
# FHIR id pattern, and comparing for equality needs no pattern.
_LITERAL = re.compile(
    r"(?:(?P<base>[A-Za-z][A-Za-z0-9+.\-]*://.+)/)?(?P<type>[A-Z][A-Za-z]*)/(?P<id>[^/?#\s]+)(?:/_history/[^/?#\s]+)?"
)


@dataclass(frozen=True, slots=True)
class OnePatient:
    """Decides for one call which resources belong to its patient.

    Attributes:
        patient_id: logical id of the patient.
        bases: FHIR bases (as `normal_base` writes them) on which that id means this patient.
        own_urls: `fullUrl`s of the patient's own entries, for references by `urn:uuid`.
    """

    patient_id: str
    bases: frozenset[str] = frozenset()
    own_urls: frozenset[str] = frozenset()
    _references: dict[str, Attribution] = field(default_factory=dict, init=False, repr=False, compare=False)
    _prefixes: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def belongs(self, resource: Resource, full_url: str = "") -> Attribution:
        """Whose resource it is.

        Args:
            resource: any FHIR resource.
            full_url: the `fullUrl` of its Bundle entry: a relative reference is relative to it (D3).
        """
        kind = resource.get("resourceType")
        if kind == "Patient":
            return self._patient(resource, full_url)
        found = [
            self._reference(value, resource, full_url)
            for name in _PATIENT_ELEMENTS
            if name in resource
            for value in items(resource[name])
        ]
        if Attribution.FOREIGN in found:
            return Attribution.FOREIGN
        if Attribution.YES in found or (not found and kind in _ABOUT_NOBODY):
            return Attribution.YES
        return Attribution.UNATTRIBUTED

    def _patient(self, patient: Resource, full_url: str) -> Attribution:
        ident = string(patient.get("id"))
        if not ident:
            return self._resolve(full_url.strip())
        if ident != self.patient_id or not self._base_fits(full_url):
            return Attribution.FOREIGN
        return Attribution.YES

    def _reference(self, value: object, resource: Resource, full_url: str) -> Attribution:
        text = value if isinstance(value, str) else mapping(value).get("reference")
        if not isinstance(text, str):
            return Attribution.UNATTRIBUTED
        text = text.strip()
        if text.startswith("#"):
            return self._contained(text, resource)
        found = self._references.get(text)
        if found is None:
            found = self._references[text] = self._resolve(text)
        if found is Attribution.YES and text.startswith("Patient/") and not self._base_fits(full_url):
            return Attribution.FOREIGN
        return found

    def _resolve(self, text: str) -> Attribution:
        if text in self.own_urls or text == f"Patient/{self.patient_id}":
            return Attribution.YES
        if text.startswith(("urn:uuid:", "urn:oid:")):
            # A UUID is the same everywhere; one we have not met may be anybody's.
            return Attribution.YES if text.split(":", 2)[2] == self.patient_id else Attribution.UNATTRIBUTED
        match = _LITERAL.fullmatch(text)
        if match is None or match["type"] != "Patient":
            return Attribution.UNATTRIBUTED
        if match["id"] != self.patient_id:
            return Attribution.FOREIGN
        ours = match["base"] is None or normal_base(match["base"]) in self.bases
        return Attribution.YES if ours else Attribution.FOREIGN

    def _contained(self, text: str, resource: Resource) -> Attribution:
        """A contained id is local: equal, the sender inlined our Patient; different, it tells nothing."""
        for value in items(resource.get("contained")):
            contained = mapping(value)
            if contained.get("resourceType") == "Patient" and string(contained.get("id")).lstrip("#") == text[1:]:
                return Attribution.YES if text[1:] == self.patient_id else Attribution.UNATTRIBUTED
        return Attribution.UNATTRIBUTED

    def _base_fits(self, full_url: str) -> bool:
        """Whether an entry's `fullUrl` is on one of our bases; true where it names no base."""
        if "://" not in full_url:
            return True
        prefix = full_url.rsplit("/", 2)[0]
        fits = self._prefixes.get(prefix)
        if fits is None:
            base = base_of(full_url)
            fits = self._prefixes[prefix] = base is None or base in self.bases
        return fits


def one_patient(patient_id: str, fhir_server: str | None, found: Iterable[tuple[Resource, str]]) -> OnePatient:
    """What is known about the patient of this call.

    The base on which `patient_id` means our patient is `fhirServer`; without it, the base of the Patient's
    own `fullUrl`; without that, the only base seen in the call. Where several are seen and none leads, none
    counts.

    Args:
        patient_id: logical id from the context of the call.
        fhir_server: the `fhirServer` of the call, where there is one.
        found: every resource of the call with its `fullUrl`.
    """
    everything = tuple(found)
    own = {
        url
        for resource, url in everything
        if url and resource.get("resourceType") == "Patient" and resource.get("id") == patient_id
    }
    if fhir_server:
        bases = {normal_base(fhir_server)}
    else:
        bases = {base for url in own if (base := base_of(url))} or _bases_seen(everything)
        bases = bases if len(bases) == 1 else set()
    # An entry of another server with our patient's id is not ours (D3), so its address proves nothing.
    ours = frozenset(url for url in own if (base := base_of(url)) is None or base in bases)
    return OnePatient(patient_id, frozenset(bases), ours)


def _bases_seen(found: Iterable[tuple[Resource, str]]) -> set[str]:
    """The bases of all addresses and patient references in the call."""
    addresses: dict[str, str] = {}  # one address for each beginning: nearly all of a call begin alike
    for resource, url in found:
        if resource.get("resourceType") in _ABOUT_NOBODY:
            continue
        addresses[url.rsplit("/", 2)[0]] = url
        for name in _PATIENT_ELEMENTS:
            if name in resource:
                for value in items(resource[name]):
                    text = string(value) or string(mapping(value).get("reference"))
                    addresses[text] = text
    return {base for address in addresses.values() if (base := base_of(address))}


def base_of(url: str) -> str | None:
    """The FHIR base of an absolute resource address, normalised; `None` where it has none."""
    if "://" not in url:
        return None
    match = _LITERAL.fullmatch(url.strip())
    return normal_base(match["base"]) if match and match["base"] else None


def normal_base(url: str) -> str:
    """A FHIR base in a form that can be compared.

    Scheme, default port, case and a slash at the end are left out: HAPI behind a proxy writes http for https,
    NextGen writes `/r4/` and `/R4/` for one server.
    """
    address = url.strip().lower().split("://", 1)[-1].rstrip("/")
    host, slash, path = address.partition("/")
    return host.removesuffix(":443").removesuffix(":80") + slash + path


def address_id(full_url: str) -> str:
    """The id that a `fullUrl` gives a resource: the end of a `urn:uuid` or of an address; "" for none."""
    text = full_url.strip()
    if text.startswith("urn:uuid:"):
        return text.removeprefix("urn:uuid:")
    match = _LITERAL.fullmatch(text)
    return match["id"] if match else ""


def with_id(resource: Resource, full_url: str) -> Resource:
    """The resource, with the id of its `fullUrl` where it has none.

    A transaction or message need not repeat it (the NHS e-prescription messages do not), and both references and the
    search for duplicates go by id.
    """
    ident = "" if resource.get("id") else address_id(full_url)
    return {**resource, "id": ident} if ident else resource


def is_merged(patient: Resource) -> bool:
    """Whether this Patient record was merged into another one: it must not be advised on (D6)."""
    return any(string(mapping(link).get("type")).lower() == "replaced-by" for link in items(patient.get("link")))
