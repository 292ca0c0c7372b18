"""The bench measures what it says: bodies that the protocol allows, real cards, and honest percentiles."""

from __future__ import annotations

from collections import Counter

import pytest

from bench import bodies
from bench.run import percentile
from bench.services import CONSTANT, service_of
from cds_service.engine.answer import answer
from cds_service.formats import strict_json
from cds_service.protocol.request import parse
from cds_service.protocol.validate import schema_errors
from hooks.patient_view import SERVICE


@pytest.mark.parametrize("size", bodies.SIZES)
def test_bench_bodies_are_valid_calls_of_the_size_and_mix_they_name(size: int) -> None:
    raw = bodies.body(size)
    call = strict_json.load(raw)
    kinds = Counter(
        entry["resource"]["resourceType"] for value in call["prefetch"].values() for entry in value.get("entry", ())
    )

    assert list(schema_errors("request", call)) == []
    assert kinds == {
        "Observation": size * 6 // 10,
        "MedicationRequest": size * 2 // 10,
        "Condition": size * 2 // 10,
    }
    assert 1_600 <= len(raw) / size <= 2_200


def test_bench_bodies_supply_every_key_the_service_asks_for() -> None:
    assert set(bodies.call(50)["prefetch"]) == set(SERVICE.prefetch)


@pytest.mark.parametrize("size", bodies.SIZES)
def test_bench_calls_are_answered_with_cards(size: int) -> None:
    call = parse(strict_json.load(bodies.body(size)), hook="patient-view")

    found = answer(SERVICE, call, as_of=bodies.AS_OF, profile=SERVICE.clinic.profile("us"))

    assert {card.source.topic.code for card in found.cards if card.source.topic} >= {"VitaminD"}


def test_bench_order_calls_are_valid_and_answered_with_a_card() -> None:
    service = service_of("order-sign")
    raw = bodies.body(50, "order-sign")
    assert list(schema_errors("request", strict_json.load(raw))) == []

    call = parse(strict_json.load(raw), hook="order-sign")
    found = answer(service, call, as_of=bodies.AS_OF, profile=service.clinic.profile("us"))

    assert [card.source.topic.code for card in found.cards if card.source.topic] == ["BoneDrugSafety"]


def test_bench_null_service_gives_a_card_that_the_schema_allows() -> None:
    assert list(schema_errors("response", CONSTANT.to_json())) == []


@pytest.mark.parametrize(("percent", "expected"), [(50, 2), (75, 3), (99, 4), (1, 1)])
def test_bench_percentile_is_a_value_that_was_measured(percent: int, expected: int) -> None:
    assert percentile([4, 1, 3, 2], percent) == expected
