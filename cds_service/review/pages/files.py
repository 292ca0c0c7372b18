"""All pages of the reference, and how they compare with those on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cds_service.clinical import content
from cds_service.kernel.rules import Rule
from cds_service.review.pages.attributes import sources_page
from cds_service.review.pages.book import Book
from cds_service.review.pages.data import data_page
from cds_service.review.pages.decision_table import telling_cases
from cds_service.review.pages.disagreements import disagreements_page
from cds_service.review.pages.guidelines import guideline_pages
from cds_service.review.pages.index import index_page
from cds_service.review.pages.intended_use import intended_use_page
from cds_service.review.pages.numbers import numbers_page
from cds_service.review.pages.reads import RuleReads, read_by
from cds_service.review.pages.rule_page import rule_page
from cds_service.review.pages.sites import profile_pages, switches_page
from cds_service.review.pages.valuesets import value_set_pages, value_sets

MARK = "<!-- Written by `bonecds docs`: change the rule, its numbers, words or vignettes, then run it again. -->\n\n"


def pages(book: Book, progress: Callable[[str], None] = lambda name: None) -> dict[str, str]:
    """Path and text of every page.

    Args:
        book: what is written about.
        progress: told the id of each rule before its page is made.
    """
    places = value_sets()
    made: dict[str, str] = {}
    read: dict[str, RuleReads] = {}
    for rule in book.rules.values():
        progress(rule.id)
        telling = telling_cases(book, rule)
        read[rule.id] = read_by(book, rule, telling)
        made.update([rule_page(book, rule, places, telling, read[rule.id])])
    of_concepts = _readers(book, lambda rule: read[rule.id].concepts)
    of_needs = _readers(book, lambda rule: {need.key for need in read[rule.id].needs})
    of_numbers = _readers(book, lambda rule: {key for keys in book.numbers_of(rule) for key in keys})
    made.update(guideline_pages(book))
    made.update(profile_pages(book))
    codes = dict(value_set_pages(places, of_concepts, book.texts))
    made.update(codes)
    made.update([
        switches_page(book),
        disagreements_page(book),
        numbers_page(book, of_numbers),
        data_page(book, places, of_needs),
        sources_page(book),
        intended_use_page(book),
        index_page(book, _titles(), [(n, t.title) for n, t in places.files.items() if f"valuesets/{n}.md" in codes]),
    ])  # fmt: skip
    return {path: MARK + text for path, text in sorted(made.items())}


def _readers(book: Book, what: Callable[[Rule], set[str]]) -> Mapping[str, list[str]]:
    """Ids of the rules by what they read."""
    found: dict[str, list[str]] = {}
    for rule in book.rules.values():
        for each in what(rule):
            found.setdefault(each, []).append(rule.id)
    return found


def _titles() -> list[tuple[str, str]]:
    return [(each.name, each.title) for each in content.guideline_sets().values()]


def differences(made: Mapping[str, str], folder: Path) -> Iterator[tuple[str, str]]:
    """Path and what is wrong with it: "missing", "stale" or "superfluous"."""
    for path, text in made.items():
        file = folder / path
        if not file.is_file():
            yield path, "missing"
        elif file.read_text(encoding="utf-8") != text:
            yield path, "stale"
    for file in left_over(made, folder):
        yield file.relative_to(folder).as_posix(), "superfluous"


def left_over(made: Mapping[str, str], folder: Path) -> list[Path]:
    """Generated pages in the folder that are no longer made; files that others put there are left alone."""
    found = (file for file in sorted(folder.rglob("*.md")) if file.relative_to(folder).as_posix() not in made)
    return [file for file in found if file.read_text(encoding="utf-8").startswith(MARK.strip())]


def write(made: Mapping[str, str], folder: Path) -> list[str]:
    """Make the folder hold exactly those pages; gives back what changed."""
    changed = [path for path, _ in differences(made, folder)]
    for file in left_over(made, folder):
        file.unlink()
    for path in changed:
        if path in made:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(made[path], encoding="utf-8")
    return changed
