"""The statement of intended use, from its template."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, StrictUndefined

from cds_service import __version__
from cds_service.review.pages.book import Book

PAGE = "intended-use.md"


def intended_use_page(book: Book) -> tuple[str, str]:
    """The page; what it lists and counts comes from the rules."""
    text = resources.files(__package__).joinpath(f"{PAGE}.j2").read_text(encoding="utf-8")
    # Markdown, not HTML: nothing is escaped, and nothing in it comes from a record
    template = Environment(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True).from_string(text)  # noqa: S701
    return PAGE, template.render(
        version=__version__,
        look_ups=[book.texts.names[need.key] for need in book.service.needs],
        rules=len(book.rules),
        unsigned=sum(1 for rule in book.rules.values() if book.signature(rule) is None),
    )
