"""What speaks against offering a drug as a draft order: label contraindications, and what has to be known before (E5, issue 4).

A card offers a draft only where every one of these was looked for, found fresh, and does not hold. The rules of the drug in
question (SAF-01 ...) speak again when it is ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from cds_service.clinical.patient import Patient
from cds_service.clinical.rules.contraindications import (
    caution_pregnancy_possible,
    contraindication_clearance_35,
    contraindication_denosumab_kidney,
    contraindication_hypocalcaemia,
    contraindication_oesophagus,
    contraindication_pregnancy,
    contraindication_upright,
    contraindication_vitamin_d,
)
from cds_service.clinical.rules.recent_results import calcium_high
from cds_service.clinical.rules.vitamin_d import supplemented
from cds_service.kernel.criteria import Criterion, any_of
from cds_service.kernel.thresholds import Thresholds

Speaks: TypeAlias = Callable[[Patient, Thresholds], Criterion]

_PREGNANCY: tuple[Speaks, ...] = (contraindication_pregnancy, caution_pregnancy_possible)
_AGAINST: Mapping[str, tuple[Speaks, ...]] = {
    "alendronate": (
        contraindication_clearance_35,
        contraindication_hypocalcaemia,
        contraindication_oesophagus,
        contraindication_upright,
        *_PREGNANCY,
    ),
    "zoledronic-acid": (
        contraindication_clearance_35,
        contraindication_hypocalcaemia,
        contraindication_vitamin_d,
        *_PREGNANCY,
    ),
    "denosumab": (
        contraindication_denosumab_kidney,
        contraindication_hypocalcaemia,
        contraindication_vitamin_d,
        *_PREGNANCY,
    ),
    "calcium-vitamin-d": (calcium_high, lambda p, _: supplemented(p)),
}


def against(order: str, p: Patient, t: Thresholds) -> Criterion | None:
    """What speaks against a draft of that order; `None` for an order that needs no such look (a test, a referral)."""
    asked = _AGAINST.get(order)
    return any_of(*(speaks(p, t) for speaks in asked)) if asked else None
