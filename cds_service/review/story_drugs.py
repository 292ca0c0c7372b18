"""The drugs of a story (`story.py`): what was ordered, given and handed out, and what is being ordered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from cds_service.kernel.dates import plus_days
from cds_service.review import story_codes as codes
from cds_service.review.story_record import Json, Record, dosage, known


def steroid(record: Record, told: Json) -> None:
    """An order; infusions also as administered, day by day.

    `taken` days so far, today included; or `ended`: when the last day was; or `since`: when the first was.
    `days` ordered in all; without it the order has no end.
    """
    days = told.get("days", 0)
    if "ended" in told:
        first = plus_days(record.exact(told["ended"]), 1 - days)
    else:
        first = plus_days(record.as_of, 1 - told["taken"]) if "taken" in told else record.exact(told["since"])
    last = plus_days(first, days - 1) if days else None
    route = told.get("route", "oral")
    state = told.get("status", "completed" if last and last < record.as_of else "active")
    record.ordered(told["drug"], first, last, state, dosage(told.get("mg"), route), told.get("reason"))
    if route == "iv":
        for number in range(days):
            record.administered(told["drug"], plus_days(first, number), told["mg"], route)


def therapy(record: Record, told: Json) -> None:
    """Injections `doses` ago, or an order `since` then that was `stopped` then.

    An order that goes on is renewed until 90 days from now; with `open` it was never renewed and has no end.
    """
    drug = told["drug"]
    for ago in told.get("doses", ()):
        route, usual = known(codes.DOSES, drug, "therapies")
        record.administered(drug, record.exact(ago), told.get("mg", usual), route)
    for supply in told.get("supplied", ()):
        record.handed_out(drug, record.exact(supply["ago"]), supply.get("days"))
    if "since" in told:
        by = "subcutaneous" if drug in codes.SELF_INJECTED else "oral"
        end = None if told.get("open") else plus_days(record.as_of, 90)
        _order(record, told, dosage(told.get("mg"), by, told.get("every", "day")), end)


def draft(record: Record, told: Json) -> None:
    """A draft order of today."""
    every, route = told.get("every", "day"), told.get("route", "oral")
    if "tablets" in told:
        amount = dosage(told["tablets"], route, every, "{tablet}")
    elif "units" in told:
        amount = dosage(told["units"], route, every, "[iU]")
    else:
        amount = dosage(told.get("mg"), route, every)
    if "text" in told:
        amount = {**amount, "text": told["text"]}
    record.drafted(told["drug"], amount, told.get("days"), told.get("start"))


def drug(record: Record, told: Any) -> None:
    """A drug taken now, unless it was `stopped`; the order has no end."""
    told = {"since": "90 days", **(told if isinstance(told, Mapping) else {"drug": told})}
    if "tablets" in told:
        amount = dosage(told["tablets"], "oral", told.get("every", "day"), "{tablet}")
    elif "units" in told:
        amount = dosage(told["units"], "oral", told.get("every", "day"), "[iU]")
    else:
        amount = dosage(told["mg"], "oral", told.get("every", "day")) if "mg" in told else {}
    _order(record, told, amount, None)


def _order(record: Record, told: Json, amount: Json, end: dt.date | None) -> None:
    stopped = record.exact(told["stopped"]) if "stopped" in told else None
    state = "completed" if stopped else "active"
    record.ordered(told["drug"], record.exact(told["since"]), stopped or end, state, amount)
