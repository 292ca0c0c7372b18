"""The simulated year is the same for the same seed, and quiet takes away repeats and no safety."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from bench.year.breaks import LOOKS, Break, failing, false_alarms, noticed, shares, shifted, silent_rules
from bench.year.calls import Row, year_of
from bench.year.clinicians import ACCEPT, DISMISS, reaction
from bench.year.people import DAYS, FIRST_DAY, person
from bench.year.run import Sums, piece, table
from cds_service.kernel.past import SHOWN

SEED = 1


def test_the_same_seed_gives_the_same_patients_and_the_same_year() -> None:
    assert [year_of(person(n, SEED), SEED, quiet=True).rows for n in range(3)] == [
        year_of(person(n, SEED), SEED, quiet=True).rows for n in range(3)
    ]
    assert person(0, SEED).visits != person(0, SEED + 1).visits


def test_what_happens_in_the_year_is_not_known_before() -> None:
    people = [person(n, SEED) for n in range(200)]
    fallen = next(p for p in people if any(day > FIRST_DAY for day, key, _ in p.dated if key == "fractures"))
    on = next(day for day, key, _ in fallen.dated if key == "fractures" and day > FIRST_DAY)
    before, after = (len(fallen.story(day).get("fractures", ())) for day in (FIRST_DAY, on))
    assert after == before + 1
    assert all(0 <= (visit.day - FIRST_DAY).days < DAYS + 7 for visit in fallen.visits)


def test_hz06_quiet_takes_away_repeats_and_not_one_card_about_safety() -> None:
    without, quiet = (piece(0, size=40, seed=SEED, quiet=each) for each in (False, True))
    assert quiet.calls == without.calls
    assert quiet.cards < without.cards
    assert quiet.held > 0 == without.held
    assert quiet.safety.total() > 0
    assert quiet.safety[SHOWN] == quiet.safety.total()


def test_clinicians_behave_as_stated() -> None:
    said = Counter((r.accepted if r else None) for r in (reaction(f"card {n}", 0) for n in range(4000)))
    assert abs(said[True] / 4000 - ACCEPT) < 0.03
    assert abs(said[False] / 4000 - DISMISS) < 0.03
    tired = sum(bool(r and r.accepted) for r in (reaction(f"card {n}", 2) for n in range(4000)))
    assert abs(tired / 4000 - ACCEPT * 0.49) < 0.03


def test_the_table_names_what_was_held_back() -> None:
    told = table(Sums(1, 2, 1, 2, 0, 1), Sums(1, 2, 1, 1, 1, 0, Counter({SHOWN: 3, "quiet": 1}), Counter({0: 1, 2: 1})))
    assert "| **safety cards held back** | **0** | **1** |" in told
    assert "| repeats for each patient and topic, mean | 0.00 | 1.00 |" in told


# --- breaks ----------------------------------------------------------------------------------------------------------
def made_up(calls: int) -> list[Row]:
    """Calls in which one rule fires every third time, and another one every twentieth."""
    return [
        Row(n, FIRST_DAY, "patient-view", ("X-1",) * (n % 3 == 0) + ("X-2",) * (n % 20 == 0), (), (), 1)
        for n in range(calls)
    ]


def test_hz01_a_rule_that_stops_is_noticed_and_named_the_sooner_the_more_it_fired() -> None:
    rows = made_up(6000)
    found = {each.name: noticed(rows[:4000], each) for each in silent_rules(rows[4000:], ("X-1", "X-2"))}
    often, seldom = found["X-1 stops firing"], found["X-2 stops firing"]
    assert often is not None
    assert seldom is not None
    assert often[0] < seldom[0] < 400
    assert often[1].startswith("fires/X-1")


def test_hz01_a_look_up_that_fails_is_noticed() -> None:
    rows = made_up(4000)
    # it failed now and then before
    before = [Row(*_parts(row), ("dxa",) * (row.patient % 50 == 0), row.cards) for row in rows[:3000]]
    found = noticed(before, failing(rows[3000:], "dxa"))
    assert found is not None
    assert found[0] <= 100


def _parts(row: Row) -> tuple[int, dt.date, str, tuple[str, ...], tuple[str, ...]]:
    return row.patient, row.day, row.hook, row.fired, row.unsure


def test_where_nothing_breaks_nothing_is_noticed() -> None:
    rows = made_up(4000)
    assert false_alarms(rows) == (0, 2000)
    assert noticed(rows[:3000], Break("nothing", rows[3000:], lambda _: True)) is None


def test_years_are_shifted_each_by_its_own_part_and_no_call_is_lost() -> None:
    rows = [row for n in range(12) for row in year_of(person(n, SEED), SEED, quiet=True).rows]
    moved = shifted(rows, 3)
    assert Counter(row.patient for row in moved) == Counter(row.patient for row in rows)
    assert [row.day for row in moved] == sorted(row.day for row in moved)
    assert shares(moved) == shares(rows)
    assert list(LOOKS) == sorted(set(LOOKS))
