"""The page as HTML: every text on it is text, and a path of the public address stands before its own addresses."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask, Response, g

from cds_service.clinical.profiles import profile
from cds_service.engine.gather import from_bundle
from cds_service.pictures import Picture
from cds_service.pictures.picture import Table
from cds_service.sandbox.patients import patients
from cds_service.smart import pages
from cds_service.summary import Summary, summary_of
from cds_service.summary.page import Advice, NextStep
from hooks.patient_view import SERVICE
from tests.support.golden import AS_OF

HOSTILE = "'\"><img src=x onerror=alert(1)><script>alert(2)</script>{{ 7*7 }}"


@dataclass(frozen=True)
class One:
    """A demo of one page."""

    page: Summary

    def refuse(self) -> Response | None:
        return None

    def listed(self) -> Sequence[Any]:
        return ()

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}

    def summary(self, ident: str, told: Mapping[str, str]) -> Summary | None:
        return self.page


def shown(summary: Summary, public_url: str = "") -> str:
    app = Flask(__name__, static_folder=None)
    app.before_request(lambda: setattr(g, "correlation_id", "id"))
    pages.register(app, public_url=public_url, demo=One(summary))
    return app.test_client().get("/summary", query_string={"patient": HOSTILE}).text


@pytest.fixture(scope="module")
def summary() -> Summary:
    record = patients()["plan-several-due"].record
    return summary_of(SERVICE, from_bundle(record, SERVICE.needs), profile("us"), AS_OF)


def test_h3_every_text_of_a_page_is_text(summary: Summary) -> None:
    picture = Picture("<svg/>", HOSTILE, HOSTILE, Table((HOSTILE,), ((HOSTILE,),)))
    fields = [each.name for each in dataclasses.fields(Summary)]
    changed: dict[str, Any] = {name: HOSTILE for name in fields if isinstance(getattr(summary, name), str)}
    changed |= {name: picture for name in fields if isinstance(getattr(summary, name), Picture)}
    lists = {
        "advice": (Advice(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        "due": (NextStep(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        "not_looked_at": (HOSTILE,),
        "not_read": (HOSTILE,),
    }
    assert {*changed, *lists, "as_of"} == set(fields)

    page = shown(replace(summary, **changed, **lists))

    assert page.count("&lt;img src=x") > 30
    assert "<img src=x" not in page
    assert "<script" not in page
    assert "49" not in page
    # an attribute ends where ours does
    assert re.findall(r"\son\w+=", re.sub(r'"[^"]*"', "", re.sub(r">[^<]*<", "><", page))) == []


def test_a_page_of_nobody_in_scope_does_not_say_that_all_is_well(summary: Summary) -> None:
    page = shown(replace(summary, advice=(), due=(), silent="", in_scope="unknown"))

    assert "does not tell whether this patient is in one of the groups" in page
    assert "No advice. That does not mean that bone health is fine." in page
    assert "No advice is given: the patient has died." in shown(
        replace(summary, advice=(), silent="the patient has died")
    )


def test_behind_a_path_of_the_public_address_the_style_sheet_is_below_it(summary: Summary) -> None:
    assert 'href="/bones/summary/static/summary.css"' in shown(summary, "https://cds.example.org/bones/")
