"""The Bruno collection is current, and each of its requests is answered as it expects."""

from __future__ import annotations

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from flask import Flask

from cds_service.cli.compose import build_app
from cds_service.web.settings import Settings
from tests.support import bruno
from tests.support.golden import AS_OF


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The service with a place for feedback, as the demo has it."""
    database = tmp_path_factory.mktemp("bruno") / "demo.sqlite3"
    return build_app(Settings(as_of=AS_OF, database_url=f"sqlite:///{database}"))


def _block(text: str, name: str) -> str:
    """The lines of a block, without their indent."""
    found = re.search(rf"^{re.escape(name)} {{\n(.*?)^}}$", text, re.MULTILINE | re.DOTALL)
    return re.sub(r"^  ", "", found[1], flags=re.MULTILINE) if found else ""


def _pairs(text: str, name: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in _block(text, name).splitlines())


REQUESTS = sorted(bruno.COLLECTION.glob("*.bru"))


def test_the_collection_is_current() -> None:
    """When this fails: make golden."""
    assert bruno.written() == bruno.files()


def test_it_has_a_request_for_each_service_and_for_feedback_and_health() -> None:
    asked = {(_pairs(text, "get") or _pairs(text, "post"))["url"] for text in map(Path.read_text, REQUESTS)}
    services = {f"/cds-services/bone-health-{hook}" for hook in ("patient-view", "order-select", "order-sign")}
    others = {"/cds-services", "/cds-services/bone-health-patient-view/feedback", "/healthz", "/readyz"}

    assert asked == {"{{baseUrl}}" + path for path in services | others}


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_a_request_is_answered_as_it_expects(demo: Flask, path: Path) -> None:
    text = path.read_text("utf-8")
    variables = _pairs((bruno.COLLECTION / "environments" / "local.bru").read_text("utf-8"), "vars")
    posted = _pairs(text, "post")
    url = (posted or _pairs(text, "get"))["url"].replace("{{baseUrl}}", variables["baseUrl"])
    client = demo.test_client()
    answer = (
        client.post(url, data=_block(text, "body:json"), headers=_pairs(text, "headers")) if posted else client.get(url)
    )

    assert f"eq {answer.status_code}" == _pairs(text, "assert")["res.status"], answer.text
    if posted and "feedback" not in url:
        assert answer.get_json()["cards"]


def test_the_blocks_are_read_as_bruno_reads_them() -> None:
    """A body ends with the first brace that stands at the beginning of a line: no line of ours begins with one."""
    for path in REQUESTS:
        text = path.read_text("utf-8")
        body = _block(text, "body:json")

        assert not body or json.loads(body)
        assert text.count("\n}\n") == len(re.findall(r"^[a-z:]+ \{$", text, re.MULTILINE))


def test_feedback_is_told_on_the_day_of_the_patients() -> None:
    (told,) = json.loads(_block((bruno.COLLECTION / "Feedback.bru").read_text("utf-8"), "body:json"))["feedback"]

    assert dt.datetime.fromisoformat(told["outcomeTimestamp"]).date() == AS_OF
