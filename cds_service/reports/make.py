"""From a source of rows to a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from cds_service.reports.groups import SMALLEST
from cds_service.reports.report import Report
from cds_service.reports.rows import Asked, Call, Card, Source
from cds_service.reports.tally import Tally

_Row = TypeVar("_Row", Call, Card)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much may be done for a report.

    Attributes:
        most: rows of each kind that are read, the newest, those of other clients included; `None`: all.
        enough: asked after each page; true: stop there, as if the limit were reached.
        turn: held while rows are counted, and not while they are waited for.
        said: told how many rows were read, page by page.
    """

    most: int | None = None
    enough: Callable[[], bool] = bool
    turn: Callable[[], AbstractContextManager[object]] = nullcontext
    said: Callable[[int], object] = int


ALL = Effort()


def make(source: Source, asked: Asked, *, smallest: int = SMALLEST, effort: Effort = ALL) -> Report:
    """Read and count.

    Calls are read first. Where the limit cuts them off, cards are read back to the same moment, so that both are of one
    period; where it cuts cards off too, the report says since when they were counted.

    Args:
        source: where rows come from, the newest first.
        asked: which rows.
        smallest: groups with fewer patients are not told.
        effort: how much may be done.

    Raises:
        StoreUnavailable: the source cannot be read.
    """
    tally = Tally(smallest)
    reading = _Reading(effort, asked.client)
    calls_to = reading.all(source.calls(asked), tally.call)
    if calls_to:
        asked = replace(asked, since=calls_to.time)
    cards_to = reading.all(source.cards(asked), tally.card)
    return tally.report(
        asked, limit=effort.most, cut=bool(calls_to or cards_to), cards_since=cards_to.time if cards_to else None
    )


class _Reading:
    """Reads pages as far as it may, and leaves out what is of other clients."""

    def __init__(self, effort: Effort, client: str | None) -> None:
        self._effort, self._client, self._read = effort, client, 0

    def all(self, pages: Iterable[Sequence[_Row]], add: Callable[[_Row], None]) -> _Row | None:
        """Add every row; the last one that was read where reading had to stop."""
        for page, stopped in self._allowed(pages):
            with self._effort.turn():
                for row in page:
                    if self._client in (None, row.client):
                        add(row)
            self._read += len(page)
            self._effort.said(self._read)
            if stopped:
                return page[-1]
        return None

    def _allowed(self, pages: Iterable[Sequence[_Row]]) -> Iterator[tuple[Sequence[_Row], bool]]:
        """The pages, and whether to stop at one although there are more rows: known one page later."""
        before: Sequence[_Row] = ()
        left = self._effort.most
        for page in pages:
            if before:
                stop = left == 0 or self._effort.enough()
                yield before, stop
                if stop:
                    return
            if left is not None and left < len(page):
                yield page[:left], True
                return
            before, left = page, None if left is None else left - len(page)
        if before:
            yield before, False
