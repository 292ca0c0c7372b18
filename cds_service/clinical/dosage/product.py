"""What is in one unit of the drug that a medication resource names."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cds_service.fhir.codes import Entry


@dataclass(frozen=True, slots=True)
class Product:
    """A drug as far as its codes tell.

    Attributes:
        ingredient: our name of the ingredient ("prednisone").
        strengths: possible mg per tablet, capsule or vial; empty when no code says, several when codes disagree.
        strengths_per_ml: possible mg per mL.
        route_classes: what the codes say about where it acts: "systemic", "local", "depends".
        codes: the codes themselves, to tell one product from another.
    """

    ingredient: str
    strengths: frozenset[Decimal]
    strengths_per_ml: frozenset[Decimal]
    route_classes: frozenset[str]
    codes: frozenset[str]


def product_of(entries: tuple[Entry, ...], unnamed: str = "") -> Product | None:
    """The product that value-set rows describe.

    Args:
        entries: rows that the codes of the drug matched.
        unnamed: what to call a drug of which only the class is known, or that is coded as two drugs (nothing is
            guessed); `None` is returned for those when this is empty.
    """
    ingredients = {entry.ingredient for entry in entries if entry.ingredient}
    if len(ingredients) != 1:
        ingredients = {unnamed} if unnamed else set()
    if not ingredients:
        return None
    with_strength = [entry for entry in entries if entry.strength_mg is not None]
    return Product(
        ingredient=ingredients.pop(),
        strengths=frozenset(e.strength_mg for e in with_strength if e.strength_mg and e.per != "mL"),
        strengths_per_ml=frozenset(e.strength_mg for e in with_strength if e.strength_mg and e.per == "mL"),
        route_classes=frozenset(entry.route_class for entry in entries if entry.route_class),
        codes=frozenset(entry.code for entry in entries),
    )
