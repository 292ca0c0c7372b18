"""Glucocorticoids: what is certain, what is possible, what is not known, and pulses that flatten nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest

from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.pictures import Picture, glucocorticoids
from cds_service.pictures.plot_glucocorticoids import Dose
from tests.support.drawn import Drawn, drawn
from tests.support.pictures import ADJUST, ENTRY, HIGH, YEAR, dose, window

UNKNOWN = Interval(Decimal(0), None, above_low=True)


def picture(*doses: Dose, gaps: Sequence[str] = ()) -> Picture:
    return glucocorticoids(doses, window(), lines=(ENTRY, ADJUST, HIGH), total_lines=(YEAR,), gaps=gaps)


def total(told: Picture) -> str:
    return next(row[3] for row in told.table.rows if row[0] == "Sum")


def height(found: Drawn, part: str) -> float:
    return float(found.part(part)[0].get("height", ""))


def test_a_range_is_solid_up_to_its_low_end_and_dotted_up_to_its_high_one() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-02-01", between(10, 30))))

    assert height(found, "possible") == pytest.approx(2 * height(found, "certain"), abs=0.2)
    assert "dots" in found.part("possible")[0].get("fill", "")


def test_s7_a_dose_that_is_not_known_is_hatched_to_the_top_and_makes_the_sum_a_lower_bound() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-01-10", exactly(10)), dose("2026-01-11", "2026-02-01", UNKNOWN)))

    assert len(found.part("unknown")) == 1
    assert "lines" in found.part("unknown")[0].get("fill", "")
    assert "dose not known" in found.words
    assert total(found.picture) == "at least 100 mg"


def test_an_exact_dose_is_neither_dotted_nor_hatched() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-02-01", exactly(10))))

    assert found.part("possible") == found.part("unknown") == found.part("sum-unknown") == []


def test_the_sum_counts_the_days_of_its_window_only() -> None:
    """From 16 June 2025 to 15 June 2026, both included."""
    assert total(picture(dose("2025-06-15", "2025-06-17", exactly(10)))) == "20 mg"
    assert total(picture(dose("2026-06-15", "2026-08-01", exactly(10)))) == "10 mg"
    assert total(picture(dose("2025-06-01", "2026-06-15", between(1, 2)))) == "365 to 730 mg"


def test_pulses_stand_over_a_break_and_do_not_flatten_the_rest() -> None:
    low = dose("2026-01-01", "2026-02-01", exactly(10))
    pulse = dose("2026-03-01", "2026-03-05", exactly(1250), pulse=True)
    without, with_pulse = drawn(picture(low)), drawn(picture(low, pulse))

    assert height(with_pulse, "certain") == height(without, "certain")
    assert len(with_pulse.part("pulse")) == 1
    assert len(with_pulse.part("break")) > 0
    assert without.part("break") == []
    assert "1250 mg × 5 d" in with_pulse.words


def test_a_pulse_is_part_of_the_sum() -> None:
    assert total(picture(dose("2026-03-01", "2026-03-05", exactly(1250), pulse=True))) == "6250 mg"


def test_s2_an_open_look_up_hatches_every_day_and_leaves_no_upper_end() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-01-10", exactly(10)), gaps=["Look-up failed: medication orders"]))

    assert len(found.part("not-looked-at")) == 1
    assert total(found.picture) == "at least 100 mg"
    assert "Any day may hold more than is drawn." in found.words


def test_s2_nothing_seen_is_not_nothing_found() -> None:
    assert "No systemic glucocorticoid found." in picture().description
    assert "found" not in picture(gaps=["Look-up failed: medication orders"]).description


def test_doses_before_the_picture_begins_are_told() -> None:
    found = drawn(picture(dose("2019-01-01", "2020-01-01", exactly(5))))

    assert "No systemic glucocorticoid in the days that are drawn." in found.words
    assert "Drawn from 2025-05-01 on; doses are on record from 2019-01-01 on." in found.words


def test_what_lies_ahead_is_called_ordered() -> None:
    ahead = drawn(picture(dose("2026-06-01", "2026-07-30", exactly(5))))
    over = drawn(picture(dose("2026-01-01", "2026-06-01", exactly(5))))

    assert "ordered" in ahead.words
    assert "ordered" not in over.words


def test_a_line_that_no_dose_comes_near_does_not_flatten_the_picture() -> None:
    """At 5 mg the line at 30 mg stands in the table only."""
    found = drawn(picture(dose("2026-01-01", "2026-06-01", exactly(5))))

    assert HIGH.label not in found.words
    assert HIGH.label in found.cells


def test_larger_doses_are_higher_and_every_step_is_there() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-02-01", exactly(20)), dose("2026-02-02", "2026-03-01", exactly(5))))
    first, second = (float(each.get("height", "")) for each in found.part("certain"))

    assert first == pytest.approx(4 * second, abs=0.4)
    assert [row[1:] for row in found.picture.table.rows if row[0] == "Dose"] == [
        ("2026-01-01", "2026-02-01", "20 mg a day"),
        ("2026-02-02", "2026-03-01", "5 mg a day"),
    ]


def test_days_without_a_dose_stay_empty() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-01-10", exactly(5)), dose("2026-04-01", "2026-04-10", exactly(5))))
    (first, second) = found.part("certain")

    assert float(first.get("x", "")) + float(first.get("width", "")) < float(second.get("x", "")) - 50


def test_a_slip_of_the_record_leaves_the_axis_readable() -> None:
    found = drawn(picture(dose("2026-01-01", "2026-01-02", exactly(10**9))))

    assert all(len(words) < 12 for words in found.words if words.endswith("E+9"))
    assert any(words.endswith("E+9") for words in found.words)
