"""Which rules turn on where, when one number of a patient is varied: for the rule map and its sliders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cds_service.clinical.patient import Patient
from cds_service.clinical.profiles import Profile
from cds_service.engine.evaluate import Evaluation, evaluate
from cds_service.engine.services import Service
from cds_service.kernel.errors import InputError
from cds_service.kernel.facts import Fact, Known
from cds_service.kernel.needs import Records
from cds_service.kernel.quantities import Interval, exactly, plain
from cds_service.kernel.recall import forget
from cds_service.kernel.rules import Kind, Verdict
from cds_service.kernel.thresholds import Thresholds
from cds_service.pictures import Picture, rule_map
from cds_service.pictures.plot_rule_map import CANNOT_TELL, NOT_APPLICABLE, RECOMMENDS, SATISFIED, RuleRow
from cds_service.summary.changes import Quantity, change_of, changed, taken_since
from cds_service.summary.draw import vitamin_d_unit

MOST_VALUES = 41


@dataclass(frozen=True, slots=True)
class Range:
    """What a quantity may be set to.

    Attributes:
        name: for people.
        unit: for people; empty where it has none.
        low: smallest value.
        high: largest value.
        step: values are whole multiples of it.
    """

    name: str
    unit: str
    low: Decimal
    high: Decimal
    step: Decimal

    def values(self, most: int = MOST_VALUES) -> tuple[Decimal, ...]:
        """Values from low to high, evenly spread, at most so many."""
        count = int((self.high - self.low) / self.step)
        stride = -(-count // (most - 1))
        return tuple(self.low + self.step * n for n in range(0, count + 1, stride))


def _range(name: str, unit: str, low: str, high: str, step: str) -> Range:
    return Range(name, unit, Decimal(low), Decimal(high), Decimal(step))


_RANGES = {
    Quantity.AGE: _range("age", "years", "18", "98", "1"),
    Quantity.T_SCORE: _range("lowest T-score", "", "-5", "2", "0.1"),
    Quantity.DAILY_DOSE: _range("daily dose", "mg prednisolone", "0", "80", "0.5"),
    Quantity.DURATION: _range("length of the glucocorticoid course", "days", "1", "1826", "1"),
    Quantity.EDSS: _range("EDSS", "", "0", "10", "0.5"),
}
_VITAMIN_D = {"ng/mL": ("2", "200"), "nmol/L": ("5", "500")}


@dataclass(frozen=True, slots=True)
class RuleAnswers:
    """One rule over all values.

    Attributes:
        id: of the rule.
        name: the finding in words.
        topic: title of the card it speaks on.
        verdicts: one per value.
    """

    id: str
    name: str
    topic: str
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True, repr=False)
class WhatIf:
    """The answer; nothing of it stands in a `repr` (S8).

    Attributes:
        quantity: what was varied.
        range: what it may be set to, and its name and unit.
        values: what was tried, in rising order.
        present: the patient's own value; `None` when it is not known.
        rules: rules that recommend something at one or more of the values, in the order of the site's guidelines.
        assumed: what was taken for granted, in words.
        silent: why no card would be given at all at some value ("under-age"), by value.
    """

    quantity: Quantity
    range: Range
    values: tuple[Decimal, ...]
    present: Interval | None
    rules: tuple[RuleAnswers, ...]
    assumed: tuple[str, ...]
    silent: Mapping[Decimal, str]

    def picture(self) -> Picture:
        """The rule map."""
        rows = [
            RuleRow(f"{rule.id} {rule.name}", tuple(_ANSWERS[each] for each in rule.verdicts)) for rule in self.rules
        ]
        held = "; ".join((*self.assumed, "everything else as on record"))
        return rule_map(
            self.range.name,
            self.range.unit,
            self.values,
            rows,
            present=self.present,
            held=f"Taken for granted: {held}.",
        )


_ANSWERS = {
    Verdict.RECOMMEND: RECOMMENDS,
    Verdict.SATISFIED: SATISFIED,
    Verdict.CANNOT_TELL: CANNOT_TELL,
    Verdict.NOT_APPLICABLE: NOT_APPLICABLE,
}


def range_of(quantity: Quantity, unit: str) -> Range:
    """What a quantity may be set to.

    Args:
        quantity: which.
        unit: unit of 25-OH vitamin D; the others have one unit only.
    """
    if quantity is Quantity.VITAMIN_D:
        low, high = _VITAMIN_D[unit]
        return _range("25-OH vitamin D", unit, low, high, "1")
    return _RANGES[quantity]


def what_if(
    service: Service,
    records: Records,
    profile: Profile,
    as_of: dt.date,
    quantity: Quantity,
    values: Sequence[Decimal],
    held: Mapping[Quantity, Decimal] | None = None,
) -> WhatIf:
    """Evaluate the rules over copies of the record in which one number is changed.

    Args:
        service: rules and knowledge.
        records: one patient's records.
        profile: the site's choices.
        as_of: the day.
        quantity: what is varied. 25-OH vitamin D counts in the unit of the site, a daily dose in mg of prednisolone, a
            duration in days up to today.
        values: at most `MOST_VALUES`; the answer has them in rising order, each once.
        held: other quantities, and what they are set to throughout.

    Raises:
        InputError: too many values or none, a value outside of its range, or nothing on record to set it on.
    """
    others = dict(held or {})
    others.pop(quantity, None)
    tried = tuple(sorted(set(values)))
    if not 1 <= len(tried) <= MOST_VALUES:
        raise InputError(f"{len(tried)} values were asked for", "values", f"Give 1 to {MOST_VALUES} different values.")
    thresholds = service.clinic.thresholds(as_of)
    try:
        facts: Patient = evaluate(service, records, as_of, profile).facts
        unit = vitamin_d_unit(facts)
        for each, value in (*((quantity, value) for value in tried), *others.items()):
            _check(each, value, range_of(each, unit))
        run = _Run(service, records, profile, as_of, thresholds, facts)
        evaluations = [run.at({**others, quantity: value}) for value in tried]
        return WhatIf(
            quantity,
            range_of(quantity, unit),
            tried,
            present(facts, quantity),
            _rules(service, profile, evaluations),
            tuple(dict.fromkeys((*_held(others, unit), *run.assumed))),
            {value: each.silent for value, each in zip(tried, evaluations, strict=True) if each.silent},
        )
    finally:
        forget()


@dataclass(slots=True)
class _Run:
    """What stays the same over the evaluations; `assumed` grows."""

    service: Service
    records: Records
    profile: Profile
    as_of: dt.date
    thresholds: Thresholds
    facts: Patient
    assumed: tuple[str, ...] = ()

    def at(self, settings: Mapping[Quantity, Decimal]) -> Evaluation:
        change = change_of(self.facts, self.thresholds, settings)
        self.assumed = tuple(change.assumed)
        return evaluate(self.service, changed(self.records, change), self.as_of, self.profile)


def _check(quantity: Quantity, value: Decimal, allowed: Range) -> None:
    if not allowed.low <= value <= allowed.high or value % allowed.step:
        low, high, step = plain(allowed.low), plain(allowed.high), plain(allowed.step)
        raise InputError(
            f"a value of {allowed.name} is not possible", quantity.value, f"Give {low} to {high} in steps of {step}."
        )


def _held(others: Mapping[Quantity, Decimal], unit: str) -> list[str]:
    ranges = {each: range_of(each, unit) for each in others}
    return [f"{ranges[each].name} {plain(value)} {ranges[each].unit}".strip() for each, value in others.items()]


def _rules(service: Service, profile: Profile, evaluations: Sequence[Evaluation]) -> tuple[RuleAnswers, ...]:
    texts = service.texts(profile.language, profile.wording)
    found = []
    for outcomes in zip(*(each.outcomes for each in evaluations), strict=True):
        rule = outcomes[0].rule
        verdicts = tuple(
            Verdict.NOT_APPLICABLE if evaluation.silent else outcome.verdict
            for evaluation, outcome in zip(evaluations, outcomes, strict=True)
        )
        if rule.kind is Kind.ACTION and Verdict.RECOMMEND in verdicts:
            topic = texts.topics[rule.card].title
            found.append(RuleAnswers(rule.id, rule.name.replace("_", " "), topic, verdicts))
    return tuple(found)


# --- the patient's own value -----------------------------------------------------------------------------------------
def present(facts: Patient, quantity: Quantity) -> Interval | None:
    """The value on record, as far as it is known; `None` when nothing is."""
    match quantity:
        case Quantity.AGE:
            return _known(facts.age)
        case Quantity.EDSS:
            return _known(facts.edss)
        case Quantity.T_SCORE:
            return facts.lowest_t.value.value if isinstance(facts.lowest_t, Known) else None
        case Quantity.VITAMIN_D:
            newest = next((each for each in facts.vitamin_d.items if each.on is not None), None)
            return newest.in_unit(vitamin_d_unit(facts)) if newest else None
        case Quantity.DAILY_DOSE:
            return facts.exposure.on(facts.as_of)
        case Quantity.DURATION:
            since = taken_since(facts)
            return exactly(facts.as_of.toordinal() - since.toordinal() + 1) if since else exactly(0)


def _known(fact: Fact[Any]) -> Interval | None:
    return fact.value if isinstance(fact, Known) else None
