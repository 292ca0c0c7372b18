"""One line of JSON per event, and nothing in it that could be a patient or a forged line (F1, F3)."""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from dataclasses import dataclass
from typing import Any

import pytest

from cds_service.web.logs import KEYS, WITHHELD, Alarm, Line, ServerLines, alarm, emit, if_uuid, write


@dataclass(frozen=True, slots=True)
class Log:
    """What is written, read back."""

    capture: pytest.CaptureFixture[str]

    def line(self) -> dict[str, Any]:
        """The one line that was written."""
        (line,) = self.capture.readouterr().err.splitlines()
        return dict(json.loads(line))

    def written(self, line: Line) -> dict[str, Any]:
        write(line)
        return self.line()

    def emitted(self, event: str = "call", **fields: Any) -> dict[str, Any]:
        emit("info", event, **fields)
        return self.line()


@pytest.fixture
def log(capsys: pytest.CaptureFixture[str]) -> Log:
    return Log(capsys)


def test_what_is_empty_is_left_out_and_zero_is_not_empty(log: Log):
    line = log.written(Line("call", status=200, ms=0, cards=0))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time"))
    assert line == {"level": "info", "event": "call", "status": 200, "ms": 0, "cards": 0}


def test_f1_only_the_fields_of_a_line_are_written_whoever_adds_others(log: Log):
    line = log.emitted(patient="Mary", access="abc", exc_info=True, stack_info=True)
    assert line.keys() == {"time", "level", "event"}


def test_f1_a_field_holds_a_code_or_a_number_and_no_words(log: Log):
    line = log.emitted(client="Mary Smith", reason=["x"], place="", problem=1.5, ms=3)
    del line["time"]
    assert line == {
        "level": "info", "event": "call", "ms": 3,
        "client": WITHHELD, "reason": WITHHELD, "place": WITHHELD, "problem": WITHHELD,
    }  # fmt: skip


def test_f1_the_same_holds_inside_a_field_of_several_numbers(log: Log):
    line = log.emitted(key_states={"complete": 2, "Mary Smith": 1, "failed": "Mary Smith"})
    assert line["key_states"] == {"complete": 2, WITHHELD: 1, "failed": WITHHELD}


@pytest.mark.parametrize("field", [each.name for each in dataclasses.fields(Line)])
def test_f3_no_field_lets_a_sender_write_a_line_of_the_log(log: Log, field: str):
    line = log.emitted(**{field: 'a\r\n{"event": "forged"}\x1b[2J\x7f\x85\u2028b'})
    assert line[field] == WITHHELD


def test_f3_no_field_grows_without_bound(log: Log):
    assert log.emitted(client="x" * 1_000_000)["client"] == WITHHELD


@pytest.mark.parametrize(
    "code", ["bone-health-patient-view", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "0.1.0+1f2e3d4c5b6a", "answer.py:12"]
)
def test_codes_of_ours_are_written_as_they_are(log: Log, code: str):
    assert log.written(Line("call", rule_set=code))["rule_set"] == code


@pytest.mark.parametrize("what", list(Alarm))
def test_an_alarm_is_an_error_for_the_operator(log: Log, what: Alarm):
    alarm(what, client="ward-3")
    line = log.line()
    del line["time"]
    assert line == {"level": "error", "event": what.value, "client": "ward-3"}


def test_keys_always_stand_in_the_same_order(log: Log):
    line = log.written(Line("fault", place="a.py:1", status=500, correlation_id="c"))
    assert list(line) == [key for key in KEYS if key in line]


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        ("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"),
        ("D1577C69-DFBE-44AD-BA6D-3E05E953B2EA", "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"),
        ("Mary Smith", ""),
        ("{d1577c69-dfbe-44ad-ba6d-3e05e953b2e", ""),
        ("", ""),
    ],
)
def test_f1_only_uuids_of_senders_are_logged(sent: str, logged: str):
    assert if_uuid(sent) == logged


def formatted(record: logging.LogRecord) -> dict[str, Any]:
    line = dict(json.loads(ServerLines().format(record)))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time"))
    return line


def record(level: int, message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("gunicorn.error", level, "glogging.py", 1, message, args, None)


def test_f1_warnings_of_the_server_are_logged_without_what_the_sender_wrote():
    line = formatted(record(logging.WARNING, "Invalid request from ip=%s: %s", "10.0.0.1", "Mary"))
    assert line == {"event": "server", "level": "warning", "message": "Invalid request from ip=%s: %s"}


def test_f1_nor_where_the_server_put_it_into_the_words_itself():
    line = formatted(record(logging.WARNING, "Invalid request from ip=10.0.0.1: Invalid HTTP header name: 'Mary x'"))
    assert line["message"] == "Invalid request from ip=10.0.0.1"


def test_news_of_the_server_is_logged_whole():
    line = formatted(record(logging.INFO, "Listening at: %s", "http://127.0.0.1:8080"))
    assert line["message"] == "Listening at: http://127.0.0.1:8080"


def test_f3_lines_of_the_server_are_cut_and_have_no_control_characters():
    line = formatted(record(logging.INFO, 'a\r\n{"event": "forged"}\x1b[2J\x7f\x85\u2028b'))
    assert line["message"] == 'a??{"event": "forged"}?[2J???b'
    assert len(formatted(record(logging.INFO, "x" * 1_000_000))["message"]) == 200


def test_f2_errors_of_the_server_name_only_the_class_of_the_exception():
    found = record(logging.ERROR, "Error handling request %s", "/Mary")
    found.exc_info = (KeyError, KeyError("Mary"), None)
    assert formatted(found) == {
        "event": "server",
        "level": "error",
        "message": "Error handling request %s",
        "problem": "KeyError",
    }
