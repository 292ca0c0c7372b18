"""F3: whoever calls cannot write into the log: every line is JSON of ours, whatever is sent, over real sockets.

F1 for what gunicorn itself refuses, before any of our code runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support import canary
from tests.support.golden import scenarios
from tests.support.served import Served, served

FORGED = '{"level": "error", "event": "forged"}'
EVIL = f'{canary.of("name")}\\r\\n{FORGED}\\n\x1b[2J\x1b]0;x\x07", "event": "forged'.encode()
LINE = EVIL.replace(b"\\r\\n", b" ").replace(b"\\n", b" ")
_HEAD = b"POST /cds-services/bone-health-patient-view HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"

# What gunicorn or Flask must refuse or ignore; none of it may come out.
HEADS = {
    "terminal codes in a header": _HEAD + b"User-Agent: " + LINE + b"\r\nContent-Length: 0\r\n\r\n",
    "a header that goes on in the next line": _HEAD + b"X-Request-Id: a\r\n " + LINE + b"\r\n\r\n",
    "a header without a colon": _HEAD + LINE + b"\r\n\r\n",
    "a header name with blanks": _HEAD + canary.of("mrn").encode() + b" x: 1\r\n\r\n",
    "a bare line feed": _HEAD + b"X-A: 1\n" + LINE + b": 1\r\n\r\n",
    "a bare carriage return": _HEAD + b"X-A: 1\r" + LINE + b"\r\n\r\n",
    "a zero byte": _HEAD + b"X-A: \x00" + LINE + b"\r\n\r\n",
    "another method": canary.of("name").upper().encode() + b" / HTTP/1.1\r\nHost: x\r\n\r\n",
    "another version": b"GET /" + canary.of("mrn").encode() + b" HTTP/9.9\r\n\r\n",
    "no request at all": LINE + b"\r\n\r\n",
    "a line without end": b"GET /" + canary.of("mrn").encode() * 1000 + b" HTTP/1.1\r\n\r\n",
    "a path with escapes": b"GET /%0d%0a%1b[2J" + canary.of("mrn").encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "another length": _HEAD + b"Content-Length: " + canary.of("mrn").encode() + b"\r\n\r\n",
    "another encoding": _HEAD + b"Transfer-Encoding: " + canary.of("mrn").encode() + b"\r\n\r\n",
    "an odd expectation": _HEAD + b"Expect: " + canary.of("mrn").encode() + b"\r\nContent-Length: 0\r\n\r\n",
    "too many headers": _HEAD + b"".join(b"X-%d: %s\r\n" % (n, LINE) for n in range(200)) + b"\r\n",
    "a token that is too long": _HEAD + b"Authorization: Bearer " + canary.of("token").encode() * 2000 + b"\r\n\r\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Iterator[Served]:
    with served("workers=1, threads=4") as running:
        yield running


def _closing(raw: bytes) -> bytes:
    return raw.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n")


@pytest.mark.parametrize("head", HEADS)
def test_f3_f1_a_request_that_is_none_writes_nothing_of_its_own(service: Served, head: str) -> None:
    before = len(service.written())
    answer = service.send(_closing(HEADS[head]))

    # gunicorn's own page may tell the sender which header it does not like; nobody else sees it
    assert canary.found_in(answer.partition("\r\n\r\n")[0]) == set()
    _clean(service, before)


@pytest.mark.parametrize("field", ["hookInstance", "patientId", "encounterId", "userId", "hook", "fhirServer"])
def test_f3_f1_a_call_with_a_forged_line_in_an_id_writes_nothing_of_its_own(service: Served, field: str) -> None:
    text = next(each.text("request.json") for each in scenarios() if str(each) == "nothing-to-say")
    call = text.replace('"userId":', '"encounterId": "e1", "userId":')
    value = call.split(f'"{field}": "')[1].split('"')[0]
    forged = f"x\\r\\n{FORGED}\\u001b[31m{canary.of('note')}".replace('"', '\\"')
    body = call.replace(f'"{field}": "{value}"', f'"{field}": "{forged}"', 1).encode()
    before = len(service.written())
    service.send(_HEAD + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    _clean(service, before)


def test_the_service_still_answers_after_all_of_it(service: Served) -> None:
    assert "alive" in service.send(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def _clean(service: Served, before: int) -> None:
    written = service.written()[before:]
    lines = [json.loads(line) for line in written.splitlines()]
    assert {line["event"] for line in lines} <= {"server", "call", "refused"}
    assert canary.found_in(written) == set()
    assert not set(written) - set(map(chr, range(32, 127))) - {"\n"}
