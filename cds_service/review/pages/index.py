"""The front page: every row of the rule book with its rule, or with the reason why it has none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cds_service.clinical.rows import Row, families, not_computed, row_of, rows
from cds_service.kernel.rules import Rule
from cds_service.review.pages.book import CHECKS, Book
from cds_service.review.pages.markdown import bullets, link, page, section, table
from cds_service.review.pages.rule_page import statement

_PAGES = (
    ("intended-use.md", "Intended use", "for whom, from what data, and what it must not be used for"),
    ("switches.md", "Where guidelines disagree", "the readings, and which profile takes which"),
    ("disagreements.md", "The same patients under every profile", "what each disagreement means in practice"),
    ("numbers.md", "Numbers", "every threshold with unit, date, source, place and check"),
    ("data-read.md", "Data read", "look-ups, prefetch templates, FHIR scopes, units"),
    (
        "sources.md",
        "Source attributes",
        "citation, developer, funding, dates and use of patient attributes, rule by rule",
    ),
)


def index_page(book: Book, guidelines: list[tuple[str, str]], codes: list[tuple[str, str]]) -> tuple[str, str]:
    """The page.

    Args:
        book: what is written about.
        guidelines: name and title of every guideline page.
        codes: name and title of every value-set page.
    """
    by_row: dict[str, list[Rule]] = {}
    for rule in book.rules.values():
        by_row.setdefault(row_of(rule.id), []).append(rule)
    sections = (
        section(title, table(("Row", "About", "Here", "Status", "Check"), _family(book, family, by_row)))
        for family, title in families().items()
    )
    return "index.md", page(
        "Reference for reviewers",
        "What the service says, to whom, on what grounds: generated from the rules, their numbers, codes and words, and checked "
        "with every change (`bonecds docs --check`). Nothing here needs knowledge of Python.",
        _count(book, by_row),
        _legend(),
        bullets(f"{link(title, target)}: {about}" for target, title, about in _PAGES),
        *sections,
        section("Profiles", bullets(link(each.title, f"profiles/{each.id}.md") for each in book.profiles)),
        section("Guidelines", bullets(link(title, f"guidelines/{name}.md") for name, title in guidelines)),
        section("Codes", bullets(link(title, f"valuesets/{name}.md") for name, title in codes)),
    )


def _count(book: Book, by_row: dict[str, list[Rule]]) -> str:
    status = Counter(book.status(rule) for rule in book.rules.values())
    told = ", ".join(f"{number} {name}" for name, number in sorted(status.items()))
    silent = sum(1 for ident in rows() if ident not in by_row)
    return (
        f"The rule book has {len(rows())} rows. {len(book.rules)} rules run ({told}); {silent} rows run no rule, each with "
        "its reason."
    )


def _legend() -> str:
    checks = ", ".join(f"**{label}** {meaning}" for label, meaning in CHECKS.items())
    return (
        f"*Status*: **stable** is signed off as it is, **unsigned** is not, **preview** is off unless a profile names it. "
        f"*Check*: {checks}."
    )


def _family(book: Book, family: str, by_row: dict[str, list[Rule]]) -> Iterator[tuple[str, ...]]:
    for row in rows().values():
        if row.family != family:
            continue
        if row.id in by_row:
            for rule in by_row[row.id]:
                name = link(statement(rule), f"rules/{rule.id}.md")
                yield f"**{rule.id}**", row.title, name, book.status(rule), rule.check
        else:
            yield f"**{row.id}**", row.title, _why(row), "no rule", ""


def _why(row: Row) -> str:
    told = not_computed().get(row.id)
    if told is None:
        return "neither a rule nor a reason yet"
    return f"{told.why} ({told.where})"
