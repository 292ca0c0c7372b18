"""Proposals as suggestions: one action each, a FHIR draft for this patient, nothing ticked in advance (S10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.fhir.build import is_medication_request, medication_request, service_request
from cds_service.fhir.read import items, mapping, string
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError
from cds_service.kernel.rules import Proposal
from cds_service.protocol.response import Action, ActionType, Suggestion

# FHIR R4: request-status and medicationrequest-status
_TAKEN_BACK = frozenset({"entered-in-error", "revoked", "cancelled", "stopped"})
_UCUM, _SNOMED = "http://unitsofmeasure.org", "http://snomed.info/sct"
_CODING = {
    "type": "object",
    "required": ["system", "code"],
    "additionalProperties": False,
    "properties": {name: {"type": "string", "minLength": 1} for name in ("system", "code", "display")},
}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["label", "description", "text"],
        "anyOf": [{"required": ["codings"]}, {"required": ["change"]}],
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string", "minLength": 1},
            "description": {"type": "string", "minLength": 1},
            "text": {"type": "string", "minLength": 1},
            "codings": {"type": "array", "minItems": 1, "items": _CODING},
            "covers": {"type": "array", "items": {"type": "string"}},
            "change": {
                "type": "object",
                "required": ["frequency", "period", "periodUnit"],
                "additionalProperties": False,
                "properties": {
                    **{key: {"type": "integer", "minimum": 1} for key in ("frequency", "period")},
                    "periodUnit": {"enum": ["d", "wk", "mo", "a"]},
                },
            },
            "dosage": {
                "type": "object",
                "required": ["text", "route", "amount", "unit", "every", "period"],
                "additionalProperties": False,
                "properties": {
                    **{key: {"type": "string", "minLength": 1} for key in ("text", "route", "unit")},
                    **{key: {"type": "integer", "minimum": 1} for key in ("amount", "every")},
                    "period": {"enum": ["d", "wk", "mo", "a"]},
                },
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class Order:
    """Something that can be ordered: parallel codings of one service or product, its words, and the orders it makes needless.

    `dosage` makes it a drug: words, route (SNOMED CT), amount and unit at once, and how often. `change` makes it a change of
    an order that is being written: how often.
    """

    label: str
    description: str
    text: str
    codings: tuple[Mapping[str, str], ...]
    covers: tuple[str, ...] = ()
    dosage: Mapping[str, Any] | None = None
    change: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """For whom drafts are: logical ids of the patient and of the encounter, if any; and the orders being written, by `Type/id`."""

    patient_id: str
    encounter_id: str | None = None
    drafts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def load_orders(text: str, file: str) -> Mapping[str, Order]:
    """Read `orders.toml`.

    Raises:
        ContentError: an order is incomplete, or covers one that does not exist.
    """
    content = strict_toml.load(text, file, _SCHEMA)
    for key, each in content.items():
        if unknown := [other for other in each.get("covers", ()) if other not in content]:
            raise ContentError(file, f"{key}.covers", f"there is no order {unknown[0]!r}", "Write the key of an order.")
    return {
        key: Order(
            each["label"],
            each["description"],
            each["text"],
            tuple(each.get("codings", ())),
            tuple(each.get("covers", ())),
            each.get("dosage"),
            each.get("change"),
        )
        for key, each in content.items()
    }


def without_covered(proposals: Iterable[Proposal], orders: Mapping[str, Order]) -> tuple[Proposal, ...]:
    """Each proposal once, without those that another one covers: nobody is offered the same examination twice."""
    once = dict.fromkeys(proposals)
    covered = {key for each in once for key in orders[each.order].covers}
    return tuple(each for each in once if each.order not in covered)


def already_ordered(drafts: Iterable[Mapping[str, Any]], orders: Mapping[str, Order]) -> frozenset[str]:
    """The orders that are in the basket already, by their codes, and those they cover; not what was taken back."""
    standing = (
        each for each in drafts if string(each.get("status")) not in _TAKEN_BACK and not each.get("doNotPerform")
    )
    codes = {code for draft in standing for code in _codes_of(draft)}
    there = {key for key, each in orders.items() if codes & {(c["system"], c["code"]) for c in each.codings}}
    return frozenset(there | {key for each in there for key in orders[each].covers})


def _codes_of(draft: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("code", "medicationCodeableConcept"):
        for coding in map(mapping, items(mapping(draft.get(name)).get("coding"))):
            yield string(coding.get("system")), string(coding.get("code"))


def suggestion(proposal: Proposal, orders: Mapping[str, Order], subject: Subject, card_uuid: str) -> Suggestion | None:
    """One suggestion with one action: Epic takes no more than one, and shows its description.

    Returns:
        `None` for a change of an order that cannot be made without guessing.
    """
    order = orders[proposal.order]
    action = _changed(order, subject, proposal.target) if proposal.target else _created(order, subject)
    ident = str(uuid.uuid5(uuid.UUID(card_uuid), f"{proposal.order}{proposal.target}"))
    return Suggestion(order.label, ident, (action,)) if action else None


def _created(order: Order, subject: Subject) -> Action:
    codings = [dict(coding) for coding in order.codings]
    if order.dosage:
        dosage = _dosage(order.dosage)
        resource = medication_request(subject.patient_id, codings, order.text, dosage, subject.encounter_id)
    else:
        resource = service_request(subject.patient_id, codings, order.text, encounter_id=subject.encounter_id)
    return Action(ActionType.CREATE, order.description, resource)


def _changed(order: Order, subject: Subject, target: str) -> Action | None:
    """The whole draft with another rhythm; words about the old one go.

    Nothing where it has not exactly one dosage, is no draft any more (an order that runs is not changed by a click), or does
    not say that it is this patient's: such an order is warned about and not sent back.
    """
    draft = subject.drafts.get(target, {})
    instructions = items(draft.get("dosageInstruction"))
    whose = f"/{string(mapping(draft.get('subject')).get('reference'))}"
    if draft.get("status") != "draft" or not whose.endswith(f"/Patient/{subject.patient_id}"):
        return None
    if not order.change or len(instructions) != 1 or not is_medication_request(draft):
        return None
    dosage = {
        key: value for key, value in mapping(instructions[0]).items() if key not in ("text", "patientInstruction")
    }
    repeat = mapping(mapping(dosage.get("timing")).get("repeat"))
    bounds = {key: value for key, value in repeat.items() if key.startswith("bounds")}
    dosage |= {"text": order.text, "timing": {"repeat": {**bounds, **order.change}}}
    return Action(ActionType.UPDATE, order.description, {**draft, "dosageInstruction": [dosage]})


def _dosage(told: Mapping[str, Any]) -> dict[str, Any]:
    """The FHIR Dosage of a drug that is offered."""
    amount = {"value": told["amount"], "unit": told["unit"].strip("{}"), "system": _UCUM, "code": told["unit"]}
    return {
        "text": told["text"],
        "timing": {"repeat": {"frequency": 1, "period": told["every"], "periodUnit": told["period"]}},
        "route": {"coding": [{"system": _SNOMED, "code": told["route"]}]},
        "doseAndRate": [{"doseQuantity": amount}],
    }
