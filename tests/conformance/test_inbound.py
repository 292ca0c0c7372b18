"""Bytes that come in: threat rows C1-C12. Refused before anything is computed, and nothing of them is repeated."""

import io
import json

import pytest

from cds_service.web.settings import Settings
from tests.conformance.stub import StubService, stub_app
from tests.conformance.wire import CALL, PATIENT, Wire, check_outcome

BODY = CALL.replace("PREFETCH", PATIENT)


def small_wire(limit: int = 1000) -> Wire:
    return Wire(stub_app(Settings(max_body_bytes=limit)), StubService().id, BODY)


def test_c1_a_body_over_the_limit_is_413():
    assert small_wire().call(BODY + " " * 1000).status_code == 413


def test_c1_a_body_at_the_limit_is_read():
    assert small_wire().call(BODY.ljust(1000)).status_code == 200


def test_c1_a_chunked_body_over_the_limit_is_413():
    wire = small_wire()
    answer = wire.app.test_client().post(
        wire.path,
        input_stream=io.BytesIO(BODY.encode() + b" " * 1000),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    check_outcome(answer)
    assert answer.status_code == 413


def test_c1_a_chunked_body_within_the_limit_is_read():
    wire = small_wire()
    answer = wire.app.test_client().post(
        wire.path,
        input_stream=io.BytesIO(BODY.encode()),
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("depth", [5_000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_c2_deep_nesting_is_400(wire: Wire, depth: int, opening: str, closing: str):
    nested = opening * depth + "1" + closing * depth
    assert wire.with_change('"encounterId":', f'"deep": {nested}, "encounterId":').status_code == 400


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_c3_numbers_json_does_not_have_are_400(wire: Wire, number: str):
    assert wire.with_change('"encounterId":', f'"value": {number}, "encounterId":').status_code == 400


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"patientId": "p1"', '"patientId": "p1", "patientId": "p2"', id="the-patient"),
        pytest.param('"hook":', '"prefetch": {}, "hook":', id="top-level"),
        pytest.param('"userId":', '"deep": [{"key": 1, "key": 1}], "userId":', id="nested-and-equal"),
    ],
)
def test_c4_duplicate_keys_are_400_and_no_value_is_repeated(wire: Wire, old: str, new: str):
    answer = wire.with_change(old, new)
    assert (answer.status_code, "p2" in answer.text) == (400, False)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(
            BODY.replace('"encounterId":', '"n": "?", "encounterId":').encode().replace(b"?", b"\xff"), id="not-utf-8"
        ),
        pytest.param(
            BODY.replace('"encounterId":', '"n": "?", "encounterId":').encode().replace(b"?", b"\xc0\xaf"),
            id="overlong",
        ),
        pytest.param(BODY.replace('"encounterId":', '"n": "\\ud800", "encounterId":').encode(), id="lone-surrogate"),
        pytest.param(BODY.encode("utf-16"), id="utf-16"),
    ],
)
def test_c5_text_that_is_not_utf_8_is_400(wire: Wire, raw: bytes):
    assert wire.call(raw).status_code == 400


def test_c5_a_byte_order_mark_is_dropped(wire: Wire):
    assert wire.call(b"\xef\xbb\xbf" + wire.body.encode()).status_code == 200


def test_c6_a_number_of_5000_digits_is_400(wire: Wire):
    assert wire.with_change('"encounterId":', f'"n": {"9" * 5000}, "encounterId":').status_code == 400


@pytest.mark.parametrize("body", ["null", "[]", '""', "0", "true", "{}", "", "   ", "cards"])
def test_c8_bodies_that_are_no_call_are_400(wire: Wire, body: str):
    assert wire.call(body).status_code == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/fhir+json",
        "application/json; charset=utf-8",
        'application/json; charset="UTF-8"',
        "application/fhir+json; fhirVersion=4.0",
        "Application/JSON",
    ],
)
def test_item_4_c8_both_json_types_are_accepted(wire: Wire, content_type: str):
    assert wire.call(content_type=content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/xml",
        "application/fhir+xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/jsonp",
    ],
)
def test_item_4_c8_other_content_types_are_415(wire: Wire, content_type: str):
    assert wire.call(content_type=content_type).status_code == 415


def test_compressed_bodies_are_415_so_that_nothing_is_inflated(wire: Wire):
    assert wire.call(b"\x1f\x8b", Content_Encoding="gzip").status_code == 415


def test_c9_a_million_small_objects_are_413(wire: Wire):
    many = ",".join(["{}"] * 1_000_000)
    assert wire.with_change('"encounterId":', f'"many": [{many}], "encounterId":').status_code == 413


def test_c10_a_text_of_a_million_characters_is_read(wire: Wire):
    assert wire.with_change('"encounterId":', f'"long": "{"x" * 1_000_000}", "encounterId":').status_code == 200


@pytest.mark.parametrize("text", ["\\u202e", "\\u200b", "\\u0000", "\\u001b[2J", "<script>"])
def test_c11_odd_characters_in_unknown_fields_come_back_in_no_error(wire: Wire, text: str):
    answer = wire.with_change('"hookInstance":', f'"n": "{text}", "hookInstance": 0, "x":')
    assert answer.status_code == 400
    assert json.loads(f'"{text}"') not in answer.text
