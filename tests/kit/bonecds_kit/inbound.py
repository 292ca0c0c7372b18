"""Hostile and broken requests, row by row, made from what a service's own discovery document says of it.

Statuses are those that are right for any service. 5xx never is; nor is a connection that is closed without an answer, but
where a body is so long that a service may hang up on it.
"""

from __future__ import annotations

import copy
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

PATIENT = "testkit-1"
OTHER = "testkit-2"
# stands in values that an answer must not repeat
MARK = "testkit-not-to-be-repeated"
EXTENSION = "org.bonecds.testkit"

_REFUSED = frozenset({400, 422})
_TOO_MUCH = frozenset({400, 413, 422})
_HUNG_UP = frozenset({0})
_NOT_JSON = frozenset({400, 415})
_OTHER_PATIENT = frozenset({400, 403, 409, 412, 422})
_OK = frozenset({200})
# far above the limit any service of this kind needs
_LONG = 32_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One service of a discovery document."""

    id: str
    hook: str
    prefetch: Mapping[str, str]
    all_hooks: frozenset[str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        name: says what is wrong with it.
        body: of it.
        expected: the statuses that are right.
        headers: besides its length and its token.
        chunked: sent without a length.
        secret: must not stand in the answer.
    """

    name: str
    body: bytes
    expected: frozenset[int]
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    chunked: bool = False
    secret: bytes = b""


@dataclass(frozen=True, slots=True)
class InboundRow:
    """A row of the threat table.

    Attributes:
        id: of the row.
        title: of the row.
        calls: what to send to a service; none: the row says nothing about it.
        none: why there are none.
        needs_an_answer: whether a refusal says something only where the good request is answered 200.
    """

    id: str
    title: str
    calls: Callable[[Entry], tuple[Call, ...]]
    none: str = ""
    needs_an_answer: bool = False


# --- the good request ------------------------------------------------------------------------------------------------

_EMPTY: Json = {"resourceType": "Bundle", "type": "searchset", "total": 0}
_ORDERS = ("order-select", "order-sign")


def good(entry: Entry) -> Json:
    """A request that is right in every way: one invented woman, of whom nothing else is known."""
    return {
        "hook": entry.hook,
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/testkit", "patientId": PATIENT, **_context(entry.hook)},
        "prefetch": {key: _value(template) for key, template in entry.prefetch.items()},
        "extension": {EXTENSION: 1},
    }


def _context(hook: str) -> Json:
    bundle = {"resourceType": "Bundle", "type": "collection"}
    contexts: dict[str, Json] = {
        "order-select": {"selections": [], "draftOrders": bundle},
        "order-sign": {"draftOrders": bundle},
        "appointment-book": {"appointments": bundle},
        "encounter-start": {"encounterId": "testkit-e1"},
        "encounter-discharge": {"encounterId": "testkit-e1"},
        "order-dispatch": {"dispatchedOrders": ["ServiceRequest/testkit-o1"], "performer": "Organization/testkit"},
    }
    return contexts.get(hook, {})


def _value(template: str, patient: str = PATIENT) -> Json | None:
    """What a client would send under a key with this template."""
    person = {"resourceType": "Patient", "id": patient, "gender": "female", "birthDate": "1960-05-17"}
    if template.startswith("Patient/"):
        return person
    if template.startswith("Patient?"):
        return {**_EMPTY, "total": 1, "entry": [{"resource": person, "search": {"mode": "match"}}]}
    return dict(_EMPTY) if "?" in template else None


# --- how requests are spoilt -----------------------------------------------------------------------------------------


def _text(entry: Entry) -> str:
    return json.dumps(good(entry))


def _replaced(entry: Entry, old: str, new: str) -> bytes:
    text = _text(entry)
    if old not in text:
        raise ValueError(old)  # a request that was not spoilt would be judged as one that was
    return text.replace(old, new, 1).encode("utf-8", "surrogatepass")


def _with_value(entry: Entry, raw: str) -> bytes:
    """The good request with this text as a value where any value may stand."""
    return _replaced(entry, f'"{EXTENSION}": 1', f'"{EXTENSION}": {raw}')


def _with_context(entry: Entry, **changes: object) -> bytes:
    """The good request with other members in its context; `...` leaves one out."""
    body = good(entry)
    merged = {**body["context"], **changes}
    body["context"] = {name: value for name, value in merged.items() if value is not ...}
    return json.dumps(body).encode()


def _with_member(entry: Entry, name: str, value: object) -> bytes:
    """The good request with another member at its top; `...` leaves it out."""
    body = {**good(entry), name: value}
    return json.dumps({key: value for key, value in body.items() if value is not ...}).encode()


def _values(entry: Entry, expected: frozenset[int], *values: tuple[str, str]) -> tuple[Call, ...]:
    return tuple(Call(name, _with_value(entry, raw), expected) for name, raw in values)


# --- the rows --------------------------------------------------------------------------------------------------------


def _c1(entry: Entry) -> tuple[Call, ...]:
    long = _text(entry).encode().ljust(_LONG)
    expected = _TOO_MUCH | _HUNG_UP
    return (
        Call("32 MB, with its length", long, expected),
        Call("32 MB in chunks", long, expected, chunked=True),
    )


def _c2(entry: Entry) -> tuple[Call, ...]:
    kinds = (("lists", "[", "]"), ("objects", '{"a":', "}"))
    nested = [(f"{n} {kind}", a * n + "1" + z * n) for n in (5_000, 100_000) for kind, a, z in kinds]
    return _values(entry, _TOO_MUCH, *nested)


def _c3(entry: Entry) -> tuple[Call, ...]:
    return _values(entry, _REFUSED, *((text, text) for text in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999")))


def _c4(entry: Entry) -> tuple[Call, ...]:
    patient = f'"patientId": "{PATIENT}"'
    twice = _replaced(entry, patient, f'{patient}, "patientId": "{MARK}"')
    first = _replaced(entry, patient, f'"patientId": "{MARK}", {patient}')
    return (
        Call("the patient, another last", twice, _REFUSED, secret=MARK.encode()),
        Call("the patient, another first", first, _REFUSED, secret=MARK.encode()),
        Call("the prefetch", _replaced(entry, '"hook":', '"prefetch": {}, "hook":'), _REFUSED),
        *_values(entry, _REFUSED, ("in a list, and equal", '[{"key": 1, "key": 1}]')),
    )


def _c5(entry: Entry) -> tuple[Call, ...]:
    plain = _with_value(entry, '"?"')
    return (
        Call("a byte that is not UTF-8", plain.replace(b'"?"', b'"\xff"'), _NOT_JSON),
        Call("an overlong form", plain.replace(b'"?"', b'"\xc0\xaf"'), _NOT_JSON),
        Call("half a surrogate pair, escaped", plain.replace(b'"?"', b'"\\ud800"'), _REFUSED),
        Call("half a surrogate pair, as bytes", plain.replace(b'"?"', b'"\xed\xa0\x80"'), _NOT_JSON),
        Call("UTF-16", plain.decode().encode("utf-16"), _NOT_JSON),
        Call("UTF-32", plain.decode().encode("utf-32"), _NOT_JSON),
        # RFC 8259, 8.1: may be ignored, or be an error
        Call("a byte order mark", b"\xef\xbb\xbf" + plain, _OK | _NOT_JSON),
    )


def _c6(entry: Entry) -> tuple[Call, ...]:
    # right if it is read exactly, too, which cannot be seen from outside
    numbers = (("5,000 digits", "9" * 5_000), ("1 and 400 zeros", "1" + "0" * 400), ("40 decimals", "0." + "1" * 40))
    return _values(entry, _TOO_MUCH | _OK, *numbers)


def _c7(entry: Entry) -> tuple[Call, ...]:
    values: tuple[object, ...] = (True, 7, None, [], {})
    patients = [(f"patientId {value!r}", _with_context(entry, patientId=value)) for value in values]
    others = [
        ("hook true", _with_member(entry, "hook", True)),
        ("hook a list", _with_member(entry, "hook", [entry.hook])),
        ("hookInstance a number", _with_member(entry, "hookInstance", 7)),
        ("context a list", _with_member(entry, "context", [])),
        ("context a text", _with_member(entry, "context", "x")),
        ("prefetch a list", _with_member(entry, "prefetch", [])),
        ("prefetch a text", _with_member(entry, "prefetch", "x")),
    ]
    return tuple(Call(name, body, _REFUSED | {412}) for name, body in (*patients, *others))


def _c8(entry: Entry) -> tuple[Call, ...]:
    bodies = ("null", "[]", '""', "0", "true", "{}", "", "   ", "cards")
    kinds = (
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    )
    text = _text(entry).encode()
    return (
        *(Call(f"body {body!r}", body.encode(), _REFUSED) for body in bodies),
        *(Call(f"content type {kind}", text, _NOT_JSON, (("Content-Type", kind),)) for kind in kinds),
        Call("no content type", text, _NOT_JSON, ()),
    )


def _c9(entry: Entry) -> tuple[Call, ...]:
    many = "[" + ",".join(["{}"] * 1_000_000) + "]"
    return (Call("a million objects in 3 MB", _with_value(entry, many), _TOO_MUCH | _HUNG_UP),)


def _c11(entry: Entry) -> tuple[Call, ...]:
    odd = {"right to left": "\u202e", "zero width": "\u200b", "NUL": "\x00", "escape": "\x1b[2J", "markup": "<script>"}
    return tuple(
        Call(name, _with_member(entry, "hookInstance", [MARK + text]), _REFUSED, secret=MARK.encode())
        for name, text in odd.items()
    )


def _c13(entry: Entry) -> tuple[Call, ...]:
    ids = ("a/b", f"Patient/{PATIENT}", "../testkit-2", "a b", "a?b", "a%2fb", "", "a" * 65, "a\n")
    others = sorted(entry.all_hooks - {entry.hook}) or [
        "patient-view" if entry.hook != "patient-view" else "order-sign"
    ]
    return (
        Call("an unknown hook", _with_member(entry, "hook", "testkit-unknown"), _REFUSED),
        Call("no hook", _with_member(entry, "hook", ...), _REFUSED),
        Call("no hookInstance", _with_member(entry, "hookInstance", ...), _REFUSED),
        *(Call(f"the hook {hook}", _with_member(entry, "hook", hook), _REFUSED) for hook in others),
        Call("no context", _with_member(entry, "context", ...), _REFUSED),
        Call("no patientId", _with_context(entry, patientId=...), _REFUSED),
        *(Call(f"patientId {each[:20]!r}", _with_context(entry, patientId=each), _REFUSED) for each in ids),
    )


def _d1(entry: Entry) -> tuple[Call, ...]:
    found = []
    for key, template in entry.prefetch.items():
        if template.startswith("Patient"):
            body = good(entry)
            body["prefetch"][key] = _value(template, OTHER)
            found.append(Call(f"under {key}", json.dumps(body).encode(), _OTHER_PATIENT, secret=OTHER.encode()))
    return tuple(found)


def _d5(entry: Entry) -> tuple[Call, ...]:
    if entry.hook not in _ORDERS:
        return ()
    return (
        Call("the patient's own", _draft(entry, PATIENT), _OK),
        Call("another patient's", _draft(entry, OTHER), _OTHER_PATIENT, secret=OTHER.encode()),
    )


def _draft(entry: Entry, patient: str) -> bytes:
    order = {
        "resourceType": "MedicationRequest",
        "id": "testkit-o1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"text": "an invented drug"},
    }
    body = copy.deepcopy(good(entry))
    body["context"]["draftOrders"]["entry"] = [{"resource": order}]
    if entry.hook == "order-select":
        body["context"]["selections"] = ["MedicationRequest/testkit-o1"]
    return json.dumps(body).encode()


TABLE: tuple[InboundRow, ...] = (
    InboundRow("C1", "a body that is too long, with a length and without", _c1),
    InboundRow("C2", "deep nesting", _c2),
    InboundRow("C3", "numbers that JSON does not have", _c3),
    InboundRow("C4", "a key that stands twice: refused, and no value repeated", _c4),
    InboundRow("C5", "text that is not UTF-8", _c5),
    InboundRow("C6", "numbers of many digits: refused, or read exactly", _c6),
    InboundRow("C7", "a value of another kind", _c7),
    InboundRow("C8", "bodies that are no request, and other content types", _c8),
    InboundRow("C9", "very many small values", _c9),
    InboundRow("C11", "odd characters: they come back in no error", _c11),
    InboundRow("C13", "an unknown or wrong hook, a missing context, ids that are paths", _c13),
    InboundRow(
        "D1",
        "another patient in the prefetch",
        _d1,
        none="the service asks for no Patient",
        needs_an_answer=True,
    ),
    InboundRow(
        "D5",
        "a draft order of another patient",
        _d5,
        none="the hook has no draft orders",
        needs_an_answer=True,
    ),
)
