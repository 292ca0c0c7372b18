"""The requests a client sends: one call of a hook, and the feedback on its cards."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson

from cds_service.fhir import answers
from cds_service.fhir.read import items, mapping, string
from cds_service.kernel.errors import InputError

Json = dict[str, Any]
ORDER_HOOKS = ("order-select", "order-sign")
_NOT_ORDERS = frozenset({"Medication", "Patient", "Practitioner", "PractitionerRole", "Encounter", "Organization"})


@dataclass(frozen=True, slots=True)
class Access:
    """What the service may read by itself.

    Attributes:
        fhir_server: the base of the EHR's FHIR server.
        token: for it; "" to name the server and give no access.
        scope: of the token, as it was granted; "" where that is not known.
    """

    fhir_server: str
    token: str = field(default="", repr=False)
    scope: str = ""


def context_of(hook: str, patient: str, user: str, encounter: str = "", orders: Sequence[Json] = ()) -> Json:
    """The context of a call.

    Args:
        hook: of the service.
        patient: logical id.
        user: `Practitioner/example`.
        encounter: logical id, or "".
        orders: drafts, for the order hooks; all count as selected.

    Raises:
        InputError: orders for a hook that has none, or none for a hook that needs them.
    """
    if bool(orders) != (hook in ORDER_HOOKS):
        raise InputError(
            f"the hook {hook} {'takes no' if orders else 'needs'} draft orders",
            "--draft-order",
            f"Give --draft-order FILE with {' and '.join(ORDER_HOOKS)}, and only there.",
        )
    found: Json = {"userId": user, "patientId": patient}
    if encounter:
        found["encounterId"] = encounter
    if orders:
        drafts = [_of_patient(each, number, patient) for number, each in enumerate(orders, 1)]
        chosen = [f"{d['resourceType']}/{d['id']}" for d in drafts if d["resourceType"] not in _NOT_ORDERS]
        found |= {"selections": chosen} if hook == "order-select" else {}
        entries = [{"resource": each} for each in drafts]
        found["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return found


def orders_in(data: object) -> list[Json]:
    """The draft orders of a file: one resource, a list or a Bundle.

    Raises:
        InputError: there is none.
    """
    wrapped = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in items(data)]}
    found = [dict(each) for each in answers.read_all(wrapped).resources]
    if not found:
        raise InputError("no order was found", "--draft-order", "Give a FHIR R4 order, a list, or a Bundle of them.")
    return found


def _of_patient(order: Json, number: int, patient: str) -> Json:
    kept = {"status": "draft", "intent": "order", **order} if order["resourceType"] not in _NOT_ORDERS else dict(order)
    kept.setdefault("id", f"draft-{number}")
    if order["resourceType"] not in _NOT_ORDERS:
        kept.setdefault("subject", {"reference": f"Patient/{patient}"})
    return kept


def request_of(hook: str, context: Json, prefetch: Mapping[str, Any], access: Access | None = None) -> Json:
    """The body of a call, with an id of its own."""
    body: Json = {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context, "prefetch": dict(prefetch)}
    if access:
        body["fhirServer"] = access.fhir_server
        if access.token:
            body["fhirAuthorization"] = {
                "access_token": access.token,
                "token_type": "Bearer",
                "expires_in": 300,
                "scope": access.scope or "patient/*.read",
                "subject": "bonecds-client",
                "patient": context["patientId"],
            }
    return body


def feedback_of(cards: Sequence[object], outcome: str, when: str) -> tuple[Json, list[str]]:
    """The body of a feedback call about every card that can have that outcome.

    Args:
        cards: of the response.
        outcome: "accepted" or "overridden".
        when: RFC 3339, UTC.

    Returns:
        The body, its list empty where no card can; and why cards were left out.
    """
    entries: list[Json] = []
    left_out: list[str] = []
    for number, card in enumerate(map(mapping, cards)):
        ident = string(card.get("uuid"))
        if not ident:
            left_out.append(f"cards[{number}] has no uuid, so no feedback can name it")
            continue
        entry: Json = {"card": ident, "outcome": outcome, "outcomeTimestamp": when}
        if outcome == "accepted":
            suggestion = _suggestion(card)
            if not suggestion:
                left_out.append(f"cards[{number}] has no suggestion to accept")
                continue
            entry["acceptedSuggestions"] = [{"id": suggestion}]
        elif reason := _reason(card):
            entry["overrideReason"] = {"reason": reason}
        entries.append(entry)
    return {"feedback": entries}, left_out


def _suggestion(card: Mapping[str, Any]) -> str:
    """The recommended suggestion, else the first; its uuid."""
    found = sorted(map(mapping, items(card.get("suggestions"))), key=lambda each: each.get("isRecommended") is not True)
    return next((ident for each in found if (ident := string(each.get("uuid")))), "")


def _reason(card: Mapping[str, Any]) -> Json:
    reason = next(map(mapping, items(card.get("overrideReasons"))), {})
    return {name: reason[name] for name in ("code", "system", "display") if string(reason.get(name))}


def as_bytes(body: Any) -> bytes:
    """JSON in which a number keeps all its digits."""
    return orjson.dumps(body, default=_number)


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(str(value))
    raise TypeError(type(value).__name__)
