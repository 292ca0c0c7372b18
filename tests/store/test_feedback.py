"""What became of cards: each telling kept once, comments apart, and nothing lost that was acknowledged."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cds_service.kernel.errors import StoreUnavailable
from cds_service.protocol.feedback import CardOutcome, Feedback, Reason
from cds_service.store.audit import IssuedCard
from tests.store.conftest import Place
from tests.store.parts import NOON, Store, record

CARD = "9368d37b-283f-44a0-93ea-547cebab93ed"
OTHER = "1f0e9c5a-74b1-4f0e-8a53-1c7d3c1d2a11"


def told(card: str = CARD, outcome: str = "overridden", second: int = 0, comment: str = "", *codes: str) -> Feedback:
    at = NOON + dt.timedelta(seconds=second)
    return Feedback(
        card, CardOutcome(outcome), at, reasons=tuple(Reason(code, "urn:x") for code in codes), comment=comment
    )


def keep(store: Store, *entries: Feedback) -> int:
    return store.feedback.keep(entries, client="ward 3", service="bone-health-patient-view", received=NOON)


def test_item_66_the_same_telling_is_kept_once_however_often_and_in_whatever_order_it_comes(
    place: Place, store: Store
) -> None:
    tellings = [told(), told(outcome="accepted"), told(second=1), told(OTHER)]
    for order in itertools.islice(itertools.permutations(tellings), 0, 24, 5):
        keep(store, *order)
        keep(store, order[0], order[0])

    assert place.run("SELECT count(*) FROM feedback") == [(4,)]
    assert sorted(place.run("SELECT outcome FROM feedback")) == [("accepted",), *[("overridden",)] * 3]


def test_item_69_a_card_nobody_here_knows_is_kept_and_told_apart(store: Store) -> None:
    store.audit.record(record(issued=(IssuedCard(CARD, "glucocorticoid-assessment", "warning"),)))
    assert keep(store, told(), told(OTHER)) == 1


def test_item_69_a_card_is_known_after_a_restart(store: Store, another_store: Callable[[], Store]) -> None:
    store.audit.record(record(issued=(IssuedCard(CARD, "glucocorticoid-assessment", "warning"),)))
    store.database.close()
    assert keep(another_store(), told()) == 1


def test_the_same_call_asked_again_issues_its_cards_once(place: Place, store: Store) -> None:
    for number in range(2):
        store.audit.record(record(f"c-{number}", issued=(IssuedCard(CARD, "vitamin-d", "info"),)))
    assert place.run("SELECT card, topic, indicator FROM issued") == [(CARD, "vitamin-d", "info")]
    assert place.run("SELECT count(*) FROM calls") == [(2,)]


def test_item_68_comments_stand_apart_and_can_be_deleted_alone(place: Place, store: Store) -> None:
    keep(store, told(comment="Family will call back"), told(second=1, comment="Family will call back"))
    assert place.run("SELECT words FROM comments") == [("Family will call back",)] * 2
    place.run("DELETE FROM comments")
    assert place.run("SELECT count(*) FROM feedback") == [(2,)]


def test_f4_names_that_a_sender_gives_are_kept_as_hashes_and_odd_codes_not_at_all(place: Place, store: Store) -> None:
    keep(store, told("Maren Testfrau, born 1961", "overridden", 0, "", "because Mrs Testfrau said so"))
    assert b"Testfrau" not in place.raw()
    ((card,),) = place.run("SELECT card FROM feedback")
    assert len(str(card)) == 64


def test_what_no_database_takes_is_replaced_in_a_comment(place: Place, store: Store) -> None:
    keep(store, told(comment="a\0b\ud800"))
    assert place.run("SELECT words FROM comments") == [("ab?",)]


def test_g6_nothing_is_acknowledged_while_the_database_is_locked(place: Place, store: Store) -> None:
    with place.locked(), pytest.raises(StoreUnavailable, match=place.locked_code):
        keep(store, told())
    store.clock.seconds += 60
    assert keep(store, told()) == 0
    assert place.run("SELECT count(*) FROM feedback") == [(1,)]


def test_a_thousand_tellings_at_the_same_time_are_all_kept(place: Place, store: Store) -> None:
    def post(number: int) -> None:
        for _ in range(20):
            try:
                keep(store, told(second=number))
            except StoreUnavailable:
                store.clock.seconds += 60  # told to come back; it does
            else:
                return
        raise AssertionError("never taken")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(post, range(1000)))
    assert place.run("SELECT count(*) FROM feedback") == [(1000,)]


_WRITER = """
import datetime as dt, sys
from tests.store.test_feedback import keep, told
from tests.store.parts import Store
store = Store(sys.argv[1])
for number in range(1_000_000):
    keep(store, told(second=number))
    print(number, flush=True)
"""


def test_g7_everything_acknowledged_before_a_kill_is_there(place: Place, store: Store) -> None:
    store.database.close()
    root = Path(__file__).parents[2]
    environ = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", _WRITER, place.address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ, cwd=root) as writer:
        assert writer.stdout is not None
        acknowledged = [int(next(writer.stdout)) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        acknowledged += [int(line) for line in writer.stdout.read().split()]

    ((kept,),) = place.run("SELECT count(*) FROM feedback")
    assert int(str(kept)) >= len(acknowledged)
