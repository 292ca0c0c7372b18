"""Proposals as suggestions: one action each, a FHIR draft for this patient, nothing ticked in advance (S10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.fhir.build import service_request
from cds_service.formats import strict_toml
from cds_service.kernel.errors import ContentError
from cds_service.kernel.rules import Proposal
from cds_service.protocol.response import Action, ActionType, Suggestion

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
        "required": ["label", "description", "text", "codings"],
        "additionalProperties": False,
        "properties": {
            "label": {"type": "string", "minLength": 1},
            "description": {"type": "string", "minLength": 1},
            "text": {"type": "string", "minLength": 1},
            "codings": {"type": "array", "minItems": 1, "items": _CODING},
            "covers": {"type": "array", "items": {"type": "string"}},
        },
    },
}


@dataclass(frozen=True, slots=True)
class Order:
    """Something that can be ordered: parallel codings of one service, its words, and the orders it makes needless."""

    label: str
    description: str
    text: str
    codings: tuple[Mapping[str, str], ...]
    covers: tuple[str, ...] = ()


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
            each["label"], each["description"], each["text"], tuple(each["codings"]), tuple(each.get("covers", ()))
        )
        for key, each in content.items()
    }


def without_covered(proposals: Iterable[Proposal], orders: Mapping[str, Order]) -> tuple[Proposal, ...]:
    """Each proposal once, without those that another one covers: nobody is offered the same examination twice."""
    once = dict.fromkeys(proposals)
    covered = {key for each in once for key in orders[each.order].covers}
    return tuple(each for each in once if each.order not in covered)


def suggestion(proposal: Proposal, orders: Mapping[str, Order], patient_id: str, card_uuid: str) -> Suggestion:
    """One suggestion with one action: Epic takes no more than one, and shows its description."""
    order = orders[proposal.order]
    resource = service_request(patient_id, [dict(coding) for coding in order.codings], order.text)
    ident = str(uuid.uuid5(uuid.UUID(card_uuid), proposal.order))
    return Suggestion(order.label, ident, (Action(ActionType.CREATE, order.description, resource),))
