"""No number with few patients behind it is shown, nor one from which such a number could be computed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from cds_service.reports.groups import Groups, Hidden, Part, hidden, is_few
from cds_service.reports.rates import Rate
from cds_service.reports.rows import Call, Card, Person, Telling

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def part(patients: int, smallest: int = 11, *, start: int = 0, key: str = "k", calls_each: int = 1) -> Part:
    made = Part(smallest)
    for number in range(start, start + patients):
        for _ in range(calls_each):
            made.add(Person(key=key, hash=f"p{number}"))
    return made


def rows(*patients: int) -> list[list[Part]]:
    """One part each, with patients that are in no other row."""
    return [[part(number, start=1000 * place)] for place, number in enumerate(patients)]


def test_ten_patients_are_few_and_eleven_are_not() -> None:
    assert part(10).few
    assert not part(11).few
    assert not part(0).few


def test_many_calls_about_one_patient_are_still_one_patient() -> None:
    assert part(1, calls_each=500).few


def test_calls_of_which_nobody_knows_whom_they_are_about_count_as_few() -> None:
    made = Part(11)
    for _ in range(50):
        made.add(Person(key="k"))
    assert made.few


def test_two_keys_do_not_make_two_patients_of_one() -> None:
    made = Part(11)
    for key in ("before", "after"):
        for number in range(6):
            made.add(Person(key=key, hash=f"{key}{number}"))
    assert made.few


def test_nothing_is_hidden_where_all_are_enough() -> None:
    assert hidden(rows(11, 30, 0), 11) == {}


def test_a_lone_small_row_takes_the_next_smallest_with_it() -> None:
    """40 + 25 + 3 = 68 is known, so 3 could be computed from 40 and 25."""
    assert hidden(rows(40, 25, 3), 11) == {2: Hidden.FEW, 1: Hidden.OTHER}


def test_small_rows_that_are_few_together_take_another_one_too() -> None:
    """Two rows of 3 and 4 could be read as a group of 7."""
    assert hidden(rows(40, 3, 4, 20), 11) == {1: Hidden.FEW, 2: Hidden.FEW, 3: Hidden.OTHER}


def test_small_rows_that_are_enough_together_take_nothing_with_them() -> None:
    assert hidden(rows(40, 6, 7), 11) == {1: Hidden.FEW, 2: Hidden.FEW}


def test_the_only_row_with_anybody_hides_behind_empty_ones() -> None:
    assert hidden(rows(5, 0), 11) == {0: Hidden.FEW, 1: Hidden.OTHER}


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=6),
    st.integers(2, 15),
)
def test_what_is_hidden_is_never_a_small_number_by_subtraction(counts: list[tuple[int, int]], smallest: int) -> None:
    """Total less what is shown is what is hidden together: several rows, and no small part of it, or the whole table."""
    made = [
        [part(each, smallest, start=1000 * (2 * place + n)) for n, each in enumerate(pair)]
        for place, pair in enumerate(counts)
    ]
    found = hidden(made, smallest)
    for place, pair in enumerate(counts):
        assert place in found or not any(0 < each < smallest for each in pair)
    if found and len(found) < len(counts):
        assert len(found) > 1
        for column in range(2):
            left = sum(counts[place][column] for place in found)
            assert left == 0 or left >= smallest


def test_parts_together_count_a_patient_once() -> None:
    assert is_few([part(6), part(6)], 11)
    assert not is_few([part(6), part(6, start=6)], 11)


# --- the table ---------------------------------------------------------------------------------------------------------
def table(calls: Mapping[str, tuple[int, int]], smallest: int = 11) -> Groups:
    """By sex: so many patients with a call in which a rule could not tell, and so many without."""
    made = Groups("sex", smallest)
    for sex, (unsure, sure) in calls.items():
        for number in range(unsure + sure):
            person = Person(sex=sex, key="k", hash=f"{sex}{number}")
            made.call(Call(NOON, "patient-view", 200, 1, unsure=("R1",) if number < unsure else (), person=person))
    return made


def test_a_table_by_hand() -> None:
    female, male = table({"female": (15, 45), "male": (20, 20)}).rows()
    assert (female.name, female.calls, female.unsure, female.cards) == ("female", 60, Rate(15, 60), Rate(60, 60))
    assert (male.name, male.calls, male.unsure) == ("male", 40, Rate(20, 40))
    assert male.acceptance == Rate(0, 0)


def test_the_rest_of_a_share_is_protected_as_the_share_is() -> None:
    """19 of 20 tells of one patient as 1 of 20 does."""
    female, male = table({"female": (95, 5), "male": (50, 50)}).rows()
    assert (female.calls, female.unsure, male.unsure) == (100, Hidden.FEW, Hidden.OTHER)


def test_where_calls_are_hidden_no_share_names_them() -> None:
    rows = table({"female": (40, 40), "male": (40, 40), "other": (4, 0)}).rows()
    other = next(each for each in rows if each.name == "other")
    assert {type(each) for each in (other.calls, other.unsure, other.cards)} == {Hidden}
    assert sum(isinstance(each.calls, Hidden) for each in rows) == 2
    assert all(isinstance(each.unsure, Hidden) for each in rows if isinstance(each.calls, Hidden))


def test_a_share_does_not_name_calls_that_are_hidden_for_the_sake_of_others() -> None:
    """Calls of `a` hide those of `c`. The share of `a` would be safe by itself, as `b` hides that of `c`; but it names them."""
    a, b, c = table({"a": (25, 25), "b": (55, 5), "c": (0, 8)}).rows()
    assert (a.calls, b.calls, c.calls) == (Hidden.OTHER, 60, Hidden.FEW)
    assert (a.unsure, b.unsure, c.unsure) == (Hidden.OTHER, Hidden.FEW, Hidden.FEW)


def test_accepted_cards_by_hand() -> None:
    made = table({"female": (20, 20), "male": (20, 20)})
    for sex, accepted in (("female", 20), ("male", 12)):
        for number in range(40):
            person = Person(sex=sex, key="k", hash=f"{sex}{number}")
            told = Telling(NOON, "accepted" if number < accepted else "overridden")
            made.card(Card(NOON, "t", person=person, told=(told,)))
    assert [each.acceptance for each in made.rows()] == [Rate(20, 40), Rate(12, 40)]


def test_where_no_group_is_kept_there_is_no_table() -> None:
    assert table({"": (40, 40)}).rows() == ()


def test_what_was_not_recorded_stands_last() -> None:
    assert [each.name for each in table({"": (40, 40), "male": (40, 40)}).rows()] == ["male", "not recorded"]
