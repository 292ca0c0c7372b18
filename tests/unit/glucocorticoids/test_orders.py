"""Glucocorticoids while they are being ordered: the basket joins what is on record (S7, D5, D21)."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical import content, profiles
from cds_service.clinical.patient import ALL_NEEDS, Patient
from cds_service.clinical.terminology import terminology
from cds_service.engine.gather import gather
from cds_service.fhir.chart import Chart
from cds_service.formats import strict_json
from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.protocol.request import parse
from cds_service.review.call import order_request, prefetch
from cds_service.review.story import AS_OF, drafts

TODAY = dt.date.fromisoformat(AS_OF)
LATER = TODAY + dt.timedelta(days=20)
TAKEN = {"drug": "prednisone", "mg": 10, "taken": 50, "days": 120}


def patient(changes: dict[str, Any] | None = None, **story: Any) -> Patient:
    """The facts of a call about those orders; `changes` are put into the first draft."""
    story = {"sex": "female", "age": 60, **story}
    orders = drafts(story)
    orders[0][0].update(changes or {})
    call = parse(strict_json.load(json.dumps(order_request(prefetch(story), orders)).encode()), hook="order-select")
    chart = Chart(gather(call, ALL_NEEDS), terminology(), TODAY)
    return Patient(chart, content.thresholds(TODAY), profiles.profile("us"))


def daily(p: Patient, day: dt.date = TODAY) -> Interval:
    return p.exposure.on(day)


def test_an_order_counts_as_if_it_were_signed() -> None:
    p = patient(orders={"drug": "prednisone", "mg": 5, "days": 30})
    assert daily(p, LATER) == exactly(5)
    assert p.exposure.total(TODAY, TODAY + dt.timedelta(days=400)) == exactly(150)


def test_d21_an_order_beside_a_running_one_of_the_same_drug_lies_between_the_larger_and_the_sum() -> None:
    p = patient(steroids=TAKEN, orders={"drug": "prednisone", "mg": 5, "days": 30})
    assert daily(p, LATER) == between(10, 15)


def test_an_order_of_another_drug_is_added() -> None:
    p = patient(steroids=TAKEN, orders={"drug": "hydrocortisone", "mg": 20, "days": 30})
    assert daily(p, LATER) == exactly(15)


def test_an_order_that_names_the_one_it_replaces_ends_it_the_day_before() -> None:
    running = prefetch({"sex": "female", "age": 60, "steroids": TAKEN})["medicationRequests"]["entry"][0]["resource"][
        "id"
    ]
    prior = {"priorPrescription": {"reference": f"MedicationRequest/{running}"}}
    p = patient(prior, steroids=TAKEN, orders={"drug": "prednisone", "mg": 5, "days": 30})
    assert daily(p, TODAY - dt.timedelta(days=1)) == exactly(10)
    assert daily(p, LATER) == exactly(5)


def test_a_replaced_order_that_had_not_begun_is_gone() -> None:
    later = {"drug": "prednisone", "mg": 10, "since": "2026-07-01", "days": 30}
    running = prefetch({"sex": "female", "age": 60, "steroids": later})["medicationRequests"]["entry"][0]["resource"][
        "id"
    ]
    prior = {"priorPrescription": {"reference": f"MedicationRequest/{running}"}}
    p = patient(prior, steroids=later, orders={"drug": "prednisone", "mg": 5, "days": 60})
    assert daily(p, dt.date(2026, 7, 10)) == exactly(5)


def test_an_order_with_the_id_of_one_on_record_is_that_one_signed_again() -> None:
    running = prefetch({"sex": "female", "age": 60, "steroids": TAKEN})["medicationRequests"]["entry"][0]["resource"][
        "id"
    ]
    p = patient({"id": running}, steroids=TAKEN, orders={"drug": "prednisone", "mg": 5, "days": 30})
    assert daily(p, LATER) == exactly(5)


def test_a_basket_of_two_strengths_lies_between_the_larger_and_the_sum() -> None:
    p = patient(
        orders=[
            {"drug": "prednisone", "mg": 5, "days": 30},
            {"drug": "prednisone", "mg": 1, "days": 30, "beside": True},
        ]
    )
    assert daily(p, LATER) == between(5, 6)
    assert p.ordered_exposure.on(LATER) == exactly(5)


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("30 mg daily for 5 days then 20 mg daily for 5 days then 10 mg daily for 5 days", 300),
        ("40mg x 2 days 30mg x 2 days 20mg x 2 days 10mg x 2 days", 200),
        ("10 mg mane reducing by 2.5 mg weekly", 175),
        ("500 mg once daily for 5 days", 2500),
    ],
)
def test_a_taper_in_words_is_added_up_day_by_day(text: str, total: int) -> None:
    p = patient(orders={"drug": "prednisone", "mg": text})
    assert p.ordered_exposure.total(TODAY, TODAY + dt.timedelta(days=400)) == exactly(total)


def test_s7_an_order_without_an_end_is_certain_on_its_first_day_only() -> None:
    p = patient(orders={"drug": "prednisone", "mg": 5})
    assert daily(p) == exactly(5)
    assert daily(p, LATER) == Interval(Decimal(0), Decimal(5))


def test_where_nothing_is_ordered_there_is_no_order() -> None:
    p = patient(orders=[{"drug": "denosumab", "mg": 60, "route": "subcutaneous", "every": "month"}])
    assert p.ordered_exposure.courses == ()
