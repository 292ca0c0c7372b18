"""From outcomes to a few cards: one per topic, absorbed, ranked, capped, with every gap named once."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace

from cds_service.cards.plan import GAPS, CardPlan
from cds_service.cards.texts import Texts
from cds_service.engine.evaluate import Evaluation
from cds_service.kernel.facts import COULD_NOT_LOOK, Gap, GapKind
from cds_service.kernel.figures import Supporting
from cds_service.kernel.rules import Kind, Level, Outcome, Verdict
from cds_service.kernel.truth import Truth

# Worth a card of its own in a patient who is in scope: something is there, or should have been looked at (S3, S5).
_WORTH_SAYING = COULD_NOT_LOOK | {
    GapKind.DOSE_UNREADABLE,
    GapKind.UNIT_UNKNOWN,
    GapKind.CONFLICTING,
    GapKind.UNREADABLE,
}

# Order of a topic that no cap cuts off: safety.
_NEVER_CUT = 0


def arrange(evaluation: Evaluation, texts: Texts) -> tuple[CardPlan, ...]:
    """The cards to give, most urgent first, at most the profile's cap; safety of a drug is never cut off.

    Nothing is lost: what the cap cuts off is named on the last card, what could not be looked at on the first.
    """
    if evaluation.silent:
        return ()
    plans = _absorbed(_by_topic(evaluation.outcomes, texts), texts)
    plans.sort(key=lambda plan: (-plan.level.rank, texts.topics[plan.topic].order))
    gaps = open_gaps(evaluation)
    if not plans:
        return (CardPlan(GAPS, Level.INFO, gaps=gaps),) if gaps and _concerned(evaluation) else ()
    shown, cut = _within(evaluation.profile.card_cap, plans, texts)
    shown[0] = replace(shown[0], gaps=tuple(dict.fromkeys((*shown[0].gaps, *gaps))))
    if cut:
        shown[-1] = replace(shown[-1], also=tuple(plan.topic for plan in cut))
    return tuple(shown)


def _within(cap: int, plans: list[CardPlan], texts: Texts) -> tuple[list[CardPlan], list[CardPlan]]:
    """The cards inside the cap, and those cut off; a topic of order `_NEVER_CUT` stays, as one card more if need be."""

    def stays(plan: CardPlan) -> bool:
        return texts.topics[plan.topic].order == _NEVER_CUT

    kept = [plan for plan in plans[cap:] if stays(plan)]
    return [*plans[:cap], *kept], [plan for plan in plans[cap:] if not stays(plan)]


def with_figures(plans: tuple[CardPlan, ...], figures: Iterable[Supporting]) -> tuple[CardPlan, ...]:
    """The same cards in the same order, each figure on the first card it may support, or on none."""
    cards = list(plans)
    for figure in figures:
        place = next((n for n, plan in enumerate(cards) if plan.topic in figure.topics), None)
        if place is not None:
            cards[place] = replace(cards[place], figures=(*cards[place].figures, figure))
    return tuple(cards)


def _concerned(evaluation: Evaluation) -> bool:
    """Is the patient known to be one the gaps matter for: in scope, or in the population of a rule that could not end?"""
    return evaluation.scope.truth is Truth.YES or any(
        outcome.verdict is Verdict.CANNOT_TELL
        and outcome.rule.kind is Kind.ACTION
        and outcome.finding.applies.truth is Truth.YES
        for outcome in evaluation.outcomes
    )


def open_gaps(evaluation: Evaluation) -> tuple[Gap, ...]:
    """Every gap worth saying that kept a rule from answering, each once."""
    return tuple(
        dict.fromkeys(
            gap
            for outcome in evaluation.outcomes
            if outcome.verdict is Verdict.CANNOT_TELL
            for gap in outcome.missing
            if gap.kind in _WORTH_SAYING
        )
    )


def _by_topic(outcomes: tuple[Outcome, ...], texts: Texts) -> dict[str, CardPlan]:
    plans: dict[str, CardPlan] = {}
    for outcome in outcomes:
        if outcome.verdict is not Verdict.RECOMMEND:
            continue
        topic = outcome.rule.card
        plan = plans.get(topic, CardPlan(topic, Level.INFO))
        level = max(plan.level, outcome.finding.level, key=lambda each: each.rank)
        plans[topic] = replace(plan, level=level, outcomes=(*plan.outcomes, outcome))
    for topic, plan in plans.items():
        holding = tuple(o for o in outcomes if o.verdict is Verdict.SATISFIED and _place(o, plans, texts) == topic)
        own = (gap for outcome in plan.outcomes for gap in outcome.not_known)
        plans[topic] = replace(plan, holding=holding, gaps=tuple(dict.fromkeys(own)))
    return plans


def _place(outcome: Outcome, plans: Container[str], texts: Texts) -> str:
    """The topic on whose card a definition stands: its own, or the first there is of those it may stand inside."""
    own = outcome.rule.card
    return next((each for each in texts.topics[own].inside if each in plans), own)


def _absorbed(plans: dict[str, CardPlan], texts: Texts) -> list[CardPlan]:
    """Fold a card into another that says the same thing better; its rules and proposals go along."""
    for topic in sorted(plans, key=lambda each: -texts.topics[each].order):
        target = next((each for each in texts.topics[topic].absorbed_by if each in plans), None)
        if target is None:
            continue
        guest, host = plans.pop(topic), plans[target]
        plans[target] = replace(
            host,
            level=max(host.level, guest.level, key=lambda each: each.rank),
            outcomes=(*host.outcomes, *guest.outcomes),
            holding=(*host.holding, *guest.holding),
            gaps=tuple(dict.fromkeys((*host.gaps, *guest.gaps))),
        )
    return list(plans.values())
