"""One page per guideline set: its source, whom it is for, its rules and numbers."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.clinical import content
from cds_service.clinical.content import GuidelineSet
from cds_service.clinical.profiles import switches
from cds_service.kernel.rules import Rule
from cds_service.review.pages.book import Book
from cds_service.review.pages.markdown import bullets, link, page, pairs, section, table
from cds_service.review.pages.numbers import CHECK_LEGEND, guideline_of, numbers_table, shared_list
from cds_service.review.pages.rule_page import statement


def guideline_pages(book: Book) -> Iterator[tuple[str, str]]:
    """Path and text of every page."""
    for told in content.guideline_sets().values():
        yield f"guidelines/{told.name}.md", _page(book, told)


def _page(book: Book, told: GuidelineSet) -> str:
    rules = [rule for rule in book.rules.values() if told.name in rule.sets]
    own = [key for key in book.numbers if guideline_of(key) == told.name]
    read = {key for rule in rules for key in book.numbers_of(rule)[0]}
    source = told.source
    return page(
        told.title,
        pairs(
            (
                ("Source", link(source.title, source.url) if source.url else source.title),
                ("For whom", told.about),
                ("Name in profiles and `--only`", f"`{told.name}`"),
                ("On in profiles", ", ".join(_on(book, told.name)) or "none"),
            )
        ),
        section("Rules", _rules(book, rules) or "No rule of this set runs."),
        section("Readings taken from it", bullets(_readings(told.name))),
        section("Its numbers", numbers_table(book, sorted(own)), f"Check: {CHECK_LEGEND}." if own else ""),
        section("Other numbers its rules compare with", shared_list(book, sorted(read - set(own)))),
    )


def _on(book: Book, name: str) -> Iterator[str]:
    for profile in book.profiles:
        if name in profile.sets:
            yield f"{link(profile.id, f'../profiles/{profile.id}.md')} (place {profile.sets.index(name) + 1})"


def _rules(book: Book, rules: list[Rule]) -> str:
    rows = [
        (link(rule.id, f"../rules/{rule.id}.md"), statement(rule), rule.kind.value, book.status(rule), rule.check)
        for rule in rules
    ]
    return table(("Rule", "What it finds", "Kind", "Status", "Check"), rows)


def _readings(name: str) -> Iterator[str]:
    for switch in switches().values():
        for option in switch.options:
            if name in option.sets:
                yield f"{link(switch.row, f'../switches.md#{switch.row.lower()}')} {switch.question} {option.means}"
