"""What a rule reads and may offer, found from the rule itself: nobody keeps a second list that could fall behind.

Look-ups are those it asks of a chart: rules ask for all their facts before they compare any, so charts with nothing in
them are asked for everything. Numbers and orders are those named in the code it can reach, whether a branch is taken or not:
an upper bound.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

from cds_service.clinical import content
from cds_service.clinical.patient import ALL_NEEDS, Patient
from cds_service.clinical.profiles import Profile
from cds_service.clinical.reach import names_in, reachable, words_in
from cds_service.clinical.terminology import terminology
from cds_service.fhir.chart import Chart, Found
from cds_service.formats import strict_toml
from cds_service.kernel.facts import Gap
from cds_service.kernel.needs import Lookup, LookupState, Need, Records
from cds_service.kernel.rules import Proposal, Rule
from cds_service.kernel.thresholds import Threshold, Thresholds

_MEDICATION = tuple(need.resource_type for need in ALL_NEEDS if need.resource_type.startswith("Medication"))
# of the first all was looked at and nothing found; of the second nothing could be looked at, so that a rule about people on a
# drug cannot leave it at "no such drug" and looks further
NOBODY, UNKNOWN = (
    Records("nobody", dict.fromkeys((need.key for need in ALL_NEEDS), Lookup(state)))
    for state in (LookupState.COMPLETE, LookupState.FAILED)
)
NOBODIES = (NOBODY, UNKNOWN)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a rule reads and may offer, each sorted.

    Attributes:
        numbers: keys of thresholds.
        look_ups: resource type and concept of what it looks for; an empty concept stands for all of the type.
        orders: keys of `orders.toml`.
    """

    numbers: tuple[str, ...]
    look_ups: tuple[tuple[str, str], ...]
    orders: tuple[str, ...]


def inputs(rule: Rule, day: dt.date, profiles: Iterable[Profile]) -> Inputs:
    """Find out what a rule reads and may offer.

    Args:
        rule: the rule.
        day: any day on which all numbers are in force.
        profiles: the sites to ask it for: their readings of guidelines differ.
    """
    numbers = _Read(content.all_thresholds(), day)
    asked: set[tuple[str, str]] = set()
    offered: set[str] = set()
    for nobody, profile in product(NOBODIES, profiles):
        chart = _Asked(nobody, terminology(), day)
        finding = rule.decide(Patient(chart, numbers, profile), numbers)
        offered |= {proposal.order for proposal in finding.propose}
        asked |= chart.asked
    words, written = _code(rule)
    return Inputs(
        tuple(sorted(numbers.keys | _keys(words, frozenset(numbers)))),
        _look_ups(asked),
        tuple(sorted(offered | _put_together(written))),
    )


@lru_cache(maxsize=1)
def _orders() -> frozenset[str]:
    return frozenset(strict_toml.load(content.orders_file(), "orders.toml", {"type": "object"}))


@lru_cache(maxsize=512)
def _code(rule: Rule) -> tuple[frozenset[str], tuple[frozenset[str], ...]]:
    """The words in all code the rule can reach; those of each function, not of another rule, that proposes something."""
    words = (words_in(function) for function in reachable(rule))
    own = (function for function in reachable(rule, other_rules=False) if Proposal.__name__ in names_in(function))
    return frozenset().union(*words), tuple(words_in(each) for each in own)


def _keys(words: frozenset[str], known: frozenset[str]) -> set[str]:
    """The keys among some words, and those that a word begins or is a part of: "equivalence." of `f"equivalence.{drug}"`."""
    others = words - known
    starts = tuple(word for word in others if "." in word.strip("."))
    parts = {word.strip(".") for word in others if "." in word or "-" in word}
    return {
        key
        for key in known
        if key in words or key.startswith(starts) or any(f".{part}." in f".{key}." for part in parts)
    }


def _put_together(written: Iterable[frozenset[str]]) -> set[str]:
    """The orders among the words of a function, as they are or put together there: `f"{name}-test"`."""
    found: set[str] = set()
    for words in written:
        endings = [word for word in words if word.startswith("-")]
        found |= words | {f"{word}{ending}" for word in words for ending in endings}
    return found & _orders()


class _Read(Thresholds):
    """The numbers in force, noting which are read."""

    def __init__(self, values: Iterable[Threshold], as_of: dt.date) -> None:
        self.keys: set[str] = set()
        super().__init__(values, as_of)

    def __getitem__(self, key: str) -> Threshold:
        self.keys.add(key)
        return super().__getitem__(key)

    def optional(self, key: str) -> Threshold | None:
        """Note the number, where there is one."""
        found = super().optional(key)
        self.keys.update([key] if found else [])
        return found


class _Asked(Chart):
    """A chart that notes what it is asked for."""

    def __post_init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()
        super().__post_init__()

    def find(self, resource_type: str, *concepts: str) -> Iterator[Found]:
        """Note type and concepts."""
        self.asked.update((resource_type, concept) for concept in concepts)
        return super().find(resource_type, *concepts)

    def drugs(self, prefix: str) -> Iterator[Found]:
        """Note every concept that begins like this, for every type with a medication."""
        fitting = [name for name in self.terminology.names() if name.startswith(prefix)]
        self.asked.update((kind, name) for kind in _MEDICATION for name in fitting)
        return super().drugs(prefix)

    def gaps(self, *needs: Need) -> tuple[Gap, ...]:
        """Note the types: some, such as the patient, are read without a code."""
        self.asked.update((need.resource_type, "") for need in needs)
        return super().gaps(*needs)


def _look_ups(asked: set[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Without concepts that have no codes, and without whole types of which single concepts are looked for."""
    known = terminology().names()
    coded = {(kind, concept) for kind, concept in asked if concept in known}
    whole = {kind for kind, _ in asked} - {kind for kind, _ in coded}
    return tuple(sorted(coded | {(kind, "") for kind in whole}))
