"""A token is good for one call, whichever worker gets it (A14)."""

from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy import event

from cds_service.store.used_tokens import UsedTokens
from tests.store.conftest import Place
from tests.store.parts import LATER, Store
from tests.store.processes import output, started

DAY = 86_400


def test_a14_a_token_is_accepted_once(store: Store) -> None:
    assert [store.tokens.first_use("iss", "t-1", LATER) for _ in range(3)] == [True, False, False]


def test_a14_two_issuers_may_use_the_same_id(store: Store) -> None:
    assert store.tokens.first_use("https://one.example.org", "t-1", LATER)
    assert store.tokens.first_use("https://two.example.org", "t-1", LATER)


def test_a14_another_worker_knows_the_token(place: Place, store: Store) -> None:
    assert store.tokens.first_use("iss", "t-1", LATER)

    assert output(started("use", place.address, "t-1", "t-2")) == ["False", "True"]
    assert not store.tokens.first_use("iss", "t-2", LATER)


def test_a14_the_token_is_known_after_a_restart(place: Place) -> None:
    assert output(started("use", place.address, "t-1")) == ["True"]
    assert output(started("use", place.address, "t-1")) == ["False"]


def test_a14_of_eight_threads_in_two_processes_one_gets_each_token(place: Place) -> None:
    start_at = time.time() + 2
    both = [started("race", place.address, 125, 4, start_at) for _ in range(2)]

    winners = Counter(int(number) for process in both for line in output(process) for number in line.split())

    assert winners == dict.fromkeys(range(125), 1)


@pytest.mark.parametrize(
    ("one", "other"),
    [("T-1", "t-1"), ("é", "e\u0301"), ("a" * 256, "a" * 255), ("\ud800", "\ud801"), ("t", "t\x00"), ("t", "t ")],
)
def test_a14_ids_that_look_alike_are_two(store: Store, one: str, other: str) -> None:
    """A database that folds case, trims or stops at a NUL would refuse a good token, or worse."""
    assert store.tokens.first_use("iss", one, LATER)
    assert store.tokens.first_use("iss", other, LATER)


def test_an_expiry_beyond_all_measure_does_no_harm(store: Store) -> None:
    assert store.tokens.first_use("iss", "t-1", 10**30)
    assert not store.tokens.first_use("iss", "t-1", 10**30)


def test_the_id_itself_is_not_kept(place: Place, store: Store) -> None:
    store.tokens.first_use("iss", "a-very-telling-token-id", LATER)

    assert "a-very-telling-token-id" not in str(place.run("SELECT * FROM used_tokens"))


def test_expired_tokens_are_deleted_a_day_later(place: Place, store: Store) -> None:
    now = [1_000_000.0]
    tokens = UsedTokens(store.database, now=lambda: now[0], clock=store.clock)
    tokens.first_use("iss", "old", 1_000_060)
    tokens.first_use("iss", "young", 1_000_060 + DAY)

    now[0] += DAY + 61
    store.clock.seconds += 3600
    tokens.first_use("iss", "new", 1_000_060 + 2 * DAY)

    assert place.run("SELECT expires FROM used_tokens ORDER BY expires") == [(1_000_060 + DAY,), (1_000_060 + 2 * DAY,)]


def test_deleting_goes_in_steps_that_no_call_feels(place: Place, store: Store) -> None:
    now = [1_000_000.0]
    tokens = UsedTokens(store.database, now=lambda: now[0], clock=store.clock)
    many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) SELECT 'iss', 'old-' || i, 5 FROM n"
    place.run("INSERT INTO used_tokens (issuer, token, expires) " + many)

    left = []
    for number in range(4):
        store.clock.seconds += 60
        tokens.first_use("iss", f"t-{number}", LATER)
        left += place.run("SELECT count(*) FROM used_tokens WHERE expires = 5")

    assert left == [(700,), (200,), (0,), (0,)]


def test_g8_a_clock_that_jumps_and_comes_back_lets_no_token_in_again(store: Store) -> None:
    """NTP sets the clock twelve hours ahead and back; what expired meanwhile is valid once more, and was used."""
    now = [1_000_000.0]
    tokens = UsedTokens(store.database, now=lambda: now[0], clock=store.clock)
    assert tokens.first_use("iss", "t-1", 1_000_060)

    now[0] += DAY / 2
    store.clock.seconds += 3600
    tokens.first_use("iss", "t-2", 1_000_060 + DAY)
    now[0] -= DAY / 2

    assert not tokens.first_use("iss", "t-1", 1_000_060)


def test_a_token_older_than_our_memory_is_never_used_for_the_first_time(store: Store) -> None:
    now = [1_000_000.0 + 2 * DAY]
    tokens = UsedTokens(store.database, now=lambda: now[0], clock=store.clock)

    assert not tokens.first_use("iss", "t-1", 1_000_000)


def test_a_use_costs_one_transaction(store: Store) -> None:
    begun = []
    engine = store.database._engine()
    event.listen(engine, "begin", lambda _connection: begun.append(1))
    store.tokens.first_use("iss", "t-1", LATER)

    assert len(begun) == 1
