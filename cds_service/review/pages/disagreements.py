"""The same invented patients under every profile, side by side: what each disagreement of guidelines means in practice."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from cds_service.clinical.profiles import switches
from cds_service.review.disagreements import Disagreement
from cds_service.review.pages.book import Book
from cds_service.review.pages.in_words import in_words
from cds_service.review.pages.markdown import link, page, section, table

_LEAD = (
    "One invented patient or more for each row, asked under every built-in profile. The readings, and the guidelines behind "
    f"them, are on {link('another page', 'switches.md')}. *Off*: the profile does not run the rule."
)


def disagreements_page(book: Book) -> tuple[str, str]:
    """The page."""
    rows = groupby(book.disagreements, key=lambda each: each.switch)
    sections = [_row(book, name, list(found)) for name, found in rows]
    return "disagreements.md", page("The same patients under every profile", _LEAD, *sections)


def _row(book: Book, name: str, found: Iterable[Disagreement]) -> str:
    switch = switches()[name]
    patients = (part for each in found for part in _patient(book, each))
    return section(
        switch.row, f"**{switch.question}** ({link(f'`{name}`', f'switches.md#{switch.row.lower()}')})", *patients
    )


def _patient(book: Book, told: Disagreement) -> tuple[str, str]:
    sites = [
        (site.id, site.choice(told.switch), told.answers(site.id)) for site in book.profiles if site.id in told.expect
    ]
    if told.other:
        profile, reading = told.other["profile"], told.other["reading"]
        sites.append((f"{profile}, read otherwise", reading, told.other_answers()))
    asked = dict.fromkeys(rule for _, _, answers in sites for rule in answers)
    rows = [(_asked(rule), *(answers.get(rule, "") for _, _, answers in sites)) for rule in asked]
    head = ("Asked", *(f"{site}: `{reading}`" for site, reading, _ in sites))
    return f"{told.who} On record: {in_words(told.record, book.texts.names)}.", table(head, rows)


def _asked(rule: str) -> str:
    """A rule, or a value of it, with a link to its page."""
    ident, _, value = rule.partition(" ")
    return link(ident, f"rules/{ident}.md") + (f" {value}" if value == "proposes" else f" `{value}`" if value else "")
