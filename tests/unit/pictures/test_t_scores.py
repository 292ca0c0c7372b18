"""T-scores: what is joined, what is not, and what a reader sees without colour."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from cds_service.kernel.quantities import Interval, exactly
from cds_service.pictures import Picture, t_scores
from cds_service.pictures.palette import SHAPES
from cds_service.pictures.picture import Mark, Period
from cds_service.pictures.plot_t_scores import TScore
from tests.support.drawn import at, drawn
from tests.support.pictures import AS_OF, LOW, NORMAL, day

SPINE, HIP = "lumbar spine", "total hip"


def score(value: str, on: str = "2024-05-02", site: str = SPINE, scanner: str = "") -> TScore:
    return TScore(site, exactly(value), day(on) if on else None, scanner)


def picture(*scores: TScore, periods: tuple[Period, ...] = (), fractures: tuple[Mark, ...] = ()) -> Picture:
    return t_scores(scores, (NORMAL, LOW), AS_OF, periods=periods, fractures=fractures)


def joins(*scores: TScore) -> int:
    return len(drawn(picture(*scores)).part("joined"))


def test_two_scores_of_one_site_and_one_scanner_are_joined() -> None:
    assert joins(score("-1", "2020-01-01", scanner="scanner 1"), score("-2", "2024-01-01", scanner="scanner 1")) == 1


def test_scores_of_two_scanners_are_never_joined() -> None:
    assert joins(score("-1", "2020-01-01", scanner="scanner 1"), score("-2", "2024-01-01", scanner="scanner 2")) == 0


def test_scores_of_two_sites_are_never_joined() -> None:
    one, other = score("-1", "2020-01-01", SPINE, "scanner 1"), score("-2", "2024-01-01", HIP, "scanner 1")

    assert joins(one, other) == 0


@pytest.mark.parametrize("scanner", ["", "scanner 1"])
def test_scores_are_not_joined_while_one_scanner_is_not_known(scanner: str) -> None:
    assert joins(score("-1", "2020-01-01"), score("-2", "2024-01-01", scanner=scanner)) == 0


def test_d10_two_scores_of_one_day_leave_the_series_unjoined() -> None:
    both = [score(value, "2024-01-01", scanner="scanner 1") for value in ("-2", "-2.2")]

    assert joins(score("-1", "2020-01-01", scanner="scanner 1"), *both) == 0


def test_a_score_of_a_month_or_a_bound_is_not_joined() -> None:
    month = score("-2", "2024-01", scanner="scanner 1")
    bound = TScore(SPINE, Interval(None, Decimal(-3)), day("2025-01-01"), "scanner 1")

    assert joins(score("-1", "2020-01-01", scanner="scanner 1"), month, bound) == 0


def test_higher_scores_lie_higher_and_later_ones_further_right() -> None:
    first, second = map(at, drawn(picture(score("-1", "2020-01-01"), score("-3", "2024-01-01"))).part("reading"))

    assert first[0] < second[0]
    assert first[1] < second[1]


def test_a_score_lies_on_the_line_of_its_number() -> None:
    found = drawn(picture(score("-2.5")))
    (_, y), lines = at(found.part("reading")[0]), [float(each.get("y1", "")) for each in found.part("guideline")]

    assert lines[1] == y
    assert lines[0] < y


def test_s7_lines_are_those_that_are_given() -> None:
    assert drawn(t_scores([score("-2")], (), AS_OF)).part("guideline") == []


def test_sites_differ_in_shape_and_scanners_of_a_site_in_filling() -> None:
    found = drawn(picture(score("-1", scanner="scanner 1"), score("-1.2", scanner="scanner 2"), score("-2", site=HIP)))
    spine_1, spine_2, hip = found.part("reading")

    assert spine_1.get("d") == spine_2.get("d")
    assert spine_1.get("fill") != spine_2.get("fill")
    assert hip.get("d") != spine_1.get("d")


def test_a_site_has_the_same_shape_in_every_picture() -> None:
    (alone,) = drawn(picture(score("-2", site=HIP))).part("reading")
    beside = drawn(picture(score("-1"), score("-2", site=HIP))).part("reading")[1]

    assert alone.get("d") == beside.get("d") == SHAPES["square"]


def test_a_least_significant_change_is_a_whisker_over_its_score() -> None:
    told = TScore(SPINE, exactly(-2), day("2024-05-02"), "scanner 1", Decimal("0.5"))
    found = drawn(picture(told, score("-1.5", site=HIP), score("-2.5", site="femoral neck")))
    stem = found.part("whisker")[0]
    ys = [at(each)[1] for each in found.part("reading")]

    assert (float(stem.get("y1", "")), float(stem.get("y2", ""))) == (ys[1], ys[2])


def test_s3_a_picture_says_that_no_least_significant_change_is_on_record() -> None:
    found = drawn(picture(score("-1", "2020-01-01"), score("-2")))

    assert found.part("whisker") == []
    assert "Least significant change not on record: no difference between two scans is called a change." in found.words


def test_s2_nothing_found_and_nothing_looked_at_are_different_words() -> None:
    none, failed = t_scores([], (), AS_OF), t_scores([], (), AS_OF, gaps=["Look-up failed: DXA results"])

    assert "No T-score found; everything was looked at." in drawn(none).words
    assert "No T-score seen, but not everything could be looked at." in drawn(failed).words
    assert "Look-up failed: DXA results" in failed.description
    assert "found" not in failed.description


def test_a_score_without_a_date_is_told_and_not_called_absent() -> None:
    found = drawn(picture(score("-2.7", on="")))

    assert found.part("reading") == []
    assert "T-scores without a date, not drawn: lumbar spine -2.7." in found.words
    assert not [words for words in found.words if "found" in words]


def test_a_fracture_known_by_a_visit_does_not_stretch_the_axis_to_a_birth() -> None:
    by = day("2024-03-01")
    by = type(by)(dt.date(1950, 1, 1), by.latest, "by 2024-03-01")
    found = drawn(picture(score("-2"), fractures=(Mark("Hip fracture", by),)))

    assert "Hip fracture, by 2024-03-01" in found.words
    assert [words for words in found.words if words.startswith("19")] == []


def test_s7_a_drug_whose_use_now_is_not_known_is_hatched_up_to_today() -> None:
    known = drawn(picture(score("-2"), periods=(Period("x", day("2024-01-01"), day("2025-01-01"), "no"),)))
    open_ = drawn(picture(score("-2"), periods=(Period("x", day("2024-01-01"), day("2025-01-01"), "unknown"),)))
    (short,), (long,) = known.part("treatment-possible"), open_.part("treatment-possible")

    assert float(long.get("width", "")) > float(short.get("width", "")) * 2
    assert known.part("treatment")[0].get("width") == open_.part("treatment")[0].get("width")
    assert "url(#" in long.get("fill", "")


def test_a_treatment_without_any_date_has_no_bar_and_a_note() -> None:
    found = drawn(picture(score("-2"), periods=(Period("risedronate", None, None, "unknown"),)))

    assert found.part("treatment") == found.part("treatment-possible") == []
    assert "Without a date, not drawn: risedronate." in found.words


def test_the_table_holds_scores_fractures_treatment_and_lines() -> None:
    told = TScore(SPINE, exactly(-2), day("2024-05-02"), "scanner 1", Decimal("0.5"), "from the words of a report")
    found = drawn(
        picture(
            told,
            periods=(Period("denosumab", day("2024"), day("2026-01-10"), "yes"),),
            fractures=(Mark("Hip fracture", None),),
        )
    )

    assert found.picture.table.rows == (
        ("T-score", "lumbar spine: -2", "2024-05-02",
         "scanner 1; from the words of a report; least significant change 0.5"),
        ("Fracture", "Hip fracture", "no date", "-"),
        ("Treatment", "denosumab", "from 2024", "last evidence 2026-01-10; taken now"),
        ("Line", NORMAL.label, "-", "-"),
        ("Line", LOW.label, "-", "-"),
    )  # fmt: skip
