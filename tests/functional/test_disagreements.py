"""D1-D17: the same record under us, uk and ca gives the differences that the disagreements predict."""

from __future__ import annotations

import pytest

from cds_service.clinical import profiles
from cds_service.review.disagreements import FOLDER, Disagreement, load
from tests.packaging.repository import ROOT

ALL = load(ROOT / FOLDER)
every_row = pytest.mark.parametrize("each", ALL, ids=lambda each: each.row)


@every_row
@pytest.mark.parametrize("profile", ["us", "uk", "ca"])
def test_each_profile_answers_as_its_reading_says(each: Disagreement, profile: str) -> None:
    assert each.answers(profile) == each.expect[profile]


@every_row
def test_the_other_reading_gives_another_answer(each: Disagreement) -> None:
    """Where our profiles agree, or a difference cannot show in them, the other reading is shown."""
    if each.other:
        assert each.other_answers() == each.other["expect"]
        shown = each.expect[each.other["profile"]]
        assert any(shown[asked] != answer for asked, answer in each.other["expect"].items())


@every_row
def test_every_row_shows_a_difference(each: Disagreement) -> None:
    answers = [tuple(sorted(told.items())) for told in each.expect.values()]
    assert len(set(answers)) > 1 or each.other


def test_all_17_rows_are_there_once() -> None:
    assert [each.row for each in ALL] == [f"D{number}" for number in range(1, 18)]
    assert {each.switch for each in ALL} == set(profiles.switches())
