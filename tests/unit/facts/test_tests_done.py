"""Which laboratory tests were done, whatever they showed (LAB-01, LAB-02)."""

from __future__ import annotations

import pytest

from cds_service.clinical import needs
from cds_service.clinical.facts import laboratory
from cds_service.kernel.errors import ContentError
from cds_service.kernel.facts import Gap, GapKind, Series
from tests.support.charts import chart_of
from tests.support.results import result

TSH, PTH, PHOSPHATE, SPEP = "3016-3", "2731-8", "2777-1", "24351-9"


def done(*resources: str, concepts: tuple[str, ...] = ("lab.TSH",)) -> list[tuple[str, str]]:
    found = laboratory.tests(chart_of(*resources), *concepts)
    return [(each.concept, str(each.on)) for each in found.items]


@pytest.mark.parametrize(
    ("code", "concept", "name"),
    [
        (PHOSPHATE, "lab.phosphate", "phosphate"),
        ("6768-6", "lab.ALP", "alkaline phosphatase"),
        ("19123-9", "lab.magnesium", "magnesium"),
        (PTH, "lab.PTH", "PTH"),
        (TSH, "lab.TSH", "TSH"),
        ("33358-3", "lab.SPEP", "protein electrophoresis"),
        ("46128-5", "lab.tTG_IgA", "tissue transglutaminase IgA"),
        ("2986-8", "lab.testosterone", "testosterone"),
        ("2160-0", "lab.creatinine", "creatinine"),
        ("98979-8", "lab.eGFR", "eGFR"),
        ("1751-7", "lab.albumin", "albumin"),
        ("29265-6", "lab.calcium.albumin_corrected", "calcium, adjusted for albumin"),
        ("2000-8", "lab.calcium.total", "calcium"),
        ("1995-0", "lab.calcium.ionised", "ionised calcium"),
        ("18488-7", "lab.calcium.urine24h", "calcium in 24-hour urine"),
    ],
)
def test_every_test_that_rules_may_ask_for(code: str, concept: str, name: str) -> None:
    (found,) = laboratory.tests(chart_of(result(code, "1", "x")), concept).items
    assert (found.concept, str(found.on)) == (concept, "2026-05-01")
    assert (found.evidence.kind, found.evidence.value, found.evidence.resource) == ("tested", name, "Observation/r1")


@pytest.mark.parametrize(
    ("value", "counts"),
    [
        ("1.6", True),
        ('"valueString": "see report"', True),
        ('"valueCodeableConcept": {"text": "negative"}', True),
        ('"hasMember": [{"reference": "Observation/x"}]', True),
        ('"component": [{"valueString": "x"}]', True),
        ('"dataAbsentReason": {"text": "sample lost"}', False),
        ('"note": [{"text": "cancelled"}]', False),
    ],
)
def test_any_value_will_do_but_none_will_not(value: str, counts: bool) -> None:
    chart = chart_of(result(TSH, value, "unknown unit"))
    assert len(laboratory.tests(chart, "lab.TSH").items) == (1 if counts else 0)
    assert [each.reason for each in chart.unread] == ([] if counts else ["no-value"])


def test_a_report_counts() -> None:
    report = (
        '{"resourceType": "DiagnosticReport", "id": "d1", "status": "final", "effectiveDateTime": "2026-04-01",'
        f' "code": {{"coding": [{{"system": "http://loinc.org", "code": "{SPEP}"}}]}}}}'
    )
    assert done(report, concepts=("lab.SPEP",)) == [("lab.SPEP", "2026-04-01")]
    assert done(report.replace('"final"', '"registered"'), concepts=("lab.SPEP",)) == []


def test_every_one_newest_first_and_one_of_a_day_once() -> None:
    tests = [
        result(TSH, "1", "m[IU]/L", "2020-01-01", "a"),
        result(PTH, "40", "pg/mL", "2025-01-01", "b"),
        result(TSH, "1", "m[IU]/L", "2026-01-01", "c"),
        result("11580-8", "1", "m[IU]/L", "2026-01-01", "d"),
        result(PHOSPHATE, "1", "mmol/L", "2026-01-01", "e"),
    ]
    expected = [("lab.TSH", "2026-01-01"), ("lab.PTH", "2025-01-01"), ("lab.TSH", "2020-01-01")]
    assert done(*tests, concepts=("lab.TSH", "lab.PTH")) == expected


def test_a_test_without_a_date_was_done() -> None:
    assert done(result(TSH, "1", on=""), result(TSH, "1", on="2020", ident="b")) == [
        ("lab.TSH", "2020"),
        ("lab.TSH", "None"),
    ]


@pytest.mark.parametrize(
    "resource",
    [
        result(TSH, "1", status="entered-in-error"),
        result(TSH, "1", status="preliminary"),
        result(TSH, "1", status="cancelled"),
        result(TSH, "1", on="2026-06-16"),
        result(PTH, "1"),
    ],
)
def test_what_does_not_count(resource: str) -> None:
    assert done(resource) == []


# --- look-ups --------------------------------------------------------------------------------------------------------
def test_s2_never_tested_only_when_looked_up() -> None:
    assert laboratory.tests(chart_of(), "lab.TSH", "lab.creatinine") == Series()


def test_s2_each_test_rests_on_its_own_look_up() -> None:
    failed = chart_of(incomplete=[needs.SECONDARY_CAUSES])
    assert laboratory.tests(failed, "lab.creatinine") == Series()
    assert laboratory.tests(failed, "lab.creatinine", "lab.TSH").gaps == (Gap(GapKind.FAILED, "secondaryCauses"),)
    other = chart_of(incomplete=[needs.LABORATORY])
    assert laboratory.tests(other, "lab.calcium.total").gaps == (Gap(GapKind.FAILED, "laboratory"),)
    assert laboratory.tests(other, "lab.TSH") == Series()


def test_s2_a_doubtful_result_leaves_a_gap_for_its_own_test_only() -> None:
    doubtful = chart_of(result(TSH, "1", status="odd"))
    assert laboratory.tests(doubtful, "lab.TSH").gaps == (Gap(GapKind.UNREADABLE, "kind:lab", "unknown-status"),)
    assert laboratory.tests(doubtful, "lab.PTH") == Series()


@pytest.mark.parametrize("concept", ["lab.tsh", "lab.calcium", "lab.CTX", "cond.osteoporosis"])
def test_s2_a_test_that_nobody_looks_up_may_not_be_asked_for(concept: str) -> None:
    with pytest.raises(ContentError, match="is looked up by no need"):
        laboratory.tests(chart_of(), concept)
