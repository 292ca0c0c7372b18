"""The one dose pack whose days everybody knows: methylprednisolone 4 mg, 21 tablets, 24 mg down to 4 mg in six days."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from cds_service.clinical.dosage.product import Product
from cds_service.clinical.dosage.structured import amount_of
from cds_service.clinical.dosage.timing import duration
from cds_service.clinical.dosage.units import TABLET
from cds_service.fhir.read import mapping, number, string
from cds_service.kernel.needs import Resource

PACK_MG = tuple(map(Decimal, (24, 20, 16, 12, 8, 4)))
_TABLETS, _STRENGTH = 21, frozenset({Decimal(4)})
_SAYS_SO = re.compile(
    r"dose[ -]?pac?ks?\b|medrol pak|\btaper"
    r"|(?:as|per) (?:directed |instructed |stated )?(?:on|in|by|per)? ?(?:the )?(?:pack|package|packet)\b",
    re.I,
)
_OF_THE_PACK = re.compile(r"\b(?:21|4 ?mg|6[- ]days?)\b", re.I)
_NUMBERS = re.compile(r"\d")


def is_dose_pack(resource: Resource, product: Product, texts: Iterator[str] | tuple[str, ...]) -> bool:
    """Whether it is that pack, once, to be taken as the pack says.

    The product or the quantity must be 21 tablets of 4 mg, the text must speak of a pack or a taper and name no number of
    its own, and no number of days may speak against six (a pharmacy's week is let pass).
    """
    words = " ".join(texts)
    if product.ingredient != "methylprednisolone" or product.strengths != _STRENGTH:
        return False
    if not _SAYS_SO.search(words) or _NUMBERS.search(_OF_THE_PACK.sub("", words)):
        return False
    supply = (
        mapping(resource.get("dispenseRequest")) if resource.get("resourceType") == "MedicationRequest" else resource
    )
    days = duration(supply.get("expectedSupplyDuration")) or duration(supply.get("daysSupply"))
    fits = days is None or days.low in (Decimal(6), Decimal(7))
    return fits and _tablets(supply, product) == _TABLETS and not (number(supply.get("numberOfRepeatsAllowed")) or 0)


def _tablets(supply: Resource, product: Product) -> Decimal | None:
    """Tablets handed out; one pack of 21 may also be counted as one."""
    quantity = mapping(supply.get("quantity"))
    amounts = amount_of(quantity)
    told = amounts.get(TABLET) or amounts.get("")
    if told is None or told.low is None:
        word = string(quantity.get("unit")).lower()
        one = number(quantity.get("value")) == 1 and word in ("pack", "packs", "dose pack", "dosepak", "kit")
        return Decimal(product.pack) if product.pack and (one or not quantity) else None
    return Decimal(product.pack) if product.pack and told.low == 1 and TABLET not in amounts else told.low
