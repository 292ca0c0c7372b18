"""What a rule reads: its facts, the look-ups behind them, the codes they are found by and the units they come in.

Found by asking: each fact is worked out for the telling vignettes of the rule, and the chart notes what it is asked for.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from cds_service.clinical.inputs import NOBODIES
from cds_service.clinical.patient import Patient
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart, Found
from cds_service.kernel.facts import Gap
from cds_service.kernel.needs import Need, Records
from cds_service.kernel.rules import Rule
from cds_service.review.pages.book import DAY, Book
from cds_service.review.pages.markdown import link, table
from cds_service.review.pages.valuesets import Places
from cds_service.review.vignettes import Case

_FEW = 4


@dataclass(slots=True)
class Read:
    """What was asked for.

    Attributes:
        needs: keys of the look-ups whose completeness matters; a fact may narrow a need to single codes.
        concepts: concepts of the value sets.
    """

    needs: set[str] = field(default_factory=set)
    concepts: set[str] = field(default_factory=set)


class _Noting(Chart):
    """A chart that notes what it is asked for."""

    def __init__(self, records: Records, as_of: dt.date) -> None:
        self.read = Read()
        super().__init__(records, terminology(), as_of)

    def find(self, resource_type: str, *concepts: str) -> Iterator[Found]:
        self.read.concepts.update(concepts)
        return super().find(resource_type, *concepts)

    def refuted(self, *concepts: str) -> Iterator[Found]:
        self.read.concepts.update(concepts)
        return super().refuted(*concepts)

    def drugs(self, prefix: str) -> Iterator[Found]:
        self.read.concepts.update(name for name in self.terminology.names() if name.startswith(prefix))
        return super().drugs(prefix)

    def gaps(self, *needs: Need) -> tuple[Gap, ...]:
        self.read.needs.update(need.key for need in needs)
        return super().gaps(*needs)


@dataclass(frozen=True, slots=True)
class RuleReads:
    """What one rule reads.

    Attributes:
        facts: what each fact asks for that the rule declares.
        beside: concepts the rule looks for beside its facts: single diagnoses, drugs, tests.
        needs: all look-ups, in the order of the prefetch.
    """

    facts: Mapping[str, Read]
    beside: Read
    needs: tuple[Need, ...]

    @property
    def concepts(self) -> set[str]:
        """All concepts."""
        return set().union(self.beside.concepts, *(read.concepts for read in self.facts.values()))


def read_by(book: Book, rule: Rule, cases: Sequence[Case]) -> RuleReads:
    """What the rule asks for in those vignettes, and in records with nothing in them."""
    facts = {fact: _noted(book, cases, attrgetter(fact)) for fact in rule.reads}
    whole = _noted(book, cases, lambda patient: rule.decide(patient, book.numbers))
    needs = whole.needs.union(*(read.needs for read in facts.values()))
    beside = Read(whole.needs, whole.concepts.difference(*(read.concepts for read in facts.values())))
    return RuleReads(facts, beside, tuple(need for need in book.service.needs if need.key in needs))


def _noted(book: Book, cases: Iterable[Case], ask: Callable[[Patient], object]) -> Read:
    found = Read()
    nobodies = ((each, DAY, book.profiles[0]) for each in NOBODIES)
    asked = [*nobodies, *((case.records, case.as_of, case.profile) for case in cases)]
    for records, as_of, profile in asked:
        chart = _Noting(records, as_of)
        ask(Patient(chart, book.numbers, profile))
        found.needs |= chart.read.needs
        found.concepts |= chart.read.concepts
    return found


def facts_table(book: Book, read: RuleReads, places: Places) -> str:
    """One line a fact; then what the rule looks for beside its facts."""
    rows = [
        (f"**{fact.replace('_', ' ')}**: {_meaning(fact)}", *_told(book, own, places))
        for fact, own in read.facts.items()
    ]
    if places.known(read.beside.concepts):
        rows.append(("single diagnoses, drugs and tests", *_told(book, read.beside, places)))
    return table(("Fact", "Look-ups", "Codes", "Units"), rows)


def _meaning(fact: str) -> str:
    """The first sentence of the fact's documentation."""
    doc = inspect.getdoc(inspect.getattr_static(Patient, fact, None)) or ""
    first = re.split(r"(?<=[.;]) ", doc.splitlines()[0] if doc else "")[0].rstrip(".;")
    return first[:1].lower() + first[1:] if first[1:2].islower() else first


def _told(book: Book, read: Read, places: Places) -> tuple[str, str, str]:
    names, units = book.texts.names, places.units(read.concepts)
    needs = (
        link(names[need.key], f"../data-read.md#{need.key.lower()}")
        for need in book.service.needs
        if need.key in read.needs
    )
    shown = dict.fromkeys(book.texts.unit(unit) for unit in units)
    return ", ".join(needs), ", ".join(places.links(read.concepts, _FEW)), ", ".join(unit for unit in shown if unit)
