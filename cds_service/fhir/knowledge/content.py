"""What the artifacts are made from, handed in by whoever knows the rule book: nothing here knows it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.kernel.rules import Rule
from cds_service.kernel.thresholds import Source, Threshold

_PARTS = ("What it looks for", "Why it matters", "When it stays silent", "Sources")
_HEADING = re.compile(rf"^({'|'.join(_PARTS)}):\s*", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Grade:
    """A guideline's own grade in GRADE's terms, as far as it can be said in them.

    Attributes:
        strength: "strong", "weak" or empty.
        direction: "for", "against" or empty.
        certainty: certainty of the evidence, in the guideline's words; may be empty.
    """

    strength: str = ""
    direction: str = ""
    certainty: str = ""


@dataclass(frozen=True, slots=True)
class SignOff:
    """A clinician's signature under a rule.

    Attributes:
        approved: day of the first signature under this version.
        reviewed: day of the last review.
    """

    approved: dt.date
    reviewed: dt.date


@dataclass(frozen=True, slots=True)
class RuleContent:
    """A rule, and everything about it that stands elsewhere.

    Attributes:
        rule: the rule.
        hooks: CDS Hooks at which it is asked.
        sources: documents that its cards name.
        numbers: the thresholds it reads.
        look_ups: (resource type, concept or group of concepts); an empty concept stands for all of the type.
        orders: keys of the orders it may propose.
        strength: the guideline's words for strength and certainty.
        check: how the rule was verified, in words.
        grade: what the strength is in GRADE's terms; `None` when it is no grade.
        signed: the sign-off of this version; `None` when there is none.
    """

    rule: Rule
    hooks: tuple[str, ...]
    sources: tuple[Source, ...]
    numbers: tuple[Threshold, ...]
    look_ups: tuple[tuple[str, str], ...]
    orders: tuple[str, ...]
    strength: str
    check: str
    grade: Grade | None = None
    signed: SignOff | None = None

    @property
    def title(self) -> str:
        """The finding in words: the first sentence of the rule's page."""
        return page(self.rule.doc)[""].removesuffix(".")


def page(doc: str) -> Mapping[str, str]:
    """The parts of a rule's docstring by heading, each on one line; its first sentence under the empty heading."""
    first, *rest = _HEADING.split(doc)
    return {"": _one_line(first), **dict(zip(rest[::2], map(_one_line, rest[1::2]), strict=True))}


def _one_line(text: str) -> str:
    return " ".join(text.split())
