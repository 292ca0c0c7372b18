"""From a CDS Hooks request to its response: gather, evaluate, arrange, cards."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache, partial

from cds_service.cards.plan import GAPS, CardPlan
from cds_service.cards.render import cards_of
from cds_service.cards.suggest import Subject, already_ordered
from cds_service.engine.arrange import arrange, open_gaps, spoken_topics, with_figures, with_withheld
from cds_service.engine.custody import Custody, kept
from cds_service.engine.draft_orders import ORDER_HOOKS
from cds_service.engine.evaluate import Evaluation, evaluate
from cds_service.engine.fetch import Fetcher
from cds_service.engine.gather import gather
from cds_service.engine.quiet import Quiet, evidence_of
from cds_service.engine.rollout import shown_to
from cds_service.engine.services import Profile, Service
from cds_service.fhir.read import name_of
from cds_service.kernel.account import Account
from cds_service.kernel.errors import Unassessable
from cds_service.kernel.needs import LookupState, Records, Resource
from cds_service.kernel.past import SILENT, IssuedCard
from cds_service.kernel.recall import forget
from cds_service.kernel.rules import Level
from cds_service.kernel.truth import Truth
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import Card, HookResponse

# The FDA exemption for decision support is for professionals only: nobody else gets cards (S10, E6).
_NOT_PROFESSIONAL = frozenset({"Patient", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Decision:
    """An evaluation and the cards that follow from it.

    Attributes:
        evaluation: what the rules said.
        cards: what is shown.
        held: cards that are held back, since they were answered or in silent mode.
        issued: what the store may know of all of them; none where nothing is kept.
    """

    evaluation: Evaluation
    cards: tuple[Card, ...]
    held: tuple[CardPlan, ...] = ()
    issued: tuple[IssuedCard, ...] = ()


def decide(
    service: Service,
    records: Records,
    as_of: dt.date,
    profile: Profile,
    seed: str,
    *,
    every_rule: bool = True,
    custody: Custody | None = None,
) -> Decision:
    """Evaluate and write the cards.

    Args:
        service: rules and knowledge.
        records: one patient's records.
        as_of: the day.
        profile: the site's choices.
        seed: makes the cards' uuids: the same call gives the same uuids (S6).
        every_rule: ask also the rules on which nothing can be said at this hook: an explanation shows them, no card does.
        custody: where cards are kept; without it nothing is known of earlier ones.
    """
    texts = service.texts(profile.language, profile.wording)
    only_safety = _said_at_the_other_hook(service.hook, profile)
    topics = None if every_rule else partial(spoken_topics, texts=texts, only_safety=only_safety)
    evaluation = evaluate(service, records, as_of, profile, topics)
    thresholds = service.clinic.thresholds(as_of)
    news = cache(lambda: service.clinic.news(evaluation.facts, thresholds))

    def evidence(plan: CardPlan) -> frozenset[str]:
        return evidence_of(plan, evaluation, news, texts)

    arranged = arrange(
        evaluation,
        texts,
        only_safety=only_safety,
        in_basket=already_ordered(records.drafts.everything if records.drafts else (), service.orders),
        shown=lambda rule: shown_to(rule.id, records.patient_id, profile.percent_shown(rule.id)),
        answered=Quiet(custody.past, as_of, profile, texts, evidence).answered if custody else None,
    )
    if custody and custody.silent:
        arranged = tuple(replace(plan, held=plan.held or SILENT) for plan in arranged)
    held = tuple(plan for plan in arranged if plan.held)
    given = with_withheld(
        tuple(plan for plan in arranged if not plan.held),
        lambda each: service.clinic.against(each.order, evaluation.facts, thresholds),
    )
    # figures come after everything is decided: no rule and no order of cards can rest on one
    plans = with_figures(given, service.clinic.figures(evaluation.facts))
    cards = _written(service, evaluation, plans, records, seed)
    issued = kept(zip(plans, cards, strict=True), held, texts, seed, evidence) if custody else ()
    return Decision(evaluation, cards, held, issued)


def answer(
    service: Service,
    request: HookRequest,
    *,
    as_of: dt.date,
    profile: Profile,
    fetcher: Fetcher | None = None,
    unassessable_as_card: bool = False,
    custody: Custody | None = None,
) -> HookResponse:
    """Answer one call.

    Args:
        service: the service called.
        request: the parsed request.
        as_of: today, or the day to replay.
        profile: the site's choices.
        fetcher: looks up what the prefetch lacks; without it only what was sent is read.
        unassessable_as_card: give an information card instead of raising `Unassessable`.
        custody: where cards are kept, if anywhere.

    Raises:
        PatientMismatch: data of another patient (S4).
        Unassessable: not even membership of the population can be told, and nothing else was found (S5).
    """
    if request.user_type in _NOT_PROFESSIONAL:
        return HookResponse()
    try:
        return _answered(service, request, as_of, profile, fetcher, unassessable_as_card, custody)
    finally:
        forget()


def _answered(
    service: Service,
    request: HookRequest,
    as_of: dt.date,
    profile: Profile,
    fetcher: Fetcher | None,
    unassessable_as_card: bool,
    custody: Custody | None,
) -> HookResponse:
    records = gather(request, service.needs, fetcher)
    decision = decide(service, records, as_of, profile, request.hook_instance, every_rule=False, custody=custody)
    evaluation = decision.evaluation
    account = _account(service, records, evaluation, groups=bool(custody and custody.groups))
    if decision.cards or decision.held or evaluation.silent or evaluation.scope.truth is not Truth.UNKNOWN:
        return HookResponse(decision.cards, account, decision.issued)
    if unassessable_as_card and not (custody and custody.silent):
        gaps = tuple(dict.fromkeys((*evaluation.scope.open_gaps(), *open_gaps(evaluation.outcomes))))
        plan = CardPlan(GAPS, Level.INFO, gaps=gaps)
        cards = _written(service, evaluation, (plan,), records, request.hook_instance)
        texts = service.texts(profile.language, profile.wording)
        given = zip((plan,), cards, strict=True)
        return HookResponse(cards, account, kept(given, (), texts, request.hook_instance) if custody else ())
    missing = sorted(key for key, lookup in records.lookups.items() if lookup.state is not LookupState.COMPLETE)
    raise Unassessable(
        "what was supplied does not tell whether this patient is in scope",
        f"prefetch.{missing[0]}" if missing else "prefetch",
        f"Supply: {', '.join(missing)}." if missing else "Supply conditions and medication.",
        account,
    )


def _said_at_the_other_hook(hook: str, profile: Profile) -> bool:
    """Advice about one order is given once, at the hook the site chose; what speaks against a drug is said at both."""
    return hook in ORDER_HOOKS and hook != f"order-{profile.order_advice}"


def _by_name(records: Records) -> dict[str, Resource]:
    return {name_of(draft): draft for draft in records.drafts.everything} if records.drafts else {}


def _account(service: Service, records: Records, evaluation: Evaluation, *, groups: bool) -> Account:
    gaps = dict.fromkeys(gap for each in evaluation.outcomes for gap in (*each.missing, *each.not_known))
    return Account(
        evaluation.rule_set,
        {key: lookup.state.value for key, lookup in records.lookups.items()},
        {each.rule.id: each.verdict.value for each in evaluation.outcomes},
        Counter(gap.kind.value for gap in gaps),
        service.clinic.unread_kinds(evaluation.facts),
        evaluation.profile.id,
        *(service.clinic.group(evaluation.facts) if groups else ()),
    )


def _written(
    service: Service, evaluation: Evaluation, plans: tuple[CardPlan, ...], records: Records, seed: str
) -> tuple[Card, ...]:
    clinic, profile = service.clinic, evaluation.profile
    return cards_of(
        plans,
        service.texts(profile.language, profile.wording),
        service.orders,
        lambda rule: clinic.source(rule, profile),
        Subject(records.patient_id, records.encounter_id, _by_name(records)),
        seed,
    )
