"""25-OH vitamin D: bands of one set of cut-offs, bounds as arrows, values as reported beside those that are drawn."""

from __future__ import annotations

from decimal import Decimal

from cds_service.kernel.quantities import Interval, exactly
from cds_service.pictures import Picture, vitamin_d
from cds_service.pictures.picture import Line
from cds_service.pictures.plot_vitamin_d import Result
from tests.support.drawn import at, drawn
from tests.support.pictures import AS_OF, BANDS, day


def picture(*results: Result, lines: tuple[Line, ...] = ()) -> Picture:
    return vitamin_d(results, BANDS, "ng/mL", "IOM 2011", AS_OF, lines=lines)


def result(value: str, on: str = "2026-01-10") -> Result:
    return Result(exactly(value), f"{value} ng/mL", day(on))


def test_bands_lie_over_each_other_from_low_to_high_without_a_hole() -> None:
    found = [
        (float(each.get("y", "")), float(each.get("height", ""))) for each in drawn(picture(result("30"))).part("band")
    ]

    assert [round(y + height, 1) for y, height in found[1:]] == [round(y, 1) for y, _ in found[:-1]]


def test_each_band_has_its_name_and_numbers_in_it() -> None:
    assert {band.words("ng/mL") for band in BANDS} <= set(drawn(picture(result("30"))).words)


def test_a_band_too_narrow_for_its_name_is_named_below() -> None:
    found = drawn(picture(result("180")))

    assert "deficient: below 12 ng/mL" in " ".join(found.words)
    assert any(words.startswith("Bands without room for words: ") for words in found.words)


def test_s7_a_bound_is_an_arrow_in_the_direction_where_the_value_lies() -> None:
    below = Result(Interval(None, Decimal(8), below_high=True), "<8 ng/mL", day("2026-01-10"))
    above = Result(Interval(Decimal(60), None, above_low=True), ">60 ng/mL", day("2026-01-10"))
    low, high = drawn(picture(below)), drawn(picture(above))

    def tip(found: object) -> float:
        stem = found.part("arrow")[0]  # type: ignore[attr-defined]
        return float(stem.get("y2", "")) - float(stem.get("y1", ""))

    assert tip(low) > 0 > tip(high)
    assert "<8" in low.words
    assert ">60" in high.words


def test_an_exact_value_has_no_arrow() -> None:
    assert drawn(picture(result("30"))).part("arrow") == []


def test_a_converted_value_is_told_as_reported_too() -> None:
    found = drawn(picture(Result(exactly(20), "50 nmol/L", day("2026-01-10"))))

    assert ("Result", "20 ng/mL", "50 nmol/L", "2026-01-10", "-") in found.picture.table.rows
    assert any("converted for drawing" in words for words in found.words)


def test_nothing_is_said_of_converting_where_nothing_was_converted() -> None:
    assert not any("converted" in words for words in drawn(picture(result("20"))).words)


def test_a_limit_far_above_every_result_is_not_drawn() -> None:
    toxic = Line(Decimal(150), "toxicity range over 150 ng/mL")

    assert drawn(picture(result("30"), lines=(toxic,))).part("guideline") == []
    assert len(drawn(picture(result("149"), lines=(toxic,))).part("guideline")) == 1


def test_larger_values_lie_higher_and_later_ones_further_right() -> None:
    first, second = map(at, drawn(picture(result("10", "2024-01-01"), result("40", "2026-01-01"))).part("reading"))

    assert first[0] < second[0]
    assert first[1] > second[1]


def test_s2_a_result_without_a_date_is_no_absent_result() -> None:
    words = drawn(picture(Result(exactly(9), "9 ng/mL", None))).words

    assert "No result with a date to draw." in words
    assert "Results without a date, not drawn: 9 ng/mL." in words


def test_the_newest_result_is_in_the_description_whatever_the_order() -> None:
    told = picture(result("11", "2024-01-01"), result("33", "2026-01-01"), result("22", "2025-01-01"))

    assert "Newest: 33 ng/mL, reported as 33 ng/mL." in told.description
