"""A topic that was answered stays silent for this patient, for the site's period, unless something is new (`safety.md` 4.3).

What speaks against a drug, and whatever is critical, is never silenced, only told in short; what could not be looked at is told
each time (S5). Where the past cannot be read, everything is said.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from cds_service.cards.plan import CardPlan
from cds_service.cards.texts import Texts
from cds_service.engine.evaluate import Evaluation
from cds_service.engine.services import Profile
from cds_service.kernel.past import PastAnswer
from cds_service.kernel.rules import Level, Verdict

# Order of a topic that no cap cuts off and no answer silences: safety.
SAFETY = 0
_A_DAY = dt.timedelta(1)


def is_safety(plan: CardPlan, texts: Texts) -> bool:
    """Whether a card must be given whatever was answered before."""
    return texts.topics[plan.topic].order == SAFETY or plan.level is Level.CRITICAL


def evidence_of(
    plan: CardPlan, evaluation: Evaluation, news: Callable[[], frozenset[str]], texts: Texts
) -> frozenset[str]:
    """What a card rests on, in words that stay the same from call to call.

    Args:
        plan: the card.
        evaluation: what the rules said.
        news: see `Clinic.news`. Not for what speaks against a drug, which is told in any case: its rules say all there is.
        texts: topics and their order.
    """
    rules = (f"rule {outcome.rule.id}" for outcome in plan.outcomes)
    # growing with urgency, so that a card that became less urgent brings nothing new
    levels = (f"level {level.value}" for level in Level if level.rank <= plan.level.rank)
    found = frozenset() if texts.topics[plan.topic].order == SAFETY else news()
    return found | frozenset((*rules, *levels, *_safety_findings(evaluation, texts)))


def _safety_findings(evaluation: Evaluation, texts: Texts) -> Iterator[str]:
    for outcome in evaluation.outcomes:
        if outcome.verdict is Verdict.RECOMMEND and texts.topics[outcome.rule.card].order == SAFETY:
            yield f"safety {outcome.rule.id}"


@dataclass(frozen=True)
class Quiet:
    """What earlier answers mean for the cards of a call.

    Attributes:
        past: reads the earlier answers about this patient; called once, and only if there is a card.
        as_of: the day.
        profile: for how long an answer holds.
        texts: codes of topics.
        evidence: what a card rests on.
    """

    past: Callable[[], Sequence[PastAnswer]]
    as_of: dt.date
    profile: Profile
    texts: Texts
    evidence: Callable[[CardPlan], frozenset[str]] = field(repr=False)

    @cached_property
    def _answers(self) -> Sequence[PastAnswer]:
        return self.past()

    def answered(self, plan: CardPlan) -> PastAnswer | None:
        """The answer that still stands for this card, the newest of several; `None`: it speaks."""
        code = self.texts.topics[plan.topic].code
        standing = [each for each in self._answers if each.topic == code and self._stands(each, plan.topic)]
        if not standing:
            return None
        now = self.evidence(plan)
        return next((each for each in standing if all(map(each.rested_on, now))), None)

    def _stands(self, answer: PastAnswer, topic: str) -> bool:
        alone = set(answer.reasons) & set(self.profile.quiet_for_the_user_alone)
        if alone and not answer.by_same_user:
            return False
        days = self.profile.quiet_days(topic, accepted=answer.accepted, reasons=answer.reasons)
        # an answer has the date of UTC, and the day may be a site's that is behind it
        return -_A_DAY <= self.as_of - answer.on < dt.timedelta(days)
