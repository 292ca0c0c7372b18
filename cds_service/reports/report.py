"""The report itself: numbers, and under what they were counted. Nothing in it is about one person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cds_service.reports.groups import GroupRow
from cds_service.reports.rates import Answers, Rate
from cds_service.reports.rows import Asked

_TOP = 10


@dataclass(frozen=True, slots=True)
class HookRow:
    """Calls of one hook.

    Attributes:
        name: the hook.
        calls: all that came.
        refused: of those, answered with 4xx: something about the call was not in order, or the patient could not be assessed.
        failed: of those, answered with 5xx.
    """

    name: str
    calls: int
    refused: Rate
    failed: Rate


@dataclass(frozen=True, slots=True)
class Named:
    """Something counted.

    Attributes:
        name: what.
        rate: how many, of how many.
    """

    name: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class AnswersRow:
    """What became of the cards of one kind."""

    name: str
    answers: Answers


@dataclass(frozen=True, slots=True)
class MissingRow:
    """Look-ups of one key that ended in one state other than complete."""

    key: str
    state: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class SilentCards:
    """What silent mode would have shown.

    Attributes:
        total: cards.
        by_rule: by id of the rule; a card may have several.
        by_topic: by topic.
        by_week: by the Monday of the week, UTC.
    """

    total: int
    by_rule: tuple[tuple[str, int], ...]
    by_topic: tuple[tuple[str, int], ...]
    by_week: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is told.

    Attributes:
        asked: period and client. Where the limit was reached, `since` is where reading stopped.
        limit: rows that may be read of each kind; `None`: all were read.
        cut: the limit was reached: what is older was not counted.
        cards_since: since when cards were counted, where that is later than calls.
        smallest: groups with fewer patients than this are not told.
        calls: all calls.
        assessed: of those, calls in which rules were asked.
        hooks: by hook.
        displays: cards by what became of them before anybody saw them: shown, quiet, silent.
        answers: of all cards that were shown.
        by_rule: by id of the rule; a card may have several, and counts for each.
        by_topic: by topic.
        by_role: by type of the user.
        by_month: by month in which the card was given, UTC.
        reasons: reasons of overridden cards, of all of them; a card may have several.
        missing: look-ups that were not complete, of calls in which rules were asked.
        unsure: rules that could not tell, of calls in which rules were asked.
        by_sex: by sex; empty where it is not kept.
        by_age: by age band; empty where it is not kept.
        silent: see `SilentCards`.
    """

    asked: Asked
    limit: int | None
    cut: bool
    cards_since: dt.datetime | None
    smallest: int
    calls: int
    assessed: int
    hooks: tuple[HookRow, ...]
    displays: tuple[tuple[str, int], ...]
    answers: Answers
    by_rule: tuple[AnswersRow, ...]
    by_topic: tuple[AnswersRow, ...]
    by_role: tuple[AnswersRow, ...]
    by_month: tuple[AnswersRow, ...]
    reasons: tuple[Named, ...]
    missing: tuple[MissingRow, ...]
    unsure: tuple[Named, ...]
    by_sex: tuple[GroupRow, ...]
    by_age: tuple[GroupRow, ...]
    silent: SilentCards

    @property
    def top_overridden(self) -> tuple[AnswersRow, ...]:
        """The rules whose cards were overridden most often, the first ten."""
        rows = (each for each in self.by_rule if each.answers.overridden)
        return tuple(sorted(rows, key=lambda each: (-each.answers.overridden, each.name))[:_TOP])
