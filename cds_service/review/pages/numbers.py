"""Clinical numbers with unit, date, source, place and check, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cds_service.clinical import content
from cds_service.kernel.thresholds import Threshold
from cds_service.review.pages.book import CHECKS, Book
from cds_service.review.pages.markdown import anchor, bullets, link, page, rule_links, section, table

CHECK_LEGEND = "; ".join(f"**{label}** {meaning}" for label, meaning in CHECKS.items())
_HEAD = ("Number", "Value", "Since", "Source and place", "Check", "Key")


def numbers_table(book: Book, keys: Iterable[str]) -> str:
    """The numbers in force under those keys."""
    return table(_HEAD, [_row(book, book.numbers[key]) for key in keys])


def _row(book: Book, number: Threshold) -> tuple[str, ...]:
    place = f"{number.source.label}: {number.where}"
    return number.label, f"**{book.value(number)}**", number.since.isoformat(), place, number.check, f"`{number.key}`"


def guideline_of(key: str) -> str:
    """The file a number stands in."""
    return key.split(".")[0]


def shared_list(book: Book, keys: Iterable[str], up: str = "..") -> str:
    """Numbers in a line each guideline file, with a link to the page that has them all."""
    by_file: dict[str, list[str]] = {}
    for key in keys:
        by_file.setdefault(guideline_of(key), []).append(key)
    return bullets(
        f"{link(name, f'{up}/numbers.md#{anchor(name)}')}: "
        + "; ".join(_short(book.numbers[key], book) for key in found)
        for name, found in by_file.items()
    )


def _short(number: Threshold, book: Book) -> str:
    return f"{number.label} {book.value(number)} ({number.check})"


def numbers_page(book: Book, readers: Mapping[str, list[str]]) -> tuple[str, str]:
    """Every number of every guideline, with its history and who reads it."""
    by_file: dict[str, list[Threshold]] = {}
    for number in content.all_thresholds():
        by_file.setdefault(guideline_of(number.key), []).append(number)
    lead = f"All numbers of the service, by the file they stand in (`cds_service/clinical/guidelines/`). Check: {CHECK_LEGEND}."
    sections = (
        section(name, table((*_HEAD, "Read by"), _with_readers(book, found, readers)))
        for name, found in by_file.items()
    )
    return "numbers.md", page("Numbers", lead, *sections)


def _with_readers(
    book: Book, numbers: Iterable[Threshold], readers: Mapping[str, list[str]]
) -> Iterator[tuple[str, ...]]:
    for number in numbers:
        yield *_row(book, number), rule_links(readers.get(number.key, ()))
