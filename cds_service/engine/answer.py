"""From a CDS Hooks request to its response: gather, evaluate, arrange, cards."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from cds_service.cards.plan import GAPS, CardPlan
from cds_service.cards.render import cards_of
from cds_service.engine.arrange import arrange, open_gaps, with_figures
from cds_service.engine.evaluate import Evaluation, evaluate
from cds_service.engine.gather import gather
from cds_service.engine.services import Profile, Service
from cds_service.kernel.errors import Unassessable
from cds_service.kernel.needs import LookupState, Records
from cds_service.kernel.rules import Level
from cds_service.kernel.truth import Truth
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import Card, HookResponse

# The FDA exemption for decision support is for professionals only: nobody else gets cards (S10, E6).
_NOT_PROFESSIONAL = frozenset({"Patient", "RelatedPerson"})


@dataclass(frozen=True, slots=True)
class Decision:
    """An evaluation and the cards that follow from it."""

    evaluation: Evaluation
    cards: tuple[Card, ...]


def decide(service: Service, records: Records, as_of: dt.date, profile: Profile, seed: str) -> Decision:
    """Evaluate and write the cards.

    Args:
        service: rules and knowledge.
        records: one patient's records.
        as_of: the day.
        profile: the site's choices.
        seed: makes the cards' uuids: the same call gives the same uuids (S6).
    """
    evaluation = evaluate(service, records, as_of, profile)
    texts = service.texts(profile.language, profile.wording)
    # figures come after everything is decided: no rule and no order of cards can rest on one
    plans = with_figures(arrange(evaluation, texts), service.clinic.figures(evaluation.facts))
    return Decision(evaluation, _written(service, evaluation, plans, records.patient_id, seed))


def answer(
    service: Service,
    request: HookRequest,
    *,
    as_of: dt.date,
    profile: Profile,
    unassessable_as_card: bool = False,
) -> HookResponse:
    """Answer one call.

    Args:
        service: the service called.
        request: the parsed request.
        as_of: today, or the day to replay.
        profile: the site's choices.
        unassessable_as_card: give an information card instead of raising `Unassessable`.

    Raises:
        PatientMismatch: data of another patient (S4).
        Unassessable: not even membership of the population can be told, and nothing else was found (S5).
    """
    if request.user_type in _NOT_PROFESSIONAL:
        return HookResponse()
    records = gather(request, service.needs)
    decision = decide(service, records, as_of, profile, request.hook_instance)
    evaluation = decision.evaluation
    if decision.cards or evaluation.silent or evaluation.scope.truth is not Truth.UNKNOWN:
        return HookResponse(decision.cards, _key_states(records))
    if unassessable_as_card:
        gaps = tuple(dict.fromkeys((*evaluation.scope.open_gaps(), *open_gaps(evaluation))))
        plan = CardPlan(GAPS, Level.INFO, gaps=gaps)
        cards = _written(service, evaluation, (plan,), records.patient_id, request.hook_instance)
        return HookResponse(cards, _key_states(records))
    missing = sorted(key for key, lookup in records.lookups.items() if lookup.state is not LookupState.COMPLETE)
    raise Unassessable(
        "what was supplied does not tell whether this patient is in scope",
        f"prefetch.{missing[0]}" if missing else "prefetch",
        f"Supply: {', '.join(missing)}." if missing else "Supply conditions and medication.",
    )


def _key_states(records: Records) -> dict[str, int]:
    return dict(Counter(lookup.state.value for lookup in records.lookups.values()))


def _written(
    service: Service, evaluation: Evaluation, plans: tuple[CardPlan, ...], patient_id: str, seed: str
) -> tuple[Card, ...]:
    clinic, profile = service.clinic, evaluation.profile
    return cards_of(
        plans,
        service.texts(profile.language, profile.wording),
        service.orders,
        lambda rule: clinic.source(rule, profile),
        patient_id,
        seed,
    )
