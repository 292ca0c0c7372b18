"""The tables. What may stand in a column is said here once; `docs/store.md` repeats it for operators.

A change here needs a migration in `migrations/versions/`; a test compares the two.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Index, Integer, MetaData, Table, Text, TypeDecorator


class UtcTime(TypeDecorator[dt.datetime]):
    """A moment. SQLite keeps no time zone, so it gets UTC without one, and reading puts it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """To the database.

        Raises:
            ValueError: a time without a zone could be any of 27 hours.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a time zone")
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


METADATA = MetaData()

# Ids of tokens that were accepted, so that none is accepted twice (CDS Hooks 2.0.1: `jti`).
used_tokens = Table(
    "used_tokens",
    METADATA,
    # a registered client's `iss`; never the text of an unknown one
    Column("issuer", Text, primary_key=True),
    # SHA-256 of the id, in hex: its length is bounded whatever the client sends
    Column("token", Text, primary_key=True),
    # seconds since 1970, as `exp` has it
    Column("expires", BigInteger, nullable=False),
    Index("used_tokens_expires", "expires"),
)

# One row per call. No clinical value, no identifier but keyed hashes, no word of the caller's. Empty text: not known.
calls = Table(
    "calls",
    METADATA,
    # SQLite counts up by itself only in an INTEGER
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("correlation_id", Text, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("hook", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("client", Text, nullable=False),
    # which site key made the two hashes
    Column("key_id", Text, nullable=False),
    Column("patient_hash", Text, nullable=False),
    Column("user_hash", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("cards", Integer, nullable=False),
    # a list of objects with id and version
    Column("rules", JSON, nullable=False),
    # ids of rules that could not tell
    Column("unsure", JSON, nullable=False, server_default="[]"),
    Column("rule_set", Text, nullable=False),
    Column("profile", Text, nullable=False),
    # type of the user ("Practitioner"); sex and a band of ten years of age only where the site switches that on
    Column("role", Text, nullable=False, server_default=""),
    Column("sex", Text, nullable=False, server_default=""),
    Column("age_band", Text, nullable=False, server_default=""),
    # what was not looked up in full: key of the look-up and state
    Column("missing", JSON, nullable=False, server_default="{}"),
    # how many look-ups ended in each state
    Column("key_states", JSON, nullable=False),
    Column("problem", Text, nullable=False),
    Index("calls_correlation_id", "correlation_id"),
    Index("calls_time", "time"),
)

# One row per card that was given, so that what becomes of it can be understood later, after a restart too. Written with the
# row of its call. No word of the card.
issued = Table(
    "issued",
    METADATA,
    # the card's uuid; the same call asked again gives the same one
    Column("card", Text, primary_key=True),
    Column("correlation_id", Text, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("hook", Text, nullable=False),
    Column("client", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("patient_hash", Text, nullable=False),
    # code of what the card is about, and how urgent it was
    Column("topic", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    # "shown", or why it was not: "quiet" (the topic was answered before) or "silent" (silent mode)
    Column("display", Text, nullable=False, server_default="shown"),
    # a list of keyed hashes: what it rested on, so that something new about the patient is noticed later
    Column("evidence", JSON, nullable=False, server_default="[]"),
    # a list of objects with id, version and verdict
    Column("rules", JSON, nullable=False),
    # a list of objects with uuid and, of an order that was offered, its type of resource
    Column("suggestions", JSON, nullable=False),
    Column("profile", Text, nullable=False),
    Column("rule_set", Text, nullable=False),
    Index("issued_time", "time"),
    Index("issued_patient", "patient_hash", "topic"),
)

# What users did with cards. The same telling is kept once, whenever and however often it comes.
feedback = Table(
    "feedback",
    METADATA,
    # SHA-256 of client, card, outcome, time, suggestions and reasons
    Column("id", Text, primary_key=True),
    Column("received", UtcTime, nullable=False),
    Column("client", Text, nullable=False),
    Column("service", Text, nullable=False),
    # a UUID, or the SHA-256 of what the sender calls the card
    Column("card", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    # a list of the same form as `card`
    Column("suggestions", JSON, nullable=False),
    # a list of objects with code and system
    Column("reasons", JSON, nullable=False),
    Index("feedback_card", "card"),
    Index("feedback_received", "received"),
)

# What clinicians wrote, apart from everything else: it may name anybody. Grant access to this table to fewer people.
comments = Table(
    "comments",
    METADATA,
    # of `feedback`
    Column("feedback", Text, primary_key=True),
    # SHA-256 of the words
    Column("id", Text, primary_key=True),
    Column("received", UtcTime, nullable=False),
    Column("words", Text, nullable=False),
    Index("comments_received", "received"),
)

# Which versions were started, so that processes of an earlier one stop saying that they are ready.
deployments = Table(
    "deployments",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("time", UtcTime, nullable=False),
    # version of the program with the hash of its content
    Column("rule_set", Text, nullable=False),
)
