"""Which resources count: status, intent and negation per type (`safety.md` D8), and the newest version (D9).

A resource that does not count is set aside with a reason, and counted; it is never read as if it were absent.
The codes are those of the R4 value sets; upper case, blanks for hyphens, a CodeableConcept or a list where a
code belongs are taken as they are meant (STU3 has plain strings where R4 has concepts, and the other way
round).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.needs import Resource


class Usability(Enum):
    """Whether a resource counts; only USABLE is true."""

    USABLE = "usable"
    NOT_USABLE = "not-usable"
    UNKNOWN_STATUS = "unknown-status"

    def __bool__(self) -> bool:
        return self is Usability.USABLE


class Standing(NamedTuple):
    """The answer for one resource.

    Attributes:
        usability: see `Usability`.
        reason: why it does not count, a key of `texts/` [unread] and one of `REASONS`; "" where it counts.
    """

    usability: Usability
    reason: str


ENTERED_IN_ERROR = "entered-in-error"
MODIFIED = "modifier-extension"
NO_STATUS = "no-status"
UNKNOWN = "unknown-status"
REFUTED = "refuted"
NOT_CONFIRMED = "not-confirmed"
CANCELLED = "cancelled"
DRAFT = "draft"
NOT_AN_ORDER = "not-an-order"
PLANNED = "planned"
PRELIMINARY = "preliminary"
NOT_DONE = "not-done"
NOT_FINISHED = "not-finished"
NOT_HANDED_OVER = "not-handed-over"
NOT_TAKEN = "not-taken"
ON_HOLD = "on-hold"
INACTIVE = "inactive"
DO_NOT_PERFORM = "do-not-perform"

REASONS = frozenset(
    {
        ENTERED_IN_ERROR, MODIFIED, NO_STATUS, UNKNOWN, REFUTED, NOT_CONFIRMED, CANCELLED, DRAFT,
        NOT_AN_ORDER, PLANNED, PRELIMINARY, NOT_DONE, NOT_FINISHED, NOT_HANDED_OVER, NOT_TAKEN, ON_HOLD,
        INACTIVE, DO_NOT_PERFORM,
    }
)  # fmt: skip

_COUNTS = ""


@dataclass(frozen=True, slots=True)
class _Table:
    """What each status of one type means.

    Attributes:
        status: reason by code, "" for one that counts; a code that is not here is unknown to us.
        element: the element that holds the status.
        missing: the reason when there is no status at all.
        intent: the same for `intent`, where the type has one; a missing intent counts.
        negations: elements that say yes or no to "not done" or "do not", and the reason they give.
    """

    status: Mapping[str, str]
    element: str = "status"
    missing: str = NO_STATUS
    intent: Mapping[str, str] = field(default_factory=dict)
    negations: Mapping[str, str] = field(default_factory=dict)


def _codes(by_reason: Mapping[str, str]) -> Mapping[str, str]:
    """Reason by code, from codes by reason; `entered-in-error` and `unknown` are part of nearly every set."""
    found = {code: reason for reason, codes in by_reason.items() for code in codes.split()}
    return {"entered-in-error": ENTERED_IN_ERROR, "unknown": UNKNOWN, **found}


# Results. `preliminary` numbers are not verified and may be withdrawn; `registered` has no number yet;
# `corrected` and `amended` are the valid version of a result that changed. `unknown` counts here and nowhere else:
# a result with a number is there, its sender only cannot say which of the other codes applies. The SMART sample set
# and CareEvolution send whole laboratory histories so; setting them aside would hide every vitamin D level.
_RESULT = {
    _COUNTS: "final amended corrected unknown",
    PRELIMINARY: "preliminary registered",
    CANCELLED: "cancelled",
}

# A risk that was worked out (FRAX): the same codes, but no such senders are known.
_ASSESSMENT = {_COUNTS: "final amended corrected", PRELIMINARY: "preliminary registered", CANCELLED: "cancelled"}

# `appended` adds to a final report; `partial` means that results are still to come.
_REPORT = {
    _COUNTS: "final amended corrected appended",
    PRELIMINARY: "preliminary registered partial",
    CANCELLED: "cancelled",
}

# A suspected disease is no proof of one; a refuted one is worth knowing ("somebody looked and said no").
# `ruled-out` is not in the value set but stands in the field (safety.md D8).
_VERIFICATION = {
    _COUNTS: "confirmed",
    NOT_CONFIRMED: "unconfirmed provisional differential",
    REFUTED: "refuted ruled-out",
}

# `in-progress` counts: dialysis or a course of injections goes on for years. `stopped` does not: it may
# have been broken off before anything was done (a DXA the patient could not lie down for). STU3:
# `suspended`, `aborted`.
_PROCEDURE = {
    _COUNTS: "completed in-progress",
    PLANNED: "preparation",
    NOT_DONE: "not-done",
    NOT_FINISHED: "on-hold stopped suspended aborted",
}

# A stopped or paused prescription was taken until then; the timeline decides on which days.
# eClinicalWorks sends `unknown` for ordinary prescriptions: counted and reported, never assumed taken.
_PRESCRIPTION = {_COUNTS: "active completed stopped on-hold", CANCELLED: "cancelled", DRAFT: "draft"}

# `original-order` comes from MEDHOST, `proposal` and `plan` from the Inferno reference server. An `option`
# is one of several; a `directive` is a wish of the patient.
_INTENT = {
    _COUNTS: "order original-order reflex-order filler-order instance-order",
    NOT_AN_ORDER: "proposal plan directive option",
}

# Only what the patient was given counts. Between `preparation` and `completed`, `whenHandedOver` decides
# (below): in part-fills the drug is out although the dispense is still in progress, on hold or was stopped.
_DISPENSE = {
    _COUNTS: "completed",
    NOT_HANDED_OVER: "in-progress on-hold stopped",
    PLANNED: "preparation",
    CANCELLED: "cancelled declined",
}

# An injection that was broken off or paused has no known dose: it must not count as treatment given.
_ADMINISTRATION = {_COUNTS: "completed in-progress", NOT_DONE: "not-done", NOT_FINISHED: "on-hold stopped"}

# The patient took it until it was stopped or paused; `intended` has not begun.
_STATEMENT = {_COUNTS: "active completed stopped on-hold", PLANNED: "intended", NOT_TAKEN: "not-taken"}

# For orders of tests the question is "is it on its way?": an order on hold is not. STU3: `suspended`,
# `cancelled`.
_SERVICE = {
    _COUNTS: "active completed",
    ON_HOLD: "on-hold suspended",
    CANCELLED: "revoked cancelled",
    DRAFT: "draft",
}

# `partial` only says that the family history is not all there: what is there counts. `health-unknown` tells
# nothing.
_FAMILY = {_COUNTS: "completed partial", UNKNOWN: "health-unknown"}

_ENCOUNTER = {
    _COUNTS: "arrived triaged in-progress onleave finished",
    PLANNED: "planned",
    CANCELLED: "cancelled",
}

# A device (a wheelchair, a walking aid) counts while it is in use.
_DEVICE = {_COUNTS: "active", INACTIVE: "inactive"}
_DEVICE_USE = {_COUNTS: "active", INACTIVE: "completed stopped", ON_HOLD: "on-hold", PLANNED: "intended"}

# Answers of a questionnaire that is not handed in may still change.
_ANSWERS = {_COUNTS: "completed amended", PRELIMINARY: "in-progress", NOT_FINISHED: "stopped"}

_ORDER_NEGATION = {"doNotPerform": DO_NOT_PERFORM}

_TABLES = {
    "Observation": _Table(_codes(_RESULT)),
    "RiskAssessment": _Table(_codes(_ASSESSMENT)),
    "DiagnosticReport": _Table(_codes(_REPORT)),
    # verificationStatus is optional in R4 and most problem lists leave it out: missing counts
    "Condition": _Table(_codes(_VERIFICATION), element="verificationStatus", missing=_COUNTS),
    "AllergyIntolerance": _Table(_codes(_VERIFICATION), element="verificationStatus", missing=_COUNTS),
    "Procedure": _Table(_codes(_PROCEDURE), negations={"notDone": NOT_DONE}),
    "MedicationRequest": _Table(_codes(_PRESCRIPTION), intent=_codes(_INTENT), negations=_ORDER_NEGATION),
    "MedicationDispense": _Table(_codes(_DISPENSE), negations={"notDone": NOT_DONE}),
    "MedicationAdministration": _Table(
        _codes(_ADMINISTRATION), negations={"notGiven": NOT_DONE, "wasNotGiven": NOT_DONE}
    ),
    # `taken` (y, n, unk, na) is STU3, `wasNotTaken` DSTU2
    "MedicationStatement": _Table(_codes(_STATEMENT), negations={"taken": NOT_TAKEN, "wasNotTaken": NOT_TAKEN}),
    "ServiceRequest": _Table(_codes(_SERVICE), intent=_codes(_INTENT), negations=_ORDER_NEGATION),
    "FamilyMemberHistory": _Table(_codes(_FAMILY)),
    "Encounter": _Table(_codes(_ENCOUNTER)),
    # Device.status is optional and most servers leave it out: missing counts
    "Device": _Table(_codes(_DEVICE), missing=_COUNTS),
    "DeviceUseStatement": _Table(_codes(_DEVICE_USE)),
    "QuestionnaireResponse": _Table(_codes(_ANSWERS)),
}

# A modifierExtension may negate or move the meaning of what it sits on, and these parts carry values that
# we read.
_PARTS = ("component", "dosageInstruction", "dosage", "condition")

# Longer runs of digits are opaque ids, not counters; this many digits are exact in a float.
_LONGEST_NUMBER = 15

_USABLE = Standing(Usability.USABLE, "")


def usability(resource: Resource) -> Standing:
    """Whether a resource counts, and if not, why.

    A status that is unknown, unreadable or missing where R4 requires it does not count, and is told apart
    (UNKNOWN_STATUS) from one that says no. Types without a table (Patient, Medication) have no status that
    matters here, except entered-in-error.
    """
    table = _TABLES.get(string(resource.get("resourceType")))
    if _modified(resource):
        reason = MODIFIED
    elif table is None:
        reason = ENTERED_IN_ERROR if ENTERED_IN_ERROR in _words(resource.get("status")) else _COUNTS
    else:
        reason = _reason(resource, table)
    if not reason:
        return _USABLE
    unclear = reason in (UNKNOWN, NO_STATUS)
    return Standing(Usability.UNKNOWN_STATUS if unclear else Usability.NOT_USABLE, reason)


def clinical_status(condition: Resource) -> str:
    """The clinical status of a Condition (`active`, `recurrence`, `remission` ...); "" for none or an unknown one."""
    found = _words(condition.get("clinicalStatus"))
    return next((word for word in found if word in _CLINICAL), "")


_CLINICAL = frozenset({"active", "recurrence", "relapse", "inactive", "remission", "resolved"})


def _modified(resource: Resource) -> bool:
    if resource.get("modifierExtension"):
        return True
    return any(
        mapping(part).get("modifierExtension") for name in _PARTS if name in resource for part in items(resource[name])
    )


def _reason(resource: Resource, table: _Table) -> str:
    reason = _judge(table.status, resource.get(table.element), table.missing)
    if reason == NOT_HANDED_OVER and string(resource.get("whenHandedOver")):
        reason = _COUNTS
    if reason:
        return reason
    for name, negation in table.negations.items():
        if name in resource and (negated := _negated(resource[name], negation)):
            return negated
    return _judge(table.intent, resource.get("intent"), _COUNTS) if table.intent else _COUNTS


def _judge(reasons: Mapping[str, str], value: object, missing: str) -> str:
    """The reason for a code; of several codes (translations of one status) the one that says no."""
    if isinstance(value, str) and value in reasons:
        return reasons[value]
    if value is None or value in ([], {}, ""):
        return missing
    known = [reasons[word] for word in _words(value) if word in reasons]
    if not known:
        return UNKNOWN
    return next((reason for reason in known if reason), _COUNTS)


def _negated(value: object, negation: str) -> str:
    """The reason when a yes-or-no element says "not"; one that cannot be read may say so."""
    if value is None:
        return _COUNTS
    text = str(value).lower() if isinstance(value, bool) else string(value).lower()
    return {"false": _COUNTS, "y": _COUNTS, "na": _COUNTS, "true": negation, "n": negation}.get(text, UNKNOWN)


def _words(value: object) -> list[str]:
    """The codes in a code, a Coding, a CodeableConcept or a list of these: lower case, with hyphens."""
    if isinstance(value, str):
        return ["-".join(value.lower().replace("_", " ").split())]
    found: list[str] = []
    for part in items(value):
        if isinstance(part, str):
            found += _words(part)
        else:
            concept = mapping(part)
            codes = [string(mapping(coding).get("code")) for coding in items(concept.get("coding")) or (concept,)]
            texts = codes if any(codes) else [string(concept.get("text"))]
            found += [word for text in texts for word in _words(text) if word]
    return found


def newest_versions(
    resources: Iterable[Resource], on_conflict: Callable[[Resource], None] | None = None
) -> tuple[Resource, ...]:
    """One version of each resource (D9, D11), in the order in which they came first.

    Of resources with the same type and id the highest numeric `meta.versionId` wins, else the latest
    `meta.lastUpdated`. Resources without an id are one when their content is the same.

    Args:
        resources: any resources, also the same one several times.
        on_conflict: called with every version that is kept because nothing says which is the newest.
    """
    groups: dict[tuple[str, str], list[Resource]] = {}
    for resource in resources:
        kind, ident = resource.get("resourceType"), resource.get("id")
        if not isinstance(ident, str) or not ident:
            ident = f"\0{_content(resource)}"
        group = groups.setdefault((string(kind), ident), [])
        if not any(resource is known for known in group):
            group.append(resource)
    found: list[Resource] = []
    for group in groups.values():
        newest = group if len(group) == 1 else _newest(group)
        found += newest
        if len(newest) > 1 and on_conflict:
            for resource in newest:
                on_conflict(resource)
    return tuple(found)


def _newest(group: list[Resource]) -> list[Resource]:
    """The newest of several versions; more than one only where they differ and cannot be ordered."""
    for mark in (_version, _updated):
        marks = [mark(resource) for resource in group]
        known = [m for m in marks if m is not None]
        if len(known) == len(group):
            group = [resource for resource, m in zip(group, marks, strict=True) if m == max(known)]
    return list({_content(resource): resource for resource in group}.values())


def _version(resource: Resource) -> float | None:
    """`versionId` as a number; many servers use opaque ids, which have no order."""
    text = string(mapping(resource.get("meta")).get("versionId"))
    return int(text) if text.isdecimal() and len(text) <= _LONGEST_NUMBER else None


def _updated(resource: Resource) -> float | None:
    """`lastUpdated` in seconds; without a zone it is no instant and cannot be compared."""
    try:
        instant = dt.datetime.fromisoformat(string(mapping(resource.get("meta")).get("lastUpdated")))
    except ValueError:
        return None
    return instant.timestamp() if instant.tzinfo else None


def _content(resource: Resource) -> str:
    """The content without `meta`, for comparing; what is nested too deeply is equal to nothing."""
    try:
        content = {name: value for name, value in resource.items() if name != "meta"}
        return json.dumps(content, sort_keys=True, default=str)
    except RecursionError:
        return f"object {id(resource)}"
