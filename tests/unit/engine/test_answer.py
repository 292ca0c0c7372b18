"""From a call to its answer: who gets cards (S10), and what happens when nothing can be told (S5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.engine.answer import answer, decide
from cds_service.formats import strict_json
from cds_service.kernel.account import Account
from cds_service.kernel.errors import PatientMismatch, Unassessable
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.needs import Records
from cds_service.protocol.request import HookRequest, parse
from cds_service.protocol.response import Card, HookResponse
from tests.unit.engine.made_up import (
    AS_OF,
    Clinic,
    Profile,
    cannot_tell_whether_it_applies,
    no,
    recommends,
    service,
    unknown,
    yes,
)

ABSENT = Gap(GapKind.NOT_SUPPLIED, "orders")
FAILED = Gap(GapKind.FAILED, "results")
WHOLE = """{
  "patient": {"resourceType": "Patient", "id": "p1"},
  "results": {"resourceType": "Bundle", "type": "searchset", "entry": []},
  "orders": null
}"""
LEAKS = Clinic({"X-1": recommends()})
UNTOLD = Clinic({"X-1": cannot_tell_whether_it_applies(FAILED, ABSENT)}, scope=unknown(ABSENT))


def call(prefetch: str = WHOLE, user: str = "Practitioner/dr1", instance: str = "i1") -> HookRequest:
    text = f"""{{
      "hook": "patient-view", "hookInstance": "{instance}",
      "context": {{"userId": "{user}", "patientId": "p1"}},
      "prefetch": {prefetch}
    }}"""
    return parse(strict_json.load(text.encode()), hook="patient-view")


def respond(clinic: Clinic, request: HookRequest | None = None, *, as_card: bool = False) -> HookResponse:
    return answer(service(clinic), request or call(), as_of=AS_OF, profile=Profile(), unassessable_as_card=as_card)


def summaries(response: HookResponse) -> list[str]:
    return [card.summary for card in response.cards]


# --- who is asking ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("user", "cards"),
    [
        ("Practitioner/dr1", 1),
        ("PractitionerRole/r1", 1),
        ("Patient/p1", 0),
        ("RelatedPerson/r1", 0),
        ("https://ehr.example/fhir/Patient/p1", 0),
        ("patient/p1", 0),
    ],
)
def test_e6_s10_cards_are_for_professionals(user: str, cards: int) -> None:
    assert len(respond(LEAKS, call(user=user)).cards) == cards


def test_e6_a_patients_call_is_answered_before_anything_is_read() -> None:
    """Nothing is known about the record then, not even that it is another patient's."""
    foreign = '{"patient": {"resourceType": "Patient", "id": "other"}}'
    assert respond(LEAKS, call(foreign, user="Patient/p1")) == HookResponse()
    with pytest.raises(PatientMismatch):
        respond(LEAKS, call(foreign))


# --- what is answered ------------------------------------------------------------------------------------------------
def test_the_answer_has_the_cards_and_tells_the_operator_how_the_look_ups_went() -> None:
    response = respond(LEAKS, call('{"patient": {"resourceType": "Patient", "id": "p1"}, "results": null}'))
    assert summaries(response) == ["Roof leaks: 3 drops a day."]
    assert response.account.key_states == {"complete": 2, "not-supplied": 1}


@pytest.mark.parametrize("clinic", [Clinic({}, scope=yes()), Clinic({}, scope=no())], ids=["in-scope", "out-of-scope"])
def test_s1_no_advice_is_an_empty_list_of_cards(clinic: Clinic) -> None:
    assert respond(clinic).cards == ()


def test_d7_silence_is_an_answer_even_when_the_scope_is_not_known() -> None:
    assert respond(Clinic({}, scope=unknown(ABSENT), silent="pulled-down")).cards == ()


def test_s2_a_finding_is_given_although_the_scope_is_not_known() -> None:
    response = respond(Clinic({"X-1": recommends()}, scope=unknown(ABSENT)))
    assert summaries(response) == ["Roof leaks: 3 drops a day."]


def test_the_account_of_a_call_has_codes_and_numbers_and_nothing_of_the_record() -> None:
    clinic = Clinic({"X-1": recommends(), "X-2": cannot_tell_whether_it_applies(FAILED, ABSENT)}, scope=yes())

    assert respond(clinic).account == Account(
        rule_set=clinic.version,
        lookups={"patient": "complete", "results": "complete", "orders": "complete"},
        verdicts={"X-1": "recommend", "X-2": "cannot-tell"},
        gaps={"failed": 1, "not-supplied": 1},
        unread={("Observation", "no-date"): 1},
        profile="here",
    )


def test_s5_the_operator_gets_the_account_of_a_call_that_could_not_be_assessed_too() -> None:
    with pytest.raises(Unassessable) as problem:
        respond(UNTOLD, call('{"patient": {"resourceType": "Patient", "id": "p1"}}'))
    assert problem.value.account.key_states == {"complete": 1, "not-supplied": 2}
    assert problem.value.account.gaps == {"failed": 1, "not-supplied": 1}


# --- cannot tell -----------------------------------------------------------------------------------------------------
def test_s5_not_even_the_scope_known_is_refused_naming_what_to_supply() -> None:
    with pytest.raises(Unassessable) as problem:
        respond(UNTOLD, call('{"patient": {"resourceType": "Patient", "id": "p1"}}'))
    assert str(problem.value) == (
        "what was supplied does not tell whether this patient is in scope (at prefetch.orders). Supply: orders, results."
    )


def test_s5_with_everything_supplied_the_record_itself_does_not_tell() -> None:
    with pytest.raises(Unassessable) as problem:
        respond(UNTOLD)
    assert str(problem.value) == (
        "what was supplied does not tell whether this patient is in scope (at prefetch). "
        "Supply conditions and medication."
    )


def test_item_72_a_site_may_have_an_information_card_instead() -> None:
    response = respond(UNTOLD, as_card=True)
    assert summaries(response) == ["Check incomplete: orders, results of the plumber."]
    assert response.cards[0].indicator.value == "info"
    assert response.account.key_states == {"complete": 3}


def test_s5_such_a_site_gets_no_second_card_where_there_is_one() -> None:
    response = respond(Clinic({"X-1": recommends()}, scope=unknown(ABSENT)), as_card=True)
    assert summaries(response) == ["Roof leaks: 3 drops a day."]


# --- the same call gives the same answer -----------------------------------------------------------------------------
def as_text(cards: tuple[Card, ...]) -> str:
    return json.dumps(HookResponse(cards).to_json())


def test_s6_the_same_call_gives_the_same_answer_with_the_same_uuids() -> None:
    assert as_text(respond(LEAKS).cards) == as_text(respond(LEAKS).cards)


def test_another_call_gives_other_uuids_and_the_same_words() -> None:
    def told(instance: str) -> tuple[str, Any]:
        (card,) = respond(LEAKS, call(instance=instance)).cards
        return card.uuid, (card.summary, card.detail)

    first, second = told("i1"), told("i2")
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_a_decision_has_the_evaluation_and_its_cards() -> None:
    decision = decide(service(LEAKS), Records("p1", {}), AS_OF, Profile(), "seed")
    assert [outcome.rule.id for outcome in decision.evaluation.outcomes] == ["X-1"]
    assert [card.summary for card in decision.cards] == ["Roof leaks: 3 drops a day."]
