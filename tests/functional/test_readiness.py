"""`/readyz` of the product: thresholds are in force from a date on, so readiness is asked again each time."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.cli.serve import build_app
from cds_service.clinical.clinic import CLINIC
from cds_service.kernel.errors import ContentError
from cds_service.web.settings import Settings

SETTINGS = Settings(as_of=dt.date(2026, 6, 15))


def test_ready_with_its_own_content():
    assert build_app(SETTINGS).test_client().get("/readyz").status_code == 200


def test_not_ready_on_a_day_without_thresholds(monkeypatch: pytest.MonkeyPatch):
    client = build_app(SETTINGS).test_client()

    def no_thresholds(_self: object, _day: dt.date) -> None:
        raise ContentError("acr2022.toml", "gc-entry-dose", "no value is in force", "Add one.")

    monkeypatch.setattr(type(CLINIC), "thresholds", no_thresholds)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "gc-entry-dose" in answer.get_data(as_text=True)
