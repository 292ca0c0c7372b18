"""Few calls are worked on, a bounded number waits, the rest is told at once to come back (G1, G10)."""

from __future__ import annotations

import threading

import pytest

from cds_service.web.admission import Places, Shares, TooBusy

WAIT = 10.0


class Call:
    """A call in a thread of its own that keeps its place until it is let go."""

    def __init__(self, places: Places) -> None:
        self._places, self._go = places, threading.Event()
        self.told, self._ended, self._begun = "", threading.Event(), threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            with self._places.one():
                self._begun.set()
                self._go.wait(WAIT)
            self.told = "answered"
        except TooBusy:
            self.told = "come back"
        self._ended.set()

    def begun(self) -> Call:
        assert self._begun.wait(WAIT)
        return self

    def ended(self) -> str:
        self._go.set()
        assert self._ended.wait(WAIT)
        return self.told


def test_g1_a_call_without_a_place_and_without_room_to_wait_is_turned_away_at_once() -> None:
    places = Places(1, 0, WAIT)
    first = Call(places).begun()
    assert not places.any()
    with pytest.raises(TooBusy), places.one():
        pass
    assert first.ended() == "answered"
    assert places.any()


def test_g1_a_call_that_waits_gets_the_place_that_becomes_free() -> None:
    places = Places(1, 1, WAIT)
    first = Call(places).begun()
    second = Call(places)
    assert first.ended() == "answered"
    assert second.begun().ended() == "answered"


def test_g1_a_call_that_has_waited_its_time_is_turned_away_and_leaves_its_room() -> None:
    places = Places(1, 1, patience_s=0.02)
    first = Call(places).begun()
    for _ in range(3):
        with pytest.raises(TooBusy), places.one():
            pass
    assert first.ended() == "answered"


def test_g1_a_call_that_fails_gives_its_place_back() -> None:
    places = Places(1, 0, WAIT)
    for _ in range(3):
        with pytest.raises(KeyError), places.one():
            raise KeyError
    with places.one():
        pass


def test_g10_one_client_cannot_take_every_place() -> None:
    shares = Shares(4, ["north", "south"])
    with shares.of("north"), shares.of("north"), shares.of("north"):
        with pytest.raises(TooBusy), shares.of("north"):
            pass
        with shares.of("south"):
            pass
    with shares.of("north"):
        pass


@pytest.mark.parametrize("clients", [["north"], []])
def test_g10_a_client_alone_may_take_all_of_them(clients: list[str]) -> None:
    shares = Shares(1, clients)
    with shares.of("north"):
        pass
