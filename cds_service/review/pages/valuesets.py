"""The codes the service knows: one page per value-set file, one section per concept, whatever file a code stands in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from cds_service.cards.texts import Texts
from cds_service.clinical import content
from cds_service.clinical.terminology import INDEX, INDEX_SCHEMA, read
from cds_service.fhir import codes
from cds_service.fhir.codes import Entry
from cds_service.formats import strict_toml
from cds_service.kernel.quantities import plain as number
from cds_service.review.pages.markdown import anchor, link, page, plain, rule_links, section, table

_MATCH = {"exact": "this code", "prefix": "and all below it", "class-prefix": "all that begin with it"}
_NOTICE = "../../../cds_service/clinical/valuesets/NOTICE.md"
_LEAD = (
    "Codes by concept, the service's own name for what they mean. *Counts* says which codes match. A name is empty where its "
    f"licence keeps us from shipping it; {link('NOTICE.md', _NOTICE)} has the terms behind each licence."
)
_HEAD = ("System", "Code", "Name", "Counts", "Licence")


@dataclass(frozen=True, slots=True)
class ValueSet:
    """One file of codes.

    Attributes:
        name: without its ending; the name of its page.
        title: for people.
        optional: may be taken out.
        rows: its codes.
    """

    name: str
    title: str
    optional: bool
    rows: tuple[Entry, ...]


class Places:
    """Where the codes of a concept are shown: the page of the file that has it, optional files only if no other has."""

    def __init__(self, files: Iterable[ValueSet]) -> None:
        self.files = {each.name: each for each in files}

    @cached_property
    def rows(self) -> Mapping[str, list[Entry]]:
        """Every code by concept, from all files."""
        found: dict[str, list[Entry]] = defaultdict(list)
        for each in self.files.values():
            for row in each.rows:
                found[row.concept].append(row)
        return found

    @cached_property
    def home(self) -> Mapping[str, str]:
        """The page of every concept."""
        files = sorted(self.files.values(), key=lambda each: each.optional)
        own: dict[str, str] = {}
        of_family: dict[str, str] = {}
        for each in files:
            for row in each.rows:
                family = row.concept.split(".")[0]
                of_family.setdefault(family, each.name)
                own.setdefault(row.concept, of_family[family] if each.optional else each.name)
        return own

    def known(self, concepts: Iterable[str]) -> list[str]:
        """Those that have codes, sorted."""
        return sorted(concept for concept in concepts if concept in self.home)

    def by_page(self, concepts: Iterable[str]) -> Mapping[str, list[str]]:
        """The concepts by the page they stand on."""
        found: dict[str, list[str]] = defaultdict(list)
        for concept in self.known(concepts):
            found[self.home[concept]].append(concept)
        return found

    def units(self, concepts: Iterable[str]) -> list[str]:
        """Usual units of the results of those concepts."""
        rows = (row for concept in self.known(concepts) for row in self.rows[concept])
        units = {row.unit for row in rows if row.unit and not row.ingredient}
        # a score has no unit; the table of codes says "{T-score} or 1"
        return sorted(unit for unit in units if not unit.startswith("{"))

    def links(self, concepts: Iterable[str], few: int, up: str = "..") -> Iterator[str]:
        """Concepts one by one where they are few; a whole page where they are many."""
        for name, found in self.by_page(concepts).items():
            target = f"{up}/valuesets/{name}.md"
            if len(found) <= few:
                yield from (link(concept, f"{target}#{anchor(concept)}") for concept in found)
            else:
                yield f"{link(self.files[name].title, target)} ({len(found)} concepts)"


def value_sets() -> Places:
    """The value-set files that are installed."""
    listed = strict_toml.load(content.read(f"valuesets/{INDEX}"), f"valuesets/{INDEX}", INDEX_SCHEMA)["file"]
    there = set(content.files("valuesets", ".csv"))
    return Places(_file(each) for each in listed if each["name"] in there)


def _file(told: Mapping[str, str | bool]) -> ValueSet:
    name = str(told["name"])
    rows = read({name: content.read(f"valuesets/{name}")}).rows()
    return ValueSet(name.removesuffix(".csv"), str(told["title"]), bool(told["optional"]), rows)


def value_set_pages(places: Places, readers: Mapping[str, list[str]], texts: Texts) -> Iterator[tuple[str, str]]:
    """Path and text of every page.

    Args:
        places: the codes.
        readers: ids of the rules that look for a concept.
        texts: units for people.
    """
    for name, told in places.files.items():
        concepts = sorted(concept for concept, home in places.home.items() if home == name)
        if concepts:
            file = f"File: `cds_service/clinical/valuesets/{name}.csv`, with the codes of the optional files."
            sections = (
                _concept(concept, places.rows[concept], readers.get(concept, []), texts) for concept in concepts
            )
            yield f"valuesets/{name}.md", page(told.title, _LEAD, file, *sections)


def _concept(concept: str, rows: list[Entry], readers: list[str], texts: Texts) -> str:
    used = rule_links(readers, "../")
    extra = [head for head, column in _COLUMNS.items() if any(column(row, texts) for row in rows)]
    body = [
        (
            codes.NAMES.get(row.system, row.system),
            f"`{row.code}`",
            plain(row.display),
            _MATCH.get(row.match, row.match),
            row.licence + (f" ({row.edition})" if row.edition else ""),
            *(_COLUMNS[head](row, texts) for head in extra),
        )
        for row in rows
    ]
    return section(
        concept, f"Looked for by: {used}." if used else "No rule looks for it.", table((*_HEAD, *extra), body)
    )


def _strength(row: Entry, texts: Texts) -> str:
    return "" if row.strength_mg is None else f"{number(row.strength_mg)} mg per {row.per}"


_COLUMNS: Mapping[str, Callable[[Entry, Texts], str]] = {
    "Substance": lambda row, texts: row.ingredient.replace("_", " "),
    "Strength": _strength,
    "Form": lambda row, texts: row.form,
    "Acts": lambda row, texts: row.route_class.replace("-", " "),
    "Unit": lambda row, texts: texts.unit(row.unit) if row.unit else "",
}
