"""What is in one unit of the drug that a medication resource names.

Strengths come from the codes, from the words beside them ("prednisolone 5 mg tablets") and from the ingredients of a
`Medication`. All of them count: where they disagree the product has several strengths, and nothing is computed from any.
A name is read only when it holds exactly one strength and, for a strength per unit, a form that is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from cds_service.clinical.dosage.units import MILLIGRAM, MILLILITRE, PER_UNIT_OF_PRODUCT, UNIT_WORDS
from cds_service.fhir.codes import Entry
from cds_service.fhir.read import items, mapping, number, string
from cds_service.kernel.needs import Resource
from cds_service.kernel.recall import for_one_call

_MASS = r"(\d[\d,]*(?:\.\d+)?)\s*(mg|g|mcg|micrograms?|milligrams?|grams?|ug|µg)"
_STRENGTH = re.compile(
    rf"{_MASS}(?:\s*(?:/|per|in)\s*(\d+(?:\.\d+)?)?\s*(ml|tablet|tab|capsule|cap|vial|actuation|dose|1)\b)?(?![a-z/%])",
    re.I,
)
_COUNTED_FORM = re.compile(r"\b(?:tab(?:let)?s?|cap(?:sule|let)?s?|pills?)\b", re.I)
_OTHER_FORM = re.compile(
    r"\b(?:vials?|ampoules?|syringes?|inject\w*|suspension|solution|syrup|elixir|cream|ointment)\b", re.I
)
_PACK = re.compile(r"\{\s*(\d+)\s*\((.*?)\)\s*\}", re.I)
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Product:
    """A drug as far as its codes and its name tell.

    Attributes:
        ingredient: our name of the ingredient ("prednisone").
        strengths: possible mg per tablet, capsule or vial; empty when nothing says, several when they disagree.
        strengths_per_ml: possible mg per mL.
        route_classes: what the codes say about where it acts: "systemic", "local", "depends".
        codes: the codes themselves, to tell one product from another.
        counted: whether it comes as tablets, capsules or the like, so that a number without a unit is a number of them.
        pack: tablets in the pack, where the product is one pack.
    """

    ingredient: str
    strengths: frozenset[Decimal]
    strengths_per_ml: frozenset[Decimal]
    route_classes: frozenset[str]
    codes: frozenset[str]
    counted: bool = False
    pack: int | None = None

    def mg_in(self, unit: str) -> Decimal | None:
        """Mg of the drug in one of the unit; `None` when it is not known, or not one number."""
        if unit == MILLIGRAM:
            return Decimal(1)
        if unit in PER_UNIT_OF_PRODUCT or (unit == "" and self.counted):
            return next(iter(self.strengths)) if len(self.strengths) == 1 else None
        if unit == MILLILITRE:
            return next(iter(self.strengths_per_ml)) if len(self.strengths_per_ml) == 1 else None
        return None


def product_of(entries: tuple[Entry, ...], unnamed: str = "", medication: Resource | None = None) -> Product | None:
    """The product that value-set rows, and the medication itself, describe.

    Args:
        entries: rows that the codes of the drug matched.
        unnamed: what to call a drug of which only the class is known, or that is coded as two drugs (nothing is
            guessed); `None` is returned for those when this is empty.
        medication: the `Medication`, or what stands for it (`{"code": ...}`), for its names and ingredients.
    """
    ingredients = {entry.ingredient for entry in entries if entry.ingredient}
    if len(ingredients) != 1:
        ingredients = {unnamed} if unnamed else set()
    if not ingredients:
        return None
    with_strength = [entry for entry in entries if entry.strength_mg is not None]
    packs = [pack for entry in entries if entry.form == "pack" and (pack := _pack(entry.display))]
    told = [_of_name(name) for name in _names(medication)] + list(_of_ingredients(medication))
    told += [named for _, named in packs]
    sizes = {size for size, _ in packs}
    return Product(
        ingredient=ingredients.pop(),
        strengths=frozenset(e.strength_mg for e in with_strength if e.strength_mg and e.per != "mL")
        | frozenset(each.mg for each in told if each.mg and not each.per_ml),
        strengths_per_ml=frozenset(e.strength_mg for e in with_strength if e.strength_mg and e.per == "mL")
        | frozenset(each.mg for each in told if each.mg and each.per_ml),
        route_classes=frozenset(entry.route_class for entry in entries if entry.route_class),
        codes=frozenset(entry.code for entry in entries),
        counted=any(_COUNTED_FORM.search(entry.form) for entry in entries) or any(each.counted for each in told),
        pack=sizes.pop() if len(sizes) == 1 else None,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """What one name or ingredient says."""

    mg: Decimal | None = None
    per_ml: bool = False
    counted: bool = False


_NOTHING = _Told()


def _names(medication: Resource | None) -> Iterator[str]:
    code = mapping(medication).get("code") if medication else None
    words = {string(code)} if isinstance(code, str) else {string(mapping(code).get("text"))}
    words |= {string(mapping(coding).get("display")) for coding in items(mapping(code).get("coding"))}
    form = mapping(mapping(medication).get("form")) if medication else {}
    words |= {string(form.get("text"))} | {string(mapping(c).get("display")) for c in items(form.get("coding"))}
    yield from sorted(words - {""})


@for_one_call(maxsize=2048)
def _of_name(name: str) -> _Told:
    """One strength and a form out of a name; nothing where it holds two strengths or a combination."""
    if len(name) > _LONGEST_NAME:
        return _NOTHING
    counted = bool(_COUNTED_FORM.search(name)) and not _OTHER_FORM.search(name)
    found = list(_STRENGTH.finditer(name))
    numbers = {match.groups() for match in found}
    if len(numbers) != 1 or "%" in name or _PACK.search(name):
        return _Told(counted=counted)
    amount, unit, per, of = found[0].groups()
    _, factor = UNIT_WORDS.get(unit.lower(), ("", Decimal(0)))
    mg = Decimal(amount.replace(",", "")) * factor
    if of is None:
        return _Told(mg, counted=True) if counted else _NOTHING
    divisor = Decimal(per or 1)
    if divisor <= 0:
        return _NOTHING
    if of.lower() == "ml":
        return _Told((mg / divisor).normalize() + 0, per_ml=True)
    if of.lower() in ("tablet", "tab", "capsule", "cap") and divisor == 1:
        return _Told(mg, counted=True)
    return _Told(counted=counted)


def _pack(display: str) -> tuple[int, _Told] | None:
    """The number of tablets in a pack of one kind and what one holds: `{21 (Prednisone 5 MG Oral Tablet) } Pack`."""
    found = _PACK.findall(display)
    return (int(found[0][0]), _of_name(found[0][1])) if len(found) == 1 else None


def _of_ingredients(medication: Resource | None) -> Iterator[_Told]:
    """The strength of a `Medication` with one ingredient: mg in one tablet, or in some mL."""
    ingredients = [mapping(each) for each in items(mapping(medication).get("ingredient"))] if medication else []
    if len(ingredients) != 1:
        return
    ratio = mapping(ingredients[0].get("strength"))
    above, below = mapping(ratio.get("numerator")), mapping(ratio.get("denominator"))
    amount, per = number(above.get("value")), number(below.get("value"))
    unit, factor = _unit(above)
    of, of_factor = _unit(below)
    if amount is None or unit != MILLIGRAM or (per is None and below) or (per is not None and per <= 0):
        return
    mg = amount * factor / (per or Decimal(1)) / of_factor
    if of == MILLILITRE:
        yield _Told(mg.normalize() + 0, per_ml=True)
    elif of in PER_UNIT_OF_PRODUCT:
        yield _Told(mg.normalize() + 0, counted=of not in ("vial", "ampoule"))


def _unit(quantity: Resource) -> tuple[str, Decimal]:
    words = {string(quantity.get(name)).lower() for name in ("code", "unit")} - {"", "1"}
    units = {UNIT_WORDS.get(word, ("?", Decimal(1))) for word in words}
    return units.pop() if len(units) == 1 else ("?", Decimal(1))
