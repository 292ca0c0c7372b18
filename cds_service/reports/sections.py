"""The report as tables with words, the same for a terminal and for a page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cds_service.reports.groups import Cell, GroupRow, Hidden
from cds_service.reports.rates import Answers, Rate
from cds_service.reports.report import AnswersRow, Report
from cds_service.reports.rows import Asked

NOTHING = "nothing in this period"
_ANSWERS = ("Shown", "Answered", "Accepted, of those", "Overridden, of those", "Not answered")


@dataclass(frozen=True, slots=True)
class Section:
    """One table.

    Attributes:
        title: its heading.
        headers: one per column; the first column names the row.
        rows: cells, as many as headers.
        note: what has to be known to read it.
    """

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def percent(rate: Rate) -> str:
    """A share with what it rests on: "3/4 = 75 % (30 to 95 %)"."""
    if rate.share is None or rate.interval is None:
        return "0/0"
    low, high = rate.interval
    return f"{rate.count}/{rate.of} = {100 * rate.share:.0f} % ({100 * low:.0f} to {100 * high:.0f} %)"


def period(report: Report) -> str:
    """Which days, as words."""
    since = report.asked.since
    first = (
        f"{since:%Y-%m-%d %H:%M} UTC" if report.cut and since else f"{since:%Y-%m-%d}" if since else "the first record"
    )
    return f"{first} to {last_day(report.asked) or 'the last record'}"


def last_day(asked: Asked) -> str:
    """The last day that is in the period; empty where it has no end."""
    return f"{asked.until - dt.timedelta(microseconds=1):%Y-%m-%d}" if asked.until else ""


def warnings(report: Report) -> tuple[str, ...]:
    """What must be said before any number."""
    if not report.cut:
        return ()
    told = [
        f"Not everything was read: at most {report.limit:,} rows of a kind"
        if report.limit
        else "Not everything was read"
    ]
    told.append("for as long as a page may take. What is older than the period above is not counted.")
    found = [", ".join(told) if report.limit else " ".join(told)]
    if report.cards_since:
        found.append(f"Cards were counted since {report.cards_since:%Y-%m-%d %H:%M} UTC only.")
    return tuple(found)


def sections(report: Report) -> tuple[Section, ...]:
    """All tables in their order."""
    return (*_calls(report), *_answers(report), *_missing(report), *_groups(report), *_silent(report))


def _calls(report: Report) -> Iterable[Section]:
    yield Section(
        "Calls",
        ("Hook", "Calls", "Refused (4xx)", "Failed (5xx)"),
        tuple((each.name, str(each.calls), percent(each.refused), percent(each.failed)) for each in report.hooks),
        f"{report.calls} calls; in {report.assessed} of them rules were asked.",
    )
    yield Section(
        "Cards",
        ("Display", "Cards"),
        _counts(report.displays),
        "Quiet: held back, since the topic was answered before. Silent: silent mode, nobody saw it.",
    )


def _answers(report: Report) -> Iterable[Section]:
    yield Section(
        "What became of the cards that were shown",
        ("Cards", *_ANSWERS),
        (("all", *_cells(report.answers)),),
        "Only what EHRs told of is counted as accepted or overridden. Not answered means that nothing was told: the card may"
        " not have been seen, or may have been followed without a click. It is no refusal.",
    )
    yield _by("By rule", "Rule", report.by_rule, "A card with several rules counts for each, so rows do not add up.")
    yield _by("Rules overridden most often", "Rule", report.top_overridden)
    yield _by("By topic", "Topic", report.by_topic)
    yield _by("By role of the user", "Role", report.by_role)
    yield _by(
        "By month", "Month", report.by_month, "The month in which the card was given (UTC), whenever it was answered."
    )
    yield Section(
        "Reasons of overridden cards",
        ("Reason", "Of overridden cards"),
        tuple((each.name, percent(each.rate)) for each in report.reasons),
        "A card may have several reasons.",
    )


def _missing(report: Report) -> Iterable[Section]:
    yield Section(
        "Where data are missing",
        ("Look-up", "State", "Of calls with rules"),
        tuple((each.key, each.state, percent(each.rate)) for each in report.missing),
    )
    yield Section(
        "Rules that could not tell",
        ("Rule", "Of calls with rules"),
        tuple((each.name, percent(each.rate)) for each in report.unsure),
    )


def _groups(report: Report) -> Iterable[Section]:
    note = (
        f"<{report.smallest}: fewer than {report.smallest} patients stand behind the number or its rest. Hidden: another one"
        " could be computed from it. A difference between groups shows where to look, and not why it is there."
    )
    absent = "Sex and age are not kept here; record_groups = true in the settings keeps them from then on."
    for title, name, rows in (("By sex", "Sex", report.by_sex), ("By age", "Age", report.by_age)):
        yield Section(
            f"{title} of the patient",
            (name, "Calls with rules", "A rule could not tell", "Cards per call", "Accepted, of answered cards"),
            tuple(_group(each, report.smallest) for each in rows),
            note if rows else absent,
        )


def _silent(report: Report) -> Iterable[Section]:
    told = report.silent
    note = f"{told.total} cards that nobody saw. What clinicians would have made of them is not known."
    yield Section("What silent mode would have shown, by rule", ("Rule", "Cards"), _counts(told.by_rule), note)
    yield Section("What silent mode would have shown, by topic", ("Topic", "Cards"), _counts(told.by_topic))
    yield Section("What silent mode would have shown, by week", ("Week from (Monday)", "Cards"), _counts(told.by_week))


def _by(title: str, name: str, rows: Sequence[AnswersRow], note: str = "") -> Section:
    return Section(title, (name, *_ANSWERS), tuple((each.name, *_cells(each.answers)) for each in rows), note)


def _cells(told: Answers) -> tuple[str, ...]:
    return (
        str(told.shown),
        percent(told.answered),
        percent(told.acceptance),
        percent(told.override),
        str(told.unanswered),
    )


def _counts(rows: Iterable[tuple[str, int]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(count)) for name, count in rows)


def _group(row: GroupRow, smallest: int) -> tuple[str, ...]:
    cards = row.cards
    per_call = (
        f"{cards.count}/{cards.of} = {cards.share or 0:.2f}" if isinstance(cards, Rate) else _cell(cards, smallest)
    )
    return row.name, _cell(row.calls, smallest), _cell(row.unsure, smallest), per_call, _cell(row.acceptance, smallest)


def _cell(told: Cell, smallest: int) -> str:
    if isinstance(told, Hidden):
        return f"<{smallest}" if told is Hidden.FEW else "hidden"
    return percent(told) if isinstance(told, Rate) else str(told)
