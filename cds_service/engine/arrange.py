"""From outcomes to a few cards: one per topic, absorbed, ranked, capped, with every gap named once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace

from cds_service.cards.plan import GAPS, CardPlan
from cds_service.cards.texts import Texts
from cds_service.engine.evaluate import Evaluation
from cds_service.engine.quiet import SAFETY, is_safety
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import COULD_NOT_LOOK, Gap, GapKind
from cds_service.kernel.figures import Supporting
from cds_service.kernel.past import QUIET, SILENT, PastAnswer
from cds_service.kernel.rules import Kind, Level, Outcome, Proposal, Rule, Verdict
from cds_service.kernel.truth import Truth

# Worth a card of its own in a patient who is in scope: something is there, or should have been looked at (S3, S5).
_WORTH_SAYING = COULD_NOT_LOOK | {
    GapKind.DOSE_UNREADABLE,
    GapKind.UNIT_UNKNOWN,
    GapKind.CONFLICTING,
    GapKind.UNREADABLE,
}


def _everybody(_rule: Rule) -> bool:
    return True


def arrange(
    evaluation: Evaluation,
    texts: Texts,
    *,
    only_safety: bool = False,
    in_basket: frozenset[str] = frozenset(),
    shown: Callable[[Rule], bool] = _everybody,
    answered: Callable[[CardPlan], PastAnswer | None] | None = None,
) -> tuple[CardPlan, ...]:
    """The cards to give, most urgent first, at most the profile's cap; safety of a drug is never cut off.

    Behind them stand those that are held back, marked as such: topics that were answered, and what rules in silent mode say.

    Nothing is lost: what the cap cuts off is named on the last card, what could not be looked at on the first. While
    orders are written only the topics that belong beside those orders are given: the rest was said when the chart was opened.

    Args:
        evaluation: what the rules said.
        texts: topics and their order.
        only_safety: give nothing but safety of a drug: the rest is said at the other order hook.
        in_basket: orders that are being written already: none is offered again, and advice that asks for nothing else is
            answered. What speaks against a drug is never answered by an order.
        shown: whether what a rule says is shown to this patient.
        answered: the answer to an earlier card that still stands for this one; none where nothing is remembered.
    """
    if evaluation.silent:
        return ()
    spoken = _spoken_about(evaluation, texts)
    heard = tuple(each for each in spoken if shown(each.rule))
    unheard = tuple(each for each in spoken if not shown(each.rule))
    plans = _plans(heard, texts, in_basket, only_safety=only_safety)
    if answered:
        plans = [_with_answer(plan, answered(plan), texts) for plan in plans]
    given = [plan for plan in plans if not plan.held]
    quiet = [plan for plan in plans if plan.held]
    silent = [replace(plan, held=SILENT) for plan in _plans(unheard, texts, in_basket, only_safety=only_safety)]
    gaps = () if only_safety else open_gaps(heard)
    if given:
        given = _limited(given, gaps, evaluation.profile.card_cap, texts)
    elif gaps and (evaluation.scope.truth is Truth.YES or _concerned(heard)):
        given = [CardPlan(GAPS, Level.INFO, gaps=gaps)]
    return (*given, *quiet, *silent)


def _plans(
    outcomes: tuple[Outcome, ...], texts: Texts, in_basket: frozenset[str], *, only_safety: bool
) -> list[CardPlan]:
    """One card for each topic, most urgent first."""
    by_topic = _by_topic(_unanswered(outcomes, in_basket, texts), texts)
    if only_safety:
        plans = [plan for plan in by_topic.values() if texts.topics[plan.topic].order == SAFETY]
    else:
        plans = _absorbed(by_topic, texts)
    return sorted(plans, key=lambda plan: (-plan.level.rank, texts.topics[plan.topic].order))


def _limited(plans: list[CardPlan], gaps: tuple[Gap, ...], cap: int, texts: Texts) -> list[CardPlan]:
    """At most that many, with the gaps on the first and the titles of the others on the last."""
    kept, cut = _within(cap, plans, texts)
    kept[0] = replace(kept[0], gaps=tuple(dict.fromkeys((*kept[0].gaps, *gaps))))
    if cut:
        kept[-1] = replace(kept[-1], also=tuple(plan.topic for plan in cut))
    return kept


def _with_answer(plan: CardPlan, answer: PastAnswer | None, texts: Texts) -> CardPlan:
    """An answered card is held back; one about safety is told in short."""
    if answer is None:
        return plan
    return replace(plan, answered=answer, held="" if is_safety(plan, texts) else QUIET)


def _within(cap: int, plans: list[CardPlan], texts: Texts) -> tuple[list[CardPlan], list[CardPlan]]:
    """The cards inside the cap, and those cut off; a topic of order SAFETY stays, as one card more if need be."""

    def stays(plan: CardPlan) -> bool:
        return texts.topics[plan.topic].order == SAFETY

    kept = [plan for plan in plans[cap:] if stays(plan)]
    return [*plans[:cap], *kept], [plan for plan in plans[cap:] if not stays(plan)]


def with_withheld(plans: tuple[CardPlan, ...], against: Callable[[Proposal], Criterion | None]) -> tuple[CardPlan, ...]:
    """The same cards, each with the drafts it may not offer: something speaks against them, or is not known (S2, E5)."""
    return tuple(replace(plan, withheld=tuple(_withheld(plan, against))) for plan in plans)


def _withheld(plan: CardPlan, against: Callable[[Proposal], Criterion | None]) -> Iterator[tuple[Proposal, Criterion]]:
    for proposal in dict.fromkeys(each for outcome in plan.outcomes for each in outcome.finding.propose):
        found = against(proposal)
        if found is not None and found.truth is not Truth.NO:
            yield proposal, found


def with_figures(plans: tuple[CardPlan, ...], figures: Iterable[Supporting]) -> tuple[CardPlan, ...]:
    """The same cards in the same order, each figure on the first card it may support, or on none."""
    cards = list(plans)
    for figure in figures:
        place = next((n for n, plan in enumerate(cards) if plan.topic in figure.topics), None)
        if place is not None:
            cards[place] = replace(cards[place], figures=(*cards[place].figures, figure))
    return tuple(cards)


def _spoken_about(evaluation: Evaluation, texts: Texts) -> tuple[Outcome, ...]:
    """All outcomes when a chart is opened; while orders are written, those on topics that belong beside such an order.

    So a look-up that only other rules need leaves no gap on the card of an order.
    """
    spoken = spoken_topics(evaluation.orders, texts)
    return tuple(outcome for outcome in evaluation.outcomes if outcome.rule.card in spoken)


def spoken_topics(orders: frozenset[str], texts: Texts, *, only_safety: bool = False) -> frozenset[str]:
    """The topics that can appear in an answer: all at an open chart, else those beside orders of these kinds.

    Args:
        orders: the kinds of orders being written; none when a chart is opened.
        texts: topics and what they stand beside.
        only_safety: safety of a drug alone is given (see `arrange`).
    """
    if not orders:
        return frozenset(texts.topics)
    given = {
        name
        for name, topic in texts.topics.items()
        if topic.beside & orders and (topic.order == SAFETY or not only_safety)
    }
    return frozenset(given | {name for name, topic in texts.topics.items() if given & set(topic.inside)})


def _concerned(outcomes: Iterable[Outcome]) -> bool:
    """Is the patient known to be one the gaps matter for: in the population of a rule that could not end?"""
    return any(
        outcome.verdict is Verdict.CANNOT_TELL
        and outcome.rule.kind is Kind.ACTION
        and outcome.finding.applies.truth is Truth.YES
        for outcome in outcomes
    )


def open_gaps(outcomes: Iterable[Outcome]) -> tuple[Gap, ...]:
    """Every gap worth saying that kept a rule from answering, each once."""
    return tuple(
        dict.fromkeys(
            gap
            for outcome in outcomes
            if outcome.verdict is Verdict.CANNOT_TELL
            for gap in outcome.missing
            if gap.kind in _WORTH_SAYING
        )
    )


def _unanswered(outcomes: tuple[Outcome, ...], in_basket: frozenset[str], texts: Texts) -> tuple[Outcome, ...]:
    if not in_basket:
        return outcomes
    kept = []
    for outcome in outcomes:
        left = tuple(each for each in outcome.finding.propose if each.order not in in_basket)
        answered = outcome.finding.propose and not left and texts.topics[outcome.rule.card].order != SAFETY
        if not answered:
            kept.append(replace(outcome, finding=replace(outcome.finding, propose=left)))
    return tuple(kept)


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
