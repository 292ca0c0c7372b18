"""From an order of every glucocorticoid to the prednisolone-equivalent dose of a day, against sums made by hand."""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from fractions import Fraction
from typing import Any

import pytest

from cds_service.clinical import content, profiles
from cds_service.clinical.patient import Patient
from cds_service.kernel.quantities import ZERO, Interval
from tests.dosage_corpus.corpus import HERE, same, span
from tests.support.charts import chart_of

AS_OF = dt.date(2026, 6, 15)
DAY = dt.date(2026, 6, 10)
SYSTEMS = {
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "dmd": "https://dmd.nhs.uk",
    "snomed": "http://snomed.info/sct",
}
ORDERS: list[dict[str, Any]] = tomllib.loads((HERE / "round_trip.toml").read_text(encoding="utf-8"))["order"]
INGREDIENTS = (
    *("prednisone", "prednisolone", "methylprednisolone", "hydrocortisone", "cortisone", "dexamethasone"),
    *("betamethasone", "triamcinolone", "deflazacort", "budesonide", "vamorolone", "fludrocortisone"),
)


def name(order: dict[str, Any]) -> str:
    return f"{order['drug']} {order['code']} {order['route']} {order['sig']}"


def structure(order: dict[str, Any]) -> dict[str, Any]:
    """Amount and timing as FHIR has them; nothing where the order has no amount."""
    if "dose" not in order:
        return {}
    amount, unit = order["dose"].split(" ")
    low, _, high = amount.partition("..")
    told = re.fullmatch(r"(\d+)/(\d+)(\w+)", order["often"])
    assert told, order
    dose = (
        {"doseRange": {"low": {"value": float(low), "unit": unit}, "high": {"value": float(high), "unit": unit}}}
        if high
        else {"doseQuantity": {"value": float(low), "unit": unit}}
    )
    repeat = {"frequency": int(told[1]), "period": int(told[2]), "periodUnit": told[3]}
    needed = {"asNeededBoolean": True} if order.get("as_needed") else {}
    return {"timing": {"repeat": repeat}, "doseAndRate": [dose], **needed}


def exposure_on(day: dt.date, order: dict[str, Any], dosage: dict[str, Any], site: str) -> Interval:
    resource = {
        "resourceType": "MedicationRequest",
        "id": "m1",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"coding": [{"system": SYSTEMS[order["system"]], "code": order["code"]}]},
        "subject": {"reference": "Patient/p1"},
        "authoredOn": "2026-06-01",
        "dosageInstruction": [{"route": {"text": order["route"]}, **dosage}],
        "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "d"}},
    }
    chart = chart_of(json.dumps(resource), as_of=AS_OF.isoformat())
    return Patient(chart, content.thresholds(AS_OF), profiles.profile(site)).exposure.on(day)


def expected(order: dict[str, Any], site: str) -> str:
    equal = order["equal"]
    return str(equal[site] if isinstance(equal, dict) else equal)


def check(order: dict[str, Any], found: Interval, site: str) -> None:
    wanted = expected(order, site)
    if wanted == "nothing":
        assert found == ZERO
    elif wanted == "not convertible":
        # nothing, or more than nothing without a bound: never a number
        assert found == ZERO or (found.low == 0 and found.high is None)
    else:
        assert same(found, span(wanted)), f"{found}, by hand {wanted}"


@pytest.mark.parametrize("site", ["us", "uk"])
@pytest.mark.parametrize("order", ORDERS, ids=name)
def test_a_structured_order_comes_out_as_worked_out_by_hand(order: dict[str, Any], site: str) -> None:
    check(order, exposure_on(DAY, order, structure(order), site), site)


@pytest.mark.parametrize("site", ["us", "uk"])
@pytest.mark.parametrize("order", ORDERS, ids=name)
def test_an_order_in_words_alone_comes_out_as_worked_out_by_hand(order: dict[str, Any], site: str) -> None:
    check(order, exposure_on(DAY, order, {"text": order["sig"]}, site), site)


@pytest.mark.parametrize("site", ["us", "uk"])
@pytest.mark.parametrize("order", ORDERS, ids=name)
def test_words_and_structure_that_agree_change_nothing(order: dict[str, Any], site: str) -> None:
    check(order, exposure_on(DAY, order, {"text": order["sig"], **structure(order)}, site), site)


def test_every_ingredient_is_there() -> None:
    assert set(INGREDIENTS) <= {order["drug"] for order in ORDERS}


def test_the_sums_follow_from_the_table_of_equivalents() -> None:
    """Mg of the drug that equal 5 mg of prednisolone (clinical.md 10), copied out by hand."""
    equal_5 = {
        **dict.fromkeys(("prednisone", "prednisolone"), "5"),
        **dict.fromkeys(("methylprednisolone", "triamcinolone"), "4"),
        "hydrocortisone": "20",
        "cortisone": "25",
        "dexamethasone": "0.75",
        "deflazacort": "6",
    }
    for order in ORDERS:
        for site, betamethasone in (("us", "0.6"), ("uk", "0.75")):
            wanted = expected(order, site)
            if wanted not in ("nothing", "not convertible"):
                factor = 5 / Fraction({**equal_5, "betamethasone": betamethasone}[order["drug"]])
                assert span(wanted) == tuple(bound * factor for bound in span(order["mg"])), name(order)
