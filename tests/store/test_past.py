"""What is remembered of answers to cards: of one patient, by one client, under the keys a site has had."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from cds_service.kernel.errors import StoreUnavailable
from cds_service.kernel.past import IssuedCard, PastAnswer
from cds_service.protocol.feedback import CardOutcome, Feedback, Reason
from cds_service.store.audit import Audit
from cds_service.store.past import Past
from cds_service.store.retention import Retention
from cds_service.store.site_key import SiteKey
from tests.store.conftest import Place
from tests.store.parts import KEY, NOON, Store, record

CARD = "9368d37b-283f-44a0-93ea-547cebab93ed"
OTHER = "1f0e9c5a-74b1-4f0e-8a53-1c7d3c1d2a11"
WARD = "St Elsewhere, ward 3"
ISSUER = "https://ehr.example.org"
NEW_KEY = SiteKey(bytes(32))


def give(store: Store, card: str = CARD, key: SiteKey = KEY, display: str = "shown", **call: object) -> None:
    issued = IssuedCard(card, "VitaminD", "info", display=display, evidence=frozenset({"rule VD-01", "fracture hip"}))
    Audit(store.database, key).record(record(f"c-{card}", issued=(issued,), **call))


def tell(store: Store, card: str = CARD, client: str = WARD, **more: object) -> None:
    told = {"outcome": CardOutcome.OVERRIDDEN, "at": NOON, "reasons": (Reason("not-now", "urn:x"),)} | more
    entry = Feedback(card, **told)  # type: ignore[arg-type]
    store.feedback.keep([entry], client=client, service="s", received=NOON + dt.timedelta(hours=1))


def answers(store: Store, *keys: SiteKey, **asked: str) -> tuple[PastAnswer, ...]:
    usual = {"client": WARD, "issuer": ISSUER, "patient_id": "patient-4711", "user_id": "Practitioner/dr-who"}
    return Past(store.database, keys or (KEY,)).answers(**(usual | asked))


def test_an_answer_is_found_with_what_the_card_rested_on(store: Store) -> None:
    give(store)
    tell(store)

    (found,) = answers(store)
    assert (found.topic, found.accepted, found.on, found.reasons, found.by_same_user) == (
        "VitaminD",
        False,
        NOON.date(),
        ("not-now",),
        True,
    )
    assert found.rested_on("rule VD-01")
    assert found.rested_on("fracture hip")
    assert not found.rested_on("fracture wrist")


def test_s4_the_answers_about_another_patient_of_another_issuer_or_client_are_not_found(store: Store) -> None:
    give(store)
    tell(store)

    assert answers(store, patient_id="patient-4712") == ()
    assert answers(store, issuer="https://other.example.org") == ()
    assert answers(store, client="ward 4") == ()
    assert answers(store, patient_id="") == ()


def test_what_another_client_tells_of_a_card_silences_nothing(store: Store) -> None:
    give(store)
    tell(store, client="ward 4")

    assert answers(store) == ()


def test_an_answer_to_a_card_that_was_not_shown_silences_nothing(store: Store) -> None:
    give(store, display="silent")
    tell(store)

    assert answers(store) == ()


def test_another_user_is_told_apart(store: Store) -> None:
    give(store)
    tell(store)

    assert [each.by_same_user for each in answers(store, user_id="Practitioner/dr-no")] == [False]
    assert [each.by_same_user for each in answers(store, user_id="")] == [False]


def test_a_clock_of_the_sender_that_runs_ahead_makes_no_answer_of_the_future(store: Store) -> None:
    give(store)
    tell(store, at=NOON + dt.timedelta(days=900))

    assert [each.on for each in answers(store)] == [NOON.date()]


def test_every_answer_to_a_card_is_found_the_newest_first(store: Store) -> None:
    give(store)
    tell(store, outcome=CardOutcome.ACCEPTED, reasons=())
    tell(store, at=NOON - dt.timedelta(days=3))

    assert {(each.accepted, each.on) for each in answers(store)} == {
        (True, NOON.date()),
        (False, NOON.date() - dt.timedelta(days=3)),
    }


def test_after_a_change_of_keys_answers_under_the_former_one_are_found_while_it_is_named(store: Store) -> None:
    give(store)
    tell(store)
    give(store, OTHER, key=NEW_KEY)
    tell(store, OTHER)

    assert len(answers(store, NEW_KEY)) == 1
    both = answers(store, NEW_KEY, KEY)
    assert len(both) == 2
    assert all(each.rested_on("rule VD-01") and each.by_same_user for each in both)


def test_what_a_card_rested_on_cannot_be_compared_between_patients_nor_read(place: Place, store: Store) -> None:
    give(store)
    give(store, OTHER, patient_id="patient-4712")

    one, other = place.run("SELECT evidence FROM issued ORDER BY card")
    assert not set(_hashes(one)) & set(_hashes(other))
    assert b"fracture hip" not in place.raw()


def _hashes(row: tuple[object, ...]) -> list[str]:
    return [part.strip(' "[]') for part in str(row[0]).replace("'", '"').split(",")]


def test_an_erased_patient_has_no_past(store: Store) -> None:
    give(store)
    tell(store)
    Retention(store.database).erase(KEY.pseudonym("patient", ISSUER, "patient-4711"))

    assert answers(store) == ()


def test_another_process_knows_at_once(store: Store, another_store: Callable[[], Store]) -> None:
    give(store)
    tell(store)

    assert len(answers(another_store())) == 1


def test_g6_reading_waits_for_no_writer_of_sqlite_and_for_a_locked_table_of_postgresql_not_long(
    place: Place, store: Store
) -> None:
    give(store)
    tell(store)

    with place.locked():
        if place.locked_code == "SQLITE_BUSY":
            assert len(answers(store)) == 1
            assert store.alarms == []
        else:
            with pytest.raises(StoreUnavailable):
                answers(store)
            assert store.alarms == [("past", place.locked_code)]


def test_g6_a_read_that_works_does_not_make_a_database_well_that_cannot_be_written(place: Place, store: Store) -> None:
    """A full disk still reads: the pause, and what /readyz says, last until a write goes well."""
    give(store)
    with place.locked(), pytest.raises(StoreUnavailable):
        give(store, OTHER)

    store.clock.seconds += 60
    with pytest.raises(StoreUnavailable):
        answers(store)
    assert store.alarms[-1] == ("past", "skipped")
    give(store, OTHER)
    assert answers(store) == ()
    assert store.database.problems() == ()
