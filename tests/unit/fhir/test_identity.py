"""Whose data is this? The equivalence table of references (safety.md D1-D6, S4): JSON text in, attribution out."""

from __future__ import annotations

import pytest

from cds_service.fhir.identity import Attribution, OnePatient, address_id, base_of, is_merged, normal_base, one_patient
from cds_service.formats import strict_json
from cds_service.kernel.needs import Resource

YES, FOREIGN, UNATTRIBUTED = Attribution.YES, Attribution.FOREIGN, Attribution.UNATTRIBUTED
OURS = "https://ehr.example.org/fhir"
OTHER = "https://other.example.org/fhir"
UUID = "urn:uuid:78d3c2eb-009e-4ec8-a358-b042954aa9b2"


def resource(text: str) -> Resource:
    found = strict_json.load(text.encode())
    assert isinstance(found, dict)
    return found


def about(subject: str, more: str = "") -> Resource:
    return resource(f'{{"resourceType": "Observation", "id": "o1", "subject": {subject}{more}}}')


def belongs(text: Resource, url: str = "", server: str | None = OURS) -> Attribution:
    return one_patient("1", server, [(text, url)]).belongs(text, url)


# --- D4: the same patient, written in many ways ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        pytest.param("Patient/1", YES, id="relative"),
        pytest.param(" Patient/1 ", YES, id="blanks"),
        pytest.param("Patient/1/_history/3", YES, id="versioned"),
        pytest.param(f"{OURS}/Patient/1", YES, id="absolute"),
        pytest.param(f"{OURS}/Patient/1/_history/3", YES, id="absolute-versioned"),
        pytest.param("HTTP://EHR.example.org:80/fhir/Patient/1", YES, id="same-server-written-otherwise"),
        pytest.param("Patient/2", FOREIGN, id="other-id"),
        pytest.param("Patient/11", FOREIGN, id="id-that-starts-alike"),
        pytest.param("Patient/2/_history/1", FOREIGN, id="other-id-versioned"),
        pytest.param(f"{OURS}/Patient/2", FOREIGN, id="other-id-absolute"),
        pytest.param(f"{OTHER}/Patient/1", FOREIGN, id="D3-same-id-other-server"),
        pytest.param(f"{OTHER}/Patient/1/_history/1", FOREIGN, id="D3-same-id-other-server-versioned"),
        pytest.param(UUID, UNATTRIBUTED, id="uuid-of-nobody-we-know"),
        pytest.param("urn:uuid:1", YES, id="uuid-equal-to-the-id"),
        pytest.param("urn:oid:1.2.3", UNATTRIBUTED, id="oid"),
        pytest.param("#p", UNATTRIBUTED, id="contained-but-not-there"),
        pytest.param("1", UNATTRIBUTED, id="id-without-type"),
        pytest.param("", UNATTRIBUTED, id="blank"),
        pytest.param("patient/1", UNATTRIBUTED, id="type-in-lower-case"),
        pytest.param("Group/1", UNATTRIBUTED, id="group"),
        pytest.param("Practitioner/1", UNATTRIBUTED, id="practitioner"),
        pytest.param("Patient?identifier=http://mrn.example.org|1", UNATTRIBUTED, id="conditional"),
        pytest.param("Patient/1?x=2", UNATTRIBUTED, id="with-a-query"),
        pytest.param("https://ehr.example.org/fhir/Patient/1#frag", UNATTRIBUTED, id="with-a-fragment"),
    ],
)
def test_d4_equivalence_table(reference: str, expected: Attribution) -> None:
    assert belongs(about(f'{{"reference": "{reference}"}}')) is expected


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param('{"identifier": {"system": "http://mrn.example.org", "value": "1"}}', id="identifier-only"),
        pytest.param('{"display": "Doe, Jane"}', id="display-only"),
        pytest.param("null", id="null"),
        pytest.param("[]", id="empty-list"),
        pytest.param("{}", id="empty-object"),
        pytest.param("7", id="number"),
        pytest.param("true", id="boolean"),
        pytest.param('{"reference": 7}', id="reference-is-a-number"),
        pytest.param('{"reference": {"reference": "Patient/1"}}', id="reference-in-a-reference"),
        pytest.param('{"reference": null}', id="reference-is-null"),
    ],
)
def test_d4_what_names_no_patient_is_unattributed(subject: str) -> None:
    assert belongs(about(subject)) is UNATTRIBUTED


def test_d4_a_resource_without_any_reference_is_unattributed() -> None:
    assert belongs(resource('{"resourceType": "Observation", "id": "o1"}')) is UNATTRIBUTED


@pytest.mark.parametrize(
    "subject", ['"Patient/1"', '[{"reference": "Patient/1"}]', '[null, {"reference": "Patient/1"}]']
)
def test_item_45_a_reference_in_another_shape_is_taken_as_meant(subject: str) -> None:
    assert belongs(about(subject)) is YES


@pytest.mark.parametrize(
    ("kind", "element"),
    [
        ("Observation", "subject"),
        ("Condition", "subject"),
        ("Condition", "patient"),  # DSTU2
        ("MedicationRequest", "subject"),
        ("AllergyIntolerance", "patient"),
        ("FamilyMemberHistory", "patient"),
        ("Immunization", "patient"),
        ("Device", "patient"),
        ("RelatedPerson", "patient"),
        ("Task", "for"),
        ("Coverage", "beneficiary"),
        ("ResearchSubject", "individual"),
        ("EnrollmentRequest", "candidate"),
    ],
)
def test_d2_every_element_that_names_the_patient_is_read(kind: str, element: str) -> None:
    def one(ident: str) -> Resource:
        return resource(f'{{"resourceType": "{kind}", "{element}": {{"reference": "Patient/{ident}"}}}}')

    assert (belongs(one("1")), belongs(one("2"))) == (YES, FOREIGN)


def test_d2_one_foreign_reference_among_several_is_enough() -> None:
    several = about('[{"reference": "Patient/1"}, {"reference": "Patient/2"}]')
    two_elements = about('{"reference": "Patient/1"}', ', "patient": {"reference": "Patient/2"}')
    assert (belongs(several), belongs(two_elements)) == (FOREIGN, FOREIGN)


@pytest.mark.parametrize("kind", ["Medication", "Practitioner", "Organization", "Location", "Device", "Provenance"])
def test_d4_types_that_are_about_nobody_need_no_reference(kind: str) -> None:
    assert belongs(resource(f'{{"resourceType": "{kind}", "id": "x"}}'), f"{OTHER}/{kind}/x") is YES


# --- contained and in-bundle references ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("contained", "reference", "expected"),
    [
        pytest.param('[{"resourceType": "Patient", "id": "1"}]', "#1", YES, id="our-patient-inlined"),
        pytest.param('{"resourceType": "Patient", "id": "#1"}', "#1", YES, id="hash-in-the-id-and-no-list"),
        pytest.param('[{"resourceType": "Patient", "id": "p"}]', "#p", UNATTRIBUTED, id="a-local-id-proves-nothing"),
        pytest.param('[{"resourceType": "Group", "id": "1"}]', "#1", UNATTRIBUTED, id="not-a-patient"),
        pytest.param('"odd"', "#1", UNATTRIBUTED, id="contained-is-a-text"),
    ],
)
def test_d4_contained_patients(contained: str, reference: str, expected: Attribution) -> None:
    assert belongs(about(f'{{"reference": "{reference}"}}', f', "contained": {contained}')) is expected


def test_d4_a_uuid_is_resolved_by_the_full_url_of_the_patient_entry() -> None:
    patient = resource('{"resourceType": "Patient", "id": "1"}')
    ours = about(f'{{"reference": "{UUID}"}}')
    who = one_patient("1", None, [(patient, UUID), (ours, "urn:uuid:2")])
    other = about('{"reference": "urn:uuid:00000000-0000-4000-8000-000000000000"}')
    assert [who.belongs(patient, UUID), who.belongs(ours, "urn:uuid:2"), who.belongs(other)] == [YES, YES, UNATTRIBUTED]


# --- D1, D3: patients and servers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patient", "url", "expected"),
    [
        pytest.param('"id": "1"', "", YES, id="D1-ours"),
        pytest.param('"id": "1"', f"{OURS}/Patient/1", YES, id="D1-ours-with-address"),
        pytest.param('"id": "2"', "", FOREIGN, id="D1-other-id"),
        pytest.param('"id": "1"', f"{OTHER}/Patient/1", FOREIGN, id="D3-ours-on-another-server"),
        pytest.param('"active": true', "", UNATTRIBUTED, id="no-id"),
        pytest.param('"id": 1', "", UNATTRIBUTED, id="id-is-a-number"),
        pytest.param('"active": true', f"{OURS}/Patient/1", YES, id="no-id-but-our-address"),
        pytest.param('"active": true', f"{OURS}/Patient/2", FOREIGN, id="no-id-but-the-address-of-another"),
        pytest.param('"active": true', UUID, UNATTRIBUTED, id="no-id-and-an-unknown-uuid"),
    ],
)
def test_d1_d3_patient_resources(patient: str, url: str, expected: Attribution) -> None:
    assert belongs(resource(f'{{"resourceType": "Patient", {patient}}}'), url) is expected


def test_d3_a_relative_reference_is_relative_to_the_full_url() -> None:
    ours = about('{"reference": "Patient/1"}')
    assert belongs(ours, f"{OURS}/Observation/o1") is YES
    assert belongs(ours, f"{OTHER}/Observation/o1") is FOREIGN


def test_d3_an_absolute_reference_says_by_itself_whose_it_is() -> None:
    """A laboratory's own server may hold results about our patient."""
    assert belongs(about(f'{{"reference": "{OURS}/Patient/1"}}'), f"{OTHER}/Observation/o1") is YES


@pytest.mark.parametrize("url", ["urn:uuid:5", "Observation/o1", "https://ehr.example.org", "x://"])
def test_d3_a_full_url_that_names_no_server_says_nothing(url: str) -> None:
    assert belongs(about('{"reference": "Patient/1"}'), url) is YES


def test_d3_without_a_fhir_server_the_only_base_in_the_call_counts() -> None:
    assert belongs(about(f'{{"reference": "{OTHER}/Patient/1"}}'), server=None) is YES


def test_d3_without_a_fhir_server_two_bases_prove_nothing() -> None:
    one, two = about(f'{{"reference": "{OURS}/Patient/1"}}'), about('{"reference": "Patient/1"}')
    who = one_patient("1", None, [(one, ""), (two, f"{OTHER}/Observation/o1")])
    assert (who.belongs(one), who.belongs(two, f"{OTHER}/Observation/o1"), who.belongs(two)) == (FOREIGN, FOREIGN, YES)


def test_d3_without_a_fhir_server_the_base_of_the_patient_leads() -> None:
    patient = resource('{"resourceType": "Patient", "id": "1"}')
    other = about('{"reference": "Patient/1"}')
    who = one_patient("1", None, [(patient, f"{OURS}/Patient/1"), (other, f"{OTHER}/Observation/o1")])
    found = [who.belongs(patient, f"{OURS}/Patient/1"), who.belongs(other, f"{OTHER}/Observation/o1")]
    assert found == [YES, FOREIGN]


def test_d3_one_id_on_two_servers_is_not_one_patient() -> None:
    patient = resource('{"resourceType": "Patient", "id": "1"}')
    who = one_patient("1", None, [(patient, f"{OURS}/Patient/1"), (patient, f"{OTHER}/Patient/1")])
    assert who.belongs(patient, f"{OURS}/Patient/1") is FOREIGN


def test_d3_medications_of_another_server_do_not_confuse_the_bases() -> None:
    ours = about('{"reference": "Patient/1"}')
    drug = resource('{"resourceType": "Medication", "id": "m"}')
    who = one_patient("1", None, [(ours, f"{OURS}/Observation/o1"), (drug, "https://drugs.example.org/Medication/m")])
    assert who.belongs(ours, f"{OURS}/Observation/o1") is YES


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param("https://ehr.example.org/fhir", "http://ehr.example.org/fhir", id="HAPI-behind-a-proxy"),
        pytest.param("https://ehr.example.org/R4", "https://ehr.example.org/r4/", id="NextGen-case-of-the-path"),
        pytest.param("https://ehr.example.org:443/fhir", "https://EHR.example.org/fhir", id="port-and-case"),
    ],
)
def test_d3_one_server_written_in_two_ways(one: str, two: str) -> None:
    assert normal_base(one) == normal_base(two)


@pytest.mark.parametrize(
    "look_alike",
    ["https://ehr.example.org.evil/fhir", "https://ehr.example.org@evil/fhir", "https://ehr.example.org/fhir/tenant2"],
)
def test_b2_look_alikes_are_other_servers(look_alike: str) -> None:
    assert normal_base(look_alike) != normal_base(OURS)


@pytest.mark.parametrize(
    ("url", "base", "ident"),
    [
        (f"{OURS}/Observation/7/_history/2", "ehr.example.org/fhir", "7"),
        (UUID, None, "78d3c2eb-009e-4ec8-a358-b042954aa9b2"),
        ("Observation/7", None, "7"),
        ("https://ehr.example.org", None, ""),
        ("", None, ""),
    ],
)
def test_what_a_full_url_tells(url: str, base: str | None, ident: str) -> None:
    assert (base_of(url), address_id(url)) == (base, ident)


# --- D6 --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "merged"),
    [
        ('[{"other": {"reference": "Patient/9"}, "type": "replaced-by"}]', True),
        ('{"type": "Replaced-By"}', True),
        ('[{"type": "seealso"}, {"type": "replaced-by"}]', True),
        ('[{"type": "replaces"}]', False),
        ('[{"type": "refer"}, null, 7]', False),
        ('"replaced-by"', False),
    ],
)
def test_d6_a_merged_record_is_recognised(link: str, merged: bool) -> None:
    assert is_merged(resource(f'{{"resourceType": "Patient", "id": "1", "active": false, "link": {link}}}')) is merged


def test_d6_an_inactive_record_is_not_a_merged_one() -> None:
    assert is_merged(resource('{"resourceType": "Patient", "id": "1", "active": false}')) is False


def test_c10_a_very_long_reference_is_answered_quickly() -> None:
    long = "https://" + "a/" * 200_000 + "Patient/"
    assert OnePatient("1").belongs({"resourceType": "Observation", "subject": {"reference": long}}) is UNATTRIBUTED
