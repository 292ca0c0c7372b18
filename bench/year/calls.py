"""One patient's year through the real services: what was said, what became of it, and a row for each call."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from bench.year.clinicians import Reaction, reaction
from bench.year.people import Json, Person, Visit, story_of
from cds_service.engine.answer import Decision, decide
from cds_service.engine.custody import Custody
from cds_service.engine.gather import gather
from cds_service.engine.services import Service, installed
from cds_service.kernel.needs import LookupState
from cds_service.kernel.past import SHOWN, IssuedCard, PastAnswer
from cds_service.kernel.recall import forget
from cds_service.kernel.rules import Verdict
from cds_service.protocol.request import parse
from cds_service.review.call import order_request, prefetch, request_of
from cds_service.review.story import drafts

# days until an order that was accepted shows in the record, and how often it ever does
DONE_AFTER = {"dxa": 45, "vitamin_d": 20, "therapies": 10}
DONE = 0.6
_ASSESS = frozenset({"GlucocorticoidBoneAssessment", "MSBoneHealth", "BoneDensityScreening"})
_TREAT = frozenset({"GlucocorticoidBoneProtection", "FractureRiskTreatment"})


@dataclass(frozen=True, slots=True)
class Row:
    """A call as the store keeps it, without its hashes.

    Attributes:
        patient: number of the patient.
        day: when.
        hook: which.
        fired: ids of the rules that recommend.
        unsure: ids of the rules that could not tell.
        missing: look-ups that were not complete.
        cards: how many were shown.
    """

    patient: int
    day: dt.date
    hook: str
    fired: tuple[str, ...]
    unsure: tuple[str, ...]
    missing: tuple[str, ...]
    cards: int


@dataclass(slots=True)
class Year:
    """What happened to one patient.

    Attributes:
        rows: the calls.
        shown: cards shown, by topic.
        held: cards held back, by topic.
        safety: cards about safety that were due, and how many of them were held back.
        accepted: how many cards were accepted.
    """

    rows: list[Row] = field(default_factory=list)
    shown: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    safety: Counter[str] = field(default_factory=Counter)
    accepted: int = 0


@lru_cache(maxsize=1)
def services() -> dict[str, Service]:
    """By hook."""
    return {each.hook: each for each in installed()}


Change = Callable[[Json, dt.date], Json]


def year_of(person: Person, seed: int, *, quiet: bool, change: Change | None = None) -> Year:
    """Live through it.

    Args:
        person: who.
        seed: of the reactions.
        quiet: whether answers are remembered.
        change: what happens to a prefetch on its way to us, such as codes that a laboratory changes.
    """
    found, answers = Year(), list[tuple[str, PastAnswer]]()
    for visit in person.visits:
        past = [replace(each, by_same_user=user == visit.user) for user, each in answers] if quiet else []
        decision, row = _called(person, visit, past, change)
        found.rows.append(row)
        topics = services()[visit.hook].texts("en").topics.values()
        safety = {each.code for each in topics if each.order == 0}
        for card in decision.issued:
            if card.topic in safety:
                found.safety.update([card.display])
            if card.display != SHOWN:
                found.held[card.topic] += 1
                continue
            key = f"{seed}/{person.number}/{visit.day}/{visit.hook}/{card.topic}"
            reacted = reaction(key, found.shown[card.topic])
            found.shown[card.topic] += 1
            if reacted:
                found.accepted += reacted.accepted
                answers.append((visit.user, _told(card, visit, reacted)))
                if reacted.accepted:
                    person.dated += _done(person, card, visit.day, key)
    return found


def _called(person: Person, visit: Visit, answers: Sequence[PastAnswer], change: Change | None) -> tuple[Decision, Row]:
    service = services()[visit.hook]
    profile = service.clinic.profile("us")
    story = story_of(person.story(visit.day), visit.order)
    values = prefetch(story)
    if change:
        values = change(values, visit.day)
    told = order_request(values, drafts(story), visit.hook) if visit.order else request_of(values, visit.user)
    records = gather(parse(told, hook=visit.hook), service.needs)
    decision = decide(
        service, records, visit.day, profile, f"{person.number}/{visit.day}", every_rule=False,
        custody=Custody(lambda: answers),
    )  # fmt: skip
    forget()
    outcomes = decision.evaluation.outcomes
    return decision, Row(
        person.number,
        visit.day,
        visit.hook,
        tuple(each.rule.id for each in outcomes if each.verdict is Verdict.RECOMMEND),
        tuple(each.rule.id for each in outcomes if each.verdict is Verdict.CANNOT_TELL),
        tuple(key for key, lookup in records.lookups.items() if lookup.state is not LookupState.COMPLETE),
        len(decision.cards),
    )


def _told(card: IssuedCard, visit: Visit, reacted: Reaction) -> PastAnswer:
    return PastAnswer(card.topic, reacted.accepted, visit.day, reacted.reasons, True, card.evidence.__contains__)


def _done(person: Person, card: IssuedCard, day: dt.date, key: str) -> Iterator[tuple[dt.date, str, Json]]:
    """What was accepted is done, sometimes, and then stands in the record."""
    if random.Random(f"done/{key}").random() >= DONE:
        return
    if card.topic in _ASSESS:
        on = day + dt.timedelta(DONE_AFTER["dxa"])
        yield on, "dxa", {"ago": on.isoformat(), "t": {"spine": -1.8, "hip": -1.4}}
    if card.topic in _ASSESS | {"VitaminD"}:
        on = day + dt.timedelta(DONE_AFTER["vitamin_d"])
        yield on, "vitamin_d", {"value": 31, "unit": "ng/mL", "ago": on.isoformat()}
    if card.topic in _TREAT:
        on = day + dt.timedelta(DONE_AFTER["therapies"])
        yield on, "therapies", {"drug": "alendronate", "mg": 70, "every": "week", "since": on.isoformat()}
