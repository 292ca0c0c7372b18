"""What the page takes from the project's own terminology: the systemic glucocorticoids and bone drugs that can be ordered, and
names of codes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from cds_service.clinical.terminology import terminology
from cds_service.fhir.codes import RXNORM, Entry

_KINDS = {
    "glucocorticoid.drug": "steroid",
    "glucocorticoid.ingredient": "steroid",
    "therapy.drug": "bone",
    "therapy.ingredient": "bone",
}
# where a form acts that is not swallowed: SNOMED CT route, and words for people
_ROUTES = (
    (("oral", "tablet", "capsule", "pack"), ("26643006", "by mouth")),
    (("pen injector", "prefilled syringe"), ("34206005", "under the skin")),
    (("inject",), ("47625008", "into a vein")),
)


@lru_cache(maxsize=1)
def drugs() -> tuple[dict[str, Any], ...]:
    """Each product or ingredient once: code, display, ingredient, kind, strength in mg and of what, route."""
    rows = [each for each in terminology().rows() if _offered(each)]
    return tuple(sorted((_shown(each) for each in rows), key=_place))


@lru_cache(maxsize=1)
def names() -> dict[str, str]:
    """`system|code` to a name, for records that carry codes alone; ours of the concept where the licence keeps the official one."""
    return {f"{row.system}|{row.code}": row.display or _words(row) for row in terminology().rows() if row.system}


def _words(row: Entry) -> str:
    return row.ingredient.replace("_", " ") or row.concept.rpartition(".")[2].replace("_", " ")


def _place(drug: dict[str, Any]) -> tuple[str, int, float, str]:
    """By ingredient; plain tablets first, which are ordered most, and those from weak to strong."""
    rank = 0 if drug["form"] == "oral tablet" else 1 if drug["form"] else 2
    return drug["ingredient"], rank, drug["strength"] or 0, drug["display"].lower()


def _offered(row: Entry) -> bool:
    return (
        row.concept in _KINDS
        and row.system == RXNORM
        and bool(row.display)
        and row.edition != "historic"
        # brands, packs and mixtures with a pain killer say nothing that the product does not
        and "[" not in row.display
        and not (row.concept == "glucocorticoid.drug" and " / " in row.display)
        and not row.display.startswith("{")
        and row.route_class not in ("local", "mineralocorticoid", "not-convertible")
    )


def _shown(row: Entry) -> dict[str, Any]:
    route, words = next((known for marks, known in _ROUTES if any(mark in row.form for mark in marks)), ("", ""))
    return {
        "system": row.system,
        "code": row.code,
        "display": row.display,
        "ingredient": row.ingredient.replace("_", " "),
        "kind": _KINDS[row.concept],
        "strength": float(row.strength_mg) if row.strength_mg is not None else None,
        "per": row.per,
        "form": row.form,
        "route": route,
        "routeText": words,
    }
