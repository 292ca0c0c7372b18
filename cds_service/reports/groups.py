"""Numbers by group of patients, without any that a few patients stand behind (docs/decisions/0025)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from cds_service.reports.rates import Rate
from cds_service.reports.rows import ACCEPTED, SHOWN, Call, Card, Person

# Centers for Medicare & Medicaid Services, cell size suppression policy: no cell of 1 to 10
SMALLEST = 11
NOT_RECORDED = "not recorded"


class Hidden(Enum):
    """Why a number is not given."""

    FEW = "few"  # fewer patients than the smallest number stand behind it, or behind its rest
    OTHER = "other"  # another one could be computed from it


Cell = int | Rate | Hidden


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group.

    Attributes:
        name: of the group.
        calls: calls in which rules were asked.
        unsure: of those, calls in which a rule could not tell.
        cards: cards sent, and in how many calls: cards per call, not a share.
        acceptance: accepted, of the cards that were answered.
    """

    name: str
    calls: Cell
    unsure: Cell
    cards: Cell
    acceptance: Cell


class Part:
    """A count, and whether enough people stand behind it. Remembers no more people than that takes."""

    def __init__(self, smallest: int) -> None:
        self.count = 0
        self._smallest = smallest
        self._people: dict[str, set[str]] = defaultdict(set)

    def add(self, person: Person) -> None:
        """One more, about that person."""
        self.count += 1
        known = self._people[person.key]
        if person.hash and len(known) < self._smallest:
            known.add(person.hash)

    @property
    def few(self) -> bool:
        """Whether somebody, but fewer people than the smallest number, stand behind it."""
        return is_few([self], self._smallest)

    @property
    def people(self) -> Mapping[str, set[str]]:
        """Their pseudonyms by site key, up to the smallest number of each."""
        return self._people


def is_few(parts: Sequence[Part], smallest: int) -> bool:
    """Whether the parts together count something, and fewer people than that stand behind it.

    A person has another pseudonym under another key, so the keys are looked at one by one: two of them may be one person.
    """
    keys = {key for part in parts for key in part.people}
    most = max((len(set().union(*(part.people.get(key, ()) for part in parts))) for key in keys), default=0)
    return any(part.count for part in parts) and most < smallest


@dataclass(slots=True)
class _Group:
    """The parts of one group; what is shown are their sums."""

    smallest: int
    cards: int = 0
    parts: dict[str, Part] = field(default_factory=dict)

    def part(self, name: str) -> Part:
        return self.parts.setdefault(name, Part(self.smallest))

    def count(self, name: str) -> int:
        return self.part(name).count


# What is shown together, and the parts it is made of: whoever sees a share can compute its rest.
_CALLS, _UNSURE = ("calls",), ("unsure", "sure")
_CARDS, _ANSWERS = ("with a card", "without a card"), ("accepted", "overridden")


class Groups:
    """Adds up by one property of the patient.

    Args:
        of: name of the property: "sex" or "age_band".
        smallest: see `SMALLEST`.
        most: how many groups are told apart; further ones count as not recorded.
    """

    def __init__(self, of: str, smallest: int, most: int = 30) -> None:
        self._of, self._smallest, self._most = of, smallest, most
        self._groups: dict[str, _Group] = {}

    def call(self, call: Call) -> None:
        """Add a call in which rules were asked."""
        group = self._group(call.person)
        group.cards += call.cards
        for name in ("calls", "unsure" if call.unsure else "sure", "with a card" if call.cards else "without a card"):
            group.part(name).add(call.person)

    def card(self, card: Card) -> None:
        """Add what became of a card."""
        if card.display == SHOWN and (answer := card.answer):
            self._group(card.person).part("accepted" if answer.outcome == ACCEPTED else "overridden").add(card.person)

    def rows(self) -> tuple[GroupRow, ...]:
        """The table; nothing where the site keeps no groups."""
        names = sorted(self._groups, key=lambda name: (name == NOT_RECORDED, name))
        if names in ([], [NOT_RECORDED]):
            return ()
        groups = [self._groups[name] for name in names]
        calls = self._hidden(groups, _CALLS)
        # a share names its denominator, so where calls are hidden everything of that row over calls is
        unsure, cards = self._hidden(groups, _UNSURE, calls), self._hidden(groups, _CARDS, calls)
        answers = self._hidden(groups, _ANSWERS)
        return tuple(
            GroupRow(
                name,
                calls.get(place) or group.count("calls"),
                unsure.get(place) or Rate(group.count("unsure"), group.count("calls")),
                cards.get(place) or Rate(group.cards, group.count("calls")),
                answers.get(place)
                or Rate(group.count("accepted"), group.count("accepted") + group.count("overridden")),
            )
            for place, (name, group) in enumerate(zip(names, groups, strict=True))
        )

    def _group(self, person: Person) -> _Group:
        name = str(getattr(person, self._of)) or NOT_RECORDED
        if name not in self._groups and len(self._groups) >= self._most:
            name = NOT_RECORDED
        return self._groups.setdefault(name, _Group(self._smallest))

    def _hidden(
        self, groups: Sequence[_Group], parts: Sequence[str], already: Mapping[int, Hidden] | None = None
    ) -> dict[int, Hidden]:
        return hidden([[group.part(name) for name in parts] for group in groups], self._smallest, already or {})


def hidden(
    rows: Sequence[Sequence[Part]], smallest: int, already: Mapping[int, Hidden] | None = None
) -> dict[int, Hidden]:
    """Which rows of a table are hidden, so that no number with few people behind it is shown or can be computed.

    Totals of the parts are taken as known, so what is hidden together can be computed: the total less what is shown. A row
    with a small part is hidden, and then the next smallest ones until no part of all that is hidden is small.

    Args:
        rows: the parts of each row.
        smallest: fewer people than this are few.
        already: rows that are hidden for another reason.

    Returns:
        Why, by place of the row.
    """
    found = dict(already or {})
    for place, parts in enumerate(rows):
        if any(part.few for part in parts):
            found[place] = Hidden.FEW
    # empty rows last: to hide them hides nothing, unless nothing else is left
    rest = sorted(
        (place for place in range(len(rows)) if place not in found),
        key=lambda place: (not _total(rows[place]), _total(rows[place]), place),
    )
    while rest and _small_together([rows[place] for place in found], smallest):
        found[rest.pop(0)] = Hidden.OTHER
    return found


def _small_together(rows: Sequence[Sequence[Part]], smallest: int) -> bool:
    return any(is_few(parts, smallest) for parts in zip(*rows, strict=True))


def _total(parts: Sequence[Part]) -> int:
    return sum(part.count for part in parts)
