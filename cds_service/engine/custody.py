"""What is handed to the store about the cards of a call, shown or held back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cds_service.cards.plan import CardPlan
from cds_service.cards.render import ident_of, rules_of
from cds_service.cards.texts import Texts
from cds_service.kernel.past import IssuedCard, PastAnswer
from cds_service.protocol.response import Card


@dataclass(frozen=True, slots=True)
class Custody:
    """Where cards are kept, and whether they are shown.

    Attributes:
        past: reads how earlier cards about the patient of the call were answered; none where that cannot be read.
        silent: hold every card back: silent mode of a site or a client.
        groups: whether sex and age band of the patient are kept, for reports by group.
    """

    past: Callable[[], Sequence[PastAnswer]]
    silent: bool = False
    groups: bool = False


def _nothing(_plan: CardPlan) -> frozenset[str]:
    return frozenset()


def kept(
    given: Iterable[tuple[CardPlan, Card]],
    held: Iterable[CardPlan],
    texts: Texts,
    seed: str,
    evidence: Callable[[CardPlan], frozenset[str]] = _nothing,
) -> tuple[IssuedCard, ...]:
    """What the store may know.

    Args:
        given: the cards that are shown.
        held: those that are not.
        texts: codes of topics.
        seed: makes the uuids.
        evidence: what a card rests on; a card that is given every time rests on nothing.
    """
    shown = (
        replace(_base(plan, texts, seed), suggestions=_offered(card), evidence=evidence(plan)) for plan, card in given
    )
    hidden = (replace(_base(plan, texts, seed), display=plan.held, evidence=evidence(plan)) for plan in held)
    return (*shown, *hidden)


def _base(plan: CardPlan, texts: Texts, seed: str) -> IssuedCard:
    rules = tuple((each["id"], each["version"], each["verdict"]) for each in rules_of(plan))
    return IssuedCard(ident_of(plan, seed), texts.topics[plan.topic].code, plan.level.value, rules)


def _offered(card: Card) -> tuple[tuple[str, str], ...]:
    actions = ((each.uuid, action) for each in card.suggestions for action in each.actions)
    return tuple((ident, str(action.resource.get("resourceType", ""))) for ident, action in actions)
