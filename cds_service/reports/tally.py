"""Adds rows up, one at a time, in bounded memory."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable

from cds_service.reports.groups import Groups
from cds_service.reports.rates import Answers, Rate
from cds_service.reports.report import AnswersRow, HookRow, MissingRow, Named, Report, SilentCards
from cds_service.reports.rows import ACCEPTED, OVERRIDDEN, QUIET, SHOWN, SILENT, Asked, Call, Card, named

NOT_KNOWN, REST, NO_REASON = "not known", "(all others)", "no reason given"
# Codes of reasons come from outside, and no list of ours is this long.
_MOST = 500


class _Counts:
    """Counts by name; after so many names, all further ones together."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, names: Iterable[str]) -> None:
        for name in set(names):
            self._counts[self._known(name)] += 1

    def listed(self) -> list[tuple[str, int]]:
        """The most frequent first."""
        return sorted(self._counts.items(), key=lambda each: (-each[1], each[0]))

    def in_order(self) -> tuple[tuple[str, int], ...]:
        """By name."""
        return tuple(sorted(self._counts.items()))

    def _known(self, name: str) -> str:
        name = name or NOT_KNOWN
        return name if name in self._counts or len(self._counts) < _MOST else REST


class _Outcomes:
    """What became of shown cards, by name of something."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, names: Iterable[str], outcome: str) -> None:
        for name in {each or NOT_KNOWN for each in names} or {NOT_KNOWN}:
            known = name if name in self._counts or len(self._counts) < _MOST else REST
            counts = self._counts.setdefault(known, Counter())
            counts[SHOWN] += 1
            counts[outcome] += 1

    def rows(self, *, by_name: bool = False) -> tuple[AnswersRow, ...]:
        """Those shown most often first, or by name."""
        order = sorted(self._counts, key=lambda name: (0 if by_name else -self._counts[name][SHOWN], name))
        return tuple(AnswersRow(name, answers_of(self._counts[name])) for name in order)


def answers_of(counts: Counter[str]) -> Answers:
    """From counts of shown, accepted and overridden cards."""
    return Answers(counts[SHOWN], counts[ACCEPTED], counts[OVERRIDDEN])


class Tally:
    """A report while its rows come in.

    Args:
        smallest: see `groups.SMALLEST`.
    """

    def __init__(self, smallest: int) -> None:
        self._smallest = smallest
        self._calls = self._assessed = 0
        self._hooks, self._refused, self._failed = _Counts(), _Counts(), _Counts()
        self._missing: Counter[tuple[str, str]] = Counter()
        self._unsure, self._reasons = _Counts(), _Counts()
        self._displays: Counter[str] = Counter()
        self._all: Counter[str] = Counter()
        self._rules, self._topics, self._roles, self._months = _Outcomes(), _Outcomes(), _Outcomes(), _Outcomes()
        self._groups = {each: Groups(each, smallest) for each in ("sex", "age_band")}
        self._silent = {each: _Counts() for each in ("rule", "topic", "week")}

    def call(self, call: Call) -> None:
        """Add a call."""
        self._calls += 1
        self._hooks.add([call.hook])
        if 400 <= call.status < 500:
            self._refused.add([call.hook])
        elif call.status >= 500:
            self._failed.add([call.hook])
        if not call.asked:
            return
        self._assessed += 1
        self._unsure.add(call.unsure)
        for pair in call.missing.items():
            known = pair if pair in self._missing or len(self._missing) < _MOST else (REST, REST)
            self._missing[known] += 1
        for groups in self._groups.values():
            groups.call(call)

    def card(self, card: Card) -> None:
        """Add a card and what was told of it."""
        if card.display in (SHOWN, QUIET, SILENT):
            self._displays[card.display] += 1
        if card.display == SILENT:
            self._silent["rule"].add(card.rules or [NOT_KNOWN])
            self._silent["topic"].add([card.topic])
            self._silent["week"].add([_monday(card.time)])
        if card.display == SHOWN:
            self._shown(card)

    def _shown(self, card: Card) -> None:
        answer = card.answer
        outcome = answer.outcome if answer else ""
        self._all[SHOWN] += 1
        self._all[outcome] += 1
        self._rules.add(card.rules, outcome)
        self._topics.add([card.topic], outcome)
        self._roles.add([card.role], outcome)
        self._months.add([f"{card.time:%Y-%m}"], outcome)
        if answer and answer.outcome == OVERRIDDEN:
            self._reasons.add(named(answer.reasons) or [NO_REASON])
        for groups in self._groups.values():
            groups.card(card)

    def report(
        self,
        asked: Asked,
        *,
        limit: int | None = None,
        cut: bool = False,
        cards_since: dt.datetime | None = None,
    ) -> Report:
        """What has come in so far.

        Args:
            asked: the period that was read.
            limit: rows that might be read.
            cut: whether there were more.
            cards_since: since when cards were read, where that is later than calls.
        """
        refused, failed = dict(self._refused.listed()), dict(self._failed.listed())
        return Report(
            asked=asked,
            limit=limit,
            cut=cut,
            cards_since=cards_since,
            smallest=self._smallest,
            calls=self._calls,
            assessed=self._assessed,
            hooks=tuple(
                HookRow(name, count, Rate(refused.get(name, 0), count), Rate(failed.get(name, 0), count))
                for name, count in self._hooks.listed()
            ),
            displays=tuple((each, self._displays[each]) for each in (SHOWN, QUIET, SILENT)),
            answers=answers_of(self._all),
            by_rule=self._rules.rows(),
            by_topic=self._topics.rows(),
            by_role=self._roles.rows(),
            by_month=self._months.rows(by_name=True),
            reasons=self._named(self._reasons, self._all[OVERRIDDEN]),
            missing=tuple(
                MissingRow(key, state, Rate(count, self._assessed))
                for (key, state), count in sorted(self._missing.items(), key=lambda each: (-each[1], each[0]))
            ),
            unsure=self._named(self._unsure, self._assessed),
            by_sex=self._groups["sex"].rows(),
            by_age=self._groups["age_band"].rows(),
            silent=SilentCards(
                self._displays[SILENT],
                tuple(self._silent["rule"].listed()),
                tuple(self._silent["topic"].listed()),
                self._silent["week"].in_order(),
            ),
        )

    @staticmethod
    def _named(counts: _Counts, of: int) -> tuple[Named, ...]:
        return tuple(Named(name, Rate(count, of)) for name, count in counts.listed())


def _monday(time: dt.datetime) -> str:
    day = time.date()
    return (day - dt.timedelta(days=day.weekday())).isoformat()
