"""The dose pack counted as one or by its tablets, and what a product holds, in rarer words."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dosage.product import product_of
from tests.unit.dosage.test_dosage_product import PACK, named
from tests.unit.dosage.test_dosage_steps import MEDROL, Json, order, steps, told

# --- the dose pack ---------------------------------------------------------------------------------------------------
ONE_PACK = replace(MEDROL, pack=21)


@pytest.mark.parametrize(
    ("supply", "read"),
    [
        ({}, True),
        ({"quantity": {"value": 1, "unit": "Dose Pack"}}, True),
        ({"quantity": {"value": 1, "unit": "dosepak"}}, True),
        ({"quantity": {"value": 1, "unit": "pack"}}, True),
        ({"quantity": {"value": 1, "unit": "packs"}}, True),
        ({"quantity": {"value": 1, "unit": "kit"}}, True),
        ({"quantity": {"value": 1}}, True),
        ({"quantity": {"value": 21}}, True),
        ({"quantity": {"value": 21, "unit": "tablet"}}, True),
        ({"quantity": {"value": 2, "unit": "pack"}}, False),
        ({"quantity": {"value": 2}}, False),
        ({"quantity": {"value": 1, "unit": "tablet"}}, False),
        ({"quantity": {"value": 21, "unit": "each"}}, False),
        ({"quantity": {"value": 1, "unit": "pack"}, "numberOfRepeatsAllowed": 0}, True),
        ({"quantity": {"value": 1, "unit": "pack"}, "numberOfRepeatsAllowed": 1}, False),
        ({"expectedSupplyDuration": {"value": 6, "code": "d"}}, True),
        ({"expectedSupplyDuration": {"value": 7, "code": "d"}}, True),
        ({"expectedSupplyDuration": {"value": 5, "code": "d"}}, False),
    ],
    ids=json.dumps,
)
def test_a_pack_may_be_counted_as_one_or_by_its_tablets(supply: Json, read: bool) -> None:
    found = steps(order({"text": "taper as directed"}, dispenseRequest=supply), ONE_PACK)

    assert found is not None
    assert (len(found) == 6) is read


def test_a_pack_that_was_handed_out() -> None:
    pack = {
        "resourceType": "MedicationDispense",
        "whenHandedOver": "2026-06-01",
        "quantity": {"value": 21, "unit": "tablet"},
        "daysSupply": {"value": 6, "code": "d"},
        "dosageInstruction": [{"text": "4 mg dosepak of 21, taper over 6 days"}],
    }

    assert told(pack, MEDROL)[-1] == "4 on 06-06..06-06"
    assert len(told({**pack, "daysSupply": {"value": 10, "code": "d"}}, MEDROL)) == 1


# --- products --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "strength", "counted"),
    [
        ("prednisone 5 mg/tablet", "5", True),
        ("prednisone 5 mg per tab", "5", True),
        ("prednisone 5 mg/1 capsule", "5", True),
        ("prednisone 5 mg/cap", "5", True),
        ("prednisone 10 mg/2 tablet", None, True),
        ("methylprednisolone 40 mg/vial", None, False),
        ("methylprednisolone 40 mg/0 ml", None, False),
        (f"prednisone 5 mg tablet {'x' * 200}", None, False),
    ],
)
def test_a_strength_by_the_unit(name: str, strength: str | None, counted: bool) -> None:
    product = named(name)

    assert product.strengths == ({Decimal(strength)} if strength else set())
    assert product.strengths_per_ml == set()
    assert product.counted is counted


@pytest.mark.parametrize(
    "form", [{"text": "Oral tablet"}, {"coding": [{"display": "Tablet"}]}, {"coding": {"display": "Capsule"}}]
)
def test_the_form_of_a_medication_tells_whether_it_is_counted(form: Any) -> None:
    assert named("Prednisone", form=form).counted
    assert not named("Prednisone", form={"text": "Oral solution"}).counted
    assert not named("Prednisone").counted


@pytest.mark.parametrize("unit", ["vial", "ampoule"])
def test_the_strength_of_a_vial_is_not_of_something_counted(unit: str) -> None:
    strength = {"numerator": {"value": 40, "unit": "mg"}, "denominator": {"value": 2, "unit": unit}}
    product = named("Methylprednisolone", ingredient=[{"strength": strength}])

    assert (product.strengths, product.counted) == ({Decimal(20)}, False)
    assert named("x", ingredient=[{"strength": {**strength, "denominator": {"unit": unit}}}]).strengths == set()


def test_grams_in_litres() -> None:
    strength = {"numerator": {"value": 3, "unit": "g"}, "denominator": {"value": 1, "unit": "L"}}

    assert named("Prednisolone", ingredient=[{"strength": strength}]).strengths_per_ml == set()
    litre = {**strength, "denominator": {"value": 1, "unit": "litre"}}
    assert named("Prednisolone", ingredient=[{"strength": litre}]).strengths_per_ml == {Decimal(3)}


def test_packs_of_two_sizes_tell_no_number_of_tablets() -> None:
    larger = replace(PACK, code="1", display="{48 (methylprednisolone 4 MG Oral Tablet) } Pack")
    one, two = product_of((PACK,)), product_of((PACK, larger))

    assert one is not None
    assert two is not None
    assert (one.pack, two.pack) == (21, None)
    assert one.strengths == two.strengths == {Decimal(4)}
