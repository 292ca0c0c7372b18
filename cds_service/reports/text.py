"""The report as text for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cds_service.reports.groups import Cell, GroupRow, Hidden
from cds_service.reports.rates import Answers, Rate
from cds_service.reports.report import AnswersRow, Report
from cds_service.reports.sections import NOTHING, Section, period, sections, warnings


def text(report: Report) -> str:
    """Plain text, ending with a newline."""
    lines = [f"Report: {period(report)}; {report.asked.client or 'all clients'}", *warnings(report)]
    for section in sections(report):
        lines += ["", section.title, "=" * len(section.title), *_table(section)]
    return "\n".join(lines) + "\n"


def _table(section: Section) -> Iterator[str]:
    if section.rows:
        widths = [max(map(len, column)) for column in zip(section.headers, *section.rows, strict=True)]
        for row in (section.headers, *section.rows):
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    else:
        yield NOTHING
    if section.note:
        yield section.note


def document(report: Report) -> dict[str, Any]:
    """The report as JSON; what is hidden on the page is hidden here."""
    since, until = report.asked.since, report.asked.until
    return {
        "from": since.isoformat() if since else None,
        "before": until.isoformat() if until else None,
        "client": report.asked.client,
        "limit": report.limit,
        "complete": not report.cut,
        "cardsFrom": report.cards_since.isoformat() if report.cards_since else None,
        "calls": report.calls,
        "assessed": report.assessed,
        "hooks": [
            {"hook": each.name, "calls": each.calls, "refused": _rate(each.refused), "failed": _rate(each.failed)}
            for each in report.hooks
        ],
        "cards": dict(report.displays),
        "answers": _answers(report.answers),
        "byRule": _rows(report.by_rule),
        "byTopic": _rows(report.by_topic),
        "byRole": _rows(report.by_role),
        "byMonth": _rows(report.by_month),
        "topOverridden": [each.name for each in report.top_overridden],
        "reasons": [{"name": each.name, **_rate(each.rate)} for each in report.reasons],
        "missing": [{"key": each.key, "state": each.state, **_rate(each.rate)} for each in report.missing],
        "couldNotTell": [{"name": each.name, **_rate(each.rate)} for each in report.unsure],
        "smallest": report.smallest,
        "bySex": [_group(each, report.smallest) for each in report.by_sex],
        "byAge": [_group(each, report.smallest) for each in report.by_age],
        "silentMode": {
            "cards": report.silent.total,
            "byRule": dict(report.silent.by_rule),
            "byTopic": dict(report.silent.by_topic),
            "byWeek": dict(report.silent.by_week),
        },
    }


def _rate(rate: Rate) -> dict[str, Any]:
    interval = [round(each, 4) for each in rate.interval] if rate.interval else None
    return {
        "count": rate.count,
        "of": rate.of,
        "share": None if rate.share is None else round(rate.share, 4),
        "interval95": interval,
    }


def _answers(told: Answers) -> dict[str, Any]:
    return {
        "shown": told.shown,
        "answered": _rate(told.answered),
        "accepted": _rate(told.acceptance),
        "overridden": _rate(told.override),
        "notAnswered": told.unanswered,
    }


def _rows(rows: Iterable[AnswersRow]) -> list[dict[str, Any]]:
    return [{"name": each.name, **_answers(each.answers)} for each in rows]


def _group(row: GroupRow, smallest: int) -> dict[str, Any]:
    cards = row.cards
    return {
        "name": row.name,
        "calls": _cell(row.calls, smallest),
        "couldNotTell": _cell(row.unsure, smallest),
        "cardsPerCall": {"cards": cards.count, "calls": cards.of}
        if isinstance(cards, Rate)
        else _cell(cards, smallest),
        "accepted": _cell(row.acceptance, smallest),
    }


def _cell(told: Cell, smallest: int) -> Any:
    if isinstance(told, Hidden):
        return f"<{smallest}" if told is Hidden.FEW else "hidden"
    return _rate(told) if isinstance(told, Rate) else told
