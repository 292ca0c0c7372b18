"""A report of a few rows, counted by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from cds_service.reports.make import Effort, make
from cds_service.reports.rates import Answers, Rate
from cds_service.reports.report import Report
from cds_service.reports.rows import Asked, Call, Card, Telling
from cds_service.reports.tally import Tally
from cds_service.reports.text import document, text

NOON = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def hours(number: int) -> dt.datetime:
    return NOON + dt.timedelta(hours=number)


def accepted(at: int = 0) -> Telling:
    return Telling(hours(at), "accepted")


def overridden(at: int = 0, *codes: str) -> Telling:
    return Telling(hours(at), "overridden", tuple((code, "") for code in codes))


def of(*rows: Call | Card) -> Report:
    tally = Tally(smallest=11)
    for row in rows:
        if isinstance(row, Call):
            tally.call(row)
        else:
            tally.card(row)
    return tally.report(Asked())


def test_several_tellings_of_a_card_are_one_answer_and_a_suggestion_that_was_taken_wins() -> None:
    found = of(
        Card(NOON, "a", told=(accepted(1), overridden(2, "later"))),
        Card(NOON, "b", told=(overridden(3, "last"), overridden(1, "first"))),
    )
    assert found.answers == Answers(shown=2, accepted=1, overridden=1)
    assert [(each.name, each.rate) for each in found.reasons] == [("last", Rate(1, 1))]


def test_a_card_nobody_told_of_is_neither_accepted_nor_overridden() -> None:
    found = of(Card(NOON, "a"), Card(NOON, "a", told=(accepted(),)))
    assert found.answers == Answers(shown=2, accepted=1, overridden=0)
    assert found.answers.unanswered == 1


def test_by_rule_topic_role_and_month() -> None:
    found = of(
        Card(
            dt.datetime(2026, 5, 31, 23, 59, tzinfo=dt.UTC),
            "dxa",
            rules=("R1", "R2"),
            role="Practitioner",
            told=(accepted(),),
        ),
        Card(NOON, "dxa", rules=("R1",), role="Practitioner", told=(overridden(),)),
        Card(NOON, "vitamin-d", rules=("R2",)),
    )
    one, none, both = Answers(1, 1, 0), Answers(1, 0, 0), Answers(2, 1, 1)
    assert [(each.name, each.answers) for each in found.by_rule] == [("R1", both), ("R2", Answers(2, 1, 0))]
    assert [(each.name, each.answers) for each in found.by_topic] == [("dxa", both), ("vitamin-d", none)]
    assert [(each.name, each.answers) for each in found.by_role] == [("Practitioner", both), ("not known", none)]
    assert [(each.name, each.answers) for each in found.by_month] == [("2026-05", one), ("2026-06", Answers(2, 0, 1))]
    assert [(each.name) for each in found.top_overridden] == ["R1"]
    assert [each.name for each in found.reasons] == ["no reason given"]


def test_cards_that_nobody_saw_have_no_answers() -> None:
    found = of(
        Card(NOON, "dxa", "silent", ("R1",), told=(overridden(),)),
        Card(NOON - dt.timedelta(days=7), "dxa", "silent", ("R1", "R2")),
        Card(NOON, "dxa", "quiet", ("R1",), told=(accepted(),)),
    )
    assert dict(found.displays) == {"shown": 0, "quiet": 1, "silent": 2}
    assert found.answers == Answers()
    assert found.by_rule == ()
    assert found.silent.total == 2
    assert found.silent.by_rule == (("R1", 2), ("R2", 1))
    assert found.silent.by_topic == (("dxa", 2),)
    assert found.silent.by_week == (("2026-06-08", 1), ("2026-06-15", 1))


def test_calls_by_hook_with_what_was_refused_and_what_failed() -> None:
    found = of(
        Call(NOON, "patient-view", 200),
        Call(NOON, "patient-view", 412),
        Call(NOON, "patient-view", 500, asked=False),
        Call(NOON, "order-sign", 200),
    )
    assert [(each.name, each.calls, each.refused, each.failed) for each in found.hooks] == [
        ("patient-view", 3, Rate(1, 3), Rate(1, 3)),
        ("order-sign", 1, Rate(0, 1), Rate(0, 1)),
    ]
    assert (found.calls, found.assessed) == (4, 3)


def test_missing_data_and_rules_that_could_not_tell_are_of_calls_in_which_rules_were_asked() -> None:
    found = of(
        Call(NOON, "patient-view", 200, unsure=("R1", "R2"), missing={"dxa": "failed", "meds": "partial"}),
        Call(NOON, "patient-view", 200, unsure=("R1",), missing={"dxa": "failed"}),
        Call(NOON, "patient-view", 401, asked=False),
    )
    assert [(each.key, each.state, each.rate) for each in found.missing] == [
        ("dxa", "failed", Rate(2, 2)),
        ("meds", "partial", Rate(1, 2)),
    ]
    assert [(each.name, each.rate) for each in found.unsure] == [("R1", Rate(2, 2)), ("R2", Rate(1, 2))]


def test_a_sender_of_ever_new_reasons_does_not_fill_the_memory() -> None:
    found = of(*(Card(NOON, "dxa", told=(overridden(0, f"code-{number}"),)) for number in range(700)))
    assert len(found.reasons) == 501
    assert found.reasons[0].name == "(all others)"
    assert found.reasons[0].rate == Rate(200, 700)


# --- how much is read ---------------------------------------------------------------------------------------------------
@dataclass
class Pages:
    """Calls and cards of ten hours, the newest first, two to a page."""

    given: list[Asked] = field(default_factory=list)

    def calls(self, asked: Asked) -> Iterator[Sequence[Call]]:
        for hour in range(9, 0, -2):
            yield [Call(hours(hour), "patient-view", 200), Call(hours(hour - 1), "patient-view", 200)]

    def cards(self, asked: Asked) -> Iterator[Sequence[Card]]:
        self.given.append(asked)
        for hour in range(9, 0, -2):
            yield [Card(hours(hour), "a"), Card(hours(hour - 1), "a")]


def test_rows_of_other_clients_are_read_and_not_counted() -> None:
    found = make(Pages(), Asked(client="ward 3"), effort=Effort(4))
    assert (found.calls, found.answers.shown, found.cut, found.asked.since) == (0, 0, True, hours(6))


def test_without_a_limit_everything_is_read() -> None:
    told: list[int] = []
    found = make(Pages(), Asked(), effort=Effort(said=told.append))
    assert (found.calls, found.answers.shown, found.cut) == (10, 10, False)
    assert told == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]


@pytest.mark.parametrize("most", [1, 2, 5, 6])
def test_a_limit_keeps_the_newest_and_says_since_when(most: int) -> None:
    source = Pages()
    found = make(source, Asked(), effort=Effort(most))
    assert (found.calls, found.answers.shown, found.cut) == (most, most, True)
    assert source.given[0].since == found.asked.since == found.cards_since == hours(10 - most)
    assert "Not everything was read" in text(found)
    assert document(found)["complete"] is False


@pytest.mark.parametrize("most", [10, 11])
def test_a_limit_that_is_not_reached_cuts_nothing(most: int) -> None:
    found = make(Pages(), Asked(), effort=Effort(most))
    assert (found.calls, found.cut, found.cards_since) == (10, False, None)


def test_reading_stops_when_the_time_is_up() -> None:
    found = make(Pages(), Asked(), effort=Effort(enough=lambda: True))
    assert (found.calls, found.answers.shown, found.cut) == (2, 2, True)


def test_nothing_kept_is_a_report_too() -> None:
    told = text(of())
    assert "nothing in this period" in told
    assert "0/0" in told
