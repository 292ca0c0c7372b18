"""The rule map: what each rule answered at each value that was tried, and nothing about the values in between."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from cds_service.kernel.quantities import Interval, between, exactly
from cds_service.pictures import Picture, rule_map
from cds_service.pictures.plot_rule_map import CANNOT_TELL, NOT_APPLICABLE, RECOMMENDS, SATISFIED, RuleRow
from tests.support.drawn import drawn
from tests.support.pictures import LOW

AGES = tuple(map(Decimal, (40, 50, 60, 70)))


def picture(answers: Sequence[str], present: Interval | None = None) -> Picture:
    return rule_map("age", "years", AGES, [RuleRow("SCR-01", tuple(answers))], present=present)


def test_neighbouring_values_with_one_answer_make_one_bar() -> None:
    found = drawn(picture([NOT_APPLICABLE, RECOMMENDS, RECOMMENDS, NOT_APPLICABLE]))

    assert len([each for each in found.part("recommends") if float(each.get("width", "")) > 30]) == 1
    assert found.picture.table.rows[:3] == (
        ("SCR-01", NOT_APPLICABLE, "40 years"),
        ("SCR-01", RECOMMENDS, "50 to 60 years"),
        ("SCR-01", NOT_APPLICABLE, "70 years"),
    )


def test_a_bar_covers_its_values_and_ends_before_the_next_one() -> None:
    found = drawn(picture([NOT_APPLICABLE, RECOMMENDS, RECOMMENDS, NOT_APPLICABLE]))
    (bar,) = found.part("recommends")
    left, right = float(bar.get("x", "")), float(bar.get("x", "")) + float(bar.get("width", ""))

    assert found.x_of("40") < left < found.x_of("50")
    assert found.x_of("60") < right < found.x_of("70")


def test_s3_cannot_tell_is_hatched_and_never_looks_like_an_answer() -> None:
    (bar,) = drawn(picture([CANNOT_TELL] * 4)).part("cannot-tell")

    assert "url(#" in bar.get("fill", "")


def test_the_value_of_the_patient_is_marked_where_it_is() -> None:
    found = drawn(picture([RECOMMENDS] * 4, exactly(55)))
    (line,) = found.part("present")

    assert found.x_of("50") < float(line.get("x1", "")) < found.x_of("60")
    assert "this patient: 55" in found.words
    assert ("This patient", "-", "55 years") in found.picture.table.rows


def test_s7_a_value_known_between_two_bounds_has_two_marks() -> None:
    assert len(drawn(picture([RECOMMENDS] * 4, between(55, 62))).part("present")) == 2


def test_a_value_outside_of_what_was_tried_is_told_not_drawn() -> None:
    found = drawn(picture([RECOMMENDS] * 4, exactly(95)))

    assert found.part("present") == []
    assert "The patient's own value, 95 years, lies outside of what was tried." in found.words


def test_s3_a_value_that_is_not_known_is_called_so() -> None:
    assert "The patient's own value is not known." in picture([RECOMMENDS] * 4).description


def test_only_answers_that_occur_stand_in_the_legend() -> None:
    words = drawn(picture([RECOMMENDS] * 4)).words

    assert RECOMMENDS in words
    assert SATISFIED not in words
    assert CANNOT_TELL not in words


def test_marks_of_guidelines_are_named() -> None:
    values = [Decimal(n) for n in range(-4, 1)]
    told = rule_map("T-score", "", values, [RuleRow("DX-01", (RECOMMENDS,) * 5)], lines=(LOW,))

    assert f"Marks on the axis: {LOW.label}." in drawn(told).words
    assert ("Mark", LOW.label, "-") in told.table.rows
