"""JSON from outside (safety.md C1 to C9): exactly what the standard allows, and no binary fractions."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest

from cds_service.formats import strict_json
from cds_service.kernel.errors import InputError, JsonRefused, PayloadTooLarge


def refusal(raw: bytes, **limits: int) -> str:
    with pytest.raises(InputError) as problem:
        strict_json.load(raw, **limits)
    return str(problem.value)


NOT_JSON = "the body is not valid JSON (at "
REFUSED = {
    "c2-nesting-5000": b"[" * 5000 + b"]" * 5000,
    "c2-nesting-100000-unclosed": b'{"a":' * 100_000,
    "c3-nan": b'{"value": NaN}',
    "c3-infinity": b'{"value": Infinity}',
    "c3-minus-infinity": b'{"value": -Infinity}',
    "c3-1e999": b'{"value": 1e999}',
    "c5-bad-utf8": b'{"text": "\xff"}',
    "c5-overlong": b'{"text": "\xc0\xaf"}',
    "c5-lone-surrogate": rb'{"text": "\ud800"}',
    "c5-surrogate-as-utf8": b'{"text": "\xed\xa0\x80"}',
    "c5-utf16": '{"text": "a"}'.encode("utf-16"),
    "c5-utf16-without-mark": '{"text": "a"}'.encode("utf-16-le"),
    "c5-utf32": '{"text": "a"}'.encode("utf-32"),
    "c5-two-marks": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "c6-5000-digits": b'{"value": ' + b"1" * 5000 + b"}",
    "c6-400-zeros": b'{"value": 1' + b"0" * 400 + b"}",
    "c8-empty": b"",
    "c8-blank": b" \n",
    "c8-byte-order-mark-alone": b"\xef\xbb\xbf",
    "c11-control-character": b'{"text": "\x00"}',
    "comment": b'{"a": 1} // one',
    "trailing-comma": b'{"a": 1,}',
    "single-quotes": b"{'a': 1}",
    "bare-key": b"{a: 1}",
    "leading-zero": b"[01]",
    "plus-sign": b"[+1]",
    "no-digit-after-the-point": b"[1.]",
    "hexadecimal": b"[0x10]",
    "python-literal": b"[True]",
    "two-values": b"{} {}",
    "cut-off": b'{"resourceType": "Bund',
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_what_is_not_json_is_refused(raw: bytes) -> None:
    assert refusal(raw).startswith(NOT_JSON)


def test_the_refusal_says_where_and_repeats_nothing() -> None:
    message = refusal(b'{"name": "Jane Doe",\n "value": NaN}')
    assert message == ("the body is not valid JSON (at line 2, column 11). Send UTF-8 JSON as RFC 8259 defines it.")


def test_c2_nesting_that_only_the_second_pass_cannot_follow_is_refused_too() -> None:
    """orjson goes down to 1,024, the standard library stops earlier on a deep stack."""
    assert refusal(b"[" * 1020 + b"]" * 1020) == "the body is nested too deeply. Flatten it."


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "b": 2, "a": 1}',
        b'[{"x": {"a": null, "a": null}}]',
        rb'{"a": 1, "\u0061": 2}',
    ],
    ids=["flat", "same-value", "nested", "escaped"],
)
def test_c4_duplicate_keys_are_refused_by_name(raw: bytes) -> None:
    assert refusal(raw) == "an object has the same key twice (at 'a'). Send every key once."


def test_c4_a_long_key_is_not_echoed_whole_and_no_value_is() -> None:
    key = b"k" * 500
    message = refusal(b'{"%b": "Jane", "%b": "Doe"}' % (key, key))
    assert message == f"an object has the same key twice (at '{'k' * 60}'). Send every key once."


def test_c4_the_same_key_in_two_objects_is_fine() -> None:
    assert strict_json.load(b'[{"a": 1}, {"a": 2}]') == [{"a": 1}, {"a": 2}]


def test_c9_finding_the_duplicate_among_many_keys_takes_no_minutes() -> None:
    keys = b",".join(b'"k%d":0' % number for number in range(60_000))
    start = time.perf_counter()
    assert refusal(b"{" + keys + b',"z":0,"z":0}').startswith("an object has the same key twice (at 'z')")
    # Comparing every key with every other one takes 25 seconds here.
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize("raw", [b"1e-99999999999999999999", b"0e99999999999999999999", b"0.0E+9999999999999999999"])
def test_c6_an_exponent_that_no_decimal_can_hold_is_refused(raw: bytes) -> None:
    assert refusal(raw) == "the body holds a number that is too long."


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"7.50", Decimal("7.50")),
        (b"-2.5", Decimal("-2.5")),
        (b"0.1", Decimal("0.1")),
        (b"1e3", Decimal("1e3")),
        (b"1E-3", Decimal("0.001")),
        (b"0.1234567890123456789012345678901234567890", Decimal("0.1234567890123456789012345678901234567890")),
    ],
)
def test_c6_fractions_stay_as_they_were_written(raw: bytes, value: Decimal) -> None:
    loaded = strict_json.load(raw)
    assert isinstance(loaded, Decimal)
    assert str(loaded) == str(value)


@pytest.mark.parametrize("raw", [b"0", b"-1", b"9007199254740993", b"18446744073709551616", b"1" + b"0" * 300])
def test_c6_whole_numbers_are_exact(raw: bytes) -> None:
    loaded = strict_json.load(raw)
    assert isinstance(loaded, int)
    assert str(loaded) == raw.decode()


def test_c7_true_stays_true_and_is_not_one() -> None:
    assert repr(strict_json.load(b"[true, false, 1, 0, 1.0]")) == "[True, False, 1, 0, Decimal('1.0')]"


@pytest.mark.parametrize(("raw", "value"), [(b"null", None), (b"[]", []), (b'""', ""), (b"{}", {})])
def test_c8_any_json_value_is_read_here_and_judged_by_the_caller(raw: bytes, value: object) -> None:
    assert strict_json.load(raw) == value


def test_c5_a_byte_order_mark_is_dropped() -> None:
    assert strict_json.load(b"\xef\xbb\xbf" + '{"name": "Ünal"}'.encode()) == {"name": "Ünal"}


def test_a_byte_order_mark_inside_text_stays() -> None:
    assert strict_json.load('"\ufeffa"'.encode()) == "\ufeffa"


@pytest.mark.parametrize("text", ["Ünal", "\u2028", "😀", "a\\nb", '\\"', "\\ud83d\\ude00", "\\u0000"])
def test_text_reads_as_the_standard_library_reads_it(text: str) -> None:
    raw = f'"{text}"'.encode()
    assert strict_json.load(raw) == json.loads(raw)


def test_c1_the_limit_of_bytes_is_inclusive() -> None:
    assert strict_json.load(b"[1, 2]", max_bytes=6) == [1, 2]
    assert refusal(b"[1, 2]", max_bytes=5) == "the body has more than 5 bytes. Send fewer resources."


def test_c1_five_megabytes_unless_told_otherwise() -> None:
    with pytest.raises(PayloadTooLarge):
        strict_json.load(b'"' + b"a" * 5_000_000 + b'"')


@pytest.mark.parametrize(
    ("raw", "nodes"),
    [
        (b"1", 1),
        (b"[]", 1),
        (b"[1,2,3]", 4),
        (b'{"a":1,"b":[2,{}]}', 5),
        (b"[[],[],[]]", 4),
        (b'{"a":{"b":{"c":null}}}', 4),
    ],
)
def test_c9_the_limit_of_values_counts_every_value_once(raw: bytes, nodes: int) -> None:
    strict_json.load(raw, max_nodes=nodes)
    assert refusal(raw, max_nodes=nodes - 1) == f"the body has more than {nodes - 1} values. Send fewer resources."


def test_c9_punctuation_inside_text_is_not_counted() -> None:
    text = ",:[{" * 100
    assert strict_json.load(json.dumps([text]).encode(), max_nodes=2) == [text]


def test_c9_a_million_small_objects_are_refused() -> None:
    with pytest.raises(PayloadTooLarge, match="more than 200000 values"):
        strict_json.load(b"[" + b",".join([b"{}"] * 1_000_000) + b"]")


def test_c9_what_is_not_json_is_called_that_however_many_commas_it_has() -> None:
    with pytest.raises(JsonRefused, match="not valid JSON"):
        strict_json.load(b"[" + b"," * 100, max_nodes=5)
