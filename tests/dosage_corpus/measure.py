"""Read every labelled dose and write how well that went to docs/dose-corpus.md: `python -m tests.dosage_corpus.measure`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from cds_service.clinical.dosage.course import FOREVER
from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.sig import read
from cds_service.clinical.dosage.steps import Step, steps_of
from cds_service.formats import strict_json
from cds_service.kernel.quantities import Interval
from tests.dosage_corpus.corpus import (
    DATA,
    HERE,
    Label,
    ReadStep,
    Span,
    Structure,
    Verdict,
    digest,
    judge,
    mimic,
    nhs,
    texts,
)
from tests.dosage_corpus.stu3 import prescription

PAGE = HERE.parents[1] / "docs" / "dose-corpus.md"
BEGINS = dt.date(2026, 6, 1)
TRUSTED_DAYS = 365
FREE_TEXT_COVERAGE = Decimal("0.70")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One entry, read and judged."""

    source: str
    name: str
    label: Label
    verdict: Verdict
    found: str


@lru_cache(maxsize=1)
def free_text() -> tuple[Outcome, ...]:
    """Every free text."""
    outcomes = []
    for entry in texts():
        steps = read(entry.text)
        found = None if steps is None else [ReadStep(step.amounts, _span(step.days)) for step in steps]
        outcomes.append(
            Outcome(entry.source, f"{entry.name} {entry.text!r}", entry.label, judge(entry.label, found), _shown(found))
        )
    return tuple(outcomes)


@lru_cache(maxsize=1)
def structured() -> tuple[Outcome, ...]:
    """Every structured dose; the data must be beside the checkout."""
    outcomes = []
    for entry in (*nhs(), *mimic()):
        found = _read_structure(entry)
        source = str(Path(entry.file).parent)
        outcomes.append(Outcome(source, entry.name, entry.label, judge(_in_mg(entry.label), found), _shown(found)))
    return tuple(outcomes)


def resource_of(entry: Structure) -> dict[str, Any] | None:
    """The prescription an entry is about, read in place; `None` when the file holds none.

    Raises:
        ValueError: the line is not the one that was labelled.
    """
    raw = (DATA / entry.file).read_bytes()
    if entry.file.endswith(".xml"):
        return prescription(raw.decode("utf-8-sig"))
    if entry.line:
        line = raw.splitlines()[entry.line - 1]
        if digest(line) != entry.digest:
            raise ValueError(f"{entry.name} is not the line that was labelled")
        return {"resourceType": "MedicationRequest", "intent": "order", **strict_json.load(line)}
    bundle = json.loads(raw)
    kept = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "MedicationRequest"]
    loaded: dict[str, Any] = strict_json.load(json.dumps(kept[0]).encode())
    return loaded


def _read_structure(entry: Structure) -> list[ReadStep] | None:
    resource = resource_of(entry)
    if resource is None:
        return None
    strengths = frozenset() if entry.strength is None else frozenset({Decimal(str(float(entry.strength)))})
    product = Product("any", strengths, frozenset(), frozenset({"systemic"}), frozenset())
    begins = _begins(entry, resource)
    # long after: nothing of the course is still to come
    steps = steps_of(resource, product, begins + dt.timedelta(days=1000), TRUSTED_DAYS, begins)
    if steps is None or all(step.daily_mg is None for step in steps):
        return None
    return [
        ReadStep({} if step.daily_mg is None else {"mg": step.daily_mg}, days)
        for step, days in zip(steps, _lengths(steps), strict=True)
    ]


def _begins(entry: Structure, resource: Mapping[str, Any]) -> dt.date:
    supply = resource.get("dispenseRequest")
    if entry.line and isinstance(supply, Mapping):
        # these dates were shifted by more than a hundred years
        return dt.date.fromisoformat(str(supply["validityPeriod"]["start"])[:10])
    return dt.date.fromisoformat(entry.begins) if entry.begins else BEGINS


def _lengths(steps: Iterable[Step]) -> Iterator[Span | None]:
    """How long each step lasts, when somebody told."""
    for step in steps:
        days = step.days
        if not days.planned or days.last == FOREVER:
            yield None
        else:
            certain = max(days.certain_last.toordinal() - days.certain_first.toordinal() + 1, 0)
            yield Fraction(certain), Fraction(days.last.toordinal() - days.first.toordinal() + 1)


def _in_mg(label: Label) -> Label:
    """What of a label a reader in mg can give: no dose, where the drug is counted in something else."""
    every = (label.steps, *label.told)
    if all("mg" in step.amounts for steps in every for step in steps):
        return label
    return Label((), label.why or "not in mg")


def _span(days: Interval | None) -> Span | None:
    if days is None:
        return None
    return Fraction(days.low or 0), Fraction(-1 if days.high is None else days.high)


def _shown(found: Iterable[ReadStep] | None) -> str:
    if found is None:
        return "nothing"
    return "; ".join(
        ", ".join(f"{unit or '(no unit)'} {amount}" for unit, amount in step.amounts.items())
        + ("" if step.days is None else f" for {step.days[0]}..{step.days[1]} days")
        for step in found
    )


# --- the page --------------------------------------------------------------------------------------------------------
def page(outcomes: Iterable[Outcome]) -> str:
    """docs/dose-corpus.md."""
    by_source: dict[str, list[Outcome]] = {}
    for each in outcomes:
        by_source.setdefault(each.source, []).append(each)
    free = [each for each in outcomes if each.source.endswith(".txt")]
    rows = [_row(source, found) for source, found in by_source.items()]
    return "\n".join(
        [
            "# How well doses are read",
            "",
            "Doses that other people wrote, labelled by hand, and what the dose reader made of them. Written by",
            "`python -m tests.dosage_corpus.measure`; a test checks that it is current. What the labels mean and where",
            "the doses come from: [tests/dosage_corpus](../tests/dosage_corpus/README.md).",
            "",
            "*With a dose*: a human reader gets a dose per day from the entry. *Without*: none follows, or its parts",
            "contradict each other, or it is not counted in mg; the reader has to leave those alone. *Right*: every",
            "step, amount, unit and length is the labelled one. *Wrong*: anything else that was read, also where there",
            "was nothing to read. *Precision* is right among all that were read, *coverage* right among those with a",
            "dose.",
            "",
            "The labels were made before the reader was there, but the reader has been mended on these same entries since:",
            "the figures say how well it fits them, not how well it would do on doses it has never met.",
            "",
            "| source | entries | with a dose | right | not read | without | left alone | wrong | precision | coverage |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            _row("**all free text**", free),
            "",
            "## Not read",
            "",
            "A dose follows from these, and the reader does not see it: line, or file, and what it says.",
            "",
            *_not_read(by_source),
            "",
        ]
    )


def count(outcomes: Iterable[Outcome], verdict: Verdict) -> int:
    """How many came to that."""
    return sum(each.verdict is verdict for each in outcomes)


def coverage(outcomes: Iterable[Outcome]) -> Decimal:
    """Read right, among those with a dose."""
    kept = list(outcomes)
    return Decimal(count(kept, Verdict.RIGHT)) / max(sum(_has_dose(each) for each in kept), 1)


def _has_dose(outcome: Outcome) -> bool:
    if outcome.source.endswith(".txt"):
        return bool(outcome.label.steps)
    return bool(_in_mg(outcome.label).steps)


def _row(source: str, outcomes: list[Outcome]) -> str:
    right, wrong = count(outcomes, Verdict.RIGHT), count(outcomes, Verdict.WRONG)
    with_dose = sum(_has_dose(each) for each in outcomes)
    cells = (
        source,
        len(outcomes),
        with_dose,
        right,
        count(outcomes, Verdict.NOT_READ),
        len(outcomes) - with_dose,
        count(outcomes, Verdict.LEFT_ALONE),
        wrong,
        _percent(right, right + wrong),
        _percent(right, with_dose),
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _not_read(by_source: Mapping[str, list[Outcome]]) -> Iterator[str]:
    for source, outcomes in by_source.items():
        missed = [each.name for each in outcomes if each.verdict is Verdict.NOT_READ]
        if missed:
            names = (name.split(" ")[0].removeprefix(f"{source}:").removeprefix(f"{source}/") for name in missed)
            yield f"- {source}: " + ", ".join(names)


def main() -> int:
    """Write the page; 1 when something was read wrongly."""
    if not DATA.is_dir():
        print(
            f"the public dosage data is not beside the checkout ({DATA.parent.name}/{DATA.name}): nothing was written"
        )
        return 1
    outcomes = (*free_text(), *structured())
    PAGE.write_text(page(outcomes), encoding="utf-8")
    wrong = [each for each in outcomes if each.verdict is Verdict.WRONG]
    for each in wrong:
        print(f"WRONG {each.name}\n  read as {each.found}\n  labelled {each.label.steps or each.label.why}")
    print(f"{PAGE.name}: {len(outcomes)} entries, {count(outcomes, Verdict.RIGHT)} right, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
