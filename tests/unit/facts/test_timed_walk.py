"""The Timed 25-Foot Walk, found by its name: no code for it is verified (terminology.md 13)."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts.timed_walk import timed_walk
from cds_service.kernel.facts import Gap, GapKind, Known, Unknown
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of
from tests.support.results import result

NONE = Unknown((Gap(GapKind.NOT_RECORDED, "timed-walk"),))


def walk(
    value: str, on: str = "2026-05-01", unit: str = "s", text: str = "T25FW", ident: str = "r1", status: str = "final"
) -> str:
    return result("", value, unit, on, ident, status, text)


def seconds(*resources: str) -> Interval:
    fact = timed_walk(chart_of(*resources))
    assert isinstance(fact, Known)
    return fact.value


@pytest.mark.parametrize(
    "name",
    [
        "Timed 25-Foot Walk",
        "timed 25 foot walk",
        "T25FW trial 1",
        "25-foot walk",
        "Walk test: 25 foot walk time",
        "t25fw",
    ],
)
def test_it_is_found_by_its_name(name: str) -> None:
    assert seconds(walk("6.2", text=name)) == exactly("6.2")


@pytest.mark.parametrize("name", ["6 minute walk", "Timed up and go", "walk of 125 feet", "XT25FWX"])
def test_other_walks_are_not_taken_for_it(name: str) -> None:
    assert timed_walk(chart_of(walk("6.2", text=name))) == NONE


def test_the_name_may_stand_in_a_display_or_in_a_component() -> None:
    local = '{"coding": [{"system": "https://clinic.example/codes", "code": "w", "display": "T25FW"}]}'
    assert seconds(walk("6.2").replace('{"text": "T25FW"}', local)) == exactly("6.2")
    part = '"component": [{"code": {"text": "T25FW"}, "valueQuantity": {"value": 7, "unit": "sec"}}]'
    assert seconds(walk(part, text="MSFC")) == exactly(7)


def test_a_result_that_has_a_mapped_code_as_well() -> None:
    coded = '{"coding": [{"system": "http://snomed.info/sct", "code": "430481008"}], "text": "T25FW"}'
    assert seconds(walk("6.2").replace('{"text": "T25FW"}', coded)) == exactly("6.2")


def test_the_newest_day_counts_and_its_trials_give_an_interval() -> None:
    older, first, second = walk("5", "2025-05-01", ident="a"), walk("6.2", ident="b"), walk("6.6", ident="c")
    fact = timed_walk(chart_of(older, first, second))
    assert isinstance(fact, Known)
    assert fact.value == between("6.2", "6.6")
    assert [(each.kind, each.value, str(each.on)) for each in fact.evidence] == [
        ("timed-walk", "6.2 s", "2026-05-01"),
        ("timed-walk", "6.6 s", "2026-05-01"),
    ]


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        (walk("6.2", unit=""), GapKind.UNIT_UNKNOWN),
        (walk("6.2", unit="min"), GapKind.UNIT_UNKNOWN),
        (walk("25", unit="[ft_i]"), GapKind.UNIT_UNKNOWN),
        (walk("0.2"), GapKind.UNREADABLE),
        (walk("301"), GapKind.UNREADABLE),
        (walk('"valueString": "with a cane"'), GapKind.UNREADABLE),
        (walk("6.2", on="2026-07-01"), GapKind.UNREADABLE),
        (walk('"dataAbsentReason": {"text": "unable"}'), GapKind.NOT_RECORDED),
        (walk("6.2", status="entered-in-error"), GapKind.NOT_RECORDED),
        (walk("6.2", status="preliminary"), GapKind.NOT_RECORDED),
    ],
)
def test_s3_what_cannot_be_used_has_a_reason(resource: str, kind: GapKind) -> None:
    fact = timed_walk(chart_of(resource))
    assert isinstance(fact, Unknown)
    assert [(gap.kind, gap.what) for gap in fact.gaps] == [(kind, "timed-walk")]


@pytest.mark.parametrize("value", ["1", "300"])
def test_d18_from_1_to_300_seconds_are_possible(value: str) -> None:
    assert seconds(walk(value)) == exactly(value)


def test_a_newer_result_that_cannot_be_read_is_a_doubt() -> None:
    fact = timed_walk(chart_of(walk("6.2", "2025-05-01"), walk("7", unit="", ident="b")))
    assert isinstance(fact, Known)
    assert [(gap.kind, gap.resource) for gap in fact.doubts] == [(GapKind.UNIT_UNKNOWN, "Observation/b")]


def test_s2_none_found_never_means_not_done() -> None:
    assert timed_walk(chart_of()) == NONE
    failed = Gap(GapKind.FAILED, "function")
    assert timed_walk(chart_of(incomplete=[needs.FUNCTION])) == Unknown((failed,))
    fact = timed_walk(chart_of(walk("6.2"), incomplete=[needs.FUNCTION]))
    assert isinstance(fact, Known)
    assert fact.doubts == (failed,)
