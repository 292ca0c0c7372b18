"""What a lint finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cds_service.cards.texts import Texts
from cds_service.clinical.profiles import Profile
from cds_service.engine.services import Service
from cds_service.kernel.criteria import Criterion
from cds_service.kernel.rules import Outcome
from cds_service.review.vignettes import Case


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        file: where to look, from the root of the package or checkout.
        key: what in that file.
        what: the problem.
        fix: what to do about it.
        only_a_warning: true where the service may run all the same.
    """

    file: str
    key: str
    what: str
    fix: str
    only_a_warning: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {self.key}: {self.what}. {self.fix}"


@dataclass(frozen=True)
class Content:
    """What is checked: a service, its vignettes, and the profiles whose words and choices count.

    Attributes:
        service: rules, words, orders.
        cases: the vignettes.
        sites: profiles, ours and where asked for a site's own.
    """

    service: Service
    cases: tuple[Case, ...]
    sites: tuple[Profile, ...]

    @property
    def texts(self) -> Texts:
        """The words of the first profile's language, without a site's own."""
        return self.service.texts(self.sites[0].language)

    @cached_property
    def outcomes(self) -> tuple[tuple[Case, Outcome], ...]:
        """What every vignette's rule answered."""
        return tuple((case, case.outcome()) for case in self.cases)

    def criteria(self) -> Iterator[tuple[Case, Criterion]]:
        """Every criterion that came up, joints included."""
        for case, outcome in self.outcomes:
            for tree in (outcome.finding.applies, outcome.finding.satisfied_by):
                if tree:
                    yield from ((case, node) for node in _nodes(tree))


def _nodes(criterion: Criterion) -> Iterator[Criterion]:
    yield criterion
    for part in criterion.parts:
        yield from _nodes(part)


def rule_file(rule_id: str, service: Service) -> str:
    """The module a rule is written in."""
    rule = next(each for each in service.rules if each.id == rule_id)
    return f"{rule.decide.__module__.replace('.', '/')}.py"
