"""Calls and feedback are read back for watching: the newest, in order, in pages."""

from __future__ import annotations

import datetime as dt

import pytest

from cds_service.kernel.errors import StoreUnavailable
from cds_service.protocol.feedback import CardOutcome, Feedback
from cds_service.store import history
from cds_service.store.audit import IssuedCard
from cds_service.store.history import History
from cds_service.watching import SeenCall, SeenFeedback
from tests.store.conftest import Place
from tests.store.parts import KEY, NOON, Store, record

CARD = "0b8a9c1e-6f0e-4a6f-9a1e-2d4c6a8f0b1{}"


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows on each."""
    monkeypatch.setattr(history, "_PAGE", 2)


def test_d22_a_call_is_read_back_with_what_charts_need_and_nothing_else(store: Store) -> None:
    store.audit.record(
        record(
            cards=1,
            rules=(("GC-11", "1"), ("TX-01", "2")),
            unsure=("VD-01",),
            missing={"dxa": "failed"},
            rule_set="1+a",
        )
    )
    assert list(History(store.database).calls()) == [
        SeenCall(
            NOON,
            "bone-health-patient-view",
            "St Elsewhere, ward 3",
            KEY.pseudonym("patient", "https://ehr.example.org", "patient-4711"),
            200,
            12,
            1,
            ("GC-11", "TX-01"),
            ("VD-01",),
            ("dxa",),
            "1+a",
        )
    ]


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(("newest", "read"), [(10, [0, 1, 2, 3, 4]), (3, [2, 3, 4]), (4, [1, 2, 3, 4])])
def test_the_newest_calls_are_read_the_oldest_of_them_first(store: Store, newest: int, read: list[int]) -> None:
    for number in range(5):
        store.audit.record(record(f"c-{number}", ms=number))
    assert [each.ms for each in History(store.database).calls(newest)] == read


@pytest.mark.usefixtures("pages")
def test_calls_are_recorded_while_others_are_read(store: Store) -> None:
    """A page at a time: between two of them the database is free."""
    for number in range(4):
        store.audit.record(record(f"c-{number}", ms=number))
    reading = History(store.database).calls()
    first = next(reading)
    store.audit.record(record("c-4", ms=4))
    assert [first.ms, *(each.ms for each in reading)] == [0, 1, 2, 3, 4]
    assert store.alarms == []


@pytest.mark.usefixtures("pages")
def test_feedback_is_read_once_for_each_card_with_the_patient_it_was_about(store: Store) -> None:
    known = IssuedCard(CARD.format(0), "VitaminD", "info")
    store.audit.record(record(issued=(known,)))
    for number, outcome in ((0, "overridden"), (1, "overridden"), (2, "accepted"), (1, "accepted")):
        at = NOON + dt.timedelta(minutes=number + 10 * (outcome == "accepted"))
        told = Feedback(CARD.format(number), CardOutcome(outcome), at)
        store.feedback.keep([told], client="north", service="s", received=at)
    patient = KEY.pseudonym("patient", "https://ehr.example.org", "patient-4711")
    assert list(History(store.database).feedback()) == [
        SeenFeedback(NOON, "s", "north", patient, True),
        SeenFeedback(NOON + dt.timedelta(minutes=11), "s", "north", "", False),
        SeenFeedback(NOON + dt.timedelta(minutes=12), "s", "north", "", False),
    ]
    assert [each.time.minute for each in History(store.database).feedback(2)] == [11, 12]


@pytest.mark.usefixtures("pages")
def test_feedback_of_one_moment_is_read_whole(store: Store) -> None:
    for number in range(5):
        told = Feedback(CARD.format(number), CardOutcome.ACCEPTED, NOON)
        store.feedback.keep([told], client="north", service="s", received=NOON)
    assert len(list(History(store.database).feedback())) == 5


def test_a_record_that_cannot_be_read_is_an_error_and_not_a_record_without_calls(store: Store, place: Place) -> None:
    store.audit.record(record())
    place.gone()
    with pytest.raises(StoreUnavailable):
        list(History(store.database).calls())
