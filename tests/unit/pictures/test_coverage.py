"""The strip of look-ups: a shape and a word for each state."""

from __future__ import annotations

import pytest

from cds_service.pictures import coverage
from cds_service.pictures.plot_coverage import Lookup, State
from tests.support.drawn import SVG, drawn

_COLOURS = ("fill", "stroke")


def shape(state: State) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """The icon without its colours."""
    found = drawn(coverage([Lookup("DXA results", state, 3)])).part(state.name.lower().replace("_", "-"))
    return [
        (each.tag.removeprefix(SVG), tuple((k, v) for k, v in each.attrib.items() if k not in (*_COLOURS, "data-part")))
        for each in found
    ]


def test_the_states_differ_without_colour() -> None:
    shapes = [shape(state) for state in State]

    assert all(shapes)
    assert len({str(each) for each in shapes}) == len(State)


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_word_and_its_number(state: State) -> None:
    assert f"{state.value}, 3" in drawn(coverage([Lookup("DXA results", state, 3)])).words


def test_s2_a_complete_look_up_that_found_none_is_not_one_that_failed() -> None:
    none, failed = (coverage([Lookup("DXA results", state)]) for state in (State.NONE_FOUND, State.FAILED))

    assert none.description == "1 look-up: 1 none found."
    assert failed.description == "1 look-up: 1 failed. Not complete: DXA results (failed)."


def test_the_table_says_why_a_look_up_is_not_complete() -> None:
    told = coverage([Lookup("procedures", State.PARTIAL, 50, "there are more pages than were sent")])

    assert told.table.rows == (("procedures", "partial", "50", "there are more pages than were sent"),)


def test_look_ups_go_down_the_left_column_and_then_down_the_right_one() -> None:
    found = drawn(coverage([Lookup(f"look-up {n}", State.NONE_FOUND) for n in range(1, 4)]))
    places = [(found.x_of(f"look-up {n}"), found.y_of(f"look-up {n}")) for n in (1, 2, 3)]

    assert places[0][0] == places[1][0] < places[2][0]
    assert places[0][1] == places[2][1] < places[1][1]
