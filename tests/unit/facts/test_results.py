"""Results with a number, for all readers of Observations: newest first, and what could not be used (S3, D15, D16)."""

from __future__ import annotations

import pytest

from cds_service.clinical.facts.results import Results, hull, moment, newest_day, older, read_results
from cds_service.fhir.chart import Chart, Found
from cds_service.kernel.dates import parse_date
from cds_service.kernel.facts import Evidence, Gap, GapKind
from cds_service.kernel.quantities import Interval, between, exactly
from tests.support.charts import chart_of
from tests.support.results import result

CALCIUM = "2000-8"
WHAT, CONCEPT = "calcium", "lab.calcium.total"


def calcium(value: str, on: str = "2026-05-01", ident: str = "r1", unit: str = "mmol/L") -> str:
    return result(CALCIUM, value, unit, on, ident)


def found_in(*resources: str) -> tuple[Results, Chart]:
    chart = chart_of(*resources)
    return read_results(chart, WHAT, "calcium", CONCEPT), chart


def unread(chart: Chart) -> list[tuple[str, str]]:
    return [(each.resource, each.reason) for each in chart.unread]


# --- what can be used ------------------------------------------------------------------------------------------------
def test_usable_results_newest_first_undated_last() -> None:
    results, _ = found_in(
        calcium("2.1", "2025-01-01", "old"),
        calcium("2.2", "", "undated"),
        calcium("2.3", "2026-05-01", "new"),
        calcium("2.4", "2026-05", "some-day-of-may"),
    )
    assert [each.name for each in results.usable] == [
        f"Observation/{ident}" for ident in ("some-day-of-may", "new", "old", "undated")
    ]


def test_s6_results_of_one_day_stand_in_the_order_of_their_values_and_names() -> None:
    together = [calcium("2.3", ident="a"), calcium("2.2", ident="c"), calcium("2.2", ident="b")]
    assert [each.name for each in found_in(*together)[0].usable] == [
        f"Observation/{ident}" for ident in ("b", "c", "a")
    ]


def test_a_result_is_shown_with_value_unit_day_and_place() -> None:
    (found,) = found_in(calcium("2.3"))[0].usable
    day = parse_date("2026-05-01")
    assert found.evidence("tested") == Evidence("tested", "2.3 mmol/L", day, "Observation/r1")
    assert found.evidence("tested", "total").note == "total"


def test_a_result_knows_what_it_is_a_result_of() -> None:
    (found,) = found_in(calcium("2.3"))[0].usable
    assert [found.is_of(concept) for concept in (CONCEPT, "lab.albumin")] == [True, False]


def test_a_result_without_a_date_counts_and_is_reported() -> None:
    results, chart = found_in(calcium("2.3", on=""))
    assert [each.on for each in results.usable] == [None]
    assert unread(chart) == [("Observation/r1", "no-date")]


# --- what cannot -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("resource", "kind", "detail", "reason", "on"),
    [
        (calcium("2.3", unit="furlong"), GapKind.UNIT_UNKNOWN, "unit not known", "unit-unknown", "2026-05-01"),
        (calcium("99"), GapKind.UNREADABLE, "99 mmol/L is not possible", "unreadable", "2026-05-01"),
        (calcium("2.3", on="2027-01-01"), GapKind.UNREADABLE, "dated in the future", "future-date", "2027-01-01"),
    ],
    ids=["unit", "value", "date"],
)
def test_s3_what_cannot_be_used_leaves_a_gap_and_is_reported(
    resource: str, kind: GapKind, detail: str, reason: str, on: str
) -> None:
    results, chart = found_in(resource)
    assert results.usable == ()
    assert [each.gap for each in results.failed] == [Gap(kind, WHAT, detail, "Observation/r1")]
    assert [str(each.on) for each in results.failed] == [on]
    assert unread(chart) == [("Observation/r1", reason)]


@pytest.mark.parametrize(
    ("value", "reported"),
    [
        ('"interpretation": [{"text": "high"}]', [("Observation/r1", "no-value")]),
        ('"hasMember": [{"reference": "Observation/r2"}]', []),
        ('"component": [{"code": {"text": "part"}}]', []),
    ],
    ids=["no value", "panel by its members", "panel by its components"],
)
def test_d16_a_result_that_never_had_a_value_leaves_no_gap_and_a_panel_is_not_even_reported(
    value: str, reported: list[tuple[str, str]]
) -> None:
    results, chart = found_in(result(CALCIUM, value))
    assert (results.usable, results.failed, unread(chart)) == ((), (), reported)


@pytest.mark.parametrize(
    ("failed", "counts"),
    [("2026-04-30", False), ("2026-05-01", True), ("2026-05-02", True), ("2026-05", True), ("", True)],
)
def test_s7_a_failed_result_matters_unless_it_is_certainly_older_than_the_newest(failed: str, counts: bool) -> None:
    results, _ = found_in(calcium("2.3", "2026-05-01", "good"), calcium("99", failed, "bad"))
    (good,) = results.usable
    assert len(results.gaps(good.on)) == (1 if counts else 0)
    assert len(results.gaps(None)) == 1


@pytest.mark.parametrize(
    ("on", "than", "expected"),
    [
        ("2026-04-30", "2026-05-01", True),
        ("2026-05-01", "2026-05-01", False),
        ("2026-04", "2026-05", True),
        ("2026-05", "2026-05-31", False),
        (None, "2026-05-01", False),
        ("2026-05-01", None, False),
    ],
)
def test_s7_older_only_where_every_possible_day_is(on: str | None, than: str | None, expected: bool) -> None:
    assert older(parse_date(on), parse_date(than)) is expected


# --- several results -------------------------------------------------------------------------------------------------
def test_the_newest_day_may_hold_several_results() -> None:
    results, _ = found_in(
        calcium("2.1", "2025-01-01", "a"), calcium("2.2", ident="b"), calcium("2.3", ident="c"), calcium("2.4", "", "d")
    )
    assert [each.name for each in newest_day(results.usable)] == ["Observation/b", "Observation/c"]
    assert newest_day(()) == ()


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([exactly(5)], exactly(5)),
        ([exactly(5), exactly(5)], exactly(5)),
        ([exactly(5), exactly(7), exactly(6)], between(5, 7)),
        ([between(5, 6), between(1, 2)], between(1, 6)),
        ([exactly(5), between(3, None)], between(3, None)),
        ([exactly(5), Interval(None, exactly(9).high)], Interval(None, exactly(9).high)),
        ([Interval(None, exactly(9).high, below_high=True)] * 2, Interval(None, exactly(9).high, below_high=True)),
    ],
    ids=str,
)
def test_s7_values_of_one_day_span_an_interval(values: list[Interval], expected: Interval) -> None:
    assert hull(values) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"effectiveDateTime": "2026-05-01T09:30:00Z"}, "2026-05-01T09:30:00Z"),
        ({"effectivePeriod": {"start": "2026-05-01", "end": "2026-05-02"}}, "2026-05-01"),
        ({"effectiveDateTime": "2026-05-03", "effectivePeriod": {"start": "2026-05-01"}}, "2026-05-03"),
        ({"effectiveDateTime": 20260501}, ""),
        ({}, ""),
    ],
    ids=["date and time", "period", "both", "a number", "neither"],
)
def test_the_moment_as_it_was_written(resource: dict[str, object], expected: str) -> None:
    assert moment(Found(resource, resource, ())) == expected
