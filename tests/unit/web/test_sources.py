"""`GET /sources`: the source attributes of every rule, for anybody to read."""

import datetime as dt
import json

from flask.testing import FlaskClient

from cds_service.cli.serve import build_app
from cds_service.web.settings import Settings
from hooks.patient_view import SERVICE


def client() -> FlaskClient:
    return build_app(Settings(as_of=dt.date(2026, 6, 15))).test_client()


def test_it_lists_the_thirteen_attributes_of_every_rule():
    answer = client().get("/sources")
    told = json.loads(answer.text)

    assert answer.content_type == "application/json"
    assert {each["rule"] for each in told["rules"]} == {rule.id for rule in SERVICE.rules}
    assert all([a["number"] for a in each["attributes"]] == list(range(1, 14)) for each in told["rules"])


def test_it_may_be_cached_and_is_not_sent_twice():
    answer = client().get("/sources")
    again = client().get("/sources", headers={"If-None-Match": answer.headers["ETag"]})

    assert "public" in answer.headers["Cache-Control"]
    assert again.status_code == 304


def test_it_is_only_read():
    assert client().post("/sources", json={}).status_code == 405
