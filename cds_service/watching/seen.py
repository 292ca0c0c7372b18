"""What is seen of a call and of feedback: codes of ours, numbers and keyed hashes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call.

    Attributes:
        time: when it came, with a time zone.
        service: id of the service.
        client: name of the caller.
        patient: keyed hash; empty where the patient is not known.
        status: HTTP status of the answer.
        ms: how long it took, in milliseconds.
        cards: how many cards were sent.
        rules: ids of the rules that fired.
        unsure: ids of the rules that could not tell.
        missing: keys of the look-ups that were not complete.
        rule_set: version of rules and content; empty where no rule was asked.
    """

    time: dt.datetime
    service: str
    client: str
    patient: str = field(repr=False)
    status: int
    ms: int
    cards: int
    rules: Sequence[str] = ()
    unsure: Sequence[str] = ()
    missing: Sequence[str] = ()
    rule_set: str = ""


@dataclass(frozen=True, slots=True)
class SeenFeedback:
    """What became of one card.

    Attributes:
        time: when it was told, with a time zone.
        service: id of the service that gave it.
        client: name of the caller.
        patient: keyed hash of the patient it was about; empty where the card is not known.
        overridden: whether it was overridden, and not accepted.
    """

    time: dt.datetime
    service: str
    client: str
    patient: str = field(repr=False)
    overridden: bool
