"""What watching found, as findings, as a table for people and as JSON."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.watching.charts import Chart, Kind, Side, State, charts_of
from cds_service.watching.feeds import Feed, feeds_of
from cds_service.watching.series import Collected

_HEADINGS = ("state", "service", "client", "what", "before", "since", "stands at", "limit")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is out of control.

    Attributes:
        kind: what it is reported as.
        service: the service; empty for a feed.
        client: the client; empty where callers are not registered.
        name: which chart.
        words: what was found, for people: names of the site and of ours, numbers and times.
    """

    kind: Kind
    service: str
    client: str
    name: str
    words: str

    @property
    def public(self) -> str:
        """The same for whoever may ask: without numbers, and without the name of a client."""
        return f"{self.kind.value}: {self.service} {self.name}" if self.service else self.kind.value

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The same for the same finding at another time."""
        return self.kind.value, self.service, self.client, self.name


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes:
        calls: how many calls were read.
        charts: every chart.
        feeds: every client's feed.
        versions: versions of rules and content in the order they answered, each with its first call.
    """

    calls: int
    charts: tuple[Chart, ...]
    feeds: tuple[Feed, ...]
    versions: tuple[tuple[dt.datetime, str], ...]

    def findings(self) -> tuple[Finding, ...]:
        """What is out of control."""
        charts = [
            Finding(each.kind, each.service, each.client, each.name, f"{_owner(each)}: {_words(each)}")
            for each in self.charts
            if each.state is State.OUT
        ]
        feeds = [
            Finding(
                Kind.FEED_DEAD, "", each.client, "", f"{Kind.FEED_DEAD.value}: {each.client or 'all'}: {_silent(each)}"
            )
            for each in self.feeds
            if each.state is State.OUT
        ]
        return (*charts, *feeds)

    def text(self) -> str:
        """A table for people; what is out of control comes first."""
        order = list(State)
        order.sort(key=lambda state: state is not State.OUT)
        rows = [_row(each) for each in sorted(self.charts, key=lambda each: order.index(each.state))]
        rows += [_feed_row(each) for each in self.feeds]
        found = self.findings()
        lines = [
            f"{self.calls} calls read.",
            *(f"{time:%Y-%m-%d %H:%M} UTC: {version}" for time, version in self.versions),
        ]
        lines += ["", *_table([_HEADINGS, *rows]), "", f"{len(found)} out of control."]
        return "\n".join([*lines, *(f"  {each.words}" for each in found)])

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "calls": self.calls,
            "versions": [{"since": time.isoformat(), "rule_set": version} for time, version in self.versions],
            "charts": [_chart_json(each) for each in self.charts],
            "feeds": [
                {
                    "client": each.client,
                    "state": each.state.value,
                    "calls": each.calls,
                    "last": each.last.isoformat(),
                    "missed": round(each.missed, 1),
                    "longest_pause_s": round(each.longest),
                }
                for each in self.feeds
            ],
            "out_of_control": [
                {
                    "alarm": each.kind.value,
                    "service": each.service,
                    "client": each.client,
                    "chart": each.name,
                    "words": each.words,
                }
                for each in self.findings()
            ],
        }


def report(collected: Collected, now: dt.datetime) -> Report:
    """Judge what was collected.

    Args:
        collected: calls and feedback.
        now: with a time zone.
    """
    return Report(collected.calls, charts_of(collected), feeds_of(collected.clients, now), tuple(collected.versions))


def _owner(chart: Chart) -> str:
    of_client = f" of {chart.client}" if chart.client else ""
    return f"{chart.kind.value}: {chart.service}{of_client}"


def _words(chart: Chart) -> str:
    since = f" since about {chart.since:%Y-%m-%d %H:%M} UTC" if chart.since else ""
    before, window = _share(chart.baseline), _share(chart.window)
    if chart.side is Side.SILENCE:
        return f"{chart.share}: none in {round(chart.value)} calls{since}; before: {before}"
    return f"{chart.share}: {chart.side.value}{since}; before: {before}, now: {window}"


def _silent(feed: Feed) -> str:
    usual = f"; {round(feed.missed)} are usual in that time" if feed.missed else ""
    return f"no call since {feed.last:%Y-%m-%d %H:%M} UTC{usual}"


def _share(counted: tuple[int, int]) -> str:
    events, calls = counted
    return f"{events} of {calls}" + (f" ({100 * events / calls:.2g} %)" if calls else "")


def _row(chart: Chart) -> tuple[str, ...]:
    judged = math.isfinite(chart.limit)
    form = ".0f" if chart.side is Side.SILENCE else ".1f"
    return (
        chart.state.value,
        chart.service,
        chart.client,
        chart.name,
        _share(chart.baseline),
        _share(chart.window),
        format(chart.value, form) if judged else "",
        format(chart.limit, form) if judged else "",
    )


def _feed_row(feed: Feed) -> tuple[str, ...]:
    return (feed.state.value, "", feed.client, "feed", f"{feed.calls} calls", _silent(feed), "", "")


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _chart_json(chart: Chart) -> dict[str, Any]:
    judged = math.isfinite(chart.limit)
    return {
        "service": chart.service,
        "client": chart.client,
        "share": chart.share,
        "side": chart.side.value,
        "state": chart.state.value,
        "baseline": {"events": chart.baseline[0], "calls": chart.baseline[1]},
        "window": {"events": chart.window[0], "calls": chart.window[1]},
        "value": round(chart.value, 3) if judged else None,
        "limit": round(chart.limit, 3) if judged else None,
        "since": chart.since.isoformat() if chart.since else None,
    }
