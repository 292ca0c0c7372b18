"""JSON from outside: refused unless it is exactly what the standards allow (`safety.md` C1-C9).

orjson refuses NaN, Infinity, numbers too large for a double, UTF-16, lone surrogates and nesting over 1,024. It lets
duplicate keys pass, so a second pass with the standard library finds those, and reads fractions as
`Decimal`: a value that meets a threshold must not become a binary fraction on the way.
"""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import orjson

from cds_service.kernel.errors import JsonRefused, PayloadTooLarge

MAX_BYTES = 5_000_000
MAX_NODES = 200_000
_BOM = b"\xef\xbb\xbf"


def load(raw: bytes, *, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> Any:
    """Read JSON bytes.

    Args:
        raw: UTF-8; a byte-order mark is tolerated and dropped.
        max_bytes: refuse longer input.
        max_nodes: refuse input with more values than this.

    Returns:
        Python values; fractions as `Decimal`, integers as `int`.

    Raises:
        PayloadTooLarge: too many bytes or values.
        JsonRefused: not strict JSON; the message never repeats a value.
    """
    if len(raw) > max_bytes:
        raise PayloadTooLarge(f"the body has more than {max_bytes} bytes", next_step="Send fewer resources.")
    raw = raw.removeprefix(_BOM)
    # Every value but the first follows a comma, a colon or an opening bracket, so this never counts too few.
    marks = len(raw) - len(raw.translate(None, b",:[{"))
    if marks >= max_nodes and _nodes(raw) > max_nodes:
        raise PayloadTooLarge(f"the body has more than {max_nodes} values", next_step="Send fewer resources.")
    try:
        orjson.loads(raw)
        return json.loads(raw, object_pairs_hook=_unique, parse_float=Decimal)
    except orjson.JSONDecodeError as problem:
        place = f"line {problem.lineno}, column {problem.colno}"
        raise JsonRefused("the body is not valid JSON", place, "Send UTF-8 JSON as RFC 8259 defines it.") from None
    except RecursionError:
        raise JsonRefused("the body is nested too deeply", next_step="Flatten it.") from None
    except (ValueError, ArithmeticError):
        # int() refuses more than 4,300 digits, Decimal an exponent of more than 18 (safety.md C6)
        raise JsonRefused("the body holds a number that is too long") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # counted in one pass: a call with 190,000 keys must not take minutes (C9)
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise JsonRefused("an object has the same key twice", repr(twice[:60]), "Send every key once.")
    return found


def _nodes(raw: bytes) -> int:
    try:
        top = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return 0
    count, waiting = 0, [top]
    while waiting:
        value = waiting.pop()
        count += 1
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return count
