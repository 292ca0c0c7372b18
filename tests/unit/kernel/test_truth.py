"""Three-valued truth: every combination of three answers."""

from __future__ import annotations

import pytest

from cds_service.kernel.criteria import Criterion, all_of, any_of, none_of, not_
from cds_service.kernel.truth import Truth, every, some

YES, NO, UNKNOWN = Truth.YES, Truth.NO, Truth.UNKNOWN

# y yes, n no, ? not known: three parts, then what `every`, `some` and "none of them" answer.
TABLE = """
yyy y y n    yyn n y n    yy? ? y n
yny n y n    ynn n y n    yn? n y n
y?y ? y n    y?n n y n    y?? ? y n
nyy n y n    nyn n y n    ny? n y n
nny n y n    nnn n n y    nn? n ? ?
n?y n y n    n?n n ? ?    n?? n ? ?
?yy ? y n    ?yn n y n    ?y? ? y n
?ny n y n    ?nn n ? ?    ?n? n ? ?
??y ? y n    ??n n ? ?    ??? ? ? ?
"""
WORDS = TABLE.split()
ROWS = [tuple(WORDS[at : at + 4]) for at in range(0, len(WORDS), 4)]
MEANING = {"y": YES, "n": NO, "?": UNKNOWN}


def parts(letters: str) -> list[Criterion]:
    return [Criterion(f"part-{number}", MEANING[letter]) for number, letter in enumerate(letters)]


def test_the_table_has_all_27_combinations() -> None:
    assert {row[0] for row in ROWS} == {f"{a}{b}{c}" for a in "yn?" for b in "yn?" for c in "yn?"}


@pytest.mark.parametrize(("letters", "all_", "_any", "_none"), ROWS, ids=[row[0] for row in ROWS])
def test_every(letters: str, all_: str, _any: str, _none: str) -> None:
    assert every(MEANING[letter] for letter in letters) is MEANING[all_]
    assert all_of(*parts(letters)).truth is MEANING[all_]


@pytest.mark.parametrize(("letters", "_all", "any_", "none_"), ROWS, ids=[row[0] for row in ROWS])
def test_some_and_none(letters: str, _all: str, any_: str, none_: str) -> None:
    assert some(MEANING[letter] for letter in letters) is MEANING[any_]
    assert any_of(*parts(letters)).truth is MEANING[any_]
    assert none_of(*parts(letters)).truth is MEANING[none_]


@pytest.mark.parametrize(("truth", "opposite"), [(YES, NO), (NO, YES), (UNKNOWN, UNKNOWN)])
def test_s2_not_turns_yes_and_no_around_and_leaves_unknown_unknown(truth: Truth, opposite: Truth) -> None:
    assert ~truth is opposite
    assert not_(Criterion("part", truth)).truth is opposite


def test_nothing_at_all_is_every_and_not_some() -> None:
    assert every([]) is YES
    assert some([]) is NO


def test_the_truth_of_a_plain_condition() -> None:
    assert (Truth.of(True), Truth.of(False)) == (YES, NO)
