"""What all services of Bone Health CDS share: rules, what they read, words and orders."""

from __future__ import annotations

from functools import lru_cache

from cds_service.cards.suggest import load_orders
from cds_service.cards.texts import Texts, load
from cds_service.clinical import content
from cds_service.clinical.clinic import CLINIC
from cds_service.clinical.patient import ALL_NEEDS
from cds_service.clinical.rules import RULES
from cds_service.clinical.terminology import terminology
from cds_service.engine.services import Service
from cds_service.fhir.search import prefetch

_PREFETCH = prefetch(ALL_NEEDS, terminology())
_ORDERS = load_orders(content.orders_file(), "orders.toml")
_USAGE = "FHIR R4. Give every prefetch key; a key that is missing counts as not supplied, never as empty."


@lru_cache
def _texts(language: str, wording: tuple[tuple[str, str], ...] = ()) -> Texts:
    return load(content.text_files(language), wording)


def bone_health(hook: str, title: str, description: str, usage: str = "") -> Service:
    """The service for a hook: every rule of the rule book, asked at that moment."""
    return Service(
        id=f"bone-health-{hook}",
        hook=hook,
        title=title,
        description=description,
        usage_requirements=f"{_USAGE} {usage}".strip(),
        rules=RULES,
        needs=ALL_NEEDS,
        prefetch=_PREFETCH,
        clinic=CLINIC,
        texts=_texts,
        orders=_ORDERS,
    )
