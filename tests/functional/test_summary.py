"""`/summary` on the invented patients: what is on the page, and who may ask for it."""

from __future__ import annotations

import base64
import re
from functools import lru_cache

import pytest
from flask.testing import FlaskClient

from cds_service.cli.compose import build_app
from cds_service.sandbox.patients import patients
from cds_service.web.settings import Settings
from tests.support.golden import AS_OF

WHO = "gc-very-high-risk-untreated"
HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
_IMAGE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")


@lru_cache(maxsize=1)
def client() -> FlaskClient:
    return build_app(Settings(sandbox=True, as_of=AS_OF)).test_client()


def pictures(page: str) -> list[str]:
    return [base64.b64decode(each).decode() for each in _IMAGE.findall(page)]


@pytest.mark.parametrize("ident", patients())
def test_every_invented_patient_has_a_page_without_a_name(ident: str) -> None:
    page = client().get(f"/summary?patient={ident}")

    assert page.status_code == 200
    assert len(pictures(page.text)) == 4
    assert patients()[ident].name.split()[-1] not in page.text
    assert "it advises and never acts" in page.text


def test_profile_units_and_day_can_be_chosen() -> None:
    page = client().get(f"/summary?patient={WHO}&profile=uk&units=conventional&as_of=2026-07-01").text

    assert "United Kingdom" in page
    assert "2026-07-01" in page
    assert "25-OH vitamin D over time, ng/mL" in page


def test_what_a_rule_lacks_is_named() -> None:
    failing = next(each.id for each in patients().values() if each.failing)
    page = client().get(f"/summary?patient={failing}").text

    assert "Could not be looked at" in page
    assert "Could not be looked at" not in client().get(f"/summary?patient={WHO}").text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("patient=nobody", 404),
        (f"patient={WHO}&profile=xx", 400),
        (f"patient={WHO}&units=stones", 400),
        (f"patient={WHO}&as_of=tomorrow", 400),
        (f"patient={WHO}&vary=age", 400),
    ],
)
def test_what_there_is_not_is_told_on_a_page(query: str, status: int) -> None:
    page = client().get(f"/summary?{query}")

    assert page.status_code == status
    assert "The summary is not shown" in page.text


def test_h5_there_is_no_such_page_without_the_sandbox() -> None:
    assert build_app(Settings(as_of=AS_OF)).test_client().get("/summary").status_code == 404


def test_a_name_of_somebody_else_that_leads_to_this_machine_is_refused() -> None:
    assert client().get("/summary", headers={"Host": "evil.example.org"}).status_code == 403


def test_another_method_is_told_which_there_is() -> None:
    page = client().post("/summary")

    assert page.status_code == 405
    assert "GET" in page.headers["Allow"]


def test_the_style_sheet_is_ours_and_imports_nothing() -> None:
    with client().get("/summary/static/summary.css") as style:
        assert style.status_code == 200
        assert "url(" not in style.text
        assert "@import" not in style.text
