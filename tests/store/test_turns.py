"""Threads of one process take turns at SQLite's only write lock."""

from __future__ import annotations

import threading
import time

import pytest

from cds_service.store.turns import Turns


def _waiting(turns: Turns, number: int) -> None:
    """Until so many are in the queue."""
    end = time.monotonic() + 30
    while len(turns._waiting) < number:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_who_came_first_is_served_first_and_nobody_pushes_in() -> None:
    turns, served = Turns(), list[int]()

    def queue(number: int) -> None:
        with turns.turn(30):
            served.append(number)

    threads = [threading.Thread(target=queue, args=(number,)) for number in range(5)]
    with turns.turn(0):
        for number, thread in enumerate(threads):
            thread.start()
            _waiting(turns, number + 1)
    # whoever had the turn asks again at once
    queue(99)
    for thread in threads:
        thread.join(30)

    assert served == [0, 1, 2, 3, 4, 99]


def test_who_waits_too_long_gives_up_and_holds_up_nobody() -> None:
    turns = Turns()
    with turns.turn(0), pytest.raises(TimeoutError), turns.turn(0.01):
        pytest.fail("two at once")

    with turns.turn(0):
        assert not turns._waiting


def test_a_turn_ends_when_the_work_fails() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn(0):
        raise ZeroDivisionError
    with turns.turn(0):
        pass


def test_a_turn_that_comes_when_the_time_is_up_is_not_lost() -> None:
    """With waits this short most of them end at the very moment of the hand-over; a lost turn would block for good."""
    turns, inside, most = Turns(), list[int](), list[int]()

    def queue() -> None:
        for _ in range(300):
            try:
                with turns.turn(0.0001):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()
            except TimeoutError:
                pass

    threads = [threading.Thread(target=queue) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert max(most) == 1
    with turns.turn(0):
        pass
