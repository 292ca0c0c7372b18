"""The canary: two calls about invented patients whose answers are known, so that a service which has gone quiet is noticed (HZ-01).

Both are the patient `bonecds-canary`, once with a result that must give a card under every built-in profile, and once with nothing
to say about. Their dates are so many days before the day they are sent, so they never age.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from cds_service.fhir.read import items, mapping, string
from cds_service.formats import strict_json
from cds_service.simulator import calls, prefetch
from cds_service.simulator.session import Called, Session

PATIENT = "bonecds-canary"
USER = "Practitioner/bonecds-canary"
HOOK = "patient-view"
EXTENSION = "org.bonecds.rules"
# our own deadline: a card that comes later is not seen
SLOWEST_S = 2.5
_DATE = re.compile(r"@-(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Canary:
    """A call and what must come of it.

    Attributes:
        name: file in `canaries/`.
        rule: the rule that must fire; empty: there must be no card.
        topic: code of the topic of its card.
    """

    name: str
    rule: str = ""
    topic: str = ""

    def request(self, prefetch_templates: Mapping[str, object], day: dt.date) -> dict[str, Any]:
        """The call on some day, with the templates of a service filled."""
        text = resources.files(__package__).joinpath("canaries", f"{self.name}.json").read_text("utf-8")
        record = strict_json.load(
            _DATE.sub(lambda found: _before(day, found[1]), text).encode(), max_bytes=len(text) * 2
        )
        search, patient = prefetch.bundle_source(record)
        context = calls.context_of(HOOK, patient, USER)
        return calls.request_of(HOOK, context, prefetch.filled(prefetch_templates, context, search).values)

    def wrong_with(self, cards: Sequence[Mapping[str, Any]]) -> str:
        """What is not as it must be; empty if all is."""
        if not self.rule:
            number = "a card" if len(cards) == 1 else f"{len(cards)} cards"
            return f"{number} where there is nothing to say" if cards else ""
        rules = {string(each.get("id")) for card in cards for each in _rules(card)}
        topics = {string(mapping(mapping(card.get("source")).get("topic")).get("code")) for card in cards}
        if not cards:
            return f"no card where {self.rule} must fire"
        if self.rule not in rules:
            return f"no card rests on {self.rule}"
        return "" if self.topic in topics else f"no card on {self.topic}"


FIRES = Canary("fires", "VD-05", "VitaminDExcess")
QUIET = Canary("quiet")
CANARIES = (FIRES, QUIET)


@dataclass(frozen=True, slots=True)
class Flight:
    """One run.

    Attributes:
        problems: what is wrong, in words of ours; none if all is well.
        seconds: the slower of the answers.
        rule_set: version of rules and content that `/readyz` told; empty where it did not.
    """

    problems: tuple[str, ...]
    seconds: float = 0.0
    rule_set: str = ""


def fly(session: Session, day: dt.date, *, rule_set: str = "", slowest: float = SLOWEST_S) -> Flight:
    """Send both calls through a service's own address.

    Args:
        session: the way there.
        day: today, or the day the service looks at patients.
        rule_set: the version that must answer; empty: any.
        slowest: the longest time an answer may take, in seconds.

    Raises:
        InputError: there is no discovery document.
    """
    found = [each for each in session.discover().services if each.get("hook") == HOOK]
    if not found:
        return Flight((f"no service for {HOOK}",))
    ident, templates = string(found[0].get("id")), mapping(found[0].get("prefetch"))
    called = [(each, session.call(ident, each.request(templates, day), each.name)) for each in CANARIES]
    problems = [f"{each.name}: {wrong}" for each, answer in called if (wrong := _wrong(each, answer, slowest))]
    told = session.version()
    if rule_set and told != rule_set:
        problems.append(f"rule set: {'not told' if not told else 'another one is in force'}")
    return Flight(tuple(problems), max(answer.seconds for _, answer in called), told)


def _wrong(canary: Canary, answer: Called, slowest: float) -> str:
    if answer.status != 200:
        # what a service says of a refusal is not repeated: it goes into logs
        return f"status {answer.status}" if answer.status else answer.problem
    if answer.errors:
        return f"the answer breaks the specification at {answer.errors[0].where}"
    if wrong := canary.wrong_with(answer.cards):
        return wrong
    return f"answered after {answer.seconds:.1f} s" if answer.seconds > slowest else ""


def _rules(card: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(map(mapping, items(mapping(card.get("extension")).get(EXTENSION))))


def _before(day: dt.date, days: str) -> str:
    return (day - dt.timedelta(days=int(days))).isoformat()
