"""One Dosage read twice, by its structured elements and by its text, and what the two come to together.

* One of them readable: that one. A rate from the text joins a structured amount, and a structured rate an amount from
  the text, where the other says nothing of its own.
* Both readable and equal: so be it. Not equal: the dose lies somewhere between, and the conflict is kept (D20).
* A text that is complete, beside structure that is not, must agree with the half that is there.
* Neither: no dose, and a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.sig import only_directed, read_amount, read_rate, stages_of
from cds_service.clinical.dosage.structured import Amounts, Structure, in_mg, structure_of
from cds_service.clinical.dosage.text.stages import Stage
from cds_service.clinical.dosage.units import hull, or_none
from cds_service.fhir.read import mapping, string
from cds_service.kernel.quantities import Interval


@dataclass(frozen=True, slots=True)
class Reading:
    """What one step of one Dosage says.

    Attributes:
        daily_mg: mg of the drug per day; `None` when it cannot be read.
        reason: why not, else "".
        conflict: what structure and text say, when they disagree.
        length: days, as the text tells.
        per_day: amounts per day by unit, also where the strength is not known.
    """

    daily_mg: Interval | None
    reason: str = ""
    conflict: tuple[Interval, Interval] | None = None
    length: Interval | None = None
    per_day: Amounts = field(default_factory=dict)


def readings_of(dosage: object, product: Product) -> tuple[Reading, ...]:
    """The steps of one Dosage, one after another; a single one unless the text tells a taper."""
    structure = structure_of(dosage)
    texts = list(texts_of(dosage))
    told: list[tuple[Stage, ...]] = []
    for text in texts:
        stages = stages_of(text)
        if stages and stages not in told:
            told.append(stages)
    if len(told) > 1:
        return (_two_texts(told, structure, product),)
    if not told:
        return (_without_text(structure, texts, product),)
    return tuple(_with_text(structure, stage, product) for stage in told[0])


def texts_of(dosage: object) -> Iterator[str]:
    """The texts of a Dosage that may tell the dose."""
    content = mapping(dosage)
    for name in ("text", "patientInstruction"):
        if text := string(content.get(name)):
            yield text


def _two_texts(told: list[tuple[Stage, ...]], structure: Structure, product: Product) -> Reading:
    """Text and patient instruction both read, and not the same."""
    if any(len(stages) > 1 for stages in told):
        return Reading(None, "conflict")
    readings = [_with_text(structure, stages[0], product) for stages in told]
    doses = [reading.daily_mg for reading in readings]
    lengths = {reading.length for reading in readings}
    length = hull(each for each in lengths if each) if lengths - {None} else None
    known = [dose for dose in doses if dose is not None]
    if len(known) < len(doses):
        return Reading(known[0] if known else None, "" if known else readings[0].reason, length=length)
    if known[0] == known[1]:
        return Reading(known[0], "", readings[0].conflict, length, readings[0].per_day)
    return Reading(hull(known), "", (known[0], known[1]), length)


def _without_text(structure: Structure, texts: list[str], product: Product) -> Reading:
    per_day, length = structure.per_day, None
    if per_day and len(texts) == 1 and (half := _half(structure, texts[0])) is not None:
        return _with_text(structure, half, product)
    if not per_day:
        per_day, length = _joined(structure, texts)
    if per_day:
        return _reading(per_day, product, length)
    reason = structure.reason or "no-amount"
    if texts and reason in ("no-amount", "no-timing"):
        reason = "as-directed" if all(only_directed(text) for text in texts) else "text-not-read"
    return Reading(None, reason, length=length)


def _half(structure: Structure, text: str) -> Stage | None:
    """A text that tells only how often, or only how much, beside a structure that tells both: what it would come to."""
    rate, amount = read_rate(text), read_amount(text)
    if rate is not None and rate.often is not None:
        told = {unit: rate.often.per_day(each) for unit, each in structure.amounts.items()}
        return Stage(structure.limited(_needed(told, rate.as_needed)), rate.length)
    if amount is not None and structure.rhythm.often is not None:
        told = {unit: structure.rhythm.often.per_day(each) for unit, each in amount.each.items()}
        return Stage(structure.limited(_needed(told, amount.as_needed)), amount.length)
    return None


def _joined(structure: Structure, texts: list[str]) -> tuple[Amounts, Interval | None]:
    """The amount from one side and the rate from the other, where each side tells only that."""
    if len(texts) != 1 or structure.reason == "conflict":
        return {}, None
    if structure.amounts and structure.rhythm.often is None and not structure.rhythm.told:
        rate = read_rate(texts[0])
        if rate is not None and rate.often is not None:
            per_day = {unit: rate.often.per_day(amount) for unit, amount in structure.amounts.items()}
            return structure.limited(_needed(per_day, rate.as_needed)), rate.length
    if structure.rhythm.often is not None and structure.reason == "no-amount":
        amount, rate_told = read_amount(texts[0]), structure.rhythm.often
        if amount is not None:
            per_day = {unit: rate_told.per_day(each) for unit, each in amount.each.items()}
            return structure.limited(_needed(per_day, amount.as_needed)), amount.length
    return {}, None


def _needed(per_day: Amounts, as_needed: bool) -> Amounts:
    return {unit: or_none(daily) for unit, daily in per_day.items()} if as_needed else per_day


def _with_text(structure: Structure, stage: Stage, product: Product) -> Reading:
    """Structure and one step of a text."""
    told = structure.per_day
    if not told:
        if not _agrees(structure, stage, product):
            return Reading(None, "conflict", length=stage.length)
        return _reading(structure.limited(stage.amounts), product, stage.length)
    by_structure, by_text = in_mg(told, product), in_mg(stage.amounts, product)
    if len(by_structure) != 1 or len(by_text) != 1:
        return _half_known(told, stage, by_structure, by_text, product)
    one, other = by_structure[0], by_text[0]
    if one == other:
        return Reading(one, "", None, stage.length, told)
    return Reading(hull((one, other)), "", (one, other), stage.length)


def _half_known(
    told: Amounts, stage: Stage, by_structure: tuple[Interval, ...], by_text: tuple[Interval, ...], product: Product
) -> Reading:
    """At most one side comes to a single number of mg; where both name a unit it must be the same number."""
    shared = told.keys() & stage.amounts.keys()
    if any(told[unit] != stage.amounts[unit] for unit in shared):
        return Reading(None, "conflict", length=stage.length)
    if len(by_structure) > 1 or len(by_text) > 1:
        both = (*by_structure, *by_text)
        return Reading(hull(both), "", (both[0], next(each for each in both if each != both[0])), stage.length)
    return _reading(told if by_structure else stage.amounts, product, stage.length)


def _agrees(structure: Structure, stage: Stage, product: Product) -> bool:
    """Whether a complete text fits the half that the structure tells."""
    if structure.reason == "conflict":
        return False
    rate = structure.rhythm.often
    if rate is not None and stage.often is not None and not rate.same_rate(stage.often):
        return False
    shared = structure.amounts.keys() & stage.each.keys()
    if shared:
        return all(structure.amounts[unit] == stage.each[unit] for unit in shared)
    by_structure, by_text = in_mg(structure.amounts, product), in_mg(stage.each, product)
    return not by_structure or not by_text or by_structure == by_text


def _reading(per_day: Amounts, product: Product, length: Interval | None) -> Reading:
    found = in_mg(per_day, product)
    if not found:
        unnamed = set(per_day) == {""} and not product.counted
        return Reading(None, "unit-unknown" if unnamed else "strength-unknown", length=length, per_day=per_day)
    if len(found) > 1:
        return Reading(hull(found), "", (found[0], found[1]), length)
    return Reading(found[0], "", None, length, per_day)
