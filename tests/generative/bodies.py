"""Bodies nobody should send: calls of the scenarios with something done to them, JSON of any shape, and bytes.

Two canaries tell what gets out. One stands where the service has no business (names, identifiers, tokens, fields we do not
know): it may come out nowhere. The other is put in place of any text: it may stand on a card, where it is escaped, but in no
refusal and no line of the log.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Any

from hypothesis import strategies as st

from cds_service.protocol import validate
from tests.support import golden
from tests.support.golden import Json, scenarios

NOWHERE = "zqNowhere7f3a"
NO_REFUSAL = "zqRefusal9c1d"
_PERSON = ("name", "identifier", "telecom", "address", "contact", "photo")
_SERVICES = ("bone-health-patient-view", "bone-health-order-select", "bone-health-order-sign")

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        [
            NO_REFUSAL, "", "0", "-2.5", "2,5", "1e400", "2026-02-30", "0001-01-01", "9999-12-31T23:59:59-14:00", "Patient/p1",
            "Patient/p2", "urn:uuid:0", "entered-in-error", "mg", "http://loinc.org", "\u202e", "\x00", "x" * 3000,
        ]
    ),
)  # fmt: skip
_anything = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["resourceType", "id", "code", "value", "entry", "x"]), inner, max_size=4),
    ),
    max_leaves=12,
)
_changes = st.lists(
    st.tuples(st.sampled_from(["drop", "put", "wrap", "unwrap", "repeat", "swap"]), st.integers(0, 2**20), _anything),
    min_size=1,
    max_size=5,
)
_bytes = st.lists(st.tuples(st.integers(0, 2**20), st.binary(max_size=6)), max_size=2)


@dataclass(frozen=True, slots=True)
class Sent:
    """A body, and the service it goes to."""

    service: str
    body: bytes


@cache
def _calls() -> tuple[Json, ...]:
    """The scenarios' calls, with canaries and a token."""
    return tuple(_with_canaries(each.json("request.json")) for each in scenarios())


def _with_canaries(call: Json) -> Json:
    token = {"access_token": NOWHERE, "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": NOWHERE}
    call |= {"fhirAuthorization": token, "extension": {"org.example": NOWHERE}, "x": [NOWHERE]}
    call["context"]["x"] = NOWHERE
    for _, _, held in list(_places(call["prefetch"])):
        if isinstance(held, dict) and "resourceType" in held:
            held["x-unknown"] = NOWHERE
            if held["resourceType"] == "Patient":
                held |= {key: [{"text": NOWHERE, "value": NOWHERE, "family": NOWHERE}] for key in _PERSON}
    return call


@st.composite
def _changed(draw: st.DrawFn) -> Sent:
    """A call to which something was done; sometimes to its bytes as well."""
    calls = _calls()
    call = copy.deepcopy(calls[draw(st.integers(0, len(calls) - 1))])
    service = f"bone-health-{call['hook']}"
    for kind, number, value in draw(_changes):
        _change(call, kind, number, value)
    body = json.dumps(call, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    for place, put in draw(st.one_of(st.just([]), st.just([]), _bytes)):
        at = place % (len(body) + 1)
        body = body[:at] + put + body[at + len(put) :]
    return Sent(service, body)


def _change(call: Json, kind: str, number: int, value: Any) -> None:
    places = list(_places(call))
    holder, key, held = places[number % len(places)]
    if kind == "drop":
        del holder[key]
    elif kind == "put":
        holder[key] = value
    elif kind == "wrap":
        holder[key] = [held]
    elif kind == "unwrap":
        holder[key] = held[0] if isinstance(held, list) and held else value
    elif kind == "repeat":
        holder[key] = [held] * (number % 40)
    else:
        holder[key] = copy.deepcopy(places[number * 7919 % len(places)][2])


def _places(node: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Holder, key and value of everything inside."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield node, key, value
        yield from _places(value)


def _enveloped(value: Any, hook: str) -> Json:
    return {"hook": hook, "hookInstance": "1", "context": {"userId": "1", "patientId": "p1"}, "prefetch": value}


_random = st.builds(
    lambda service, value, inside: Sent(
        service, json.dumps(_enveloped(value, service.removeprefix("bone-health-")) if inside else value).encode()
    ),
    st.sampled_from(_SERVICES),
    st.one_of(_anything, st.dictionaries(st.sampled_from(["patient", "conditions", "boneDensity"]), _anything)),
    st.booleans(),
)
_noise = st.builds(Sent, st.sampled_from(_SERVICES), st.binary(max_size=400))
# seven of nine are calls that were changed
sent = st.one_of(*[_changed()] * 7, _random, _noise)


@cache
def _client() -> Any:
    return golden.app().test_client()


def _of_ours(text: str) -> str:
    """The answer without the sender's own draft, which goes back whole with one change, whatever it holds."""
    body = json.loads(text)
    for card in body.get("cards", ()):
        for action in (each for suggestion in card.get("suggestions", ()) for each in suggestion["actions"]):
            if action["type"] == "update":
                del action["resource"]
    return json.dumps(body)


def faults(case: Sent) -> list[str]:
    """What is wrong with the answer; nothing, if all is well."""
    log, kept = StringIO(), sys.stderr
    sys.stderr = log
    try:
        answer = _client().post(
            f"/cds-services/{case.service}", data=case.body, headers={"Content-Type": "application/json"}
        )
    finally:
        sys.stderr = kept
    checks: dict[str, Callable[[], bool]] = {
        f"status {answer.status_code}": lambda: answer.status_code not in (200, 400, 412, 413),
        "a canary in the answer": lambda: NOWHERE in _of_ours(answer.text),
        "a canary in the log": lambda: NOWHERE in log.getvalue() or NO_REFUSAL in log.getvalue(),
        "a value in a refusal": lambda: answer.status_code != 200 and NO_REFUSAL in answer.text,
        "an answer against the schema": lambda: (
            answer.status_code == 200 and validate.violations_of_response(answer.get_json()) != []
        ),
    }
    return [name for name, wrong in checks.items() if wrong()]
