"""Which resources count (safety.md D8): the full cross product of the R4 value sets."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cds_service.fhir.status import REASONS, Usability, clinical_status, usability
from cds_service.formats import strict_json
from cds_service.kernel.needs import Resource


def resource(text: str) -> Resource:
    found = strict_json.load(text.encode())
    assert isinstance(found, dict)
    return found


def reason_of(text: str) -> str:
    """The reason why the resource does not count; "counts" where it does."""
    usable, reason = usability(resource(text))
    assert bool(usable) is (reason == "")
    assert reason in REASONS | {""}
    return reason or "counts"


def with_status(kind: str, code: str, more: str = "") -> str:
    return f'{{"resourceType": "{kind}", "status": "{code}"{more}}}'


# What each code of hl7.org/fhir/R4/valueset-*.html means here. A code that is left out fails the tests below.
D8: Mapping[str, Mapping[str, str]] = {
    "Observation": {
        "registered": "preliminary",
        "preliminary": "preliminary",
        "final": "counts",
        "amended": "counts",
        "corrected": "counts",
        "cancelled": "cancelled",
        "entered-in-error": "entered-in-error",
        "unknown": "counts",
    },
    "RiskAssessment": {
        "registered": "preliminary",
        "preliminary": "preliminary",
        "final": "counts",
        "amended": "counts",
        "corrected": "counts",
        "cancelled": "cancelled",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown-status",
    },
    "DiagnosticReport": {
        "registered": "preliminary",
        "partial": "preliminary",
        "preliminary": "preliminary",
        "final": "counts",
        "amended": "counts",
        "corrected": "counts",
        "appended": "counts",
        "cancelled": "cancelled",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown-status",
    },
    "Procedure": {
        "preparation": "planned",
        "in-progress": "counts",
        "not-done": "not-done",
        "on-hold": "not-finished",
        "stopped": "not-finished",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown-status",
    },
    "MedicationRequest": {
        "active": "counts",
        "on-hold": "counts",
        "cancelled": "cancelled",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "stopped": "counts",
        "draft": "draft",
        "unknown": "unknown-status",
    },
    "MedicationDispense": {
        "preparation": "planned",
        "in-progress": "not-handed-over",
        "cancelled": "cancelled",
        "on-hold": "not-handed-over",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "stopped": "not-handed-over",
        "declined": "cancelled",
        "unknown": "unknown-status",
    },
    "MedicationAdministration": {
        "in-progress": "counts",
        "not-done": "not-done",
        "on-hold": "not-finished",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "stopped": "not-finished",
        "unknown": "unknown-status",
    },
    "MedicationStatement": {
        "active": "counts",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "intended": "planned",
        "stopped": "counts",
        "on-hold": "counts",
        "unknown": "unknown-status",
        "not-taken": "not-taken",
    },
    "ServiceRequest": {
        "draft": "draft",
        "active": "counts",
        "on-hold": "on-hold",
        "revoked": "cancelled",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown-status",
    },
    "FamilyMemberHistory": {
        "partial": "counts",
        "completed": "counts",
        "entered-in-error": "entered-in-error",
        "health-unknown": "unknown-status",
    },
    "Encounter": {
        "planned": "planned",
        "arrived": "counts",
        "triaged": "counts",
        "in-progress": "counts",
        "onleave": "counts",
        "finished": "counts",
        "cancelled": "cancelled",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown-status",
    },
    "Device": {
        "active": "counts",
        "inactive": "inactive",
        "entered-in-error": "entered-in-error",
        "unknown": "unknown-status",
    },
    "DeviceUseStatement": {
        "active": "counts",
        "completed": "inactive",
        "entered-in-error": "entered-in-error",
        "intended": "planned",
        "stopped": "inactive",
        "on-hold": "on-hold",
    },
    "QuestionnaireResponse": {
        "in-progress": "preliminary",
        "completed": "counts",
        "amended": "counts",
        "entered-in-error": "entered-in-error",
        "stopped": "not-finished",
    },
}
CROSS_PRODUCT = [(kind, code, reason) for kind, codes in D8.items() for code, reason in codes.items()]


@pytest.mark.parametrize(("kind", "code", "reason"), CROSS_PRODUCT)
def test_d8_status(kind: str, code: str, reason: str) -> None:
    assert reason_of(with_status(kind, code)) == reason


@pytest.mark.parametrize(("kind", "code", "reason"), CROSS_PRODUCT)
def test_d8_case_and_hyphens_do_not_matter(kind: str, code: str, reason: str) -> None:
    assert reason_of(with_status(kind, f" {code.upper().replace('-', '_')} ")) == reason


@pytest.mark.parametrize("kind", D8)
def test_d8_a_status_we_do_not_know_is_unknown_and_not_a_no(kind: str) -> None:
    for status in ('"superseded"', "true", "7", "[7]", '{"odd": 1}'):
        found = usability(resource(f'{{"resourceType": "{kind}", "status": {status}}}'))
        assert found == (Usability.UNKNOWN_STATUS, "unknown-status")


@pytest.mark.parametrize("kind", sorted(set(D8) - {"Device"}))
def test_d8_a_missing_status_is_counted_and_not_used(kind: str) -> None:
    for text in ("{}", '{"status": null}', '{"status": ""}', '{"status": []}'):
        found = usability({**resource(text), "resourceType": kind})
        assert found == (Usability.UNKNOWN_STATUS, "no-status")


def test_d8_device_status_is_optional() -> None:
    assert reason_of('{"resourceType": "Device"}') == "counts"


# --- Condition -------------------------------------------------------------------------------------------------------

VERIFICATION = {
    "unconfirmed": "not-confirmed",
    "provisional": "not-confirmed",
    "differential": "not-confirmed",
    "confirmed": "counts",
    "refuted": "refuted",
    "ruled-out": "refuted",
    "entered-in-error": "entered-in-error",
    "unknown": "unknown-status",
}


@pytest.mark.parametrize("shape", ["concept", "list", "text", "string", "strings", "code"])
@pytest.mark.parametrize(("code", "reason"), VERIFICATION.items())
def test_d8_verification_status_in_every_shape(code: str, reason: str, shape: str) -> None:
    """R4 has a CodeableConcept, STU3 a plain code; Epic and the public sandbox send objects where lists belong."""
    value = {
        "concept": f'{{"coding": [{{"code": "{code}"}}]}}',
        "list": f'[{{"coding": {{"code": "{code}"}}}}]',
        "text": f'{{"text": "{code.replace("-", " ").title()}"}}',
        "string": f'"{code.title()}"',
        "strings": f'["{code}"]',
        "code": f'{{"code": "{code}"}}',
    }[shape]
    assert reason_of(f'{{"resourceType": "Condition", "verificationStatus": {value}}}') == reason


def test_d8_a_condition_without_verification_status_counts() -> None:
    assert reason_of('{"resourceType": "Condition"}') == "counts"


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        (("confirmed", "410605003"), "counts"),
        (("410605003", "confirmed"), "counts"),
        (("confirmed", "refuted"), "refuted"),
        (("entered-in-error", "confirmed"), "entered-in-error"),
        (("410605003",), "unknown-status"),
    ],
)
def test_d8_of_several_codings_the_one_that_says_no_decides(codes: tuple[str, ...], reason: str) -> None:
    codings = ", ".join(f'{{"code": "{code}"}}' for code in codes)
    assert reason_of(f'{{"resourceType": "Condition", "verificationStatus": {{"coding": [{codings}]}}}}') == reason


@pytest.mark.parametrize("code", ["active", "recurrence", "relapse", "inactive", "remission", "resolved"])
def test_clinical_status_in_every_shape(code: str) -> None:
    shapes = [f'{{"coding": [{{"code": "{code}"}}]}}', f'"{code.upper()}"', f'[{{"text": "{code.title()}"}}]']
    found = [clinical_status(resource(f'{{"clinicalStatus": {shape}}}')) for shape in shapes]
    assert found == [code, code, code]


@pytest.mark.parametrize("text", ["{}", '{"clinicalStatus": "gone"}', '{"clinicalStatus": 7}'])
def test_clinical_status_is_never_guessed(text: str) -> None:
    assert clinical_status(resource(text)) == ""


# --- intent, negation, hand-over -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["MedicationRequest", "ServiceRequest"])
@pytest.mark.parametrize(
    ("intent", "reason"),
    [
        ("proposal", "not-an-order"),
        ("plan", "not-an-order"),
        ("directive", "not-an-order"),
        ("order", "counts"),
        ("original-order", "counts"),
        ("reflex-order", "counts"),
        ("filler-order", "counts"),
        ("instance-order", "counts"),
        ("option", "not-an-order"),
        ("hope", "unknown-status"),
    ],
)
def test_d8_intent(kind: str, intent: str, reason: str) -> None:
    assert reason_of(with_status(kind, "active", f', "intent": "{intent}"')) == reason


@pytest.mark.parametrize(
    ("kind", "status", "element", "reason"),
    [
        ("MedicationRequest", "active", "doNotPerform", "do-not-perform"),
        ("ServiceRequest", "active", "doNotPerform", "do-not-perform"),
        ("Procedure", "completed", "notDone", "not-done"),
        ("MedicationDispense", "completed", "notDone", "not-done"),
        ("MedicationAdministration", "completed", "notGiven", "not-done"),
        ("MedicationAdministration", "completed", "wasNotGiven", "not-done"),
        ("MedicationStatement", "active", "wasNotTaken", "not-taken"),
    ],
)
def test_d8_negations_of_r4_and_its_forerunners(kind: str, status: str, element: str, reason: str) -> None:
    values = ("true", '"TRUE"', "false", '"false"', "null", "1", "{}")
    found = [reason_of(with_status(kind, status, f', "{element}": {value}')) for value in values]
    assert found == [reason, reason, "counts", "counts", "counts", "unknown-status", "unknown-status"]


@pytest.mark.parametrize(
    ("taken", "reason"), [("y", "counts"), ("na", "counts"), ("n", "not-taken"), ("unk", "unknown-status")]
)
def test_d8_stu3_statements_say_whether_it_was_taken(taken: str, reason: str) -> None:
    assert reason_of(with_status("MedicationStatement", "active", f', "taken": "{taken}"')) == reason


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("in-progress", "counts"),
        ("on-hold", "counts"),
        ("stopped", "counts"),
        ("preparation", "planned"),
        ("cancelled", "cancelled"),
        ("unknown", "unknown-status"),
    ],
)
def test_d8_a_part_fill_that_was_handed_over_counts(code: str, reason: str) -> None:
    assert reason_of(with_status("MedicationDispense", code, ', "whenHandedOver": "2026-05-01"')) == reason


# --- modifier extensions ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        with_status("Observation", "final", ', "modifierExtension": [{"url": "http://x"}]'),
        with_status("Observation", "final", ', "modifierExtension": {"url": "http://x"}'),
        with_status("Observation", "final", ', "component": [{}, {"modifierExtension": [{"url": "http://x"}]}]'),
        with_status("MedicationRequest", "active", ', "dosageInstruction": {"modifierExtension": [{}]}'),
        with_status("MedicationStatement", "active", ', "dosage": [{"modifierExtension": [{}]}]'),
        '{"resourceType": "Patient", "modifierExtension": [{"url": "http://x"}]}',
    ],
)
def test_d8_a_modifier_extension_may_turn_the_meaning_round(text: str) -> None:
    assert reason_of(text) == "modifier-extension"


@pytest.mark.parametrize("empty", ["[]", "null", "{}"])
def test_d8_an_empty_modifier_extension_modifies_nothing(empty: str) -> None:
    assert reason_of(with_status("Observation", "final", f', "modifierExtension": {empty}')) == "counts"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"resourceType": "Patient"}', "counts"),
        ('{"resourceType": "Medication", "status": "inactive"}', "counts"),
        ('{"resourceType": "Medication", "status": "entered-in-error"}', "entered-in-error"),
        ('{"status": "final"}', "counts"),
    ],
)
def test_d8_types_without_a_table(text: str, reason: str) -> None:
    assert reason_of(text) == reason
