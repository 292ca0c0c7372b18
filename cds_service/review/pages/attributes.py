"""The thirteen source attributes of every rule on one page; `GET /sources` gives the same as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.clinical.attributes import Attribute, attributes, sources
from cds_service.kernel.rules import Rule
from cds_service.review.pages.book import Book
from cds_service.review.pages.markdown import bullets, link, page, section, table

_CITATION, _DEVELOPER, _FUNDING, _DATES = 1, 2, 3, 4
_LEAD = (
    "The source attributes of evidence-based decision support, 45 CFR 170.315(b)(11)(iv)(A)(1) to (13), rule by rule; "
    "`GET /sources` gives them as JSON. What is used is found from what each rule reads, and tests change the attribute to "
    "see that *not used* holds."
)


def sources_page(book: Book) -> tuple[str, str]:
    """The page."""
    told = {rule.id: {each.number: each for each in attributes(rule)} for rule in book.rules.values()}
    first = next(iter(told.values()))
    documents = dict.fromkeys(source for rule in book.rules.values() for source in sources(rule))
    same = bullets(f"({number}) {first[number].name}: {first[number].value}" for number in (_DEVELOPER, _FUNDING))
    return "sources.md", page(
        "Source attributes",
        _LEAD,
        section("The same for every rule", same),
        section("Use of patient attributes", _uses(told), bullets(_how(told))),
        section(f"({_CITATION}) Citations and ({_DATES}) dates", _cited(book.rules.values(), told)),
        section(
            "Documents", bullets(f"**{s.label}**: {link(s.title, s.url) if s.url else s.title}" for s in documents)
        ),
    )


def _uses(told: Mapping[str, Mapping[int, Attribute]]) -> str:
    first = next(iter(told.values()))
    numbers = [number for number in first if number > _DATES]
    rows = [
        (link(ident, f"rules/{ident}.md"), *("**used**" if own[number].used else "not used" for number in numbers))
        for ident, own in told.items()
    ]
    return table(("Rule", *(f"({number}) {first[number].name}" for number in numbers)), rows)


def _how(told: Mapping[str, Mapping[int, Attribute]]) -> list[str]:
    """How what is used is used, each once."""
    said = {(each.number, each.name, each.value) for own in told.values() for each in own.values()}
    return [f"({n}) {name}: {value}" for n, name, value in sorted(said) if n > _DATES and value != "not used"]


def _cited(rules: Iterable[Rule], told: Mapping[str, Mapping[int, Attribute]]) -> str:
    rows = [
        (link(r.id, f"rules/{r.id}.md"), "; ".join(each.label for each in sources(r)), told[r.id][_DATES].value)
        for r in rules
    ]
    return table(("Rule", "Rests on", "Release and revision"), rows)
