"""The simulated year is the same for the same seed, and quiet takes away repeats and no safety."""

from __future__ import annotations

from collections import Counter

from bench.year.calls import year_of
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
