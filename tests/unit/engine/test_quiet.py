"""A topic that was answered stays silent until something is new; safety never does (HZ-06, S5). Made-up rules about a house."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from cds_service.cards.texts import Texts
from cds_service.engine.answer import Decision, answer, decide
from cds_service.engine.custody import Custody
from cds_service.engine.rollout import shown_to
from cds_service.engine.services import Service
from cds_service.kernel.errors import Unassessable
from cds_service.kernel.facts import Gap, GapKind
from cds_service.kernel.needs import Records
from cds_service.kernel.past import IssuedCard, PastAnswer
from cds_service.kernel.rules import Finding, Level
from cds_service.protocol.response import HookResponse
from tests.unit.engine.made_up import (
    AS_OF,
    Clinic,
    Profile,
    cannot_tell_whether_it_applies,
    recommends,
    service,
    unknown,
)
from tests.unit.engine.test_answer import call

FAILED = Gap(GapKind.FAILED, "results")
LEAKS = {"X-1": recommends()}


def made(findings: dict[str, Finding], *, found: set[str] | None = None) -> Service:
    return service(Clinic(findings, found=frozenset(found or ())))


def decided(
    ours: Service, *answers: PastAnswer, profile: Profile | None = None, silent: bool = False, patient: str = "p1"
) -> Decision:
    custody = Custody(lambda: answers, silent)
    return decide(ours, Records(patient, {}), AS_OF, profile or Profile(), "seed", custody=custody)


def answered(card: IssuedCard, days_ago: int = 1, **how: object) -> PastAnswer:
    """An answer to that card, dismissed yesterday by the same user unless said otherwise."""
    usual = PastAnswer(card.topic, False, AS_OF - dt.timedelta(days_ago), (), True, card.evidence.__contains__)
    return replace(usual, **how)  # type: ignore[arg-type]


def first_card(ours: Service) -> IssuedCard:
    return decided(ours).issued[0]


def topics(decision: Decision) -> list[str]:
    return [card.source.topic.code for card in decision.cards if card.source.topic]


def dismissed(findings: dict[str, Finding], **how: object) -> tuple[Service, PastAnswer]:
    ours = made(findings)
    return ours, answered(first_card(ours), **how)  # type: ignore[arg-type]


# --- silence ---------------------------------------------------------------------------------------------------------
def test_a_topic_that_was_dismissed_is_not_said_again_and_its_card_is_recorded_as_held_back() -> None:
    ours, past = dismissed(LEAKS)
    decision = decided(ours, past)
    assert decision.cards == ()
    (card,) = decision.issued
    assert (card.topic, card.display, card.rules) == ("Roof", "quiet", (("X-1", "1", "recommend"),))


def test_other_topics_go_on_speaking() -> None:
    ours, past = dismissed(LEAKS | {"X-3": recommends()})
    assert topics(decided(ours, past)) == ["Walls"]


@pytest.mark.parametrize(("days", "speaks"), [(99, False), (100, True)])
def test_silence_ends_with_the_period_of_the_site(days: int, speaks: bool) -> None:
    ours, past = dismissed(LEAKS, days_ago=days)
    assert bool(decided(ours, past).cards) is speaks


@pytest.mark.parametrize(("days", "speaks"), [(299, False), (300, True)])
@pytest.mark.parametrize("how", [{"accepted": True}, {"reasons": ("never",)}])
def test_the_period_depends_on_the_answer(how: dict[str, object], days: int, speaks: bool) -> None:
    ours, past = dismissed(LEAKS, days_ago=days, **how)
    assert bool(decided(ours, past).cards) is speaks


def test_an_answer_of_tomorrow_counts_since_the_day_begins_earlier_elsewhere_and_one_of_next_week_does_not() -> None:
    ours, past = dismissed(LEAKS, days_ago=-1)
    assert decided(ours, past).cards == ()
    assert decided(ours, replace(past, on=AS_OF + dt.timedelta(7))).cards


def test_a_reason_that_is_about_the_user_silences_the_topic_for_that_user_alone() -> None:
    ours, past = dismissed(LEAKS, reasons=("not-my-room",))
    profile = Profile(quiet_for_the_user_alone=("not-my-room",))
    assert decided(ours, past, profile=profile).cards == ()
    assert decided(ours, replace(past, by_same_user=False), profile=profile).cards
    assert decided(ours, replace(past, by_same_user=False), profile=Profile()).cards == ()


def test_without_cards_the_past_is_not_read() -> None:
    def read() -> tuple[PastAnswer, ...]:
        raise AssertionError("nothing to say, so nothing to ask for")

    decide(made({}), Records("p1", {}), AS_OF, Profile(), "seed", custody=Custody(read))


# --- something new ---------------------------------------------------------------------------------------------------
def test_a_new_finding_breaks_the_silence_and_one_that_is_gone_does_not() -> None:
    past = answered(first_card(made(LEAKS, found={"a crack"})))
    assert decided(made(LEAKS, found={"a crack"}), past).cards == ()
    assert decided(made(LEAKS, found={"a crack", "another crack"}), past).cards
    assert decided(made(LEAKS), past).cards == ()


def test_another_rule_on_the_same_topic_breaks_it() -> None:
    _, past = dismissed(LEAKS)
    assert topics(decided(made(LEAKS | {"X-2": recommends()}), past)) == ["Roof"]


def test_more_urgency_breaks_it_and_less_does_not() -> None:
    _, past = dismissed({"X-1": recommends(Level.WARNING)})
    assert decided(made({"X-1": recommends(Level.INFO)}), past).cards == ()
    _, past = dismissed({"X-1": recommends(Level.INFO)})
    assert decided(made({"X-1": recommends(Level.WARNING)}), past).cards


def test_a_new_safety_finding_breaks_the_silence_of_every_topic() -> None:
    _, past = dismissed(LEAKS)
    assert topics(decided(_with_safety(made(LEAKS | {"X-3": recommends()})), past)) == ["Walls", "Roof"]


# --- what is never silenced ------------------------------------------------------------------------------------------
def _with_safety(ours: Service, topic: str = "walls") -> Service:
    def texts(language: str, wording: tuple[tuple[str, str], ...] = ()) -> Texts:
        told = ours.texts(language, wording)
        more = {
            "answered": "Answered before",
            "answered-dismissed": "Dismissed on {on}{reasons}",
            "answered-accepted": "Accepted on {on}",
        }
        topics = {**told.topics, topic: replace(told.topics[topic], order=0)}
        return replace(told, topics=topics, blocks={**told.blocks, **more})

    return replace(ours, texts=texts)


def test_hz06_a_safety_card_is_told_in_short_and_never_silenced() -> None:
    ours = _with_safety(made(LEAKS), "roof")
    before = decided(ours)
    past = answered(before.issued[0], reasons=("not-now", "zq-of-the-site"))
    decision = decided(ours, past)

    (full,), (short,) = before.cards, decision.cards
    assert (short.summary, short.indicator, short.suggestions) == (full.summary, full.indicator, full.suggestions)
    assert "**Options**" in full.detail
    assert short.detail.startswith(f"**Answered before**\n\n- Dismissed on {past.on} (Not now)\n\n**Basis**")
    assert decision.issued[0].display == "shown"
    accepted = decided(ours, replace(past, accepted=True)).cards[0]
    assert f"Accepted on {past.on}" in accepted.detail


def test_hz06_a_critical_card_is_never_silenced_whatever_its_topic() -> None:
    ours = _with_safety(made({"X-1": recommends(Level.CRITICAL)}))
    assert topics(decided(ours, answered(first_card(ours)))) == ["Roof"]


def test_s5_what_could_not_be_looked_at_is_said_although_everything_else_was_answered() -> None:
    findings = LEAKS | {"X-3": cannot_tell_whether_it_applies(FAILED)}
    ours, past = dismissed(findings)
    (card,) = decided(ours, past).cards
    assert card.summary == "Check incomplete: results of the plumber."
    gaps = answered(replace(first_card(ours), topic="DataGaps"))
    assert decided(ours, past, gaps).cards == (card,)


# --- silent mode -----------------------------------------------------------------------------------------------------
def test_in_silent_mode_nothing_is_shown_and_everything_is_recorded() -> None:
    ours = _with_safety(made(LEAKS | {"X-3": recommends()}))
    decision = decided(ours, silent=True)
    assert decision.cards == ()
    assert [(card.topic, card.display) for card in decision.issued] == [("Walls", "silent"), ("Roof", "silent")]


def test_a_rule_in_silent_mode_is_recorded_and_the_others_speak() -> None:
    decision = decided(made(LEAKS | {"X-2": recommends(), "X-3": recommends()}), profile=Profile(percent={"X-1": 0}))
    assert [(card.topic, card.display, [rule for rule, _, _ in card.rules]) for card in decision.issued] == [
        ("Roof", "shown", ["X-2"]),
        ("Walls", "shown", ["X-3"]),
        ("Roof", "silent", ["X-1"]),
    ]
    assert len({card.card for card in decision.issued}) == 3


def test_a_rule_in_silent_mode_names_no_gap() -> None:
    ours = made({"X-3": cannot_tell_whether_it_applies(FAILED)})
    assert decided(ours).cards
    assert decided(ours, profile=Profile(percent={"X-3": 0})).cards == ()


def test_roll_out_shows_a_rule_to_that_share_of_patients_and_always_to_the_same_ones() -> None:
    people = [f"patient-{n}" for n in range(2000)]
    tenth = {each for each in people if shown_to("X-1", each, 10)}
    half = {each for each in people if shown_to("X-1", each, 50)}

    assert 150 < len(tenth) < 250
    assert 920 < len(half) < 1080
    assert tenth < half
    assert not any(shown_to("X-1", each, 0) for each in people)
    assert all(shown_to("X-1", each, 100) for each in people)
    assert {each for each in people if shown_to("X-2", each, 10)} != tenth


def test_what_a_card_rests_on_stays_out_of_the_answer_and_of_every_text_of_it() -> None:
    ours = made(LEAKS, found={"zqFound"})
    decision = decided(ours)
    assert "zqFound" not in repr(decision.cards) + repr(decision.issued)
    assert "zqFound" in decision.issued[0].evidence


def test_s5_the_card_that_only_says_nothing_could_be_told_is_on_record_like_any_other() -> None:
    clinic = Clinic({"X-1": cannot_tell_whether_it_applies(FAILED)}, scope=unknown(FAILED))
    request = call()

    def found(custody: Custody | None) -> HookResponse:
        return answer(
            service(clinic), request, as_of=AS_OF, profile=Profile(), unassessable_as_card=True, custody=custody
        )

    (card,), (kept,) = found(Custody(tuple)).cards, found(Custody(tuple)).issued
    assert (kept.card, kept.topic, kept.display) == (card.uuid, "DataGaps", "shown")
    assert found(None).issued == ()
    with pytest.raises(Unassessable):
        found(Custody(tuple, silent=True))


def test_where_nothing_is_kept_nothing_is_worked_out_for_it() -> None:
    assert decide(made(LEAKS), Records("p1", {}), AS_OF, Profile(), "seed").issued == ()
