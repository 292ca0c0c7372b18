"""What a rule is, what it may answer, and what it may propose. No rule is written here."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from cds_service.kernel.criteria import Criterion
from cds_service.kernel.facts import Gap
from cds_service.kernel.thresholds import Thresholds
from cds_service.kernel.truth import Truth

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"


class Verdict(Enum):
    """The four answers of a rule."""

    RECOMMEND = "recommend"
    SATISFIED = "satisfied"
    NOT_APPLICABLE = "not-applicable"
    CANNOT_TELL = "cannot-tell"


class Kind(Enum):
    """ACTION asks somebody to do something. DEFINITION classifies, adjusts a number or advises against something."""

    ACTION = "action"
    DEFINITION = "definition"


class Status(Enum):
    """PREVIEW rules rest on recalled text and are off unless a profile or `--only` names them."""

    STABLE = "stable"
    PREVIEW = "preview"


class Level(Enum):
    """CDS Hooks indicator. CRITICAL only for label contraindications, boxed warnings and vitamin D toxicity."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is more urgent."""
        return ("info", "warning", "critical").index(self.value)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An order in plain terms, no FHIR: a key of `orders.toml` ("dxa-with-vfa").

    `target` is the draft order (`Type/id`) that it changes; empty for a new order.
    """

    order: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule's function gives back.

    Attributes:
        applies: does the rule speak about this patient, now?
        satisfied_by: what makes it unnecessary to do anything; `None` when nothing can.
        values: what the rule computed, whatever its verdict; plain JSON values.
        propose: orders to offer when the verdict is RECOMMEND.
        level: how urgent the card is.
    """

    applies: Criterion
    satisfied_by: Criterion | None = None
    values: Mapping[str, Json] = field(default_factory=dict)
    propose: tuple[Proposal, ...] = ()
    level: Level = Level.INFO


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the rule book (`clinical.md`); its docstring is its public page.

    Attributes:
        id: id of `clinical.md`, never reused.
        name: the finding in words, the function's name.
        version: raised whenever some patient gets another answer.
        sets: guideline sets that switch it on (`--only`, profiles).
        kind: see `Kind`.
        status: see `Status`.
        check: V, V2, R or P of `clinical.md` section 0.
        strength: the guideline's own words for strength and certainty; a key of `texts/` [strength].
        card: topic of the card it speaks on; rules of one topic share a card.
        reads: names of the facts it reads.
        switches: the disagreements between guidelines whose chosen reading changes its answer.
        source: the document its card names; empty for that of the guideline set.
        critical_because: why a card of level CRITICAL is justified; empty for rules that never give one.
        decide: facts and thresholds to a finding; pure.
        doc: What it looks for / Why it matters / When it stays silent / Sources.
    """

    id: str
    name: str
    version: str
    sets: tuple[str, ...]
    kind: Kind
    status: Status
    check: str
    strength: str
    card: str
    reads: tuple[str, ...]
    switches: tuple[str, ...]
    source: str
    critical_because: str
    decide: Callable[[Any, Thresholds], Finding]
    doc: str


def rule(
    id: str,
    *,
    sets: tuple[str, ...],
    card: str,
    reads: tuple[str, ...],
    check: str,
    strength: str,
    kind: Kind = Kind.ACTION,
    status: Status = Status.STABLE,
    version: str = "1",
    switches: tuple[str, ...] = (),
    source: str = "",
    critical_because: str = "",
) -> Callable[[Callable[[Any, Thresholds], Finding]], Rule]:
    """Declare a rule; see `Rule` for the arguments."""

    def declare(decide: Callable[[Any, Thresholds], Finding]) -> Rule:
        doc = inspect.cleandoc(decide.__doc__ or "")
        name = decide.__name__
        return Rule(
            id, name, version, sets, kind, status, check, strength, card, reads, switches, source, critical_because,
            decide, doc,
        )  # fmt: skip

    return declare


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer of one rule for one patient.

    `missing` says why the verdict is CANNOT_TELL; `not_known` what stayed open although the verdict is
    RECOMMEND, for the card's *Not known* block.
    """

    rule: Rule
    verdict: Verdict
    finding: Finding
    missing: tuple[Gap, ...]
    not_known: tuple[Gap, ...]


def verdict_of(kind: Kind, finding: Finding) -> Verdict:
    """The verdict that follows from `applies` and `satisfied_by`.

    | applies | satisfied: yes | no | unknown |
    |---|---|---|---|
    | yes | satisfied | recommend | cannot tell |
    | no | not applicable | not applicable | not applicable |
    | unknown | satisfied | cannot tell | cannot tell |

    A definition has nothing to satisfy: it holds (satisfied), does not, or cannot be told.
    """
    applies = finding.applies.truth
    if kind is Kind.DEFINITION:
        return {
            Truth.YES: Verdict.SATISFIED,
            Truth.NO: Verdict.NOT_APPLICABLE,
            Truth.UNKNOWN: Verdict.CANNOT_TELL,
        }[applies]
    if applies is Truth.NO:
        return Verdict.NOT_APPLICABLE
    done = finding.satisfied_by.truth if finding.satisfied_by else Truth.NO
    if done is Truth.YES:
        return Verdict.SATISFIED
    return Verdict.RECOMMEND if (applies, done) == (Truth.YES, Truth.NO) else Verdict.CANNOT_TELL


def decide(rule: Rule, facts: Any, thresholds: Thresholds) -> Outcome:
    """Ask one rule about one patient."""
    finding = rule.decide(facts, thresholds)
    verdict = verdict_of(rule.kind, finding)
    trees = [finding.applies, *([finding.satisfied_by] if finding.satisfied_by else [])]
    missing: dict[Gap, None] = {}
    not_known: dict[Gap, None] = {}
    if verdict is Verdict.CANNOT_TELL:
        missing = dict.fromkeys(gap for tree in trees for gap in tree.open_gaps())
    elif verdict is Verdict.RECOMMEND:
        not_known = dict.fromkeys(gap for tree in trees for gap in tree.side_gaps())
    return Outcome(rule, verdict, finding, tuple(missing), tuple(not_known))
