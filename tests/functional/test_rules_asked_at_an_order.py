"""At an order only rules that can appear on a card are asked; the cards are those that all rules would have given."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from cds_service.clinical import profiles
from cds_service.engine.answer import decide
from cds_service.engine.gather import gather
from cds_service.engine.services import Service
from cds_service.protocol.request import parse
from cds_service.review.call import in_state, order_request, prefetch
from cds_service.review.story import AS_OF, drafts
from hooks import order_select, order_sign
from tests.support.cases import Case, all_cases

# asks every rule about some seventy patients, four times over: measuring that doubles the time (tests/conftest.py)
pytestmark = pytest.mark.no_cover

_DAY = dt.date.fromisoformat(AS_OF)
# about seventy
_ORDERS = [case for case in all_cases() if case.story.get("orders")]


@pytest.mark.parametrize("advice", ["select", "sign"])
@pytest.mark.parametrize("service", [order_select.SERVICE, order_sign.SERVICE], ids=lambda service: service.hook)
def test_no_card_changes_when_only_those_rules_are_asked(service: Service, advice: str) -> None:
    profile = dataclasses.replace(profiles.profile("us"), order_advice=advice)
    for number, case in enumerate(_ORDERS):
        records = gather(parse(_request(case, service.hook, number), hook=service.hook), service.needs)
        every = decide(service, records, _DAY, profile, "x")
        asked = decide(service, records, _DAY, profile, "x", every_rule=False)
        assert asked.cards == every.cards, case.name
        if every.evaluation.orders:  # none: an order of another kind, about which nothing is said
            assert len(asked.evaluation.outcomes) < len(every.evaluation.outcomes)


def _request(case: Case, hook: str, number: int) -> object:
    """The call; in every other one a look-up failed, so that gap notes are compared too."""
    values = prefetch(case.story)
    if number % 2:
        in_state(values, sorted(values)[number % len(values)], "failed")
    return order_request(values, drafts(case.story), hook)
