"""What the pages are made from: rules, content and vignettes, each worked out once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cached_property

from cds_service.cards.texts import Texts
from cds_service.clinical import basis, profiles, signoffs
from cds_service.clinical.attributes import inputs_of
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.profiles import Profile
from cds_service.clinical.rows import row_of, rows
from cds_service.clinical.signoffs import SignOff
from cds_service.engine.evaluate import switched_on
from cds_service.engine.services import Service
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.quantities import plain
from cds_service.kernel.rules import Kind, Outcome, Rule, Verdict, decide
from cds_service.kernel.thresholds import Threshold, Thresholds
from cds_service.review.disagreements import Disagreement
from cds_service.review.story import AS_OF
from cds_service.review.vignettes import Case

LANGUAGE = "en"
DAY = dt.date.fromisoformat(AS_OF)
VERDICTS = (Verdict.RECOMMEND, Verdict.SATISFIED, Verdict.NOT_APPLICABLE, Verdict.CANNOT_TELL)
_OF_DEFINITIONS = {Verdict.SATISFIED: "holds", Verdict.NOT_APPLICABLE: "does not hold"}
CHECKS = {
    "V": "read in the source",
    "V2": "read in a restatement of the source",
    "R": "recalled, not read in any source",
    "P": "a decision of this project",
}


class Book:
    """One service with its vignettes, as pages ask about it.

    Attributes:
        service: the service.
        rules: its rules by id, in the order of the rule book.
        cases: the vignettes of each rule.
        disagreements: patients asked under every profile.
        changelog: text of CHANGELOG.md.
    """

    def __init__(
        self, service: Service, cases: Iterable[Case], disagreements: Iterable[Disagreement], changelog: str
    ) -> None:
        self.service = service
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in sorted(service.rules, key=_place)}
        self.cases: dict[str, list[Case]] = {ident: [] for ident in self.rules}
        for case in cases:
            self.cases[case.rule].append(case)
        self.disagreements = tuple(disagreements)
        self.changelog = changelog
        self._outcomes: dict[Case, Outcome] = {}
        self._read: dict[str, set[str]] = {ident: set() for ident in self.rules}
        self._beneath: dict[str, set[str]] = {ident: set() for ident in self.rules}

    @cached_property
    def texts(self) -> Texts:
        """The words of cards and explanations."""
        return self.service.texts(LANGUAGE)

    @cached_property
    def numbers(self) -> Thresholds:
        """The numbers in force on the day of the vignettes."""
        return CLINIC.thresholds(DAY)

    @cached_property
    def profiles(self) -> tuple[Profile, ...]:
        """The built-in profiles."""
        return tuple(profiles.profile(name) for name in profiles.built_in())

    # --- rules ---------------------------------------------------------------------------------------------------------
    def status(self, rule: Rule) -> str:
        """Preview, stable (signed as it is) or unsigned."""
        return basis.status(rule, signoffs.shipped())

    def signature(self, rule: Rule) -> SignOff | None:
        """The sign-off that fits the rule as it is."""
        return basis.valid(rule, signoffs.shipped())

    def on_in(self, rule: Rule) -> tuple[Profile, ...]:
        """The built-in profiles that run the rule."""
        return tuple(profile for profile in self.profiles if switched_on(rule, profile))

    # --- vignettes -----------------------------------------------------------------------------------------------------
    def outcome(self, case: Case) -> Outcome:
        """The answer of the rule that the vignette is about."""
        if case not in self._outcomes:
            of_facts, of_rule = (_Noting(CLINIC.thresholds(case.as_of), case.as_of) for _ in range(2))
            self._outcomes[case] = decide(self.rules[case.rule], case.facts(of_facts), of_rule)
            self._read[case.rule] |= of_rule.read
            self._beneath[case.rule] |= of_facts.read
        return self._outcomes[case]

    def speaking(self, rule: Rule) -> Case | None:
        """The first vignette in which the rule recommends, or holds if it is a definition."""
        wanted = Verdict.SATISFIED if rule.kind is Kind.DEFINITION else Verdict.RECOMMEND
        return next((case for case in self.cases[rule.id] if self.outcome(case).verdict is wanted), None)

    def numbers_of(self, rule: Rule) -> tuple[list[str], list[str]]:
        """Keys of the numbers the rule compares with or takes from its guidelines, and of those it rests on beside them.

        Its own are those its vignettes show. What only its code names counts to the second group, unless it is of its own
        guidelines: then it belongs to branches that other rules take.
        """
        compared = {number.key for case in self.cases[rule.id] for number in _compared(self.outcome(case))}
        read = self._read[rule.id] | self._beneath[rule.id]
        own = compared | {key for key in self._read[rule.id] if key.split(".")[0] in rule.sets}
        named = {key for key in inputs_of(rule).numbers if key.split(".")[0] not in rule.sets}
        return sorted(own.intersection(self.numbers)), sorted((read | named).difference(own).intersection(self.numbers))

    # --- words ---------------------------------------------------------------------------------------------------------
    def sentence(self, criterion: Criterion) -> str:
        """A criterion in words."""
        return self.texts.of_criterion(criterion)

    def value(self, number: Threshold) -> str:
        """A number with its unit, as people write it; years, months and days in full."""
        unit = _UNITS.get(number.unit) or _bare(self.texts.unit(number.unit))
        one = number.value == 1 and number.unit in _COUNTED
        return f"{plain(number.value)} {unit.removesuffix('s') if one else unit}".strip()


def _compared(outcome: Outcome) -> list[Threshold]:
    trees = (outcome.finding.applies, outcome.finding.satisfied_by)
    return [number for tree in trees if tree for number in tree.thresholds()]


def _place(rule: Rule) -> tuple[int, str]:
    """In the order of the rule book."""
    order = list(rows())
    row = row_of(rule.id)
    return (order.index(row) if row in order else len(order), rule.id)


def answer_of(outcome: Outcome) -> str:
    """The answer in words, with the level of the card where there is one; a definition holds or does not."""
    words = outcome.verdict.value.replace("-", " ")
    if outcome.rule.kind is Kind.DEFINITION:
        return _OF_DEFINITIONS.get(outcome.verdict, words)
    return f"{words} ({outcome.finding.level.value})" if outcome.verdict is Verdict.RECOMMEND else words


_COUNTED = {"a": "years", "mo": "months", "d": "days"}
_UNITS = {**_COUNTED, "mg/d": "mg/day"}
_NO_BRACES = str.maketrans("", "", "{}")


def _bare(unit: str) -> str:
    """UCUM writes what is only counted in braces; a score has no unit."""
    return "" if unit.startswith("{") and unit.endswith("score}") else unit.translate(_NO_BRACES)


class _Noting(Thresholds):
    """The numbers in force, noting which were asked for."""

    def __init__(self, inner: Thresholds, as_of: dt.date) -> None:
        super().__init__((inner[key] for key in inner), as_of)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Threshold:
        self.read.add(key)
        return super().__getitem__(key)

    def optional(self, key: str) -> Threshold | None:
        self.read.add(key)
        return super().optional(key)
