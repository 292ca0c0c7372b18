"""A token works once, whatever happens to the store: rows A14 and A16."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.kernel.errors import NotAuthenticated, StoreUnavailable
from cds_service.security.replay import RecentTokens, ReplayGuard


class Store:
    """A shared store that can be switched off."""

    def __init__(self) -> None:
        self.up = True
        self.known: set[tuple[str, str]] = set()

    def first_use(self, issuer: str, token_id: str, expires: int) -> bool:
        if not self.up:
            raise StoreUnavailable("no connection")
        first = (issuer, token_id) not in self.known
        self.known.add((issuer, token_id))
        return first


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


# --- in memory


def test_a14_a_token_is_new_once_for_each_issuer() -> None:
    recent = RecentTokens(clock=Clock())
    used = [("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")]
    assert [recent.first_use(*each, 2_000) for each in used] == [True, False, True, True, False]


def test_a14_issuer_and_id_do_not_run_into_each_other() -> None:
    recent = RecentTokens(clock=Clock())
    assert [recent.first_use("a", "bc", 2_000), recent.first_use("ab", "c", 2_000)] == [True, True]


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4), st.integers(1_001, 2_000)), max_size=30))
def test_a14_memory_agrees_with_a_list_of_what_was_used(used: list[tuple[str, str, int]]) -> None:
    recent, known = RecentTokens(clock=Clock()), set()
    for issuer, token_id, expires in used:
        assert recent.first_use(issuer, token_id, expires) == ((issuer, token_id) not in known)
        known.add((issuer, token_id))


def test_a14_a_token_is_remembered_until_it_expires_and_no_longer() -> None:
    clock = Clock()
    recent = RecentTokens(most=1, clock=clock)
    assert recent.first_use("a", "1", 1_100)
    clock.now = 1_099.9
    assert not recent.first_use("a", "1", 1_100)
    clock.now = 1_100
    assert recent.first_use("a", "2", 1_200)  # there is room again


def test_a16_full_memory_says_so_and_forgets_nothing_that_is_valid() -> None:
    recent = RecentTokens(most=2, clock=Clock())
    assert [recent.first_use("a", token_id, 2_000) for token_id in "12"] == [True, True]
    with pytest.raises(StoreUnavailable):
        recent.first_use("a", "3", 2_000)
    assert [recent.first_use("a", token_id, 2_000) for token_id in "12"] == [False, False]


def test_a14_of_many_callers_with_one_token_one_is_the_first() -> None:
    recent, firsts = RecentTokens(clock=Clock()), []
    start = threading.Barrier(8)

    def use() -> None:
        start.wait(20)
        firsts.extend(number for number in range(200) if recent.first_use("a", str(number), 2_000))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(firsts) == list(range(200))


# --- with a store


def _guard(store: Store, policy: str = "refuse", most: int = 10) -> tuple[ReplayGuard, list[tuple[str, str]]]:
    alarms: list[tuple[str, str]] = []
    recent = RecentTokens(most=most, clock=Clock())
    return ReplayGuard(
        store, replay_store_down=policy, recent=recent, alarm=lambda *event: alarms.append(event)
    ), alarms


def test_a14_the_store_knows_what_another_worker_saw() -> None:
    store = Store()
    (one, alarms), (other, _) = _guard(store), _guard(store)
    assert [one.first_use("a", "1", 2_000), other.first_use("a", "1", 2_000), alarms] == [True, False, []]


def test_a16_by_default_every_token_is_refused_while_the_store_is_down() -> None:
    store = Store()
    guard, alarms = _guard(store)
    store.up = False
    with pytest.raises(NotAuthenticated) as refused:
        guard.first_use("a", "1", 2_000)
    assert (refused.value.reason, alarms) == ("replay-store-down", [("replay-store-down", "a")])
    store.up = True
    assert guard.first_use("a", "1", 2_000)


def test_a16_accepting_still_refuses_what_this_process_saw_before_and_during() -> None:
    store = Store()
    guard, alarms = _guard(store, "accept")
    before = guard.first_use("a", "1", 2_000)
    store.up = False
    during = [guard.first_use("a", token_id, 2_000) for token_id in ("1", "2", "2")]
    store.up = True
    after = guard.first_use("a", "2", 2_000)  # the store never heard of it
    assert (before, during, after) == (True, [False, True, False], False)
    assert alarms == [("replay-store-down", "a")] * 3


def test_a16_accepting_ends_when_memory_is_full() -> None:
    store = Store()
    guard, alarms = _guard(store, "accept", most=1)
    store.up = False
    assert guard.first_use("a", "1", 2_000)
    with pytest.raises(NotAuthenticated) as refused:
        guard.first_use("a", "2", 2_000)
    assert refused.value.reason == "replay-memory-full"
    assert alarms[-1] == ("replay-memory-full", "a")


def test_a16_full_memory_is_no_matter_while_the_store_works() -> None:
    guard, alarms = _guard(Store(), most=1)
    used = [guard.first_use("a", token_id, 2_000) for token_id in ("1", "2", "2", "3")]
    assert (used, alarms) == ([True, True, False, True], [])
