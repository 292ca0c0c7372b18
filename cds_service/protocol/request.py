"""A CDS Hooks call as it came in: a strict envelope, and tolerance for what senders get wrong harmlessly.

Built for 2.0.1; calls of 1.0 and of the 3.0 draft pass too. FHIR resources are not looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from jsonschema.exceptions import ValidationError

from cds_service.kernel.errors import RequestRefused
from cds_service.protocol.validate import asked_by, path_of, schema_errors

# Patients and their relatives may fire patient-view too (HL7/cds-hooks-library patient-view.md).
USER_TYPES = ("Practitioner", "PractitionerRole", "Patient", "RelatedPerson")
_USER_TYPE_OF = {name.lower(): name for name in USER_TYPES}
_FHIR_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9\-.]{1,64}")
_ABSENT = (None, "")
_OTHER_HOOK = "GET /cds-services lists the service of each hook."
_DOCS = "The format is at https://cds-hooks.hl7.org/2.0/ under Calling a CDS Service."


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call. Whatever may identify somebody is left out of `repr` (S8).

    Attributes:
        hook: the hook that fired.
        hook_instance: the sender's id of this call, any non-empty text.
        user_type: one of `USER_TYPES`; empty when `userId` does not tell.
        user_id: logical id of the user; the whole `userId` when it is not of the form `Type/id`.
        patient_id: logical id of the patient, safe to stand in a URL.
        encounter_id: logical id of the encounter, if any.
        fhir_server: base URL of the sender's FHIR server, if any.
        access_token: what the FHIR server asks for, if it came; it lives as long as this call and is shown nowhere.
        context: the whole context, with the hook's other fields (draftOrders ...).
        prefetch: what was supplied, key by key, any JSON value; absent prefetch is empty.
    """

    hook: str
    hook_instance: str = field(repr=False)
    user_type: str
    user_id: str = field(repr=False)
    patient_id: str = field(repr=False)
    encounter_id: str | None = field(repr=False)
    fhir_server: str | None = field(repr=False)
    access_token: str | None = field(repr=False)
    context: Mapping[str, Any] = field(repr=False)
    prefetch: Mapping[str, Any] = field(repr=False)


def parse(body: object, *, hook: str) -> HookRequest:
    """Read the body of a call.

    Args:
        body: parsed JSON.
        hook: the hook of the service that was called.

    Returns:
        The call.

    Raises:
        RequestRefused: not a usable call of that hook; the message names the JSON path and repeats no value.
    """
    if not isinstance(body, dict):
        raise RequestRefused("the body must be a JSON object", next_step=_DOCS)
    body = _without_blanks(body)
    if isinstance(fired := body.get("hook"), str) and fired != hook:
        raise RequestRefused(f"this service is called on the hook {hook}", "hook", _OTHER_HOOK)
    for error in schema_errors("request", body):
        if not _tolerated(error):
            raise RequestRefused(f"a value {asked_by(error)}", path_of(error), _DOCS)
    context, authorization = body["context"], body.get("fhirAuthorization", {})
    patient_id = _id(context, "patientId")
    if authorization and "fhirServer" not in body:
        raise RequestRefused("fhirAuthorization came without fhirServer", "fhirServer", "Send both or neither.")
    _same_patient(authorization, patient_id)
    user_type, user_id = _user(context.get("userId"))
    return HookRequest(
        hook=hook,
        hook_instance=body["hookInstance"],
        user_type=user_type,
        user_id=user_id,
        patient_id=patient_id,
        encounter_id=_id(context, "encounterId") if "encounterId" in context else None,
        fhir_server=body.get("fhirServer"),
        access_token=_token(authorization),
        context=context,
        prefetch=body.get("prefetch", {}),
    )


def _without_blanks(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without optional fields that hold nothing: .NET and Java serialisers write null or ""."""
    optional = ("fhirServer", "fhirAuthorization", "extension")
    kept = {key: value for key, value in body.items() if key not in optional or value not in _ABSENT}
    context = kept.get("context")
    if isinstance(context, dict) and context.get("encounterId", "?") in _ABSENT:
        kept["context"] = {key: value for key, value in context.items() if key != "encounterId"}
    return kept


def _tolerated(error: ValidationError) -> bool:
    """Departures from the specification that harm nobody."""
    path = list(error.absolute_path)
    # expires_in is missing from some senders (cds-hooks/sandbox #65), scope is free text at Epic; the FHIR
    # server's answer decides what a token is worth. A wrong `patient` is caught by `_same_patient`.
    if path[:1] == ["fhirAuthorization"]:
        return len(path) > 1 or error.validator == "required"
    # An odd value under one prefetch key fails that look-up, not the call.
    if path[:1] == ["prefetch"]:
        return len(path) > 1
    # Not tolerated: `_id` refuses these itself and says what to send instead.
    return path in (["context", "patientId"], ["context", "encounterId"])


def _id(context: Mapping[str, Any], name: str) -> str:
    ident = context.get(name)
    # fullmatch: the `$` of the schema lets a line break pass.
    if isinstance(ident, str) and _FHIR_ID.fullmatch(ident):
        return ident
    raise RequestRefused(
        f"context.{name} must be a FHIR id",
        f"context.{name}",
        "Send the logical id alone: 1 to 64 letters, digits, '-' and '.', without a type in front.",
    )


def _same_patient(authorization: Mapping[str, Any], patient_id: str) -> None:
    bound = authorization.get("patient")
    if bound in _ABSENT or bound in (patient_id, f"Patient/{patient_id}"):
        return
    raise RequestRefused(
        "the access token is bound to another patient than the call is about",
        "fhirAuthorization.patient",
        "Send a token of the patient in context.patientId.",
    )


def _token(authorization: Mapping[str, Any]) -> str | None:
    token = authorization.get("access_token")
    return token if isinstance(token, str) and token else None


def _user(user: object) -> tuple[str, str]:
    """Type and id. URLs, versions and odd case are read: a patient must not pass for a clinician (S10)."""
    if not isinstance(user, str):
        return "", ""
    parts = user.strip().split("/")
    for kind, ident in reversed(list(pairwise(parts))):
        if known := _USER_TYPE_OF.get(kind.lower()):
            return known, ident
    return "", user
