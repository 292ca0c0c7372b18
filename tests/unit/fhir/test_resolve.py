"""Which resource a reference names: one of this server, and never one of another server that has the same id (B7)."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart
from cds_service.kernel.needs import Records

DRUG = {"resourceType": "Medication", "id": "5"}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("Medication/5", True),
        ("Medication/5/_history/2", True),
        ("https://ehr.example.org/r4/Medication/5", True),
        ("http://EHR.example.org:443/r4/Medication/5", True),
        ("https://elsewhere.example.org/r4/Medication/5", False),
        ("https://ehr.example.org/other/Medication/5", False),
        ("Medication/6", False),
    ],
)
def test_b7_an_address_on_another_server_is_another_resource(reference: str, found: bool) -> None:
    records = Records("p1", {}, (DRUG,), bases=frozenset({"ehr.example.org/r4"}))
    chart = Chart(records, terminology(), dt.date(2026, 6, 15))
    assert (chart.resolve(reference, "Medication") is not None) is found


def test_where_no_server_is_known_an_address_is_taken_at_its_id() -> None:
    chart = Chart(Records("p1", {}, (DRUG,)), terminology(), dt.date(2026, 6, 15))
    assert chart.resolve("https://ehr.example.org/r4/Medication/5", "Medication") == DRUG
