"""The labelled doses, and how a reading of one is judged."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from cds_service.kernel.quantities import Interval

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data" / "dosage"
MIMIC = "mimic-iv-demo/glucocorticoid-and-vitd-dosages.ndjson"

_TOLERANCE = Fraction(1, 10**9)

Span = tuple[Fraction, Fraction]


class Verdict(Enum):
    """What came of one entry."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_READ = "not read"
    LEFT_ALONE = "left alone"


@dataclass(frozen=True, slots=True)
class LabelledStep:
    """Amounts per day by unit; several say the same thing. How many days, when that is said."""

    amounts: Mapping[str, Span]
    days: Span | None


@dataclass(frozen=True, slots=True)
class Label:
    """What a human reader takes from one entry.

    Attributes:
        steps: the doses, one after another; empty when no dose follows.
        why: why none follows; empty when one does.
        told: where text and structure contradict each other, what each of them says.
    """

    steps: tuple[LabelledStep, ...]
    why: str = ""
    told: tuple[tuple[LabelledStep, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """One instruction in words."""

    source: str
    line: int
    text: str
    label: Label

    @property
    def name(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Structure:
    """One structured prescription, in a file or on a line of one.

    Attributes:
        file: below the data folder.
        line: where the file holds one dosage a line; else 0.
        digest: beginning of the line's sha256.
        strength: mg in one tablet, capsule, ampoule or patch, when the drug's name states one.
        begins: when the prescription begins, where the structure has dates of its own.
        holds_one: whether the file holds a prescription at all.
        label: what it says.
    """

    file: str
    line: int
    digest: str
    strength: Fraction | None
    begins: str
    holds_one: bool
    label: Label

    @property
    def name(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class ReadStep:
    """One step as the program read it; `None` where it gives no such thing."""

    amounts: Mapping[str, Interval]
    days: Span | None


def texts() -> tuple[Text, ...]:
    """Every instruction of free_text.toml, in order."""
    return tuple(Text(e["source"], e["line"], e["text"], _label(e)) for e in _entries("free_text.toml"))


def nhs() -> tuple[Structure, ...]:
    """Every file of nhs.toml."""
    return tuple(
        Structure(
            e["file"],
            0,
            "",
            Fraction(e["strength"]) if "strength" in e else None,
            e.get("begins", ""),
            e.get("kept") != "nothing",
            _label(e),
        )
        for e in _entries("nhs.toml")
    )


def mimic() -> tuple[Structure, ...]:
    """Every line of mimic.toml."""
    return tuple(
        Structure(MIMIC, e["line"], e["sha256"], None, "", holds_one=True, label=_label(e))
        for e in _entries("mimic.toml")
    )


def digest(line: bytes) -> str:
    """The beginning of a line's sha256."""
    return hashlib.sha256(line).hexdigest()[:16]


def span(text: str) -> Span:
    """ "a..b" or "a", each a decimal or a fraction."""
    low, _, high = text.partition("..")
    return Fraction(low), Fraction(high or low)


def same(found: Interval, labelled: Span) -> bool:
    """Whether an interval is the labelled one, but for the last digits of a division."""
    if found.low is None or found.high is None:
        return False
    return all(abs(Fraction(a) - b) <= _TOLERANCE for a, b in zip((found.low, found.high), labelled, strict=True))


def judge(label: Label, read: Sequence[ReadStep] | None) -> Verdict:
    """Whether a reading says what the label says; a reading where the label has no dose is wrong."""
    if read is None:
        return Verdict.NOT_READ if label.steps else Verdict.LEFT_ALONE
    if label.told:
        return Verdict.LEFT_ALONE if all(_covers(read, told) for told in label.told) else Verdict.WRONG
    if not label.steps or len(read) != len(label.steps):
        return Verdict.WRONG
    fits = all(_fits(*pair) for pair in zip(read, label.steps, strict=True))
    return Verdict.RIGHT if fits else Verdict.WRONG


def _fits(read: ReadStep, label: LabelledStep) -> bool:
    amounts = bool(read.amounts) and all(
        unit in label.amounts and same(found, label.amounts[unit]) for unit, found in read.amounts.items()
    )
    return amounts and read.days == label.days


def _covers(read: Sequence[ReadStep], told: Sequence[LabelledStep]) -> bool:
    """Whether what was read leaves room for what text or structure says: nobody took a side."""
    return len(read) == len(told) and all(
        unit in label.amounts and _within(label.amounts[unit], found)
        for step, label in zip(read, told, strict=True)
        for unit, found in step.amounts.items()
    )


def _within(labelled: Span, found: Interval) -> bool:
    low = found.low is None or Fraction(found.low) <= labelled[0] + _TOLERANCE
    return low and (found.high is None or Fraction(found.high) >= labelled[1] - _TOLERANCE)


def _entries(file: str) -> Iterator[dict[str, Any]]:
    yield from tomllib.loads((HERE / file).read_text(encoding="utf-8"))["entry"]


def _label(entry: Mapping[str, Any]) -> Label:
    kinds = {"steps", "unreadable", "conflict"} & entry.keys()
    if len(kinds) != 1:
        raise ValueError(f"one of steps, unreadable, conflict is needed: {entry}")
    if "conflict" in entry:
        return Label((), entry["conflict"], (_steps(entry["text"]), _steps(entry["structure"])))
    return Label(_steps(entry.get("steps", ())), entry.get("unreadable", ""))


def _steps(written: Sequence[Mapping[str, Any]]) -> tuple[LabelledStep, ...]:
    return tuple(
        LabelledStep(
            {unit: span(amount) for unit, amount in step["amounts"].items()},
            span(step["days"]) if "days" in step else None,
        )
        for step in written
    )
