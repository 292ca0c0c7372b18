"""One line of JSON per event, and nothing in it that could be a patient or a forged line (F1, F3)."""

import io
import json
import logging

import pytest

from cds_service.web.logs import Line, ServerLines, if_uuid, write


def written(line: Line) -> str:
    stream = io.StringIO()
    write(line, stream)
    return stream.getvalue()


def test_what_is_empty_is_left_out_and_zero_is_not_empty():
    assert json.loads(written(Line("call", status=200, ms=0, cards=0))) == {
        "event": "call",
        "status": 200,
        "ms": 0,
        "cards": 0,
    }


def test_f3_control_characters_cannot_make_a_second_line():
    text = written(Line("refused", message='a\r\n{"event": "forged"}\x1b[2J\x7f\x85\u2028b'))
    assert text.count("\n") == 1
    assert json.loads(text)["message"] == 'a??{"event": "forged"}?[2J???b'


def test_long_texts_are_cut():
    assert len(json.loads(written(Line("server", message="x" * 1_000_000)))["message"]) == 200


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


def record(level: int, message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("gunicorn.error", level, "glogging.py", 1, message, args, None)


def test_f1_warnings_of_the_server_are_logged_without_what_the_sender_wrote():
    line = json.loads(
        ServerLines().format(record(logging.WARNING, "Invalid request from ip=%s: %s", "10.0.0.1", "Mary"))
    )
    assert line == {"event": "server", "level": "warning", "message": "Invalid request from ip=%s: %s"}


def test_news_of_the_server_is_logged_whole():
    line = json.loads(ServerLines().format(record(logging.INFO, "Listening at: %s", "http://127.0.0.1:8080")))
    assert line["message"] == "Listening at: http://127.0.0.1:8080"


def test_f2_errors_of_the_server_name_only_the_class_of_the_exception():
    found = record(logging.ERROR, "Error handling request %s", "/Mary")
    found.exc_info = (KeyError, KeyError("Mary"), None)
    assert json.loads(ServerLines().format(found)) == {
        "event": "server",
        "level": "error",
        "message": "Error handling request %s",
        "problem": "KeyError",
    }
