"""What is kept about a call, and what is not (F4)."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import fields

import pytest
from sqlalchemy import select
from sqlalchemy.exc import StatementError

from cds_service.store.audit import Audit
from cds_service.store.retention import Retention
from cds_service.store.site_key import SiteKey
from cds_service.store.tables import calls, comments, feedback, issued
from tests.store.conftest import Place
from tests.store.parts import KEY, NOON, Store, record


def _kept(store: Store) -> list[dict[str, object]]:
    return store.database.write("read", lambda c: [dict(row) for row in c.execute(select(calls)).mappings()])


def test_a_record_holds_what_the_table_says(store: Store) -> None:
    store.audit.record(
        record(
            "c-1",
            cards=2,
            rules=(("GC-01", "1"), ("VD-02", "3")),
            unsure=("DX-01",),
            rule_set="sha256:00ff",
            profile="us",
            role="Practitioner",
            sex="female",
            age_band="60-69",
            missing={"dxa": "failed"},
            key_states={"complete": 11, "failed": 1},
            problem="Unassessable",
        )
    )

    (kept,) = _kept(store)
    assert kept == {
        "id": 1,
        "correlation_id": "c-1",
        "time": NOON,
        "hook": "patient-view",
        "service": "bone-health-patient-view",
        "client": "St Elsewhere, ward 3",
        "key_id": KEY.id,
        "patient_hash": KEY.pseudonym("patient", "https://ehr.example.org", "patient-4711"),
        "user_hash": KEY.pseudonym("user", "https://ehr.example.org", "Practitioner/dr-who"),
        "status": 200,
        "ms": 12,
        "cards": 2,
        "rules": [{"id": "GC-01", "version": "1"}, {"id": "VD-02", "version": "3"}],
        "unsure": ["DX-01"],
        "rule_set": "sha256:00ff",
        "profile": "us",
        "role": "Practitioner",
        "sex": "female",
        "age_band": "60-69",
        "missing": {"dxa": "failed"},
        "key_states": {"complete": 11, "failed": 1},
        "problem": "Unassessable",
    }


def test_times_are_kept_in_utc(store: Store) -> None:
    summer_in_rome = dt.datetime(2026, 6, 15, 14, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    store.audit.record(record(time=summer_in_rome))

    assert _kept(store)[0]["time"] == NOON


def test_a_call_whose_patient_could_not_be_read_has_no_hash(store: Store) -> None:
    store.audit.record(record(patient_id="", user_id="", status=400, problem="JsonRefused"))

    (kept,) = _kept(store)
    assert (kept["patient_hash"], kept["user_hash"]) == ("", "")


def test_f4_no_identifier_is_found_in_the_bytes_of_the_database(place: Place, store: Store) -> None:
    for number in range(50):
        store.audit.record(
            record(
                f"c-{number}",
                issuer="https://canary-issuer.example.org",
                patient_id="canary-patient",
                user_id="Practitioner/canary-user",
            )
        )
    store.tokens.first_use("iss", "canary-token", 4_000_000_000)

    raw = place.raw()
    assert b"St Elsewhere, ward 3" in raw
    assert b"canary" not in raw
    assert "canary" not in repr(record(issuer="canary", patient_id="canary", user_id="canary"))


def test_f4_words_that_cannot_be_ours_are_withheld(place: Place, store: Store) -> None:
    """Somebody may once pass on what the caller wrote; the record is kept, and the words are not."""
    words = "canary, Jane\r\nMRN 4711"
    store.audit.record(
        record(
            words,
            hook=words,
            service=words,
            client=words,
            rules=((words, words),),
            rule_set=words,
            profile=words,
            key_states={words: 1},
            problem=words,
        )
    )

    (kept,) = _kept(store)
    assert {kept[name] for name in ("hook", "service", "client", "problem", "correlation_id")} == {"(withheld)"}
    assert "canary" not in json.dumps(kept, default=str)
    assert b"canary" not in place.raw()


def test_f4_no_column_is_made_for_a_value_of_the_record() -> None:
    """A new column is a decision: docs/store.md has to name it."""
    known = {
        "id", "correlation_id", "time", "hook", "service", "client", "key_id", "patient_hash", "user_hash", "status",
        "ms", "cards", "rules", "unsure", "role", "sex", "age_band", "missing", "rule_set", "profile", "key_states", "problem",
    }  # fmt: skip
    assert set(calls.c.keys()) == known
    assert {field.name for field in fields(record())} - known == {"issuer", "patient_id", "user_id", "issued"}
    assert set(issued.c.keys()) == {
        "card", "correlation_id", "time", "hook", "client", "key_id", "patient_hash", "topic", "indicator", "display", "evidence",
        "rules", "suggestions", "profile", "rule_set",
    }  # fmt: skip
    assert set(feedback.c.keys()) == {
        "id", "received", "client", "service", "card", "outcome", "at", "suggestions", "reasons",
    }  # fmt: skip
    assert set(comments.c.keys()) == {"feedback", "id", "received", "words"}


def test_another_key_makes_other_hashes_and_says_so(store: Store) -> None:
    store.audit.record(record())
    Audit(store.database, SiteKey(bytes(32))).record(record())

    old, new = _kept(store)
    assert old["key_id"] != new["key_id"]
    assert old["patient_hash"] != new["patient_hash"]


def test_a_moment_without_a_time_zone_is_our_mistake_and_not_the_databases(store: Store) -> None:
    store.audit.record(record())

    with pytest.raises(StatementError, match="without a time zone"):
        Retention(store.database).purge(dt.datetime(2027, 1, 1))  # noqa: DTZ001
    assert len(_kept(store)) == 1
    assert store.alarms == []
