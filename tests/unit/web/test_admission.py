"""Few calls are worked on, a bounded number waits, the rest is told at once to come back (G1, G10)."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import pytest

from cds_service.web.admission import Admission, Shares

WAIT = 10.0


class Busy(Exception):
    pass


class Slow:
    """An application whose calls end when they are let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.under_way = threading.Semaphore(0)
        self.fails = False

    def __call__(self, environ: Any, start: Any) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.under_way.release()
            assert self.let_go.wait(WAIT)
        if self.fails:
            raise Busy
        return [b"answered"]


def away(environ: Any, start: Any) -> Iterable[bytes]:
    return [b"come back"]


class Calls:
    """Calls in threads of their own, and what each was told."""

    def __init__(self, app: Admission) -> None:
        self._app, self._threads, self.told = app, [], []  # type: ignore[var-annotated]

    def begin(self) -> None:
        thread = threading.Thread(target=self._call)
        self._threads.append(thread)
        thread.start()

    def _call(self) -> None:
        self.told += post(self._app)

    def end(self) -> list[bytes]:
        for thread in self._threads:
            thread.join(WAIT)
        return sorted(self.told)


def post(app: Admission, method: str = "POST") -> Iterable[bytes]:
    return app({"REQUEST_METHOD": method}, lambda *_: None)  # type: ignore[arg-type,return-value]


@pytest.fixture
def slow() -> Iterable[Slow]:
    made = Slow()
    yield made
    made.let_go.set()


def test_g1_a_call_without_a_place_and_without_room_to_wait_is_turned_away_at_once(slow: Slow) -> None:
    app = Admission(slow, 1, 0, away, WAIT)
    calls = Calls(app)
    calls.begin()
    assert slow.under_way.acquire(timeout=WAIT)
    assert post(app) == [b"come back"]
    slow.let_go.set()
    assert calls.end() == [b"answered"]


def test_g1_a_call_that_waits_gets_the_place_that_becomes_free(slow: Slow) -> None:
    app = Admission(slow, 1, 1, away, WAIT)
    calls = Calls(app)
    calls.begin()
    assert slow.under_way.acquire(timeout=WAIT)
    calls.begin()
    slow.let_go.set()
    assert calls.end() == [b"answered", b"answered"]


def test_g1_a_call_that_has_waited_its_time_is_turned_away(slow: Slow) -> None:
    app = Admission(slow, 1, 1, away, patience_s=0.02)
    calls = Calls(app)
    calls.begin()
    assert slow.under_way.acquire(timeout=WAIT)
    assert post(app) == [b"come back"]
    assert post(app) == [b"come back"]  # and left its room to wait
    slow.let_go.set()
    assert calls.end() == [b"answered"]


def test_g1_who_only_looks_is_never_turned_away(slow: Slow) -> None:
    app = Admission(slow, 1, 0, away, WAIT)
    calls = Calls(app)
    calls.begin()
    assert slow.under_way.acquire(timeout=WAIT)
    assert post(app, "GET") == [b"answered"]
    slow.let_go.set()
    calls.end()


def test_g1_a_call_that_fails_gives_its_place_back(slow: Slow) -> None:
    slow.let_go.set()
    slow.fails = True
    app = Admission(slow, 1, 0, away, WAIT)
    for _ in range(3):
        with pytest.raises(Busy):
            post(app)


def test_g10_one_client_cannot_take_every_place() -> None:
    shares = Shares(4, ["north", "south"])
    with shares.of("north", Busy), shares.of("north", Busy), shares.of("north", Busy):
        with pytest.raises(Busy), shares.of("north", Busy):
            pass
        with shares.of("south", Busy):
            pass
    with shares.of("north", Busy):
        pass


@pytest.mark.parametrize("clients", [["north"], []])
def test_g10_a_client_alone_may_take_all_of_them(clients: list[str]) -> None:
    shares = Shares(1, clients)
    with shares.of("north", Busy):
        pass
