"""What a product holds, out of codes, names and ingredients; where they disagree nothing is computed (D22, S7)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.dosage.product import Product, product_of
from cds_service.fhir.codes import Entry

INGREDIENT = Entry("glucocorticoid.ingredient", "rxnorm", "8640", ingredient="prednisone")
TABLET_5 = Entry(
    "glucocorticoid.drug",
    "rxnorm",
    "312617",
    ingredient="prednisone",
    strength_mg=Decimal(5),
    per="1",
    form="oral tablet",
)
PACK = Entry(
    "glucocorticoid.drug", "rxnorm", "762675", "{21 (methylprednisolone 4 MG Oral Tablet) } Pack",
    ingredient="methylprednisolone", form="pack",
)  # fmt: skip


def named(*names: str, entry: Entry = INGREDIENT, **medication: Any) -> Product:
    code = {"text": names[0] if names else "", "coding": [{"display": each} for each in names[1:]]}
    found = product_of((entry,), medication={"code": code, **medication})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "mg", "mg_per_ml", "counted"),
    [
        ("Prednisone 10 MG Oral Tablet", "10", None, True),
        ("prednisolone 2.5 mg tablets", "2.5", None, True),
        ("Prednisolone 5mg gastro-resistant tablets", "5", None, True),
        ("predniSONE (DELTASONE) 20 mg tablet", "20", None, True),
        ("budesonide 500 microgram capsules", "0.5", None, True),
        ("methylprednisolone 1,000 mg tablet", "1000", None, True),
        ("methylprednisolone 40 mg/mL", None, "40", False),
        ("Prednisolone 5mg/5ml oral solution", None, "1", False),
        ("prednisolone 15 MG per 5 ML syrup", None, "3", False),
        ("Prednisone", None, None, False),
        ("Prednisone tablet", None, None, True),
        ("Prednisone 10 mg", None, None, False),
        ("methylprednisolone 125 mg injection", None, None, False),
        ("Piroxicam 10 MG / Prednisone 2 MG Oral Tablet", None, None, True),
        ("hydrocortisone 1 % cream", None, None, False),
        ("prednisone 1 mg/kg tablet", None, None, True),
        ("some 5 mg/24h tablet", None, None, True),
    ],
)
def test_a_strength_in_a_name(name: str, mg: str | None, mg_per_ml: str | None, counted: bool) -> None:
    product = named(name)

    assert product.strengths == ({Decimal(mg)} if mg else set())
    assert product.strengths_per_ml == ({Decimal(mg_per_ml)} if mg_per_ml else set())
    assert product.counted is counted


def test_d22_code_and_name_that_disagree_give_two_strengths_and_no_mg() -> None:
    product = named("Prednisone 10 MG Oral Tablet", entry=TABLET_5)

    assert product.strengths == {Decimal(5), Decimal(10)}
    assert product.mg_in("tablet") is None
    assert product.mg_in("mg") == 1


def test_a_bare_number_counts_tablets_only_of_a_counted_product_of_one_strength() -> None:
    assert named("x", entry=TABLET_5).mg_in("") == 5
    assert named("Prednisone 10 mg").mg_in("") is None
    assert named("Prednisolone 5mg/5ml oral solution").mg_in("") is None
    assert named("Prednisolone 5mg/5ml oral solution").mg_in("mL") == 1
    assert named("Prednisone 10 MG Oral Tablet").mg_in("puff") is None


@pytest.mark.parametrize(
    ("strength", "mg", "mg_per_ml"),
    [
        ({"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}, "5", None),
        ({"numerator": {"value": 0.5, "code": "g"}, "denominator": {"value": 1, "code": "{tbl}"}}, "500", None),
        ({"numerator": {"value": 15, "unit": "mg"}, "denominator": {"value": 5, "unit": "mL"}}, None, "3"),
        ({"numerator": {"value": 5, "unit": "mg"}}, None, None),
        ({"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 0, "unit": "mL"}}, None, None),
        ({"numerator": {"value": 5, "unit": "drops"}, "denominator": {"value": 1, "unit": "mL"}}, None, None),
    ],
)
def test_the_strength_of_an_ingredient(strength: dict[str, Any], mg: str | None, mg_per_ml: str | None) -> None:
    product = named("Prednisone", ingredient=[{"strength": strength}])

    assert product.strengths == ({Decimal(mg)} if mg else set())
    assert product.strengths_per_ml == ({Decimal(mg_per_ml)} if mg_per_ml else set())


def test_two_ingredients_tell_no_strength() -> None:
    strength = {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}

    assert named("x", ingredient=[{"strength": strength}, {"strength": strength}]).strengths == set()


def test_a_pack_of_one_kind_tells_its_tablets_and_their_strength() -> None:
    product = product_of((PACK,))

    assert product is not None
    assert (product.pack, product.strengths, product.counted) == (21, {Decimal(4)}, True)
